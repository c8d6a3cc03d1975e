"""A request inside a dialog that did not begin here: refused, or given to the routes (RFC 3261 section 12.2.2)."""

from __future__ import annotations

import pytest

from tests.calls import ALICE, BOB, US, Call, relaying
from tests.wire import request

ELSEWHERE = "<sip:bob@example.com>;tag=elsewhere"


@pytest.mark.row("D23")
@pytest.mark.conformance("RFC 3261 12.2.2")
@pytest.mark.parametrize("method", ["INVITE", "BYE", "INFO", "UPDATE", "MESSAGE"])
def test_it_is_481(method: str) -> None:
    call = Call(relaying(BOB))
    call.alice.send(request(method, "sip:bob@example.com", source=ALICE, branch="m1", to=ELSEWHERE), US)
    call.wire.run(1.0)
    assert call.statuses(method) == [481]
    assert call.bob.received == []


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_the_routes_decide_when_they_are_asked(method: str) -> None:
    call = Call(relaying(BOB))
    call.server.dispatcher.unknown_dialogs = True
    call.alice.send(request(method, "sip:bob@example.com", source=ALICE, branch="m1", to=ELSEWHERE), US)
    call.wire.run(0.1)
    (forwarded,) = call.bob.requests(method)
    assert forwarded.all("record-route") == []  # our stamp would let a dialog pass that we have not seen begin
