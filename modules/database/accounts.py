"""The `subscriber` table: who may log in, and the hashes that stand for the passwords."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from modules.database.schema import subscriber
from routing.runtime.stores import Account
from sipcore.digest import ALGORITHMS, MD5, ha1


class ListedAccount(NamedTuple):
    """What may be shown of an account."""

    username: str
    domain: str
    algorithms: tuple[str, ...]
    """Digest algorithms there is a hash for."""


def hashes(username: str, domain: str, password: str) -> dict[str, str]:
    """The columns that a password becomes; the realm is the domain. The password itself is not stored."""
    return {
        "password": "",
        "ha1": ha1(MD5, username, domain, password),
        "ha1b": ha1(MD5, f"{username}@{domain}", domain, password),
        "ha1_sha256": ha1(ALGORITHMS["sha-256"], username, domain, password),
        "ha1_sha512t256": ha1(ALGORITHMS["sha-512-256"], username, domain, password),
    }


def account_of(row: Sequence[Any]) -> Account:
    """An account from the columns of `statements.ACCOUNT`.

    A row with nothing but a plain password, as Kamailio keeps with `calculate_ha1`, gets its hashes here.
    """
    username, domain, *stored, password = row
    if password and not stored[0]:
        made = hashes(username, domain, password)
        stored = [made["ha1"], made["ha1b"], made["ha1_sha256"], made["ha1_sha512t256"]]
    return Account(username, domain, *((text or "").lower() for text in stored))


def add_account(connection: Connection, username: str, domain: str, password: str) -> bool:
    """Add an account; False when there is one of this name already."""
    if _exists(connection, username, domain):
        return False
    values = {"username": username, "domain": domain, **hashes(username, domain, password)}
    connection.execute(insert(subscriber).values(values))
    return True


def change_password(connection: Connection, username: str, domain: str, password: str) -> bool:
    """Give an account another password; False when there is no such account."""
    changed = connection.execute(
        update(subscriber).where(*_is(username, domain)).values(hashes(username, domain, password))
    )
    return changed.rowcount > 0


def has_password(connection: Connection, username: str, domain: str, password: str) -> bool:
    """Whether this is the password of this account."""
    columns = subscriber.c
    row = connection.execute(select(columns.ha1, columns.password).where(*_is(username, domain))).first()
    return row is not None and (row.ha1 or ha1(MD5, username, domain, row.password)) == ha1(
        MD5, username, domain, password
    )


def remove_account(connection: Connection, username: str, domain: str) -> bool:
    """Remove an account; False when there is none."""
    return connection.execute(delete(subscriber).where(*_is(username, domain))).rowcount > 0


def list_accounts(connection: Connection) -> list[ListedAccount]:
    """All accounts, by domain and name."""
    table = subscriber.c
    rows = connection.execute(
        select(
            table.username, table.domain, table.ha1, table.ha1_sha256, table.ha1_sha512t256, table.password
        ).order_by(table.domain, table.username)
    )
    return [ListedAccount(row.username, row.domain, _algorithms(row)) for row in rows]


def _algorithms(row: Any) -> tuple[str, ...]:
    plain = bool(row.password) and not row.ha1
    columns = (("MD5", row.ha1), ("SHA-256", row.ha1_sha256), ("SHA-512-256", row.ha1_sha512t256))
    return tuple(name for name, stored in columns if stored or plain)


def _exists(connection: Connection, username: str, domain: str) -> bool:
    return connection.execute(select(subscriber.c.id).where(*_is(username, domain))).first() is not None


def _is(username: str, domain: str) -> tuple[Any, ...]:
    return subscriber.c.username == username, subscriber.c.domain == domain
