"""Session descriptions that are wrong: refused with `Malformed` and nothing else, in linear time."""

from __future__ import annotations

import gc
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sipcore.errors import Malformed
from sipcore.sdp import MOST_LINES, MOST_MEDIA, parse_sdp

GOOD = b"v=0\r\no=a 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n"


def refused(body: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        parse_sdp(body)
    assert caught.value.status == 400
    return caught.value.reason


def test_the_good_one_is_good() -> None:
    assert parse_sdp(GOOD).codecs == ["pcmu"]


@pytest.mark.row("B35")
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"a=sendrecv", b"a=", "Malformed a= in SDP"),
        (b"s=-", b"s=-\r\nb=512", "Malformed b= in SDP"),
        (b"s=-", b"s=-\r\nb=AS:", "Malformed b= in SDP"),
        (b"a=sendrecv", b"b=:5", "Malformed b= in SDP"),
        (b"4000", b"99999", "Malformed m= in SDP"),
        (b"4000", b"65536", "Malformed m= in SDP"),
        (b"4000", b"-1", "Malformed m= in SDP"),
        (b"4000", b"4" * 5000, "Malformed m= in SDP"),
        (b"c=IN IP4 192.0.2.1\r\n", b"", "No c= in SDP"),
        (b"o=a 1 1", b"o=a 1 1000000000000000000000000000000", "Malformed o= in SDP"),
        (b"o=a 1 1", b"o=a 9223372036854775808 1", "Malformed o= in SDP"),
        (b"o=a 1 1", b"o=a 1 " + b"9" * 5000, "Malformed o= in SDP"),
        (b"o=a 1 1 IN IP4 h", b"o=a 1 1", "Malformed o= in SDP"),
    ],
)
def test_a_wrong_line(old: bytes, new: bytes, reason: str) -> None:
    assert GOOD.count(old) == 1
    assert refused(GOOD.replace(old, new)) == reason


@pytest.mark.row("B35")
def test_line_ends_are_forgiven() -> None:
    assert parse_sdp(GOOD.rstrip(b"\r\n")).direction == "sendrecv"
    assert parse_sdp(GOOD.replace(b"\r\n", b"\n")).codecs == ["pcmu"]


@pytest.mark.row("B35")
def test_five_thousand_media() -> None:
    medium = b"m=audio 4000 RTP/AVP 0\r\n"
    assert len(parse_sdp(GOOD + medium * (MOST_MEDIA - 1)).media) == MOST_MEDIA
    assert refused(GOOD + medium * MOST_MEDIA) == "Too many media in SDP"
    assert refused(GOOD + medium * 5000) == "Too many media in SDP"
    assert refused(GOOD + b"a=x\n" * MOST_LINES) == "Too many lines in SDP"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "SDP does not begin with v=0"),
        (b"\r\n", "SDP does not begin with v=0"),
        (b"v=1\r\n", "SDP does not begin with v=0"),
        (b"s=-\r\nv=0\r\n", "SDP does not begin with v=0"),
        (b"v=0\r\nv=0\r\n", "Two descriptions in one SDP"),
        (b"v=0\r\n\r\ns=-\r\n", "Empty line in SDP"),
        (b"v=0\r\nnonsense\r\n", "Malformed line in SDP"),
        (b"v=0\r\nV=0\r\n", "Malformed line in SDP"),
        (b"v =0\r\n", "Malformed line in SDP"),
        (b"v=0\r\ns=a\rb\r\n", "Malformed line in SDP"),
        (b"v=0\r\ns=a\r", "Malformed line in SDP"),
        (b"v=0\r\ns=a\x00b\r\n", "Malformed line in SDP"),
        (b"v=0\r\nc=IN IP4\r\n", "Malformed c= in SDP"),
        (b"v=0\r\nc=IN  IP4 192.0.2.1\r\n", "Malformed c= in SDP"),
        (b"v=0\r\nc=IN IP4 127.1\r\n", "Malformed address in SDP"),
        (b"v=0\r\nc=IN IP6 2001:db8::g\r\n", "Malformed address in SDP"),
        (b"v=0\r\nc=IN IP4 2001:db8::1\r\n", "Malformed address in SDP"),
        (b"v=0\r\nc=IN IP4 a b\r\n", "Malformed c= in SDP"),
        (b"v=0\r\nc=IN IP4 a\x01b\r\n", "Malformed address in SDP"),
        (b"v=0\r\na=\xe9\r\n", "Malformed a= in SDP"),
        (b"v=0\r\nm=audio\r\n", "Malformed m= in SDP"),
        (b"v=0\r\nm=audio 0 RTP/AVP\r\n", "Malformed m= in SDP"),
        (b"v=0\r\nm=audio 0 RTP//AVP 0\r\n", "Malformed m= in SDP"),
        (b"v=0\r\nm=audio 0/0 RTP/AVP 0\r\n", "Malformed m= in SDP"),
        (b"v=0\r\nm=audio 0 RTP/AVP 0  8\r\n", "Malformed m= in SDP"),
        (b"v=0\r\nm=audio 0 RTP/AVP 96\r\na=rtpmap:96\r\n", "Malformed rtpmap in SDP"),
        (b"v=0\r\nm=audio 0 RTP/AVP 96\r\na=rtpmap:96 \r\n", "Malformed rtpmap in SDP"),
        (b"v=0\r\nm=audio 0 RTP/AVP 96\r\nb=x\r\n", "Malformed b= in SDP"),
    ],
)
def test_what_is_no_session_description(body: bytes, reason: str) -> None:
    assert refused(body) == reason


