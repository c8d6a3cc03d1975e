"""Several servers of one domain: the next is tried when one fails, and who failed is last for the next calls."""

from __future__ import annotations

import pytest

from sipcore.errors import Unavailable, Unresolvable
from sipcore.flow import Flow
from sipcore.locate import Locator
from sipcore.message import Message, Request
from tests.calls import ALICE, BOB, BOB_DESK, US, Call, answer_last, busy, relaying
from tests.scripted_dns import SERVED, ScriptedDns
from tests.wire import request, response_to

ZONE = f"""
_sip._udp.example.com SRV 1 0 5060 first.example.com
_sip._udp.example.com SRV 2 0 5060 second.example.com
first.example.com A {BOB[0]}
second.example.com A {BOB_DESK[0]}
"""


@pytest.fixture
def call() -> Call:
    made = Call(relaying())
    locator = Locator(ScriptedDns(ZONE, expires=1e6), SERVED, made.server.stack.timers)
    made.server.locator = made.server.proxy.locator = locator  # type: ignore[assignment]
    return made


def again(call: Call, seconds: float = 0.1) -> None:
    """Alice calls once more."""
    number = len(call.alice.responses()) + 2
    invite = request("INVITE", "sip:bob@example.com", source=ALICE, branch=f"i{number}", call_id=f"call-{number}")
    call.alice.send(invite, US)
    call.wire.run(seconds)


def invited(call: Call) -> tuple[int, int]:
    """How many different INVITEs each server got."""
    first, second = ({one.via.branch for one in phone.requests("INVITE")} for phone in (call.bob, call.desk))
    return len(first), len(second)


@pytest.mark.conformance("RFC 3263 4.3")
@pytest.mark.row("C32")
def test_after_a_refusal_the_next_is_tried_at_once_and_goes_first_for_a_while(call: Call) -> None:
    call.wire.refusing.add(BOB)
    call.dial()
    assert invited(call) == (0, 1)
    call.respond(call.desk, 486)
    call.wire.refusing.clear()
    again(call)
    assert invited(call) == (0, 2)
    call.wire.run(30)
    again(call)
    assert invited(call) == (1, 2)


@pytest.mark.conformance("RFC 3263 4.3")
@pytest.mark.row("C32")
def test_a_black_hole_costs_one_call_its_time_and_the_next_ones_nothing(call: Call) -> None:
    call.dial(31.9)
    assert invited(call) == (1, 0)
    call.wire.run(0.2)  # timer B
    assert invited(call) == (1, 1)
    again(call)
    assert invited(call) == (1, 2)


@pytest.mark.conformance("RFC 3263 4.3", "RFC 3261 21.5.4")
@pytest.mark.row("C22")
def test_after_a_503_the_next_is_tried_and_the_pause_that_was_asked_for_is_kept(call: Call) -> None:
    def answer(message: Message, flow: Flow) -> None:
        if isinstance(message, Request) and message.method == "INVITE":
            call.bob.send(response_to(message, 503, "Retry-After: 120"), US)

    call.bob.answer = answer
    call.dial()
    assert invited(call) == (1, 1)
    call.respond(call.desk, 486)
    call.wire.run(100)
    again(call)
    assert invited(call) == (1, 2)
    call.wire.run(21)
    again(call)
    assert invited(call) == (2, 3)


@pytest.mark.row("C22")
def test_when_all_are_overloaded_upstream_gets_a_500(call: Call) -> None:
    call.bob.answer, call.desk.answer = busy(503)(call.bob), busy(503)(call.desk)
    call.dial()
    assert invited(call) == (1, 1)
    assert call.statuses() == [500]


def test_each_target_is_tried_in_a_transaction_of_its_own(call: Call) -> None:
    call.wire.refusing.add(BOB)
    call.dial()
    call.wire.refusing.clear()
    sent = [data for _, _, to, data in call.wire.carried if data.startswith(b"INVITE") and to in (BOB, BOB_DESK)]
    assert len({data.split(b"branch=")[1].split(b"\r\n")[0] for data in sent}) == 2
    assert len({data.split(b"CSeq")[1].split(b"\r\n")[0] for data in sent}) == 1


def test_a_server_that_rings_is_not_left_for_another(call: Call) -> None:
    call.dial()
    call.respond(call.bob, 180)
    call.wire.refusing.add(BOB)
    call.wire.run(200)
    assert invited(call) == (1, 0)


@pytest.mark.row("C32")
def test_for_a_request_that_is_no_invite_no_target_is_tried_after_its_sender_gave_up(call: Call) -> None:
    call.alice.send(request("MESSAGE", "sip:bob@example.com", source=ALICE, branch="m"), US)
    call.wire.run(70)
    assert len({one.via.branch for one in call.bob.requests("MESSAGE")}) == 1
    assert call.desk.requests("MESSAGE") == []
    assert call.server.nothing_left()


def test_a_request_that_is_no_invite_goes_to_the_next_after_a_refusal(call: Call) -> None:
    call.wire.refusing.add(BOB)
    call.alice.send(request("MESSAGE", "sip:bob@example.com", source=ALICE, branch="m"), US)
    call.wire.run(0.1)
    answer_last(call.desk, "MESSAGE", 202)
    assert call.statuses("MESSAGE") == [202]


def test_all_targets_together_are_bounded_by_timer_c() -> None:
    call = Call(relaying())
    lines = [f"_sip._udp.example.com SRV {number} 0 5060 n{number}.example.com" for number in range(20)]
    lines += [f"n{number}.example.com A 10.9.0.{number}" for number in range(20)]
    locator = Locator(ScriptedDns("\n".join(lines)), SERVED, call.server.stack.timers)
    call.server.proxy.locator = locator
    call.dial(182)
    assert call.statuses()[-1] == 408
    tried = {to for _, _, to, data in call.wire.carried if data.startswith(b"INVITE") and to != US}
    assert len(tried) == 6
    call.acknowledge_failure()
    call.wire.run(40)
    assert call.server.nothing_left()


@pytest.mark.row("C28")
@pytest.mark.parametrize("error", [Unresolvable("no such name"), Unavailable("nobody answers")])
def test_a_name_that_can_not_be_located_is_a_500_for_upstream(error: Exception) -> None:
    call = Call(relaying())
    call.server.locator.slow.add("example.com")
    call.dial()
    call.server.answer(error=error)
    call.wire.run(0.1)
    assert call.statuses() == [500]
