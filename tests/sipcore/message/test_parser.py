"""Start lines, header lines, limits, and everything that would let one element see a header that the next does not."""

from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.message import Limits, Request, Response, parse

START = b"OPTIONS sip:a@h SIP/2.0\r\n"


def request(*lines: bytes, start: bytes = START, body: bytes = b"") -> Request:
    message = parse(start + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body)
    assert isinstance(message, Request)
    return message


def refused(data: bytes, limits: Limits | None = None) -> int:
    with pytest.raises(Malformed) as raised:
        parse(data, limits or Limits())
    reason = raised.value.reason
    assert reason.isascii()
    assert reason.isprintable()
    return raised.value.status


# -- start lines ---


@pytest.mark.row("B01")
@pytest.mark.conformance("RFC 3261 7.1", "RFC 3261 25.1")
@pytest.mark.parametrize(
    ("start", "method", "uri"),
    [
        (b"INVITE sip:bob@example.com SIP/2.0", "INVITE", "sip:bob@example.com"),
        (b"REGISTER sip:h sip/2.0", "REGISTER", "sip:h"),
        (b"REGISTER sip:h Sip/2.0", "REGISTER", "sip:h"),
        (b"NEWMETHOD tel:+1 SIP/2.0", "NEWMETHOD", "tel:+1"),
        (b"invite sip:h SIP/2.0", "invite", "sip:h"),
        (
            b"!interesting-Method0123456789_*+`.%indeed'~ sip:h SIP/2.0",
            "!interesting-Method0123456789_*+`.%indeed'~",
            "sip:h",
        ),
        (b"A" * 64 + b" sip:h SIP/2.0", "A" * 64, "sip:h"),
        (b"RE%47IST%45R sip:h SIP/2.0", "RE%47IST%45R", "sip:h"),
        (b"INVITE sip:\xff@h SIP/2.0", "INVITE", "sip:\udcff@h"),
        (b"INVITE <sip:h> SIP/2.0", "INVITE", "<sip:h>"),
    ],
)
def test_request_lines(start: bytes, method: str, uri: str) -> None:
    message = request(start=start + b"\r\n")
    assert (message.method, message.uri_text) == (method, uri)
    assert message.write().split(b"\r\n")[0].upper() == start.upper()


@pytest.mark.row("B29")
@pytest.mark.conformance("RFC 3261 7.2")
@pytest.mark.parametrize(
    ("start", "status", "reason"),
    [
        (b"SIP/2.0 200 OK", 200, "OK"),
        (b"sip/2.0 486 Busy Here", 486, "Busy Here"),
        (b"SIP/2.0 100 ", 100, ""),
        (b"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd", 200, "= 2**3 * 5**2 \u043d"),
        (b"SIP/2.0 699 x", 699, "x"),
    ],
)
def test_status_lines(start: bytes, status: int, reason: str) -> None:
    message = parse(start + b"\r\nTo: <sip:a>\r\n\r\n")
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (status, reason)


@pytest.mark.row("A19", "B02", "B03", "B05", "B07", "C08")
@pytest.mark.conformance("RFC 3261 7.1", "RFC 3261 21.4.12", "RFC 3261 21.5.6")
@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"INVITE sip:h SIP/3.0", 505),
        (b"INVITE sip:h SIP/7.0", 505),
        (b"INVITE sip:h SIP/2.00", 505),
        (b"INVITE  sip:h SIP/2.0", 400),
        (b"INVITE sip:h  SIP/2.0", 400),
        (b"INVITE sip:h SIP/2.0 ", 400),
        (b" INVITE sip:h SIP/2.0", 400),
        (b"INVITE sip:a b@h SIP/2.0", 400),
        (b"INVITE\tsip:h\tSIP/2.0", 400),
        (b"INVITE  SIP/2.0", 400),
        (b"INVITE SIP/2.0", 400),
        (b"INVITE", 400),
        (b"INVITE sip:h", 400),
        (b"GET / HTTP/1.1", 400),
        (b"INV(ITE sip:h SIP/2.0", 400),
        (b"INV\xc3\x8fTE sip:h SIP/2.0", 400),
        (b"A" * 65 + b" sip:h SIP/2.0", 400),
        (b"A" * 60_000 + b" sip:h SIP/2.0", 400),
        (b"INVITE sip:" + b"a" * 4_100 + b" SIP/2.0", 414),
        (b"INVITE sip:" + b"a" * 20_000 + b" SIP/2.0", 414),
        (b"INVITE sip:" + b"a" * 60_000 + b" SIP/2.0", 414),
        (b"SIP/2.0 99 x", 400),
        (b"SIP/2.0 700 x", 400),
        (b"SIP/2.0 2 00", 400),
        (b"SIP/2.0 200", 400),
        (b"SIP/2.0 4294967301 x", 400),
        (b"SIP/2.0  200 OK", 400),
        (b"SIP/3.0 200 OK", 400),
    ],
)
def test_start_lines_that_are_refused(start: bytes, status: int) -> None:
    assert refused(start + b"\r\nTo: <sip:a>\r\n\r\n") == status


