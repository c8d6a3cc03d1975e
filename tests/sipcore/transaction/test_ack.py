"""The ACK that the INVITE client transaction sends by itself (RFC 3261 section 17.1.1.3)."""

from __future__ import annotations

import pytest

from sipcore.message import Request, Response, check_request, parse
from sipcore.transaction.invite_client import ack_of
from tests.wire import request, response_to

INVITE = request(
    "INVITE", "sip:bob@example.com", source=("192.0.2.1", 5060), branch="x1", cseq=7,
    headers=("Route: <sip:a.example.com;lr>", "Route: <sip:b.example.com;lr>", "Contact: <sip:alice@192.0.2.1>"),
    body=b"v=0\r\n",
)  # fmt: skip


def acknowledged(response: Response) -> Request:
    ack = parse(ack_of(INVITE, response))
    assert isinstance(ack, Request)
    check_request(ack)
    return ack


@pytest.mark.conformance("RFC 3261 17.1.1.3")
def test_it_has_the_headers_of_the_invite_and_the_to_of_the_response() -> None:
    ack = acknowledged(response_to(INVITE, 486, tag="b1"))
    assert (ack.method, ack.uri_text, ack.cseq, ack.body) == ("ACK", INVITE.uri_text, (7, "ACK"), b"")
    assert ack.to.tag == "b1"
    for name in ("via", "from", "call-id", "route"):
        assert ack.all(name) == INVITE.all(name)
    assert "contact" not in ack.names


@pytest.mark.row("B20")
@pytest.mark.parametrize("to", [b"<sip:bob@e[xample.com>;tag=b1", b'"Bob <sip:bob@example.com>;tag=b1', b"\xff"])
def test_a_broken_to_of_the_response_is_not_sent_on(to: bytes) -> None:
    response = response_to(INVITE, 486)
    response.set("to", to)
    assert acknowledged(response).get("to") == INVITE.get("to")
