"""The SQL of the hot path: compiled once from the schema, then run by the backend without SQLAlchemy."""

from __future__ import annotations

from functools import cache

from sqlalchemy import bindparam, delete, func, literal_column, or_, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from modules.database.schema import changes, location, subscriber
from routing.runtime.stores import BindingRow

_DIALECT = sqlite.dialect(paramstyle="qmark")
_COLUMNS = [location.c[name] for name in BindingRow._fields]
# Never changed in a row: leaving them out saves the rewriting of their indexes.
_FIXED = frozenset({"ruid", "username", "domain", "contact", "server_id", "connection_id"})


def compiled(statement: ClauseElement, *parameters: str) -> str:
    """The SQL of a statement whose parameters come in this order."""
    result = statement.compile(dialect=_DIALECT)
    assert list(result.positiontup or ()) == list(parameters), result.positiontup  # type: ignore[attr-defined]
    return str(result)


def _save() -> str:
    insert = sqlite.insert(location).values({name: bindparam(name) for name in BindingRow._fields})
    kept = {name: insert.excluded[name] for name in BindingRow._fields if name not in _FIXED}
    return compiled(insert.on_conflict_do_update(index_elements=["ruid"], set_=kept), *BindingRow._fields)


SAVE = _save()
"""Store one row of `BindingRow`, or bring the row of the same `ruid` up to date."""


@cache
def save_many(count: int) -> str:
    """`SAVE` for `count` rows in one statement: the interpreter's lock changes hands once, not once a row."""
    head, values, tail = SAVE.partition(" VALUES ")
    row, conflict, update = tail.partition(" ON CONFLICT ")
    return head + values + ", ".join([row] * count) + conflict + update


REMOVE = compiled(delete(location).where(location.c.ruid == bindparam("ruid")), "ruid")

PURGE = compiled(
    delete(location).where(
        location.c.id.in_(
            select(location.c.id)
            .where(location.c.expires > literal_column("0"), location.c.expires < bindparam("before"))
            .limit(bindparam("limit"))
            .offset(literal_column("0"))
        )
    ),
    "before",
    "limit",
)
"""Remove some expired rows; rows with expires = 0 are permanent."""

_current = or_(location.c.expires > bindparam("now"), location.c.expires == literal_column("0"))
LOAD = compiled(select(*_COLUMNS).where(_current), "now")
FETCH = compiled(
    select(*_COLUMNS).where(
        location.c.username == bindparam("username"), location.c.domain == bindparam("domain"), _current
    ),
    "username",
    "domain",
    "now",
)
ACCOUNT = compiled(
    select(
        subscriber.c.username,
        subscriber.c.domain,
        subscriber.c.ha1,
        subscriber.c.ha1b,
        subscriber.c.ha1_sha256,
        subscriber.c.ha1_sha512t256,
        subscriber.c.password,
    ).where(subscriber.c.username == bindparam("username"), subscriber.c.domain == bindparam("domain")),
    "username",
    "domain",
)
CHANGES = compiled(
    select(changes.c.id, changes.c.username, changes.c.domain)
    .where(changes.c.id > bindparam("last"))
    .order_by(changes.c.id),
    "last",
)
LAST_CHANGE = compiled(select(func.max(changes.c.id)))

PROBES: tuple[tuple[str, tuple[object, ...]], ...] = (
    (f"{LOAD} LIMIT 0", (0,)),
    (ACCOUNT, ("", "")),
    (LAST_CHANGE, ()),
)
"""Statements that fail when a table or column is missing."""
