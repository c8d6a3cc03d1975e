"""Each limit of a message: what is just within it passes, what is beyond it gets the status of that limit."""

from __future__ import annotations

from dataclasses import fields

import pytest

from sipcore.errors import Malformed
from sipcore.message import Limits, Request, check_request, parse
from sipcore.message.framing import BadMessage, Broken, StreamFraming

pytestmark = pytest.mark.row("B08")

URI = b"sip:bob@example.com"
LONGEST = b"From: <sip:alice@example.com>;tag=a1"
LINES = [
    b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/UDP h",
    b"Via: SIP/2.0/UDP h",
    LONGEST,
    b"To: <sip:bob@example.com>",
    b"Call-ID: 1",
    b"CSeq: 1 INVITE",
    b"Route: <sip:h;lr>, <sip:i;lr>",
    b"Content-Length: 5",
]
HEAD = b"INVITE " + URI + b" SIP/2.0\r\n" + b"\r\n".join(LINES)
DATA = HEAD + b"\r\n\r\nhello"
EXACT = {
    "message": (len(DATA), 513),
    "head": (len(HEAD), 513),
    "line": (len(LINES[0]), 513),
    "uri": (len(URI), 414),
    "headers": (len(LINES), 513),
    "vias": (3, 513),
    "routes": (2, 513),
    "body": (5, 413),
}


def take(limits: Limits) -> Request:
    """Parse and check what the limits are measured by."""
    request = parse(DATA, limits)
    assert isinstance(request, Request)
    check_request(request, limits)
    return request


def test_the_table_above_has_every_limit() -> None:
    assert list(EXACT) == [field.name for field in fields(Limits) if field.init]


@pytest.mark.row("B07", "B08")
@pytest.mark.conformance("RFC 3261 21.4.12", "RFC 3261 21.5.7")
@pytest.mark.parametrize("name", EXACT)
def test_a_limit_is_exact(name: str) -> None:
    most, status = EXACT[name]
    assert take(Limits(**{name: most})).body == b"hello"
    with pytest.raises(Malformed) as raised:
        take(Limits(**{name: most - 1}))
    assert raised.value.status == status


def test_what_follows_the_body_of_a_datagram_is_not_counted() -> None:
    assert parse(DATA + b"x" * 100, Limits(body=5)).body == b"hello"


def test_a_body_without_a_length_is_counted() -> None:
    with pytest.raises(Malformed) as raised:
        parse(b"OPTIONS sip:h SIP/2.0\r\nTo: <sip:h>\r\n\r\nhello", Limits(body=4))
    assert raised.value.status == 413


def test_a_stream_goes_on_behind_a_body_that_is_too_large() -> None:
    framing = StreamFraming(Limits(body=4))
    short = DATA.replace(b"Length: 5", b"Length: 4")[:-1]
    first, second = framing.feed(DATA + short)
    assert isinstance(first, BadMessage) and first.malformed.status == 413
    assert isinstance(second, Request) and second.body == b"hell"


def test_a_stream_ends_where_a_message_is_too_large() -> None:
    (frame,) = StreamFraming(Limits(message=len(HEAD) + 4)).feed(DATA)
    assert isinstance(frame, Broken) and frame.malformed.status == 513
