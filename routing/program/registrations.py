"""What `ringway reg ...` does; the command line prints what comes back."""

from __future__ import annotations

import time
from dataclasses import dataclass

from modules.database.engine import transaction
from modules.database.registrations import list_bindings, remove_bindings
from routing.program.accounts import NotDone, split_address
from routing.program.config import Config


@dataclass(frozen=True, slots=True)
class Registration:
    """One binding as it is shown. `expires_in` is in seconds, None for one that never expires."""

    address: str
    contact: str
    expires_in: int | None
    q: float | None
    received: str
    user_agent: str
    socket: str
    instance: str


def list_registrations(config: Config, address: str = "") -> list[Registration]:
    """The registrations of a user, or all; read from the database, so that no server need be running."""
    user, domain = split_address(config, address) if address else ("", "")
    now = time.time()
    with transaction(config.database_url) as connection:
        return [
            Registration(
                f"{row.username}@{row.domain}",
                row.contact,
                round(row.expires - now) if row.expires else None,
                row.q if row.q >= 0 else None,
                row.received or "",
                row.user_agent,
                row.socket or "",
                row.instance or "",
            )
            for row in list_bindings(connection, user, domain)
        ]


def remove_registrations(config: Config, address: str, contact: str = "") -> int:
    """Remove the registrations of a user, or one contact as it is listed, and return how many there were.

    Every second a running server looks whether another program has written to the database; it finds a note there and
    reads the bindings of this user again. The phone comes back when it refreshes, unless its user was removed too.
    """
    user, domain = split_address(config, address)
    with transaction(config.database_url) as connection:
        removed = remove_bindings(connection, user, domain, contact)
        if not removed and contact:
            listed = ", ".join(row.contact for row in list_bindings(connection, user, domain)) or "none"
            raise NotDone(f"{user}@{domain} has no contact {contact}; its contacts: {listed}")
    return removed