def test_a_tab_in_the_request_uri_is_found_when_the_uri_is_read() -> None:
    with pytest.raises(Malformed):
        _ = request(start=b"INVITE sip:h;\tlr SIP/2.0\r\n").uri


@pytest.mark.row("A01")
@pytest.mark.conformance("RFC 3261 7.5")
def test_empty_lines_in_front_are_ignored_and_nothing_else_is() -> None:
    data = START + b"To: <sip:a>\r\n\r\n"
    assert parse(b"\r\n" + data).write() == parse(b"\r\n" * 3 + data).write() == parse(data).write()
    for front in (b"\n", b"\r", b"\r\n\n", b"\r\n\r", b" ", b"\0"):
        assert refused(front + data) == 400


@pytest.mark.row("A01", "A02")
@pytest.mark.parametrize(
    "data", [b"", b"\r\n", b"\r\n\r\n", b"\0", b"jaK", b"\0" * 100, b"\r\n\r\n\r\n\r\n", START, START + b"\r"]
)
def test_what_is_no_message(data: bytes) -> None:
    assert refused(data) == 400


# -- header lines ---


@pytest.mark.row("B09")
@pytest.mark.conformance("RFC 3261 7.3.1", "RFC 3261 7.3.3")
@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (b"Subject: x", "subject", b"x"),
        (b"SUBJECT:x", "subject", b"x"),
        (b"subject \t : \t x \t ", "subject", b"x"),
        (b"s: x", "subject", b"x"),
        (b"S :x", "subject", b"x"),
        (b"Subject:", "subject", b""),
        (b"Subject: a: b", "subject", b"a: b"),
        (b"X-Internal : 1", "x-internal", b"1"),
        (b"X-Internal\t:1", "x-internal", b"1"),
        (b"x-INTERNAL:1", "x-internal", b"1"),
        (b"C%6Fntact: <sip:x>", "c%6fntact", b"<sip:x>"),
        (b"extensionHeader-!.%*+_`'~: x", "extensionheader-!.%*+_`'~", b"x"),
        (b"Subject: \xff\xfe", "subject", b"\xff\xfe"),
        (b'From: "a\\\x00b" <sip:a>', "from", b'"a\\\x00b" <sip:a>'),
    ],
)
def test_header_lines(line: bytes, name: str, value: bytes) -> None:
    message = request(line)
    assert (message.names, message.lines) == ([name], [line])
    assert message.get(name) == value


@pytest.mark.row("A20", "A21", "B10")
@pytest.mark.conformance("RFC 3261 7.3.1", "RFC 3261 25.1")
@pytest.mark.parametrize(
    "line",
    [
        b"Contact\x01: x", b"To\x0b: x", b"From\xa0: x", b"To\x00: x", b"To\x1c: x", b"To\x85: x", b"To\x0c: x",
        b"\xe2\x80\xa8To: x",
        b": x", b"No colon", b"Subject", b"Via", b"a b: x", b"(x): y", b'"x": y', b"To\\: x", b"To;: x",
        b"Subject: a\rb", b"Subject: a\nb", b"Subject: a\x00b", b"Subject: a\x7fb", b"Subject: a\x0bb",
        b"Subject: a\r", b"Subject: a\\\x00b",
        b'Subject: "a" \\\x00', b'Subject: "a\x00b"', b'Subject: "a\\\x00', b'Subject: "a\\\x00\\',
        b'Subject: "a\\\nb"', b'Subject: "a\\\rb"',
    ],
)  # fmt: skip
def test_header_lines_that_are_refused(line: bytes) -> None:
    assert refused(START + b"To: <sip:a>\r\n" + line + b"\r\nCall-ID: x\r\n\r\n") == 400


@pytest.mark.row("A21")
def test_a_control_character_in_the_start_line_is_refused() -> None:
    assert refused(b"OPTIONS sip:a\x00@h SIP/2.0\r\n\r\n") == 400
    assert refused(b'OPTIONS "\\\x00" SIP/2.0\r\n\r\n') == 400


@pytest.mark.row("A20")
@pytest.mark.conformance("RFC 3261 7")
@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\n\r"])
def test_line_ends_are_crlf_only(line_end: bytes) -> None:
    data = START + b"To: <sip:a>\r\nSubject: x\r\n\r\n"
    assert refused(data.replace(b"\r\n", line_end)) == 400
    assert refused(data.replace(b"\r\nSubject", line_end + b"Subject")) == 400


@pytest.mark.row("B12")
@pytest.mark.conformance("RFC 3261 7.3.1")
@pytest.mark.parametrize(
    ("folded", "value"),
    [
        (b"Subject: a\r\n b", b"a b"),
        (b"Subject: a\r\n\t \tb", b"a b"),
        (b"Subject:\r\n a", b"a"),
        (b"Subject: a\r\n \r\n \r\n b", b"a b"),
        (b"Subject: a\r\n b: c", b"a b: c"),
        (b"Subject: a\r\n ", b"a"),
        (b"Subject: a\r\n :b", b"a :b"),
        (b"Subject:  a  \r\n  b", b"a   b"),
        (b'Subject: "a\\\x00\r\n b"', b'"a\\\x00 b"'),
    ],
)
def test_folded_lines_are_put_on_one_line(folded: bytes, value: bytes) -> None:
    message = request(b"To: <sip:a>", folded, b"Call-ID: x")
    assert message.names == ["to", "subject", "call-id"]
    assert message.get("subject") == value
    assert b"\r\n " not in message.write()


