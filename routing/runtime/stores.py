"""What modules need of a database, without naming one: accounts to check passwords, and a place that keeps bindings.

A backend offers these contracts with `platform.provide`; SQLite is the first, other databases and directories follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from sipcore.need import Done, Pending


class Account(NamedTuple):
    """The secrets of one user, as hashes in lower-case hexadecimal; "" where there is none.

    `ha1` is MD5 over user:realm:password and `ha1b` over user@domain:realm:password, for phones that put the whole
    address into the digest user name. The realm is the domain.
    """

    username: str
    domain: str
    ha1: str = ""
    ha1b: str = ""
    ha1_sha256: str = ""
    ha1_sha512t256: str = ""


class Credentials(Protocol):
    """Where accounts come from."""

    def fetch_credentials(self, username: str, domain: str) -> Pending[Account | None]:
        """The account of a user, or None; finishes with `Unavailable` when the backend gives no answer."""

    def watch_accounts(self, changed: Callable[[], None]) -> None:
        """Call `changed()` in the stack's thread when somebody else may have changed accounts; best effort."""


class BindingRow(NamedTuple):
    """One binding as the `location` table holds it, in Kamailio's columns; times are Unix seconds.

    `expires` 0 means that it never expires. `q` -1.0 means that none was given.
    """

    ruid: str
    username: str
    domain: str
    contact: str
    received: str | None
    path: str | None
    expires: float
    q: float
    callid: str
    cseq: int
    last_modified: float
    flags: int
    cflags: int
    user_agent: str
    socket: str | None
    methods: int | None
    instance: str | None
    reg_id: int
    server_id: int
    connection_id: int
    keepalive: int
    partition: int


class SaveBindings(NamedTuple):
    """Store these bindings and remove those with these `ruid`s: all of it or nothing.

    A removed `ruid` is never stored again, so that a store may put all removals of a group behind all rows.
    """

    stored: tuple[BindingRow, ...]
    removed: tuple[str, ...]


class PurgeBindings(NamedTuple):
    """Remove at most `limit` bindings that expired before this Unix time."""

    before: float
    limit: int


Operation = SaveBindings | PurgeBindings


class Store(Protocol):
    """Where bindings are kept.

    `submit` returns at once. `done(None, None)` is called in the stack's thread when the operation is durable, or
    `done(None, error)` when nothing of it was kept; `Pending.done` fits. A full queue raises `Unavailable`.
    """

    def submit(self, operation: Operation, done: Done) -> None:
        """Make a change durable, together with whatever else is waiting."""

    def load_bindings(self) -> Iterator[BindingRow]:
        """All bindings that have not expired; blocks, for the start only. `Unavailable` when they can't be read."""

    def fetch_all_bindings(self) -> Pending[list[BindingRow]]:
        """The same without blocking, for a database that came back after the start."""

    def fetch_bindings(self, username: str, domain: str) -> Pending[list[BindingRow]]:
        """The bindings of one address of record that have not expired."""

    def watch_bindings(self, changed: Callable[[str, str], None], opened: Callable[[], None]) -> None:
        """Have the stack's thread call `changed(username, domain)` when another program changed these bindings.

        `opened()` is called when the database could not be opened at the start and now is.
        """
