"""What `ringway reg ...` does: shows and removes bindings in the database, also while a server runs."""

from __future__ import annotations

import time
from typing import Any

from modules.database.engine import transaction
from modules.database.registrations import list_bindings, remove_bindings
from routing.program.accounts import NotDone, split_address
from routing.program.config import Config
from routing.runtime.stores import BindingRow

COLUMNS = ("user", "contact", "source", "expires_in", "q", "user_agent")
"""What the table shows of a registration."""


def list_registrations(config: Config, address: str | None) -> list[dict[str, Any]]:
    """The bindings in force, of one user or all; times in seconds."""
    user, domain = split_address(config, address) if address else ("", "")
    with transaction(config.database_url) as connection:
        return [_shown(row) for row in list_bindings(connection, user, domain)]


def remove_registrations(config: Config, address: str, contact: str | None) -> int:
    """Remove all bindings of a user, or one; returns how many. NotDone when there are none."""
    user, domain = split_address(config, address)
    with transaction(config.database_url) as connection:
        removed = remove_bindings(connection, user, domain, contact or "")
        left = list_bindings(connection, user, domain)
    if not removed:
        known = "; its contacts are " + ", ".join(row.contact for row in left) if left else ""
        raise NotDone(f"{user}@{domain} has no {'such ' if contact else ''}registration{known}")
    return removed


def _shown(row: BindingRow) -> dict[str, Any]:
    return {
        "user": f"{row.username}@{row.domain}",
        "contact": row.contact,
        "source": row.received,
        "path": row.path,
        "expires_in": round(row.expires - time.time()) if row.expires else None,
        "q": row.q if row.q >= 0 else None,
        "user_agent": row.user_agent,
        "socket": row.socket,
        "instance": row.instance,
        "reg_id": row.reg_id,
        "call_id": row.callid,
        "cseq": row.cseq,
    }
