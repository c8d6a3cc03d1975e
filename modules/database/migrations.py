"""From any earlier state of the database to the present one, in numbered steps.

Rule 1: a step can be repeated, and never removes what it doesn't know, so that a database that Kamailio made becomes
ours by the same steps. Rule 2: Kamailio's rows in `version` are kept as it expects them; our own number is a row beside
them. Rule 3: a step that was released is never changed; a new one is added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, Table, insert, inspect, select, update
from sqlalchemy.schema import CreateColumn

from modules.database.schema import KAMAILIO_VERSIONS, SCHEMA_ROW, changes, location, subscriber, version
from sipcore.errors import Unavailable


class Migration(NamedTuple):
    """One step; `what` says in words what it brings."""

    number: int
    what: str
    apply: Callable[[Connection], None]


def _accounts_and_bindings(connection: Connection) -> None:
    for table in (version, subscriber, location):
        table.create(connection, checkfirst=True)
    for name, number in KAMAILIO_VERSIONS.items():
        if version_of(connection, name) is None:
            _set_version(connection, name, number)


def _stronger_hashes(connection: Connection) -> None:
    for name in ("ha1_sha256", "ha1_sha512t256"):
        _add_column(connection, subscriber, name)


def _notes_to_the_server(connection: Connection) -> None:
    changes.create(connection, checkfirst=True)


MIGRATIONS = (
    Migration(1, "tables for accounts and bindings", _accounts_and_bindings),
    Migration(2, "columns for SHA-256 and SHA-512/256 hashes", _stronger_hashes),
    Migration(3, "a list of changes that a running server reads", _notes_to_the_server),
)


def migrate(connection: Connection) -> list[str]:
    """Take all steps that are missing and return what they brought; `Unavailable` for a database from the future."""
    present = number_of(connection)
    if present > MIGRATIONS[-1].number:
        raise Unavailable(f"the database was made by a newer Ringway (schema {present}); use that version, or a copy")
    missing = [migration for migration in MIGRATIONS if migration.number > present]
    for migration in missing:
        migration.apply(connection)
        _set_version(connection, SCHEMA_ROW, migration.number)
    return [migration.what for migration in missing]


def number_of(connection: Connection) -> int:
    """The number of the last step that was taken; 0 for none."""
    if not inspect(connection).has_table(version.name):
        return 0
    return version_of(connection, SCHEMA_ROW) or 0


def version_of(connection: Connection, name: str) -> int | None:
    """A row of `version`."""
    found = connection.execute(select(version.c.table_version).where(version.c.table_name == name)).first()
    return None if found is None else int(found[0])


def _set_version(connection: Connection, name: str, number: int) -> None:
    values = {"table_version": number}
    if connection.execute(update(version).where(version.c.table_name == name).values(values)).rowcount == 0:
        connection.execute(insert(version).values(table_name=name, **values))


def _add_column(connection: Connection, table: Table, name: str) -> None:
    if name not in {column["name"] for column in inspect(connection).get_columns(table.name)}:
        column = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column}")
