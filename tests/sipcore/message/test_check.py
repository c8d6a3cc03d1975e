"""Each check with the status that bad requests are answered with."""

from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.message import Limits, Request, Response, check_request, check_response, parse

GOOD = {
    "Via": b"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx",
    "From": b"Alice <sip:alice@example.com>;tag=1",
    "To": b"Bob <sip:bob@example.com>",
    "Call-ID": b"call-1",
    "CSeq": b"1 INVITE",
    "Max-Forwards": b"70",
}


Changes = dict[str, bytes | None]


def lines_of(changes: Changes | None, *more: bytes) -> bytes:
    headers = GOOD | (changes or {})
    lines = [name.encode() + b": " + value for name, value in headers.items() if value is not None]
    return b"".join(line + b"\r\n" for line in (*lines, *more)) + b"\r\n"


def request(
    *more: bytes, start: bytes = b"INVITE sip:bob@example.com SIP/2.0", changes: Changes | None = None
) -> Request:
    message = parse(start + b"\r\n" + lines_of(changes, *more))
    assert isinstance(message, Request)
    return message


def refused(message: Request, limits: Limits | None = None) -> int:
    with pytest.raises(Malformed) as raised:
        check_request(message, limits or Limits())
    assert raised.value.reason.isprintable()
    return raised.value.status


def test_a_good_request_passes_and_its_typed_values_are_there() -> None:
    message = request()
    check_request(message)
    typed = (message.via, message.cseq, message.from_, message.to)
    message.lines = []  # nothing is parsed again
    assert typed == (message.via, message.cseq, message.from_, message.to)
    assert (message.via.branch, message.cseq.number, message.from_.tag, message.to.display) == (
        "z9hG4bKx",
        1,
        "1",
        "Bob",
    )


@pytest.mark.row("C04")
@pytest.mark.conformance("RFC 3261 8.1.1", "RFC 3261 16.3", "RFC 3261 25.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"Max-Forwards": None},
        {"Max-Forwards": b"0"},
        {"Max-Forwards": b"255"},
        {"Max-Forwards": b"0068 "},
        {"Via": b"SIP/2.0/UDP 192.0.2.1"},
        {"Via": b"SIP/2.0/UDP 192.0.2.1;branch=390skdjuw"},
        {"From": b"sip:alice@example.com"},
        {"From": b"<sip:alice@example.com>;x=y;tag=1;z"},
        {"From": b"<http://www.example.com>;tag=1", "To": b"<isbn:2983792873>"},
        {"To": b'"Bell, Alexander" <sip:bob@example.com>;tag=a@b'},
        {"CSeq": b"2147483647 INVITE"},
        {"Call-ID": b"intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"},
    ],
)
def test_odd_but_legal(changes: Changes) -> None:
    check_request(request(changes=changes))


@pytest.mark.row("B13", "B15")
@pytest.mark.conformance("RFC 3261 8.1.1", "RFC 3261 16.3")
@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_header_that_must_be_there(name: str) -> None:
    assert refused(request(changes={name: None})) == 400


@pytest.mark.row("B14")
@pytest.mark.conformance("RFC 3261 7.3.1")
@pytest.mark.parametrize(
    "line",
    [
        b"From: <sip:x@h>;tag=2",
        b"t: <sip:x@h>",
        b"Call-ID: other",
        b"I: call-1",
        b"CSEQ: 1 INVITE",
        b"Max-Forwards: 70",
    ],
)
def test_a_header_that_may_not_be_there_twice(line: bytes) -> None:
    assert refused(request(line)) == 400


