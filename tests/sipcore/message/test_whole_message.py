"""A message that stands alone, as in each message of a WebSocket: nothing before it, nothing behind it."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.message import Limits, Message, Request, Response
from sipcore.message.framing import BadMessage, Broken, Ping, whole_message

HEAD = b"OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKa\r\nCSeq: 1 OPTIONS\r\n"
SDP = b"v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\n"


def message(more: bytes = b"", body: bytes = b"") -> bytes:
    return HEAD + more + b"\r\n" + body


def broken(data: bytes, limits: Limits | None = None) -> tuple[int, str, bytes]:
    frame = whole_message(data, limits or Limits())
    assert isinstance(frame, Broken)
    return frame.malformed.status, frame.malformed.reason, frame.head


def bad(data: bytes, limits: Limits | None = None) -> tuple[int, str]:
    frame = whole_message(data, limits or Limits())
    assert isinstance(frame, BadMessage)
    return frame.malformed.status, frame.malformed.reason


@pytest.mark.conformance("RFC 7118 5.4")
@pytest.mark.parametrize(
    ("more", "body"),
    [
        (b"", b""),
        (b"Content-Length: 0\r\n", b""),
        (b"Content-Type: application/sdp\r\n", SDP),  # RFC 7118 section 5.4 lets clients leave the length out
        (b"Content-Type: application/sdp\r\nContent-Length: %d\r\n" % len(SDP), SDP),
        (b"c: application/sdp\r\nl: %d\r\n" % len(SDP), SDP),
        (b"Content-Length: %d\r\n" % len(SDP), SDP),
    ],
)
def test_one_message_is_taken_with_or_without_its_length(more: bytes, body: bytes) -> None:
    found = whole_message(message(more, body))
    assert isinstance(found, Request)
    assert found.body == body


def test_a_response_is_one_too() -> None:
    found = whole_message(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKa\r\n\r\n")
    assert isinstance(found, Response)
    assert found.status == 200


def test_empty_lines_in_front_are_passed_over() -> None:
    assert isinstance(whole_message(b"\r\n\r\n" + message()), Request)


@pytest.mark.conformance("RFC 7118 6")
def test_a_double_crlf_is_a_ping_and_other_empty_lines_are_nothing() -> None:
    assert whole_message(b"\r\n\r\n") == Ping()
    assert [whole_message(data) for data in (b"", b"\r\n", b"\r\n" * 3, b"\n")] == [None] * 4


@pytest.mark.row("A25b")
def test_two_messages_are_none() -> None:
    first = message(b"Content-Length: 0\r\n")
    status, reason, head = broken(first + first)
    assert (status, reason) == (400, "Content-Length is not that of the body")
    assert head + b"\r\n\r\n" == first


@pytest.mark.row("A25b")
def test_two_messages_without_lengths_are_none() -> None:
    status, reason, _ = broken(message() + message())
    assert (status, reason) == (400, "A body without Content-Type, or a second message")


@pytest.mark.row("A25b")
def test_half_a_message_is_none_wherever_it_is_cut() -> None:
    whole = message(b"Content-Type: application/sdp\r\nContent-Length: %d\r\n" % len(SDP), SDP)
    for cut in range(1, len(whole)):
        assert broken(whole[:cut])[0] == 400


@pytest.mark.row("A06", "A07", "A09")
@pytest.mark.parametrize(
    "length", [b"-1", b"five", b"", b"1e3", b"4294967296", b"0\r\nContent-Length: 0", b"0\r\nl: 1"]
)
def test_a_length_that_is_none_ends_the_connection(length: bytes) -> None:
    assert broken(message(b"Content-Length: " + length + b"\r\n"))[0] == 400


@pytest.mark.parametrize("more", [b"No colon here\r\n", b"X\x01: 0\r\n", b"Subject: a\nb\r\n"])
def test_a_bad_header_concerns_its_message_alone(more: bytes) -> None:
    assert bad(message(more))[0] == 400


def test_limits_are_those_of_every_message() -> None:
    sized = b"Content-Type: text/plain\r\n"
    assert bad(message(sized, bytes(50)), Limits(body=49)) == (413, "Body too large")
    assert isinstance(whole_message(message(sized, bytes(50)), Limits(body=50)), Request)
    assert bad(message(b"Subject: " + b"x" * 5000 + b"\r\n"), Limits(head=1000)) == (513, "Header section too large")
    assert bad(message(sized, bytes(2000)), Limits(message=1500)) == (513, "Message too large")
    assert len(broken(b"OPTIONS " + b"x" * 5000, Limits(head=1000))[2]) == 1000


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(data: bytes) -> None:
    found = whole_message(data)
    assert found is None or isinstance(found, Message | Ping | BadMessage | Broken)


def test_what_is_refused_leaves_no_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        for data in (message(b"Bad\r\n"), message(b"l: x\r\n"), message() + message(), b"x"):
            whole_message(data)
        assert gc.collect() == 0
    finally:
        gc.enable()
