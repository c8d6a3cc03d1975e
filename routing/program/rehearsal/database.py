"""The database of a story: accounts and bindings in memory, written at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from routing.runtime.stores import Account, BindingRow, Operation, SaveBindings
from sipcore.digest import ALGORITHMS, MD5, ha1
from sipcore.errors import Unavailable
from sipcore.need import Done, Pending

T = TypeVar("T")


class StoryDatabase:
    """`Store` and `Credentials`; when it is `failing` it gives no answer. `post` runs a call soon."""

    def __init__(
        self,
        accounts: Iterable[Account],
        rows: Iterable[BindingRow],
        post: Callable[[Callable[[], None]], None],
        failing: bool,
    ) -> None:
        self._accounts = {(account.username, account.domain): account for account in accounts}
        self._rows = {row.ruid: row for row in rows}
        self._post = post
        self._failing = failing

    # -- Store ------------------------------------------------------------------------------------------------------

    def submit(self, operation: Operation, done: Done) -> None:
        """Change it; `done` is called soon."""
        if self._failing:
            self._post(lambda: done(None, Unavailable("the database gives no answer")))
            return
        if isinstance(operation, SaveBindings):
            self._rows.update({row.ruid: row for row in operation.stored})
            for ruid in operation.removed:
                self._rows.pop(ruid, None)
        self._post(lambda: done(None, None))

    def load_bindings(self) -> Iterator[BindingRow]:
        """All bindings; a database that fails later has been read at the start."""
        yield from list(self._rows.values())

    def fetch_all_bindings(self) -> Pending[list[BindingRow]]:
        """The same."""
        return self._answer(list(self._rows.values()))

    def fetch_bindings(self, username: str, domain: str) -> Pending[list[BindingRow]]:
        """Those of one address of record."""
        wanted = username, domain
        return self._answer([row for row in self._rows.values() if (row.username, row.domain) == wanted])

    def watch_bindings(self, changed: Callable[[str, str], None], opened: Callable[[], None]) -> None:
        """Nobody else changes anything in a story."""

    # -- Credentials ------------------------------------------------------------------------------------------------

    def fetch_credentials(self, username: str, domain: str) -> Pending[Account | None]:
        """The account of a user."""
        return self._answer(self._accounts.get((username, domain)))

    def watch_accounts(self, changed: Callable[[], None]) -> None:
        """Nobody else changes anything in a story."""

    def _answer(self, found: T) -> Pending[T]:
        pending: Pending[T] = Pending()
        error = Unavailable("the database gives no answer") if self._failing else None
        self._post(lambda: pending.done(None if error else found, error))
        return pending


def account(username: str, domain: str, password: str) -> Account:
    """An account with every kind of hash."""
    sha256, sha512 = ALGORITHMS["sha-256"], ALGORITHMS["sha-512-256"]
    return Account(
        username,
        domain,
        ha1(MD5, username, domain, password),
        ha1(MD5, f"{username}@{domain}", domain, password),
        ha1(sha256, username, domain, password),
        ha1(sha512, username, domain, password),
    )


def binding_row(ruid: str, username: str, domain: str, contact: str, q: float | None, socket: str) -> BindingRow:
    """A binding that never expires."""
    return BindingRow(
        ruid, username, domain, contact, None, None, 0.0, -1.0 if q is None else q, f"{ruid}@before", 1, 0.0, 0, 0,
        "", socket, None, None, 0, 0, -1, 0, 0,
    )  # fmt: skip