@pytest.mark.row("B15", "B16", "B17", "B20", "B22", "C03")
@pytest.mark.conformance("RFC 3261 8.1.1.5", "RFC 3261 16.3", "RFC 3261 20.16", "RFC 3261 20.22")
@pytest.mark.parametrize(
    "changes",
    [
        {"Via": b"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"},
        {"Via": b"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK;rport, SIP/2.0/UDP h;branch=z9hG4bKy"},
        {"Via": b"SIP/2.0/UDP 192.0.2.15;;,;,,"},
        {"Via": b""},
        {"Via": b", SIP/2.0/UDP h"},
        {"Via": b'SIP/2.0/UDP h;x="a, b'},
        {"Call-ID": b""},
        {"Call-ID": b" \t "},
        {"CSeq": b"2147483648 INVITE"},
        {"CSeq": b"4294967296 INVITE"},
        {"CSeq": b"1" + b"0" * 30 + b" INVITE"},
        {"CSeq": b"-1 INVITE"},
        {"CSeq": b"x INVITE"},
        {"CSeq": b"1"},
        {"CSeq": b"1 OPTIONS"},
        {"CSeq": b"1 invite"},
        {"Max-Forwards": b"256"},
        {"Max-Forwards": b"-1"},
        {"Max-Forwards": b"+1"},
        {"Max-Forwards": b"abc"},
        {"Max-Forwards": b""},
        {"Max-Forwards": b"7 0"},
        {"Max-Forwards": b"1" + b"0" * 30},
        {"Max-Forwards": b"0" * 9000},
        {"Max-Forwards": "٧".encode()},
        {"To": b'"Mr. J. User <sip:j.user@example.com>'},
        {"To": b"<sip:user@example.com"},
        {"To": b'"Watson, Thomas" < sip:t.watson@example.org >'},
        {"From": b"Bell, Alexander <sip:a.g.bell@example.com>;tag=43"},
        {"To": b"<sip:a@h>, <sip:b@h>"},
        {"To": b"<sip:a@h>;tag=1;tag=1"},
        {"From": b"<sip:a@h>;tag=1;x;TAG=2"},
        {"From": b"<sip:a@h>;tag"},
        {"From": b"<sip:a@h>;tag="},
        {"To": b'<sip:a@h>;tag="x"'},
        {"To": b'<sip:a@h>;x;tag=""'},
        {"To": b"<sip:%zz@h>"},
        {"To": b"<sip:a@[::1>"},
        {"From": b"<no-scheme>;tag=1"},
        {"To": b""},
    ],
)
def test_a_broken_header(changes: Changes) -> None:
    assert refused(request(changes=changes)) == 400


@pytest.mark.row("B06", "B26", "B28", "B30", "B32")
@pytest.mark.conformance("RFC 3261 16.3", "RFC 3261 19.1.1")
@pytest.mark.parametrize(
    ("uri", "status"),
    [
        (b"sip:2001:db8::10", 400),
        (b"sip:[::1", 400),
        (b"sip:[1::2::3]", 400),
        (b"sip:a@[fe80::1%25eth0]", 400),
        (b"sip:a@h:0", 400),
        (b"sip:a@h:65536", 400),
        (b"sip:a@h:5060abc", 400),
        (b"sip:a@h:", 400),
        (b"sip:%zz@h", 400),
        (b"sip:", 400),
        (b"sip:a@" + b"x" * 64, 400),
        (b"sips:a@h?Route=%3Csip:evil%3E", 400),
        (b"sip:a@h?", 400),
        (b"<sip:a@h>", 400),
        (b"sip:a@h;\tlr", 400),
        (b"tel:", 400),
        (b"no-scheme", 400),
        (b"nobodyKnowsThisScheme:totallyopaquecontent", 416),
        (b"soap.beep://192.0.2.103:3002", 416),
        (b"mailto:a@h", 416),
        (b"sip:a%00b@h", None),
        (b"sip:%2F%25%34%31@h", None),
        (b"SIPS:a@h", None),
        (b"tel:+1-201-555-0123;phone-context=x", None),
        (b"sip:a@[2001:db8:::192.0.2.1]", None),
        (b"sip:h.example.", None),
    ],
)
@pytest.mark.parametrize("method", [b"INVITE", b"REGISTER"])
def test_request_uris(uri: bytes, status: int | None, method: bytes) -> None:
    message = request(start=method + b" " + uri + b" SIP/2.0", changes={"CSeq": b"1 " + method})
    if status is None:
        check_request(message)
    else:
        assert refused(message) == status


