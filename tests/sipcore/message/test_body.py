"""The session description of a message: found alone and among parts, parsed once, and bounded (RFC 5621)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sipcore.errors import Malformed
from sipcore.message import Request, Response, parse
from sipcore.message.body import DEEPEST, find_sdp
from sipcore.message.content_type import first_word, parse_content_type
from sipcore.message.multipart import MOST_PARTS, split_parts

SDP = b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"
PLAIN = b"Content-Type: text/plain\r\n\r\nhello"
MIXED = b"multipart/mixed;boundary=b1"


def part(content: bytes = SDP, *headers: str, kind: str = "application/sdp") -> bytes:
    lines = [f"Content-Type: {kind}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def multipart(*parts: bytes, boundary: bytes = b"b1", end: bytes = b"--") -> bytes:
    body = b"".join(b"--" + boundary + b"\r\n" + one + b"\r\n" for one in parts)
    return body + b"--" + boundary + end + b"\r\n"


def found(kind: bytes, body: bytes, **headers: bytes) -> bytes | None:
    values = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return find_sdp(values.get, body)


def refused(kind: bytes, body: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        found(kind, body)
    assert caught.value.status == 400
    return caught.value.reason


@pytest.mark.parametrize("kind", [b"application/sdp", b"Application/SDP", b"application / sdp;charset=utf-8"])
def test_a_body_that_is_one(kind: bytes) -> None:
    assert found(kind, SDP) == SDP


def test_a_body_that_is_none() -> None:
    assert found(b"text/plain", SDP) is None
    assert found(b"application/sdp", b"") is None
    assert find_sdp({}.get, SDP) is None


@pytest.mark.row("B24")
def test_what_can_not_be_read_is_none() -> None:
    assert found(b"application/sdp", SDP, content_encoding=b"gzip") is None
    assert found(b"application/sdp", SDP, content_transfer_encoding=b"base64") is None
    assert found(b"application/pkcs7-mime", SDP) is None
    assert found(MIXED, multipart(part()), content_encoding=b"gzip") is None
    assert found(b"application/sdp", SDP, content_encoding=b"Identity") == SDP
    assert found(b"application/sdp", SDP, content_transfer_encoding=b"8bit") == SDP


@pytest.mark.conformance("RFC 5621 8")
def test_one_for_something_else_than_the_session_is_none() -> None:
    assert found(b"application/sdp", SDP, content_disposition=b"early-session") is None
    assert found(b"application/sdp", SDP, content_disposition=b"Session;handling=required") == SDP
    assert found(b"application/sdp", SDP, content_disposition=b"(") is None


@pytest.mark.conformance("RFC 5621 4.2")
def test_the_first_of_several_parts() -> None:
    other = SDP.replace(b"4000", b"5000")
    assert found(MIXED, multipart(PLAIN, part(), part(other))) == SDP
    assert found(MIXED, b"a preamble\r\n" + multipart(PLAIN, part()) + b"an epilogue --b1") == SDP
    assert found(MIXED, multipart(PLAIN)) is None
    assert found(MIXED, multipart(part(SDP, "Content-Disposition: early-session"), part(other))) == other
    assert found(MIXED, multipart(part(SDP, "Content-Transfer-Encoding: base64"), PLAIN)) is None
    assert found(MIXED, multipart(b"\r\nno headers", part())) == SDP


@pytest.mark.conformance("RFC 5621 6")
def test_the_last_of_alternatives() -> None:
    other = SDP.replace(b"4000", b"5000")
    assert found(b"multipart/alternative;boundary=b1", multipart(part(), part(other), PLAIN)) == other


@pytest.mark.conformance("RFC 5621 4.2")
def test_parts_in_parts() -> None:
    inner = part(multipart(part(), boundary=b"b2"), kind='multipart/related; boundary="b2"')
    assert found(MIXED, multipart(PLAIN, inner)) == SDP


def test_a_boundary_is_text_not_a_pattern() -> None:
    kind = b'multipart/mixed;boundary="a+(b?"'
    assert found(kind, multipart(part(), boundary=b"a+(b?")) == SDP
    assert refused(kind, multipart(part(), boundary=b"aa(b")) == "A multipart body without its end"


def test_line_ends_folds_and_padding() -> None:
    body = b"--b1 \t\nContent-Type:\n application/sdp\n\n" + SDP + b"\n--b1--\t"
    assert found(MIXED, body) == SDP
    assert found(MIXED, b"--b1\r\nc: application/sdp\r\n\r\n" + SDP + b"\r\n--b1x\r\nnot the end\r\n--b1--") == (
        SDP + b"\r\n--b1x\r\nnot the end"
    )


@pytest.mark.row("B23")
@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (b"multipart/mixed", multipart(part()), "No boundary of a multipart body"),
        (b'multipart/mixed;boundary=""', multipart(part()), "No boundary of a multipart body"),
        (b'multipart/mixed;boundary="a "', multipart(part()), "No boundary of a multipart body"),
        (b"multipart/mixed;boundary=" + b"a" * 71, multipart(part()), "No boundary of a multipart body"),
        (MIXED, multipart(part(), end=b""), "A multipart body without its end"),
        (MIXED, SDP, "A multipart body without its end"),
        (MIXED, b"--b1\r\n--b1--\r\n", "A part of a multipart body without its blank line"),
        (MIXED, multipart(b"nonsense\r\n\r\n"), "Malformed header of a part"),
        (MIXED, multipart(b"a\x01b: c\r\n\r\n"), "Malformed header name"),
        (MIXED, multipart(*[PLAIN] * (MOST_PARTS + 1)), "Too many parts in a multipart body"),
        (MIXED, multipart(part(kind="sdp")), "Malformed Content-Type"),
        (b"application", SDP, "Malformed Content-Type"),
        (b"application/sdp;", SDP, "Malformed parameter"),
    ],
)
def test_a_body_that_can_not_be_understood(kind: bytes, body: bytes, reason: str) -> None:
    assert refused(kind, body) == reason


def nested(depth: int) -> bytes:
    body = part()
    for number in range(depth):
        kind = f"multipart/mixed;boundary=n{number}"
        body = part(multipart(body, boundary=b"n%d" % number), kind=kind)
    return multipart(body)


@pytest.mark.row("B23")
def test_nesting_has_a_bound() -> None:
    assert found(MIXED, nested(DEEPEST - 1)) == SDP
    for depth in (DEEPEST, 500):
        assert refused(MIXED, nested(depth)) == "Multipart bodies nested too deeply"
    assert found(MIXED, multipart(*[PLAIN] * MOST_PARTS)) is None


def test_words_and_types() -> None:
    assert parse_content_type(b"Multipart/Mixed; Boundary=x").parameters == (("boundary", "x"),)
    assert first_word(None) == first_word(b"") == first_word(b"a b") == ""
    assert split_parts(parse_content_type(MIXED), multipart(b"S: a\r\n\r\nb"))[0].headers == {"subject": b"a"}


# -- with the message -------------------------------------------------------------------------------------------------

HEAD = (
    b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"
    b"To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
)


def request(kind: bytes = b"application/sdp", body: bytes = SDP) -> Request:
    message = parse(HEAD + b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body))
    assert isinstance(message, Request)
    return message


def test_a_message_parses_its_description_once() -> None:
    message = request()
    first = message.sdp
    assert first is not None and first.codecs == ["pcmu"]
    assert message.sdp is first and message.copy().sdp is first
    assert message.has_sdp()


def test_another_body_or_another_type_is_parsed_anew() -> None:
    message = request()
    copy = message.copy()
    assert message.sdp is not None and copy.sdp is not None
    copy.body = SDP.replace(b"RTP/AVP 0", b"RTP/AVP 8")
    assert copy.sdp.codecs == ["pcma"] and message.sdp.codecs == ["pcmu"]
    copy.set("content-type", b"text/plain")
    assert copy.sdp is None and not copy.has_sdp()
    copy.remove("content-type")
    assert copy.sdp is None


def test_a_message_without_one() -> None:
    message = request(b"text/plain", b"hello")
    assert message.sdp is None and message.sdp is None and not message.has_sdp()
    response = Response(200, "OK", [], [])
    assert response.sdp is None and not response.has_sdp()
    response.append("content-type", b"application/sdp")
    response.body = SDP
    assert response.sdp is not None


def test_what_is_there_need_not_be_right() -> None:
    message = request(body=b"v=1\r\n")
    assert message.has_sdp()
    for _ in range(2):
        with pytest.raises(Malformed):
            _ = message.sdp


@pytest.mark.row("B23", "B33")
@pytest.mark.parametrize(
    "make",
    [
        lambda size: b"--b1\r\n" * (size // 6),
        lambda size: b"--b1" + b" " * size + b"x",
        lambda size: b"--b1\r\n" + b"\r" * size + b"\r\n--b1--",
        lambda size: b"--b1\r\nA: b" + b"\r\n c" * (size // 4) + b"\r\n\r\n\r\n--b1--",
        lambda size: b"\r\n-" * (size // 3),
        lambda size: b"--b1\r\n" + b"A:b\r\n" * (size // 5) + b"\r\n\r\n--b1--",
    ],
)
def test_the_time_is_in_proportion_to_the_size(make: Callable[[int], bytes]) -> None:
    def seconds(size: int) -> float:
        body, best = make(size), 10.0
        for _ in range(5):
            begin = time.process_time()
            try:
                found(MIXED, body)
            except Malformed:
                pass
            best = min(best, time.process_time() - begin)
        return best

    assert seconds(64_000) < 8 * seconds(16_000) + 0.005
