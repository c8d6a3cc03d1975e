"""`db check`: compares a database with what we and Kamailio expect, and says what to do about each difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, Table, UniqueConstraint, inspect
from sqlalchemy.engine import Inspector
from sqlalchemy.schema import CreateIndex

from modules.database.migrations import MIGRATIONS, number_of, version_of
from modules.database.schema import KAMAILIO_VERSIONS, changes, location, subscriber, version

_INIT = "run `ringway db init`: it adds what is missing and removes nothing"


class Finding(NamedTuple):
    """One difference, and what to do about it."""

    problem: str
    remedy: str


def examine(connection: Connection) -> list[Finding]:
    """Every difference found; none when the database is as it should be."""
    damage = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(10)") if row[0] != "ok"]
    if damage:
        return [Finding(f"the file is damaged: {text}", "restore a copy") for text in damage]
    inspector = inspect(connection)
    found: list[Finding] = []
    for table in (version, subscriber, location, changes):
        found += _compare(inspector, table) if inspector.has_table(table.name) else [_missing("table", table.name)]
    if inspector.has_table(version.name):
        found += _versions(connection)
    return found


def _missing(what: str, name: str) -> Finding:
    return Finding(f"{what} {name} is missing", _INIT)


def _compare(inspector: Inspector, table: Table) -> Iterator[Finding]:
    present = {column["name"] for column in inspector.get_columns(table.name)}
    for column in table.columns:
        if column.name not in present:
            yield _missing("column", f"{table.name}.{column.name}")
    indexes = inspector.get_indexes(table.name)
    for index in table.indexes:
        if index.name not in {found["name"] for found in indexes}:
            yield Finding(f"index {index.name} is missing, which makes queries slow", f"make it: {CreateIndex(index)}")
    unique: list[set[str | None]] = [
        set(found["column_names"]) for found in inspector.get_unique_constraints(table.name)
    ]
    unique += [set(found["column_names"]) for found in indexes if found["unique"]]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint) and {column.name for column in constraint.columns} not in unique:
            columns = ", ".join(column.name for column in constraint.columns)
            remedy = f"make it: CREATE UNIQUE INDEX {constraint.name} ON {table.name} ({columns})"
            yield Finding(f"{table.name} has no unique index on {columns}", remedy)


def _versions(connection: Connection) -> Iterator[Finding]:
    number, newest = number_of(connection), MIGRATIONS[-1].number
    if number < newest:
        yield Finding(f"schema {number} is older than {newest}, which this version needs", _INIT)
    elif number > newest:
        yield Finding(f"schema {number} is newer than {newest}, which this version knows", "use a newer Ringway")
    for name, expected in KAMAILIO_VERSIONS.items():
        present = version_of(connection, name)
        if present != expected:
            problem = f"version of {name} is {present}, and Kamailio starts only with {expected}"
            remedy = f"UPDATE version SET table_version={expected} WHERE table_name='{name}'"
            yield Finding(problem, remedy if present is not None else _INIT)