def test_a_folded_start_line_is_refused() -> None:
    assert refused(START + b" Subject: x\r\nTo: <sip:a>\r\n\r\n") == 400


# -- bodies ---


@pytest.mark.row("A04")
@pytest.mark.conformance("RFC 3261 18.3")
def test_the_body_ends_at_content_length_and_what_follows_is_never_passed_on() -> None:
    message = request(b"Content-Length: 5", body=b"helloINVITE sip:evil SIP/2.0\r\n\r\n")
    assert message.body == b"hello"
    assert b"evil" not in message.write()


@pytest.mark.row("A05", "B36")
@pytest.mark.conformance("RFC 3261 18.3", "RFC 3261 20.14")
def test_without_content_length_the_body_ends_with_the_datagram() -> None:
    assert request(b"To: <sip:a>", body=b"a\r\n\r\nb\0").body == b"a\r\n\r\nb\0"


@pytest.mark.row("A11")
@pytest.mark.conformance("RFC 3261 20.14")
@pytest.mark.parametrize(
    "line", [b"Content-Length \t:  5", b"l:5", b"CONTENT-LENGTH: 05", b"Content-Length:\r\n 5", b"L : 0000000005 "]
)
def test_spellings_of_content_length(line: bytes) -> None:
    assert request(line, body=b"hello").body == b"hello"


@pytest.mark.row("A03", "A06", "A08")
@pytest.mark.conformance("RFC 3261 18.3", "RFC 3261 20.14")
@pytest.mark.parametrize(
    "value",
    [
        b"-1", b"+5", b"0x10", b"5 5", b"5;a", b"five", b"", b"1e3", "٥".encode(), b"5_0", b"5.0", b"\xb2", b"5,5",
        b"6", b"9999", b"4294967301", b"9223372036854775808", b"18446744073709551621", b"9" * 5000, b"00000000005",
    ],
)  # fmt: skip
def test_lengths_that_are_refused(value: bytes) -> None:
    assert refused(START + b"Content-Length: " + value + b"\r\n\r\nhello") == 400


@pytest.mark.row("A07", "A10")
@pytest.mark.conformance("RFC 4475 3.3.9")
@pytest.mark.parametrize("other", [b"Content-Length: 5", b"Content-Length: 300", b"l: 0", b"CONTENT-LENGTH : 5"])
def test_two_lengths_are_refused_whatever_they_are(other: bytes) -> None:
    assert refused(START + b"Content-Length: 5\r\n" + other + b"\r\n\r\nhello") == 400


# -- limits ---


@pytest.mark.row("A22")
@pytest.mark.conformance("RFC 3261 18.1.1")
def test_a_datagram_of_the_largest_size_is_processed() -> None:
    head = START + b"To: <sip:a>\r\n\r\n"
    size = 65_507 - len(head)  # all that UDP can carry
    assert len(parse(head + b"x" * size).body) == size
    assert refused(head + b"x" * 65_535) == 513


@pytest.mark.row("B08")
@pytest.mark.conformance("RFC 3261 21.5.7")
@pytest.mark.parametrize(
    "data",
    [
        START + b"Subject: " + b"x" * 10_300 + b"\r\n\r\n",
        START + b"Subject: " + b"x" * 64_000 + b"\r\n\r\n",
        START + b"X: 1\r\n" * 2_000 + b"\r\n",
        START + b"X: 1\r\n" * 257 + b"\r\n",
        START + b"Subject: " + b"x\r\n " * 6_000 + b"\r\n\r\n",
        START + b"Via: SIP/2.0/UDP h\r\n" * 500 + b"\r\n",
        START + b"To: <sip:a>" + b";a" * 10_000 + b"\r\n\r\n",
    ],
)
def test_what_is_too_large_is_refused_with_513(data: bytes) -> None:
    assert refused(data) == 513


def test_limits_are_settable_and_exact() -> None:
    data = START + b"To: <sip:a>\r\nX: 1\r\n\r\n"
    parse(data, Limits(message=len(data), head=len(data) - 4, line=11, headers=2))
    assert refused(data, Limits(message=len(data) - 1)) == 513
    assert refused(data, Limits(head=len(data) - 5)) == 513
    assert refused(data, Limits(headers=1)) == 513
    assert refused(data, Limits(line=10)) == 513
    assert refused(data, Limits(uri=6)) == 414


@pytest.mark.row("B21")
def test_eight_kilobytes_of_a_tag_are_carried_whole() -> None:
    long = b"x" * 8192
    message = request(b"Call-ID: " + long, b"To: <sip:a>;tag=" + long, b"Via: SIP/2.0/UDP h;branch=" + long)
    assert (message.call_id, message.to.tag.encode(), message.via.branch.encode()) == (long, long, long)
    assert message.write().count(long) == 3
