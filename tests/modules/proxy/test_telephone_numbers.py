"""A telephone number as the Request-URI: it needs somebody who makes an address of it."""

from __future__ import annotations

import pytest

from tests.calls import ALICE, BOB, US, Call, relaying
from tests.wire import request


@pytest.mark.row("B06")
@pytest.mark.conformance("RFC 3261 16.5")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_without_a_target_it_is_404(method: str) -> None:
    call = Call(relaying())
    call.alice.send(request(method, "tel:+442079460000", source=ALICE, branch="t1"), US)
    call.wire.run(0.1)
    assert call.statuses(method) == [404]


def test_with_a_target_it_is_forwarded() -> None:
    call = Call(relaying(BOB))
    call.alice.send(request("MESSAGE", "tel:+442079460000", source=ALICE, branch="t1"), US)
    call.wire.run(0.1)
    assert [sent.uri_text for sent in call.bob.requests("MESSAGE")] == ["sip:bob@10.0.0.3:5060"]


def test_with_a_route_it_goes_there_as_it_is() -> None:
    call = Call(relaying())
    call.alice.send(
        request("MESSAGE", "tel:+442079460000", source=ALICE, branch="t1", headers=("Route: <sip:10.0.0.3;lr>",)), US
    )
    call.wire.run(0.1)
    assert [sent.uri_text for sent in call.bob.requests("MESSAGE")] == ["tel:+442079460000"]
