"""Frames of a WebSocket, cut and broken in every way; the cases of Autobahn's suite that concern a server of SIP."""

from __future__ import annotations

import gc
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.net.websocket_frames import WebSocketFrames, frame_of, message_frame
from tests.net.websocket_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close, frame

LONGEST = 65_535
HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()


def fed(*parts: bytes, longest: int = LONGEST) -> tuple[list[bytes], bytes]:
    """The messages in these bytes, and what is owed then."""
    frames = WebSocketFrames(longest)
    messages = [message for part in parts for message in frames.feed(part)]
    return messages, frames.take_owed()


def closed(code: int | None) -> bytes:
    """The server's close frame."""
    return frame_of(CLOSE, b"" if code is None else code.to_bytes(2, "big"))  # type: ignore[arg-type]


def code_of(*parts: bytes, longest: int = LONGEST) -> int:
    """The code of the farewell that these bytes get; no message may have been taken."""
    frames = WebSocketFrames(longest)
    messages = [message for part in parts for message in frames.feed(part)]
    assert messages == []
    assert frames.ended
    owed = frames.take_owed()
    assert (owed[:2], len(owed)) == (b"\x88\x02", 4)
    return int.from_bytes(owed[2:], "big")


# -- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 6455 5.2", "RFC 6455 5.3")
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65_535])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_messages_of_every_length(opcode: int, size: int) -> None:
    assert fed(frame(opcode, b"*" * size)) == ([b"*" * size], b"")


@pytest.mark.conformance("RFC 7118 4.2")
def test_binary_messages_hold_any_bytes() -> None:
    data = bytes(range(256))
    assert fed(frame(BINARY, data)) == ([data], b"")


@pytest.mark.conformance("RFC 6455 5.4")
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_fragments_are_joined_and_control_frames_may_stand_between_them(opcode: int) -> None:
    pieces = (
        frame(opcode, HELLO[:7], final=False),  # inside of a character
        frame(PING, b"a"),
        frame(CONTINUATION, b"", final=False),
        frame(PONG, b"b"),
        frame(CONTINUATION, HELLO[7:]),
    )
    assert fed(*pieces) == ([HELLO], frame_of(PONG, b"a"))  # type: ignore[arg-type]
    assert fed(b"".join(pieces)) == ([HELLO], frame_of(PONG, b"a"))  # type: ignore[arg-type]


def test_the_next_message_begins_anew() -> None:
    first = frame(TEXT, b"a", final=False) + frame(CONTINUATION, b"b")
    assert fed(first + frame(BINARY, b"\xff") + first)[0] == [b"ab", b"\xff", b"ab"]


def test_bytes_may_be_cut_anywhere() -> None:
    data = (
        frame(TEXT, HELLO, final=False) + frame(PING, b"p") + frame(CONTINUATION, b"x" * 300) + frame(BINARY, b"\xfe")
    )
    expected = ([HELLO + b"x" * 300, b"\xfe"], frame_of(PONG, b"p"))  # type: ignore[arg-type]
    for cut in range(len(data) + 1):
        assert fed(data[:cut], data[cut:]) == expected
    assert fed(*(bytes([byte]) for byte in data)) == expected
    chance = random.Random(7118)
    for _ in range(50):
        cuts = sorted(chance.sample(range(len(data)), 8))
        assert fed(*(data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True))) == expected


@pytest.mark.conformance("RFC 6455 8.1")
@pytest.mark.parametrize("cut", range(1, len(HELLO)))
def test_characters_may_be_cut_by_frames(cut: int) -> None:
    assert fed(frame(TEXT, HELLO[:cut], final=False) + frame(CONTINUATION, HELLO[cut:]))[0] == [HELLO]


# -- mistakes: row A25 ------------------------------------------------------------------------------------------------


@pytest.mark.row("A25")
@pytest.mark.conformance("RFC 6455 5.1", "RFC 6455 7.4.1")
def test_a_client_must_mask() -> None:
    assert code_of(frame(TEXT, b"hello", mask=False)) == 1002
    assert code_of(frame(PING, b"", mask=False)) == 1002


