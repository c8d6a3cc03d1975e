"""What the reading thread does: run queries, and turn the database's errors into sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from modules.database import statements
from modules.database.accounts import account_of
from modules.database.sqlite_connection import Connection, meaning
from modules.database.worker import Outcome
from routing.runtime.stores import Account, BindingRow
from sipcore.errors import Unavailable

Query = Callable[[sqlite3.Connection], Any]
"""Asks one thing of the database."""


class Reader:
    """Performs queries one after another; one that fails fails alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def perform(self, jobs: Sequence[Query]) -> list[Outcome]:
        """Run the queries."""
        return [self._ask(query) for query in jobs]

    def _ask(self, query: Query) -> Outcome:
        try:
            return Outcome(query(self._connection.get()))
        except (sqlite3.Error, OSError) as error:
            self._connection.close()
            return Outcome(None, Unavailable(meaning(error, self._connection.file)))

    def look_around(self) -> None:
        """Nothing to see: the writing thread does it."""

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def bindings(connection: sqlite3.Connection, now: float) -> Iterator[BindingRow]:
    """All bindings that have not expired at this Unix time."""
    cursor = connection.execute(statements.LOAD, (now,))
    while rows := cursor.fetchmany(1000):
        yield from map(_binding, rows)


def bindings_of(connection: sqlite3.Connection, username: str, domain: str, now: float) -> list[BindingRow]:
    """Those of one address of record."""
    return [_binding(row) for row in connection.execute(statements.FETCH, (username, domain, now))]


def _binding(row: tuple[Any, ...]) -> BindingRow:
    binding = BindingRow._make(row)
    # Kamailio leaves the domain out when it is told that there is only one.
    return binding if binding.domain is not None else binding._replace(domain="")


def account(connection: sqlite3.Connection, username: str, domain: str) -> Account | None:
    """One account, or None."""
    try:
        row = connection.execute(statements.ACCOUNT, (username, domain)).fetchone()
    except UnicodeEncodeError:
        return None  # a user name that is no UTF-8 text is nobody's
    return None if row is None else account_of(row)
