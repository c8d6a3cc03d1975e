"""Messages out of byte streams, however they are cut."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.message import Limits, Message, Request
from sipcore.message.framing import BadMessage, Broken, Frame, Ping, StreamFraming

HEAD = b"OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nCSeq: 1 OPTIONS\r\n"


def message(body: bytes = b"", more: bytes = b"", length: bytes | None = None, start: bytes = HEAD) -> bytes:
    declared = b"%d" % len(body) if length is None else length
    return start + more + b"Content-Length: " + declared + b"\r\n\r\n" + body


def shown(frames: list[Frame]) -> list[object]:
    """What the frames are, for comparison."""
    return [
        ("message", frame.write())
        if isinstance(frame, Request)
        else "ping"
        if isinstance(frame, Ping)
        else (type(frame).__name__, frame.malformed.status, frame.malformed.reason)
        for frame in frames
        if isinstance(frame, Request | Ping | BadMessage | Broken)
    ]


def kinds(data: bytes, limits: Limits | None = None) -> list[str]:
    """M: message, P: ping, B: bad message, X: broken."""
    letters = {Ping: "P", BadMessage: "B", Broken: "X"}
    return [letters.get(type(frame), "M") for frame in StreamFraming(limits or Limits()).feed(data)]


STREAMS = {
    "one message": message(b"hello"),
    "messages, pings and empty lines": message(b"hello") + b"\r\n\r\n" + message() + b"\r\n" + message(b"x\r\n\r\ny"),
    "only empty lines": b"\r\n" * 7,
    "empty lines in front": b"\r\n" * 3 + message(),
    "a bad header between two": message() + message(b"abc", b"Bad header\r\n") + message(b"d"),
    "another version": message(start=HEAD.replace(b"SIP/2.0\r", b"SIP/7.0\r", 1)) + message(),
    "a bad length": message() + message(b"abc", length=b"5;a") + message(),
    "no length": message() + HEAD + b"\r\n" + message(),
    "two lengths": message(b"", b"l: 0\r\n") + message(),
    "a folded length": message(length=b"\r\n 3") + b"abc" + message(),
    "too long": message(length=b"4294967296") + message(),
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + message(),
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" + message(),
    "ssh": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "rtsp": b"OPTIONS rtsp://h RTSP/1.0\r\n\r\n" + message(),
    "a control in a name": message(b"", b"X\x01: 0\r\n") + message(),
    "a bare LF": message(b"", b"Subject: a\nContent-Length: 7\r\n") + message(),
    "a bare LF in front": b"\n" + message(),
    "a bare CR in front": b"\r" + message(),
    "half a CRLF, then noise": b"\r\n\rX" + message(),
    "no end of the head": b"INVITE sip:a SIP/2.0\r\n" + b"X: " + b"a" * 33_000,
    "one endless line": b"x" * 33_000,
    "a long header line": message(b"ab", b"a" * 11_000 + b":\r\n") + message(b"ok"),
    "a truncated message": message(b"hello")[:-1],
    "a truncated head": message()[:-3],
    "a response": b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP h\r\nl: 0\r\n\r\n" + message(),
}  # fmt: skip


@pytest.mark.row("A12")
@pytest.mark.conformance("RFC 3261 18.3")
@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_every_cut_gives_the_same_frames(stream: bytes) -> None:
    whole, by_byte = StreamFraming(), StreamFraming()
    frames = whole.feed(stream)
    expected = shown(frames)
    assert shown([frame for at in range(len(stream)) for frame in by_byte.feed(stream[at : at + 1])]) == expected
    assert (by_byte.partial, by_byte.closed) == (whole.partial, whole.closed)
    chance = random.Random(stream[:100])
    for _ in range(10):
        framing, at = StreamFraming(), 0
        found: list[Frame] = []
        while at < len(stream):
            size = chance.choice([1, 2, 3, 7, 60, 500, 9000])
            found += framing.feed(stream[at : at + size])
            at += size
        assert shown(found) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one message", "M"), ("messages, pings and empty lines", "MPMM"), ("only empty lines", "PPP"),
        ("empty lines in front", "PM"), ("a bad header between two", "MBM"), ("another version", "BM"),
        ("a bad length", "MX"), ("no length", "MX"), ("two lengths", "X"), ("a folded length", "MM"), ("too long", "X"),
        ("http", "X"), ("tls", "X"), ("ssh", "X"), ("rtsp", "X"), ("a control in a name", "X"), ("a bare LF", "X"),
        ("a bare LF in front", "X"), ("a bare CR in front", "X"), ("half a CRLF, then noise", "X"),
        ("no end of the head", "X"), ("one endless line", "X"), ("a long header line", "BM"),
        ("a truncated message", ""),
        ("a truncated head", ""), ("a response", "MM"),
    ],
)  # fmt: skip
def test_frames(name: str, expected: str) -> None:
    assert "".join(kinds(STREAMS[name])) == expected


def frame_of(data: bytes) -> Frame:
    (frame,) = StreamFraming().feed(data)
    return frame


@pytest.mark.row("A05", "A06", "A07", "A08", "A09", "A14")
@pytest.mark.conformance("RFC 3261 18.3")
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD + b"\r\n", 400),
        (message(length=b"-1"), 400),
        (message(length=b"9" * 5000), 400),
        (message(length=b"9223372036854775808"), 400),
        (message(length=b"65536"), 513),
        (message(length=b"4294967295"), 513),
        (HEAD + b"X: " + b"a" * 40_000, 513),
        (b"GET / HTTP/1.1\r\n", 400),
    ],
)
def test_a_stream_breaks_with_the_status_of_its_last_answer(data: bytes, status: int) -> None:
    frame = frame_of(data)
    assert isinstance(frame, Broken)
    assert frame.malformed.status == status


def test_what_can_be_answered_is_handed_over() -> None:
    bad = frame_of(message(b"abc", b"Bad header\r\n"))
    assert isinstance(bad, BadMessage)
    assert bad.head == message(b"abc", b"Bad header\r\n").partition(b"\r\n\r\n")[0]
    broken = frame_of(message(length=b"x"))
    assert isinstance(broken, Broken)
    assert broken.head == message(length=b"x")[:-4]
    endless = frame_of(HEAD + b"X: " + b"a" * 40_000)
    assert isinstance(endless, Broken)
    assert endless.head.startswith(HEAD)
    assert len(endless.head) <= Limits().head


@pytest.mark.row("A08")
@pytest.mark.conformance("RFC 3261 18.3")
def test_nothing_behind_a_break_is_ever_parsed() -> None:
    framing = StreamFraming()
    assert len(framing.feed(message(length=b"x") + message())) == 1
    assert framing.closed
    assert framing.feed(message()) == []
    assert not framing.partial


@pytest.mark.row("A07")
@pytest.mark.conformance("RFC 3261 18.3")
@pytest.mark.parametrize(
    "more",
    [
        b"Content-Length : x\r\nBad\r\n", b"X-Content-Length: 3\r\nBad\r\n", b"Content-Length 5\r\n",
        b"l: 0\r\nBad\r\n",
        b"Content-Length\xa0: 9\r\n", b"\xa0Content-Length: 9\r\n", b"Content-Length;: 9\r\n", b"Bad\x00\r\n",
        b"Bad\n\r\n",
    ],
)  # fmt: skip
def test_a_bad_message_whose_end_could_be_read_two_ways_breaks_the_stream(more: bytes) -> None:
    assert kinds(message(b"", more) + message()) == ["X"]


@pytest.mark.row("A13")
@pytest.mark.conformance("RFC 3261 18.3")
@pytest.mark.parametrize("length", [b"l : 3", b"CONTENT-LENGTH:3", b"Content-Length:\r\n  003", b"L:\t3 "])
def test_a_bad_message_with_a_certain_end_is_passed_over(length: bytes) -> None:
    assert kinds(HEAD + b"Bad\r\n" + length + b"\r\n\r\nabc" + message()) == ["B", "M"]


@pytest.mark.row("A13")
@pytest.mark.conformance("RFC 3261 18.3")
def test_one_bad_message_among_a_hundred() -> None:
    good, bad = message(b"hello"), message(b"hello", b"Bad header\r\n")
    assert "".join(kinds(good * 50 + bad + good * 49)) == "M" * 50 + "B" + "M" * 49
    assert "".join(kinds(good * 50 + message(length=b"x") + good * 49)) == "M" * 50 + "X"


@pytest.mark.row("A09")
@pytest.mark.conformance("RFC 3261 21.5.7")
def test_the_declared_length_is_judged_before_a_body_comes_and_nothing_is_set_aside_for_it() -> None:
    framing = StreamFraming()
    assert framing.feed(message(length=b"60000")) == []
    assert framing.partial
    assert len(framing._buffer) == 0
    (frame,) = framing.feed(b"x" * 60_000)
    assert isinstance(frame, Message)
    assert len(frame.body) == 60_000


@pytest.mark.row("A14")
def test_limits_are_exact() -> None:
    data = message(b"hello")
    head = len(data) - 9
    assert kinds(data, Limits(message=head + 5, head=head)) == ["M"]
    assert kinds(data, Limits(message=head + 4)) == ["X"]
    assert kinds(data, Limits(head=head - 1)) == ["X"]


@pytest.mark.parametrize(
    ("data", "partial"),
    [
        (b"", False), (b"\r\n", False), (b"\r\n\r\n", False), (b"\r", True), (b"O", True), (message()[:-1], True),
        (message(), False),
        (message(length=b"1"), True), (message(b"x") + b"\r\n", False), (message(b"x") + b"OPT", True),
        (message(b"", b"Bad\r\n", b"1"), True), (message(length=b"x"), False),
    ],
)  # fmt: skip
def test_it_is_known_whether_half_a_message_is_held(data: bytes, partial: bool) -> None:
    framing = StreamFraming()
    framing.feed(data)
    assert framing.partial is partial


@pytest.mark.row("A01")
@pytest.mark.conformance("RFC 3261 7.5", "RFC 5626 3.5.1")
def test_pings_are_counted_across_cuts_and_start_anew_behind_a_message() -> None:
    framing = StreamFraming()
    feeds = [b"\r\n", b"\r", b"\n", b"\r\n", message() + b"\r\n", b"\r\n"]
    assert [shown(framing.feed(data)) for data in feeds] == [
        [], [], ["ping"], [], [("message", message())], ["ping"],
    ]  # fmt: skip


class Counting(bytearray):
    """Counts the bytes that searches may look at."""

    looked_at = 0

    def find(self, what: bytes, start: int = 0) -> int:  # type: ignore[override]
        self.looked_at += len(self) - start
        return super().find(what, start)


@pytest.mark.row("A12", "A14")
@pytest.mark.parametrize(
    "data", [message(b"", b"X: " + b"a" * 9_000 + b"\r\n") * 3, b"O" * 30_000, message(b"x" * 30_000)]
)
def test_a_byte_at_a_time_is_searched_in_linear_time(data: bytes) -> None:
    framing = StreamFraming()
    framing._buffer = buffer = Counting()
    for at in range(len(data)):
        framing.feed(data[at : at + 1])
    assert buffer.looked_at <= 12 * len(data)


_CHUNKS = st.sampled_from(
    [
        message(), message(b"body"), b"\r\n", b"\r\n\r\n", b"\r", b"\n", HEAD, b"l: 3\r\n", b"Content-Length: 0\r\n",
        b"abc", b"\0", b"INVITE sip:a SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n", b"Bad\r\n", b" folded\r\n",
        b"GET / HTTP/1.1\r\n",
    ]
)  # fmt: skip


@pytest.mark.row("A12")
@pytest.mark.conformance("RFC 3261 18.3")
@given(st.lists(_CHUNKS, max_size=10), st.randoms(use_true_random=False))
def test_any_stream_gives_the_same_frames_however_it_is_cut(chunks: list[bytes], chance: random.Random) -> None:
    stream = b"".join(chunks)
    expected = shown(StreamFraming().feed(stream))
    framing, at = StreamFraming(), 0
    found: list[Frame] = []
    while at < len(stream):
        size = chance.randint(1, 30)
        found += framing.feed(stream[at : at + size])
        at += size
    assert shown(found) == expected
