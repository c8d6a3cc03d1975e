"""A caller who gives up while the route waits for a database, a directory or a name server (RFC 3261 section 9.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.runtime import Context
from sipcore.errors import Unavailable
from sipcore.need import Need, Pending
from tests.calls import BOB, Call, destinations
from tests.serving import Route, Server

pytestmark = pytest.mark.conformance("RFC 3261 9.2", "RFC 3261 16.10")


async def slow_backend() -> str:
    raise AssertionError("the test answers in its place")


def asking(wait: Callable[[], Need[str] | Pending[str]]) -> Callable[[Server], Route]:
    """A route that asks a slow backend, then relays to Bob."""

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            await wait()
            await server.proxy.relay(context, destinations(BOB))
            return True

        return route

    return make


@pytest.fixture
def pending() -> Pending[str]:
    return Pending()


def end(call: Call) -> None:
    """The caller acknowledges the 487, and all time passes."""
    assert call.statuses("CANCEL") == [200]
    assert call.statuses()[-1] == 487
    call.acknowledge_failure()
    call.wire.run(40)
    assert call.server.nothing_left()
    assert call.bob.received == []


def test_the_slow_call_is_cancelled_and_the_caller_gets_487() -> None:
    call = Call(asking(lambda: Need(slow_backend)))
    call.dial(1.0)
    assert call.statuses() == [100]
    call.cancel()
    assert call.server.cancelled_calls == 1
    end(call)


@pytest.mark.parametrize("error", [None, Unavailable("gone")])
def test_an_answer_that_comes_too_late_changes_nothing(pending: Pending[str], error: Exception | None) -> None:
    call = Call(asking(lambda: pending))
    call.dial(1.0)
    call.cancel()
    call.wire.at(0.0, lambda: pending.done("late", error))
    call.wire.run(0.1)
    end(call)


def test_whoever_performs_the_call_is_told(pending: Pending[str]) -> None:
    told: list[str] = []
    pending.on_cancel = lambda: told.append("cancelled")
    call = Call(asking(lambda: pending))
    call.dial(1.0)
    call.cancel()
    assert told == ["cancelled"]
    end(call)


def test_an_answer_that_came_before_goes_on_and_the_branch_is_cancelled(pending: Pending[str]) -> None:
    call = Call(asking(lambda: pending))
    call.dial(1.0)
    call.wire.at(0.0, lambda: pending.done("in time"))
    call.wire.run(0.1)
    call.cancel()
    call.respond(call.bob, 180)
    assert len(call.bob.requests("CANCEL")) == 1
    call.respond(call.bob, 487)
    assert call.statuses()[-1] == 487


def test_a_repeated_invite_does_not_ask_again() -> None:
    asked: list[Need[str]] = []

    def ask() -> Need[str]:
        asked.append(Need(slow_backend))
        return asked[-1]

    call = Call(asking(ask))
    call.dial(1.0)
    call.dial(1.0)
    assert len(asked) == 1 and call.statuses() == [100, 100]
