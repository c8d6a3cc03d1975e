"""The database of a story: in memory, and never at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.program.rehearsal.database import StoryDatabase, account, binding_row
from routing.runtime.stores import PurgeBindings, SaveBindings
from sipcore.digest import ALGORITHMS, MD5, ha1
from sipcore.errors import Unavailable
from sipcore.need import Pending

BOB = account("bob", "example.com", "secret")
ROW = binding_row("r1", "bob", "example.com", "sip:bob@192.0.2.7", 0.5, "udp:198.51.100.1:5060")
OTHER = ROW._replace(ruid="r2", contact="sip:bob@192.0.2.8")


class Posted:
    """What will happen soon."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def run(self) -> None:
        while self.calls:
            self.calls.pop(0)()


@pytest.fixture
def posted() -> Posted:
    return Posted()


def database(posted: Posted, failing: bool = False) -> StoryDatabase:
    return StoryDatabase([BOB], [ROW], posted.calls.append, failing)


def answer(pending: Pending[Any], posted: Posted) -> tuple[Any, BaseException | None]:
    found: list[tuple[Any, BaseException | None]] = []
    pending.subscribe(lambda result, error: found.append((result, error)))
    assert found == []
    posted.run()
    (one,) = found
    return one


def test_accounts_with_every_kind_of_hash(posted: Posted) -> None:
    found, _ = answer(database(posted).fetch_credentials("bob", "example.com"), posted)
    assert found == BOB
    assert BOB.ha1 == ha1(MD5, "bob", "example.com", "secret")
    assert BOB.ha1b == ha1(MD5, "bob@example.com", "example.com", "secret")
    assert BOB.ha1_sha256 == ha1(ALGORITHMS["sha-256"], "bob", "example.com", "secret")
    assert BOB.ha1_sha512t256 == ha1(ALGORITHMS["sha-512-256"], "bob", "example.com", "secret")
    assert answer(database(posted).fetch_credentials("bob", "example.org"), posted) == (None, None)


def test_bindings_are_read_and_written(posted: Posted) -> None:
    store = database(posted)
    assert list(store.load_bindings()) == [ROW]
    done: list[tuple[Any, Any]] = []
    store.submit(SaveBindings((OTHER,), ("r1",)), lambda result, error: done.append((result, error)))
    assert done == []  # a store is never at once
    posted.run()
    assert done == [(None, None)]
    assert answer(store.fetch_all_bindings(), posted) == ([OTHER], None)
    assert answer(store.fetch_bindings("bob", "example.com"), posted) == ([OTHER], None)
    assert answer(store.fetch_bindings("bob", "example.org"), posted) == ([], None)


def test_what_has_expired_needs_no_purge(posted: Posted) -> None:
    store = database(posted)
    done: list[Any] = []
    store.submit(PurgeBindings(1e12, 10), lambda result, error: done.append(error))
    posted.run()
    assert done == [None]
    assert list(store.load_bindings()) == [ROW]


def test_one_that_gives_no_answer(posted: Posted) -> None:
    store = database(posted, failing=True)
    done: list[Any] = []
    store.submit(SaveBindings((OTHER,), ()), lambda result, error: done.append(error))
    posted.run()
    assert isinstance(done[0], Unavailable)
    for ask in (store.fetch_credentials, store.fetch_bindings):
        result, error = answer(ask("bob", "example.com"), posted)
        assert result is None
        assert str(error) == "the database gives no answer"
    assert list(store.load_bindings()) == [ROW]  # it was read before


def test_nobody_else_changes_it(posted: Posted) -> None:
    store = database(posted)
    store.watch_accounts(lambda: pytest.fail("nobody"))
    store.watch_bindings(lambda user, domain: pytest.fail("nobody"), lambda: pytest.fail("nobody"))
    posted.run()


def test_a_binding_that_is_given_never_expires() -> None:
    assert (ROW.expires, ROW.q, ROW.socket) == (0.0, 0.5, "udp:198.51.100.1:5060")
    assert binding_row("r", "b", "d", "sip:x", None, "").q == -1.0
