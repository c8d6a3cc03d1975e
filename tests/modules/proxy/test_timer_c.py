"""Timer C: a proxy does not wait for ever for the final response to an INVITE (RFC 3261 sections 16.6 to 16.8)."""

from __future__ import annotations

import pytest

from modules.proxy.branch import Branch
from modules.proxy.response_context import ResponseContext
from sipcore.timers import TIMER_C
from tests.calls import BOB, Call, relaying

pytestmark = pytest.mark.row("C26")
TIMER = pytest.mark.conformance("RFC 3261 16.6", "RFC 3261 16.7", "RFC 3261 16.8")


def branch_of(call: Call) -> Branch:
    """The only branch of the call; the server is told the time."""
    call.server.stack.tick(call.wire.now)
    (server,) = call.server.stack.transactions.servers.values()
    assert isinstance(server.user, ResponseContext)
    (branch,) = server.user.branches
    return branch


@pytest.fixture
def call() -> Call:
    made = Call(relaying(BOB))
    made.dial(0.01)
    return made


@TIMER
def test_it_is_longer_than_three_minutes_and_stands_with_the_other_timers(call: Call) -> None:
    assert TIMER_C > 180
    assert set(branch_of(call).timers()) == {"A", "B", "C"}
    assert branch_of(call).timers()["C"] == pytest.approx(TIMER_C, abs=0.02)
    call.respond(call.bob, 180, seconds=1.0)
    assert set(branch_of(call).timers()) == {"C"}


@TIMER
def test_each_provisional_response_but_100_lets_it_begin_anew(call: Call) -> None:
    call.respond(call.bob, 180, seconds=100.0)
    assert branch_of(call).timers()["C"] == pytest.approx(TIMER_C - 100, abs=0.02)
    call.respond(call.bob, 100, seconds=1.0)
    assert branch_of(call).timers()["C"] == pytest.approx(TIMER_C - 101, abs=0.02)
    call.respond(call.bob, 183, seconds=1.0)
    assert branch_of(call).timers()["C"] == pytest.approx(TIMER_C - 1, abs=0.02)


@TIMER
def test_it_fires_exactly_so_long_after_the_last_of_them(call: Call) -> None:
    call.respond(call.bob, 180, seconds=170.0)
    call.respond(call.bob, 180, seconds=TIMER_C - 0.1)
    assert call.bob.requests("CANCEL") == []
    call.wire.run(0.2)
    assert len(call.bob.requests("CANCEL")) == 1


@pytest.mark.row("C25")
@TIMER
def test_whoever_repeats_180_for_ever_is_cancelled_all_the_same(call: Call) -> None:
    """RFC 3261 section 13.3.1.1 lets a user agent repeat it each minute; the caller must hear of an end some time."""
    for _ in range(10):
        call.respond(call.bob, 180, seconds=60.0)
    assert len(call.bob.requests("CANCEL")) == 1
    call.respond(call.bob, 487)
    assert call.statuses()[-1] == 487
    call.acknowledge_failure()
    call.wire.run(40)
    assert call.server.nothing_left()


@TIMER
def test_whoever_does_not_answer_the_cancel_either_is_given_up(call: Call) -> None:
    call.respond(call.bob, 180, seconds=TIMER_C + 33)
    assert call.statuses()[-1] == 408
    call.acknowledge_failure()
    call.wire.run(40)
    assert call.server.nothing_left()


def test_it_ends_with_the_branch(call: Call) -> None:
    branch = branch_of(call)
    call.respond(call.bob, 180)
    call.respond(call.bob, 200)
    assert branch.timers() == {"M": pytest.approx(32, abs=0.2)}
