"""The `location` table as a person looks at it: list and remove, also while a server is running."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, delete, insert, literal_column, or_, select

from modules.database.schema import changes, location
from routing.runtime.stores import BindingRow

_KEPT_CHANGES = 24 * 3600.0
"""How long a note to the server stays; it reads them every second."""


def list_bindings(connection: Connection, username: str = "", domain: str = "") -> list[BindingRow]:
    """The bindings that have not expired, of one address of record or all."""
    current = or_(location.c.expires > time.time(), location.c.expires == literal_column("0"))
    query = select(*(location.c[name] for name in BindingRow._fields)).where(current)
    if username:
        query = query.where(*_of(username, domain))
    ordered = query.order_by(location.c.domain, location.c.username, location.c.id)
    return [BindingRow(*row)._replace(domain=row.domain or "") for row in connection.execute(ordered)]


def remove_bindings(connection: Connection, username: str, domain: str, contact: str = "") -> int:
    """Remove the bindings of an address of record, or the one of this contact; returns how many there were.

    A note in `ringway_changes` tells a running server to read this address of record again. It looks every second.
    """
    statement = delete(location).where(*_of(username, domain))
    if contact:
        statement = statement.where(location.c.contact == contact)
    removed = connection.execute(statement).rowcount
    if removed:
        note_change(connection, username, domain)
    return removed


def note_change(connection: Connection, username: str, domain: str) -> None:
    """Tell a running server that these bindings were changed behind its back."""
    now = time.time()
    connection.execute(delete(changes).where(changes.c.at < now - _KEPT_CHANGES))
    connection.execute(insert(changes).values(username=username, domain=domain, at=now))


def _of(username: str, domain: str) -> tuple[Any, ...]:
    return location.c.username == username, location.c.domain == domain
