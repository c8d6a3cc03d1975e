"""A response goes back only with the Via values that its request had (RFC 3261 sections 8.2.6.2 and 16.7)."""

from __future__ import annotations

import pytest

from sipcore.message import Response
from tests.calls import ALICE, BOB, US, Call, relaying
from tests.wire import request, response_to

pytestmark = [pytest.mark.conformance("RFC 3261 16.7"), pytest.mark.row("C06", "C07")]

EVIL = "SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKevil"


def answered(call: Call, vias: list[str], status: int = 200) -> Response:
    """Bob's answer, with these values behind our own Via."""
    invite = call.bob.requests("INVITE")[0]
    answer = response_to(invite, status, "Contact: <sip:bob@10.0.0.3>")
    ours = answer.elements("via")[0].decode()
    answer.set("via", ", ".join([ours, *vias]).encode())
    return answer


@pytest.mark.row("C06", "C07")
@pytest.mark.conformance("RFC 3261 8.2.6.2", "RFC 3261 16.7")
@pytest.mark.parametrize(
    "vias",
    [
        [],
        ["SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKi1"],
        ["SIP/2.0/UDP 224.0.0.1;branch=z9hG4bKi1"],
        ["SIP/2.0/UDP 0.0.0.0;branch=z9hG4bKi1"],
        ["SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKi1"],
        ["SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKaltered"],
        ["SIP/2.0/UDP 10.0.0.2:5061;branch=z9hG4bKi1"],
        ["SIP/2.0/UDP ;;branch=z9hG4bKi1"],
        [EVIL, "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi1"],
    ],
)
def test_an_answer_with_another_via_does_not_go_back(vias: list[str]) -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.bob.send(answered(call, vias, 180), US)
    call.bob.send(answered(call, vias), US)
    call.wire.run(0.1)
    assert call.statuses() == [502]
    assert {remote for _, _, remote, _ in call.wire.carried} == {US, ALICE, BOB}
    call.acknowledge_failure()
    call.wire.run(64.0)
    assert call.server.nothing_left()


@pytest.mark.conformance("RFC 3261 7.3.1", "RFC 3261 16.7")
@pytest.mark.parametrize(
    "via",
    [
        "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi1",
        "SIP / 2.0 / UDP 10.0.0.2 : 5060 ; branch=z9hG4bKi1",
        "SIP/2.0/UDP 10.0.0.2:5060;received=10.0.0.2;branch=z9hG4bKi1",
    ],
)
def test_an_answer_with_the_same_via_in_another_spelling_does(via: str) -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.bob.send(answered(call, [via]), US)
    call.wire.run(0.1)
    assert call.statuses() == [200]


@pytest.mark.row("C06")
def test_an_answer_to_another_request_is_held_to_it_too() -> None:
    call = Call(relaying(BOB))
    call.alice.send(request("MESSAGE", "sip:bob@example.com", source=ALICE, branch="m1"), US)
    call.wire.run(0.1)
    answer = response_to(call.bob.requests("MESSAGE")[0], 200)
    answer.set("via", answer.elements("via")[0] + b", " + EVIL.encode())
    call.bob.send(answer, US)
    call.wire.run(0.1)
    assert call.statuses("MESSAGE") == [502]
    call.wire.run(64.0)
    assert call.server.nothing_left()
