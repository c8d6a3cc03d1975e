"""What the writing thread does: a group of operations in one transaction, and an eye on changes made by others."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain

from modules.database import statements
from modules.database.sqlite_connection import Connection, is_damage, meaning
from modules.database.worker import Outcome
from routing.runtime.stores import BindingRow, Operation, PurgeBindings, SaveBindings
from sipcore.errors import Unavailable

log = logging.getLogger("ringway.database")

_MOST_ROWS = 64
"""Rows one statement stores. There is a prepared statement for each number up to it, made when first needed."""
_ONE_IS_WRONG = (
    sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError,
    ValueError, OverflowError,
)  # fmt: skip
"""Errors that are about one operation and not about the database."""

Changes = list[tuple[str, str]]
"""User name and domain of each address of record whose bindings another program changed."""


class Writer:
    """Performs operations in groups.

    `foreign(changes)` is called when another program committed something, `opened()` when the file was opened and
    `was_open` was False. `last_change` is the newest note in the table of changes that needs no attention; None when
    that is not known, and every note of the file is old.
    """

    def __init__(self, connection: Connection, foreign: Callable[[Changes], None], opened: Callable[[], None]) -> None:
        self._connection = connection
        self._foreign = foreign
        self._opened = opened
        self._current: sqlite3.Connection | None = None
        self._data_version = 0
        self.last_change: int | None = None
        self._trouble = ""
        self.was_open = False

    def perform(self, jobs: Sequence[Operation]) -> list[Outcome]:
        """Run the operations in one transaction; the outcomes say what is on the disk."""
        try:
            try:
                self._together(jobs)
                outcomes = [Outcome()] * len(jobs)
            except _ONE_IS_WRONG:
                outcomes = self._one_by_one(jobs)
            self._connection.confirm()
        except (sqlite3.Error, OSError) as error:
            return [Outcome(None, self._fail(error))] * len(jobs)
        self._note("")
        return outcomes

    def _together(self, jobs: Sequence[Operation]) -> None:
        connection = self._open()
        rows = _only_rows(jobs)
        if rows:
            # One statement is a transaction in itself. Every call into SQLite gives up the interpreter's lock, and may
            # have to wait for the busy stack thread to get it back: one call in place of three halves the latency.
            connection.execute(statements.save_many(len(rows)), tuple(chain.from_iterable(rows)))
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            _apply(connection, jobs)
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise

    def _one_by_one(self, jobs: Sequence[Operation]) -> list[Outcome]:
        """The same again, so that only the operation that is wrong fails."""
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [_attempt(connection, job) for job in jobs]
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        return outcomes

    def _open(self) -> sqlite3.Connection:
        connection = self._connection.get()
        if connection is not self._current:
            self._data_version = number(connection, "PRAGMA data_version")
            if self.last_change is None:
                self.last_change = number(connection, statements.LAST_CHANGE)
            self._current = connection
            missed = self._read_changes(connection)
            if missed:
                self._foreign(missed)
            if not self.was_open:
                self.was_open = True
                self._opened()
        return connection

    def _fail(self, error: Exception) -> Unavailable:
        said = meaning(error, self._connection.file)
        if is_damage(error) or isinstance(error, OSError):
            self.close()
        self._note(said)
        return Unavailable(said)

    def _note(self, trouble: str) -> None:
        """Log when the database goes and when it comes back, not with every request in between."""
        if trouble != self._trouble:
            self._trouble = trouble
            log.error(trouble) if trouble else log.warning("the database %s works again", self._connection.file)

    def look_around(self) -> None:
        """Open the file if it could not be opened before; tell of what other programs committed."""
        try:
            connection = self._open()
            data_version = number(connection, "PRAGMA data_version")
            if data_version != self._data_version:
                self._data_version = data_version
                self._foreign(self._read_changes(connection))
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def _read_changes(self, connection: sqlite3.Connection) -> Changes:
        found = connection.execute(statements.CHANGES, (self.last_change,)).fetchall()
        self.last_change = max((change[0] for change in found), default=self.last_change)
        return [(username, domain) for _, username, domain in found]

    def close(self) -> None:
        """Close the file; what is opened next may be another one."""
        self._current = self.last_change = None
        self._connection.close()


def number(connection: sqlite3.Connection, statement: str) -> int:
    """The one number that a statement gives."""
    row = connection.execute(statement).fetchone()
    return int(row[0] or 0)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite has rolled back by itself after some errors
        connection.execute("ROLLBACK")


def _only_rows(jobs: Sequence[Operation]) -> list[BindingRow]:
    """The rows of a group that does nothing but store as many as one statement can; else none."""
    rows: list[BindingRow] = []
    for job in jobs:
        if not isinstance(job, SaveBindings) or job.removed:
            return []
        rows += job.stored
    return rows if len(rows) <= _MOST_ROWS else []


def _attempt(connection: sqlite3.Connection, job: Operation) -> Outcome:
    connection.execute("SAVEPOINT one")
    try:
        _apply(connection, [job])
        outcome = Outcome()
    except _ONE_IS_WRONG as error:
        connection.execute("ROLLBACK TO one")
        outcome = Outcome(None, Unavailable(f"these bindings can't be stored: {error}"))
    connection.execute("RELEASE one")
    return outcome


def _apply(connection: sqlite3.Connection, jobs: Sequence[Operation]) -> None:
    """All rows of the group, then all removals: a removed ruid is never stored again."""
    saves = [job for job in jobs if isinstance(job, SaveBindings)]
    rows = [row for save in saves for row in save.stored]
    _store(connection, rows)
    removed = [(ruid,) for save in saves for ruid in save.removed]
    if removed:
        connection.executemany(statements.REMOVE, removed)
    for job in jobs:
        if isinstance(job, PurgeBindings):
            connection.execute(statements.PURGE, job)


def _store(connection: sqlite3.Connection, rows: Sequence[BindingRow]) -> None:
    for start in range(0, len(rows), _MOST_ROWS):
        some = rows[start : start + _MOST_ROWS]
        connection.execute(statements.save_many(len(some)), tuple(chain.from_iterable(some)))