@pytest.mark.row("A25")
@pytest.mark.conformance("RFC 6455 5.2")
@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_reserved_bits_are_refused(opcode: int, rsv: int) -> None:
    """permessage-deflate was not agreed upon, and so is RSV1."""
    assert code_of(frame(opcode, b"", rsv=rsv)) == 1002


@pytest.mark.row("A25")
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes_are_refused(opcode: int) -> None:
    assert code_of(frame(opcode, b"")) == 1002


@pytest.mark.row("A25")
@pytest.mark.parametrize("declared", [LONGEST + 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_length_beyond_the_bound_ends_at_once(opcode: int, declared: int) -> None:
    head = frame(opcode, declared=declared)
    assert code_of(head) == 1009
    assert code_of(*(bytes([byte]) for byte in head)) == 1009


@pytest.mark.row("A25")
def test_a_message_that_is_there_already_has_the_same_bound() -> None:
    assert code_of(frame(TEXT, b"*" * 101), longest=100) == 1009
    assert fed(frame(TEXT, b"*" * 100), longest=100) == ([b"*" * 100], b"")


@pytest.mark.row("A25")
def test_a_length_in_more_bytes_than_it_needs_is_refused() -> None:
    assert code_of(frame(TEXT, declared=5)) == 1002
    assert code_of(b"\x81\xfe\x00\x05\x00\x00\x00\x00") == 1002


@pytest.mark.row("A25")
@pytest.mark.conformance("RFC 6455 5.5")
@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_control_frames_are_short_and_whole(opcode: int) -> None:
    assert code_of(frame(opcode, b"*" * 126)) == 1002
    assert code_of(frame(opcode, declared=2**63)) == 1002
    assert code_of(frame(opcode, b"", final=False)) == 1002


@pytest.mark.row("A25")
def test_a_message_of_a_million_empty_frames_is_too_much() -> None:
    empty = frame(CONTINUATION, b"", final=False)
    frames = WebSocketFrames(LONGEST)
    assert frames.feed(frame(TEXT, b"", final=False)) == []
    rounds = 0
    while not frames.ended and rounds < 1_000:
        assert frames.feed(empty * 1_000) == []
        rounds += 1
    assert rounds < 5
    assert frames.take_owed() == closed(1009)


@pytest.mark.row("A25")
def test_the_pieces_of_a_message_are_bounded_together() -> None:
    piece = frame(CONTINUATION, b"*" * 400, final=False)
    assert code_of(frame(TEXT, b"*" * 400, final=False), piece, piece, longest=1_000) == 1009
    whole = fed(frame(TEXT, b"*" * 400, final=False), piece, frame(CONTINUATION, b"*" * 200), longest=1_000)
    assert [len(message) for message in whole[0]] == [1_000]
    # Each message is counted for itself.
    again = frame(TEXT, b"*" * 400, final=False) + frame(CONTINUATION, b"*" * 400)
    assert [len(message) for message in fed(again * 5, longest=1_000)[0]] == [800] * 5
    # One frame that comes in pieces counts once.
    large = frame(BINARY, b"*" * 1_000)
    assert [len(message) for message in fed(large[:500], large[500:], longest=1_000)[0]] == [1_000]


@pytest.mark.row("A25")
@pytest.mark.conformance("RFC 6455 5.4")
def test_messages_do_not_interleave() -> None:
    assert code_of(frame(CONTINUATION, b"x")) == 1002
    assert code_of(frame(CONTINUATION, b"x", final=False)) == 1002
    assert code_of(frame(TEXT, b"a", final=False), frame(TEXT, b"b")) == 1002
    assert code_of(frame(TEXT, b"a", final=False), frame(BINARY, b"b", final=False)) == 1002


@pytest.mark.row("A25")
@pytest.mark.conformance("RFC 6455 8.1")
@pytest.mark.parametrize(
    "text",
    [b"\xff", b"\xce\xba\xe1", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xf8\x88\x80\x80\x80", b"a\x80"],
)
def test_text_that_is_no_utf8_is_refused(text: bytes) -> None:
    assert code_of(frame(TEXT, text)) == 1007
    assert code_of(frame(TEXT, text[:1], final=False), frame(CONTINUATION, text[1:])) == 1007
    assert fed(frame(BINARY, text)) == ([text], b"")


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 6455 5.5.1", "RFC 6455 7.4.1")
@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_a_farewell_is_answered_with_its_own_code(code: int) -> None:
    assert code_of(close(code)) == code
    assert code_of(close(code, b"*" * 123)) == code


@pytest.mark.row("A25")
@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])
def test_codes_that_may_not_be_sent_are_a_mistake(code: int) -> None:
    assert code_of(close(code)) == 1002


def test_a_farewell_may_say_nothing_and_not_half_a_code() -> None:
    assert fed(close(None)) == ([], closed(None))
    assert code_of(frame(CLOSE, b"\x03")) == 1002
    assert code_of(close(1000, b"\xff")) == 1007


def test_nothing_is_taken_behind_the_end() -> None:
    assert fed(frame(TEXT, b"a") + close(1000) + frame(TEXT, b"b"), frame(TEXT, b"c")) == ([b"a"], closed(1000))
    assert fed(frame(TEXT, b"a") + frame(TEXT, b"b", mask=False), frame(TEXT, b"c")) == ([b"a"], closed(1002))


def test_our_own_farewell_is_said_once() -> None:
    frames = WebSocketFrames(LONGEST)
    assert frames.farewell(1001) == closed(1001)
    assert frames.farewell(1001) == b""
    assert frames.feed(frame(TEXT, b"a")) == []
    frames.ping()
    assert not frames.owes


# -- control frames ---------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 6455 5.5.2", "RFC 6455 5.5.3")
def test_pings_are_answered_with_what_they_hold() -> None:
    assert fed(frame(PING, bytes(range(125)))) == ([], frame_of(PONG, bytes(range(125))))  # type: ignore[arg-type]
    # Of several the last one, so that a flood makes us say little.
    assert fed(frame(PING, b"1") * 900 + frame(PING, b"2")) == ([], frame_of(PONG, b"2"))  # type: ignore[arg-type]
    assert fed(frame(PONG, b"nobody asked")) == ([], b"")


def test_our_ping_waits_to_be_sent() -> None:
    frames = WebSocketFrames(LONGEST)
    frames.ping()
    assert frames.owes
    assert frames.take_owed() == b"\x89\x00"
    assert not frames.owes


def test_partial_is_what_must_be_completed() -> None:
    frames = WebSocketFrames(LONGEST)
    assert not frames.partial
    whole = frame(TEXT, b"hello", final=False) + frame(CONTINUATION, b"!")
    for byte in whole[:-1]:
        frames.feed(bytes([byte]))
        assert frames.partial
    assert frames.feed(whole[-1:]) == [b"hello!"]
    assert not frames.partial
    frames.feed(frame(PING, b"x"))
    assert not frames.partial


# -- what we send -----------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 6455 5.1", "RFC 7118 4.2")
@pytest.mark.parametrize(
    ("data", "head"),
    [
        (b"x" * 125, b"\x81\x7d"),
        (b"x" * 126, b"\x81\x7e\x00\x7e"),
        (b"x" * 65_535, b"\x81\x7e\xff\xff"),
        (b"x" * 65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        (HELLO, b"\x81" + bytes([len(HELLO)])),
        (b"\xff\xfe", b"\x82\x02"),
    ],
)
def test_text_goes_as_text_and_anything_else_as_bytes(data: bytes, head: bytes) -> None:
    assert message_frame(data) == head + data


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_taken_or_end_the_connection(parts: list[bytes]) -> None:
    frames = WebSocketFrames(100)
    for part in parts:
        assert all(len(message) <= 100 for message in frames.feed(part))


@given(st.binary(min_size=1, max_size=40), st.data())
def test_frames_with_a_changed_byte_raise_nothing(payload: bytes, data: st.DataObject) -> None:
    whole = bytearray(frame(TEXT, payload, final=False) + frame(PING, b"p") + frame(CONTINUATION, payload))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    WebSocketFrames(200).feed(bytes(whole))


def test_a_connection_that_has_ended_leaves_no_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        for data in (frame(TEXT, b"a"), frame(TEXT, b"a", mask=False), frame(TEXT, b"\xff"), close(1000), b"\x81"):
            fed(data)
        assert gc.collect() == 0
    finally:
        gc.enable()
