"""An overloaded stack refuses what would begin something new, and goes on with what was begun."""

from __future__ import annotations

import pytest

from tests.calls import ALICE, BOB, US, Call, established, relaying
from tests.wire import request


@pytest.mark.row("E04")
@pytest.mark.conformance("RFC 3261 21.5.4")
@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "MESSAGE", "OPTIONS"])
def test_what_would_begin_something_new_is_503_and_keeps_no_state(method: str) -> None:
    call = Call(relaying(BOB))
    call.server.stack.overloaded = True
    call.alice.send(request(method, "sip:bob@example.com", source=ALICE, branch="n"), US)
    call.wire.run(0.1)
    (refusal,) = call.alice.responses(503)
    assert refusal.get("retry-after") == b"10"
    assert call.bob.received == [] and call.server.nothing_left()
    assert call.server.stack.counters.shed == 1


@pytest.mark.row("E04")
def test_a_call_that_stands_can_be_changed_and_ended() -> None:
    call = Call(relaying(BOB))
    alice, bob = established(call)
    call.server.stack.overloaded = True
    bob.send("INVITE", "Contact: <sip:bob@10.0.0.3:5060>")
    alice.send("BYE")
    assert len(call.alice.requests("INVITE")) == 1 and len(call.bob.requests("BYE")) == 1


@pytest.mark.row("E04")
def test_a_call_that_rings_can_be_cancelled() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.server.stack.overloaded = True
    call.cancel()
    assert len(call.bob.requests("CANCEL")) == 1


def test_afterwards_everything_is_served_again() -> None:
    call = Call(relaying(BOB))
    call.server.stack.overloaded = True
    call.dial()
    call.server.stack.overloaded = False
    call.invite = request("INVITE", "sip:bob@example.com", source=ALICE, branch="i2", call_id="2")
    call.dial()
    assert len(call.bob.requests("INVITE")) == 1