def test_a_medium_that_is_off_needs_no_address() -> None:
    assert parse_sdp(b"v=0\r\nm=audio 0 RTP/AVP 0 \r\n").address == ""


@given(st.binary(max_size=300))
@example(b"v=0\n" * 3)
def test_any_bytes_are_malformed_or_come_back(body: bytes) -> None:
    try:
        assert parse_sdp(body).write() == body
    except Malformed:
        pass


PIECES = [
    *GOOD.splitlines(keepends=True),
    b"m=",
    b"a=rtpmap:96 x/1",
    b"=",
    b"\r",
    b"\n",
    b" ",
    b"/",
    b"\x00",
    b"\xff",
    b"0",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_any_row_of_pieces_is_malformed_or_comes_back(body: bytes) -> None:
    try:
        found = parse_sdp(body)
    except Malformed:
        return
    assert found.write() == body
    assert found.direction and isinstance(found.codecs, list)


SHAPES = {
    "attributes": lambda size: b"v=0\n" + b"a=x\n" * (size // 4),
    "a long attribute": lambda size: b"v=0\na=" + b"x" * size + b"(\n",
    "formats": lambda size: b"v=0\nm=audio 0 RTP/AVP" + b" 0" * (size // 2) + b"\n",
    "spaces in formats": lambda size: b"v=0\nm=audio 0 RTP/AVP 0" + b" " * size + b"\n",
    "protocols": lambda size: b"v=0\nm=audio 0 RTP" + b"/A" * (size // 2) + b"\n",
    "digits": lambda size: b"v=0\no=a " + b"1" * size + b"\n",
    "spaces in a map": lambda size: b"v=0\nm=audio 0 RTP/AVP 0\na=rtpmap:0" + b" " * size + b"\n",
    "slashes in a map": lambda size: b"v=0\nm=audio 0 RTP/AVP 0\na=rtpmap:0 a" + b"/" * size + b"\n",
    "carriage returns": lambda size: b"v=0\n" + b"\r" * size,
    "empty lines": lambda size: b"v=0\n" + b"\n" * min(size, MOST_LINES - 1),
    "a host": lambda size: b"v=0\nc=IN IP4 " + b"a." * (size // 2) + b"\n",
    "bandwidth": lambda size: b"v=0\nb=" + b"a" * size + b"\n",
}


@pytest.mark.row("B33", "B35")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_time_is_in_proportion_to_the_size(shape: str) -> None:
    def seconds(size: int) -> float:
        body = SHAPES[shape](size)
        best = 10.0
        gc.disable()
        try:
            for _ in range(5):
                begin = time.process_time()
                try:
                    parse_sdp(body)
                except Malformed:
                    pass
                best = min(best, time.process_time() - begin)
        finally:
            gc.enable()
        return best

    assert seconds(32_000) < 8 * seconds(8_000) + 0.005