@pytest.mark.row("B04", "B16")
@pytest.mark.conformance("RFC 3261 16.3")
def test_an_unknown_method_with_its_own_cseq_passes() -> None:
    check_request(request(start=b"NEWMETHOD sip:h SIP/2.0", changes={"CSeq": b"1 NEWMETHOD"}))
    assert refused(request(start=b"NEWMETHOD sip:h SIP/2.0")) == 400


VIA = b"SIP/2.0/UDP h;branch=z9hG4bKy"
ROUTE = b"<sip:p.example.com;lr>"


@pytest.mark.row("B08")
@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"Via: " + VIA, None),
        (b"Via: " + b",".join([VIA] * 69), None),
        (b"Via: " + b",".join([VIA] * 70), 513),
        (b"\r\n".join([b"v: " + VIA] * 69), None),
        (b"\r\n".join([b"v: " + VIA] * 70), 513),
        (b'Via: SIP/2.0/UDP h;x="' + b"," * 500 + b'"', None),
        (b"Route: " + b", ".join([ROUTE] * 32), None),
        (b"Route: " + b", ".join([ROUTE] * 33), 513),
        (b"\r\n".join([b"Route: " + ROUTE] * 33), 513),
        (b"Route: " + ROUTE + b"\r\nRoute: " + b"," * 500, None),
        (b"Route: <sip:" + b"," * 500 + b"@h>", None),
        (b'Route: "open, <sip:h>' + b"," * 40, 400),
    ],
)
def test_hops_are_bounded(line: bytes, status: int | None) -> None:
    if status is None:
        check_request(request(line))
    else:
        assert refused(request(line)) == status


@pytest.mark.row("B08")
def test_many_hops_on_the_first_line() -> None:
    assert refused(request(changes={"Via": b",".join([VIA] * 71)})) == 513
    assert refused(request(changes={"Via": b",".join([VIA] * 3)}), Limits(vias=2)) == 513
    check_request(request(changes={"Via": b",".join([VIA] * 2)}), Limits(vias=2))


# -- responses ---


def response(*more: bytes, changes: Changes | None = None) -> Response:
    message = parse(b"SIP/2.0 200 OK\r\n" + lines_of({"Max-Forwards": None, **(changes or {})}, *more))
    assert isinstance(message, Response)
    return message


def test_a_good_response_passes_and_its_typed_values_are_there() -> None:
    message = response()
    check_response(message)
    message_via, message_cseq = message.via, message.cseq
    message.lines = []
    assert (message.via, message.cseq) == (message_via, message_cseq)


def test_the_addresses_of_a_response_are_not_looked_at() -> None:
    check_response(response(changes={"To": b'"open <sip:a@h>'}))


@pytest.mark.row("C06")
@pytest.mark.conformance("RFC 3261 18.1.2")
@pytest.mark.parametrize(
    "changes",
    [
        {"Via": None}, {"From": None}, {"To": None}, {"Call-ID": None}, {"CSeq": None}, {"Call-ID": b""},
        {"Via": b"SIP/2.0/UDP h;;"}, {"CSeq": b"36893488147419103232 INVITE"}, {"CSeq": b"1"},
    ],
)  # fmt: skip
def test_a_response_that_matches_nothing(changes: Changes) -> None:
    with pytest.raises(Malformed):
        check_response(response(changes=changes))


@pytest.mark.row("C06")
@pytest.mark.conformance("RFC 3261 18.1.2")
@pytest.mark.parametrize("line", [b"CSeq: 1 INVITE", b"Call-ID: other", b"To: <sip:x>", b"From: <sip:x>"])
def test_a_response_with_a_header_twice(line: bytes) -> None:
    with pytest.raises(Malformed):
        check_response(response(line))
