"""Connections that are reset, and datagrams that are refused, in each state of a branch (RFC 3261 section 16.9)."""

from __future__ import annotations

import pytest

from sipcore.flow import Target
from tests.calls import ALICE, BOB, BOB_DESK, US, Call, relaying
from tests.wire import request

pytestmark = [pytest.mark.row("C32"), pytest.mark.conformance("RFC 3261 16.9", "RFC 3261 18.4")]


def two_targets(transport: str) -> Call:
    """A call to a name with two addresses."""
    call = Call(relaying())
    targets = (Target(transport, *BOB), Target(transport, *BOB_DESK))
    call.server.locator.names["example.com"] = targets
    return call


def reset(call: Call, address: tuple[str, int], transport: str = "tcp") -> None:
    """The connection to an address ends; over UDP an ICMP error came for it."""
    flow = call.server.node.flow(address, transport)
    flow.closed = transport != "udp"
    call.server.stack.flow_lost(flow, call.wire.now)
    call.server.node.flush()
    call.wire.run(0.1)


@pytest.mark.conformance("RFC 3263 4.3")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_before_any_answer_the_next_target_is_tried(transport: str) -> None:
    call = two_targets(transport)
    call.dial()
    reset(call, BOB, transport)
    (invite,) = call.desk.requests("INVITE")
    assert invite.via.branch != call.bob.requests("INVITE")[0].via.branch
    assert call.statuses() == []


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_last_target_that_is_lost_counts_as_a_503(transport: str) -> None:
    """And a 503 that is the only one goes back as a 500 (section 16.7 step 6)."""
    call = two_targets(transport)
    call.dial()
    reset(call, BOB, transport)
    reset(call, BOB_DESK, transport)
    assert call.statuses() == [500]


def test_a_phone_that_rang_is_not_replaced_by_another() -> None:
    call = two_targets("tcp")
    call.dial()
    call.respond(call.bob, 180)
    reset(call, BOB)
    assert call.desk.received == []
    assert call.statuses() == [180, 500]


def test_one_branch_that_is_lost_leaves_the_others_ringing() -> None:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.desk, 180, tag="d1")
    reset(call, BOB, "udp")
    assert call.statuses() == [180]
    call.respond(call.desk, 200, tag="d1")
    assert call.statuses() == [180, 200]


def test_all_requests_on_a_connection_hear_of_its_end() -> None:
    call = Call(relaying())
    call.server.locator.names["example.com"] = (Target("tcp", *BOB),)
    for number in range(3):
        message = request("MESSAGE", "sip:bob@example.com", source=ALICE, branch=f"m{number}", call_id=f"m{number}")
        call.alice.send(message, US)
    call.wire.run(0.1)
    assert len(call.bob.requests("MESSAGE")) == 3
    reset(call, BOB)
    assert call.statuses("MESSAGE") == [500, 500, 500]


@pytest.mark.parametrize("status", [200, 486])
def test_after_the_final_response_it_changes_nothing(status: int) -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, status)
    reset(call, BOB, "udp")
    assert call.statuses() == [status]
    assert call.server.stack.transactions.counters.unexpected_events == 0


def test_a_cancel_of_a_lost_branch_is_not_sent() -> None:
    call = two_targets("tcp")
    call.dial()
    call.respond(call.bob, 180)
    reset(call, BOB)
    call.cancel()
    assert call.bob.requests("CANCEL") == [] and call.desk.received == []
