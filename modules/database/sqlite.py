"""The SQLite backend: one thread that writes, one that reads, behind the contracts `Store` and `Credentials`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from modules.database import sqlite_reader, statements
from modules.database.settings import DatabaseSettings
from modules.database.sqlite_connection import Connection, connect, file_of, is_damage, meaning
from modules.database.sqlite_reader import Query, Reader
from modules.database.sqlite_writer import Changes, Writer, number
from modules.database.worker import Worker, WorkerCounters, log
from routing.runtime.stores import Account, BindingRow, Operation
from sipcore.errors import ConfigurationError, Unavailable
from sipcore.need import Done, Pending

Post = Callable[[Callable[[], None]], None]

_LONGER = 3.0
"""Seconds beyond the busy time-out that a request waits for an answer: the disk itself may hang."""


class SqliteStore:
    """Accounts and bindings in one SQLite file."""

    def __init__(self, settings: DatabaseSettings, post: Post, wall_clock: Callable[[], float] = time.time) -> None:
        self.file = file_of(settings.url)
        self._post = post
        self._wall_clock = wall_clock
        self._busy_timeout = settings.busy_timeout
        self._patience = settings.busy_timeout + _LONGER
        self._writing = Writer(self._connection(read_only=False), self._changed, self._opened)
        self._writer: Worker[Operation] = Worker(
            "writer", self._writing, post, limit=settings.queue, window=settings.window, poll=settings.poll
        )
        reading = Reader(self._connection(read_only=True))
        self._reader: Worker[Query] = Worker("reader", reading, post, limit=settings.queue, poll=settings.poll)
        self._account_watchers: list[Callable[[], None]] = []
        self._binding_watchers: list[tuple[Callable[[str, str], None], Callable[[], None]]] = []

    def _connection(self, *, read_only: bool) -> Connection:
        return Connection(self.file, self._busy_timeout, read_only=read_only)

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads; ConfigurationError when the file is damaged or was never made ready.

        A database that is missing or locked is a warning only: what needs it is answered 503 until it comes.
        """
        try:
            with closing(connect(self.file, self._busy_timeout, read_only=True)) as connection:
                self._refuse_unusable(connection)
                self._writing.last_change = number(connection, statements.LAST_CHANGE)
            self._writing.was_open = True
        except (sqlite3.Error, OSError) as error:
            if is_damage(error) or "no such" in str(error):
                raise ConfigurationError([meaning(error, self.file)]) from error
            log.error(meaning(error, self.file))
        self._writer.start()
        self._reader.start()

    def _refuse_unusable(self, connection: sqlite3.Connection) -> None:
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise ConfigurationError([f"the database {self.file} is damaged: {damage}"])
        for statement, parameters in statements.PROBES:
            connection.execute(statement, parameters).close()

    def stop(self) -> None:
        """Commit what waits and close the file."""
        self._writer.stop()
        self._reader.stop()

    def counters(self) -> tuple[WorkerCounters, WorkerCounters]:
        """Counters of the writing and of the reading thread."""
        return self._writer.counters(), self._reader.counters()

    # -- Store ------------------------------------------------------------------------------------------------------

    def submit(self, operation: Operation, done: Done) -> None:
        """Make a change durable, together with whatever else is waiting."""
        self._writer.submit(operation, done)

    def load_bindings(self) -> Iterator[BindingRow]:
        """All bindings that have not expired; blocks."""
        try:
            with closing(connect(self.file, self._busy_timeout, read_only=True)) as connection:
                yield from sqlite_reader.bindings(connection, self._wall_clock())
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(meaning(error, self.file)) from error

    def fetch_all_bindings(self) -> Pending[list[BindingRow]]:
        """The same in the reading thread."""
        now = self._wall_clock()
        return self._ask(lambda connection: list(sqlite_reader.bindings(connection, now)))

    def fetch_bindings(self, username: str, domain: str) -> Pending[list[BindingRow]]:
        """The bindings of one address of record."""
        now = self._wall_clock()
        return self._ask(lambda connection: sqlite_reader.bindings_of(connection, username, domain, now))

    def watch_bindings(self, changed: Callable[[str, str], None], opened: Callable[[], None]) -> None:
        """Hear of bindings that another program changed, and of the database's return."""
        self._binding_watchers.append((changed, opened))

    # -- Credentials ------------------------------------------------------------------------------------------------

    def fetch_credentials(self, username: str, domain: str) -> Pending[Account | None]:
        """The account of a user."""
        return self._ask(lambda connection: sqlite_reader.account(connection, username, domain))

    def watch_accounts(self, changed: Callable[[], None]) -> None:
        """Hear of every commit of another program, since any may be about accounts."""
        self._account_watchers.append(changed)

    # -- between the threads ----------------------------------------------------------------------------------------

    def _ask(self, query: Query) -> Pending[Any]:
        pending: Pending[Any] = Pending(timeout=self._patience)
        try:
            self._reader.submit(query, pending.done)
        except Unavailable as error:
            pending.done(None, error)
        return pending

    def _changed(self, changes: Changes) -> None:
        for account_watcher in self._account_watchers:
            self._post(account_watcher)
        for changed, _ in self._binding_watchers:
            for username, domain in changes:
                self._post(partial(changed, username, domain))

    def _opened(self) -> None:
        for _, opened in self._binding_watchers:
            self._post(opened)
