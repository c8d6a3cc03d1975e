"""What a request that can't be parsed is answered with, and what is never answered."""

from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.message import Response, answer_malformed, parse, response_target

SOURCE = ("192.0.2.9", 40000)
VIA = b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
REST = b"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n"
START = b"INVITE sip:b@h SIP/2.0\r\n"


def answer(data: bytes, malformed: Malformed | None = None, source: tuple[str, int] = SOURCE) -> Response | None:
    answered = answer_malformed(data, malformed or Malformed("Something is wrong"), source, "ours")
    if answered is None:
        return None
    response = parse(answered)
    assert isinstance(response, Response)
    assert response.write() == answered
    assert answered.endswith(b"Content-Length: 0\r\n\r\n")
    return response


def lines(data: bytes) -> list[bytes]:
    response = answer(data)
    assert response is not None
    assert response.lines.pop() == b"Content-Length: 0"
    return response.lines


@pytest.mark.conformance("RFC 3261 8.2.6.2", "RFC 3261 8.2.7")
def test_everything_readable_is_copied_as_it_came() -> None:
    response = answer(START + VIA + REST + b"Bad header\r\n\r\nbody")
    assert response is not None
    assert (response.status, response.reason) == (400, "Something is wrong")
    assert response.lines == [
        b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;received=192.0.2.9",
        b"From: <sip:a@h>;tag=1",
        b"To: <sip:b@h>;tag=ours",
        b"Call-ID: c",
        b"CSeq: 7 INVITE",
        b"Content-Length: 0",
    ]


def test_the_usual_phrase_stands_for_other_statuses() -> None:
    response = answer(START + VIA + REST + b"\r\n", Malformed("Message larger than our limit", 513))
    assert response is not None
    assert (response.status, response.reason) == (513, "Message Too Large")


@pytest.mark.row("C19")
@pytest.mark.conformance("RFC 3261 18.2.1", "RFC 3261 18.2.2", "RFC 3581 4")
def test_the_answer_goes_to_the_source() -> None:
    response = answer(START + VIA.replace(b"\r\n", b";rport;received=10.0.0.1\r\n") + REST + b"\r\n")
    assert response is not None
    assert response_target(response.via, "udp") == SOURCE
    over_ipv6 = answer(START + VIA + REST, source=("::ffff:192.0.2.7", 1))
    assert over_ipv6 is not None
    assert response_target(over_ipv6.via, "udp") == ("192.0.2.7", 5060)


@pytest.mark.row("B15")
@pytest.mark.conformance("RFC 3261 8.2.7", "RFC 3261 18.2.2")
@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0", b"\r\n\r\n", b"jaK", b"\xff" * 200,
        b"SIP/2.0 4294967301 x\r\n" + VIA + REST + b"\r\n",
        b"sip/2.0 200 OK SIP/2.0\r\n" + VIA + REST + b"\r\n",
        b"ACK sip:b@h  SIP/2.0\r\n" + VIA + REST + b"\r\n",
        b"ack sip:b@h SIP/2.0\r\n" + VIA + REST + b"\r\n",
        b"\tACK sip:b@h SIP/2.0\r\n" + VIA + REST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + VIA + REST + b"\r\n",
        b"INVITE sip:b@h\r\n" + VIA + REST + b"\r\n",
        START + REST + b"\r\n",
        START + b"Via: nonsense\r\n" + VIA + REST + b"\r\n",
        START + b"Via: SIP/2.0/UDP\r\n" + REST + b"\r\n",
        START + b"Via: SIP/2.0/UDP 127.1\r\n" + REST + b"\r\n",
        START + b"Via: SIP/2.0/UDP h:99999\r\n" + REST + b"\r\n",
        START + b"Via: SIP/2.0/UDP h\x00;branch=z9hG4bKx\r\n" + REST + b"\r\n",
        START.replace(b"\r\n", b"\n") + (VIA + REST).replace(b"\r\n", b"\n") + b"\n",
    ],
)  # fmt: skip
def test_nobody_can_be_answered(data: bytes) -> None:
    assert answer(data) is None


@pytest.mark.row("E14")
def test_a_request_with_nothing_to_copy_is_no_lever_for_floods() -> None:
    assert answer(START + VIA + b"\r\n") is None
    smallest = b"X a SIP/2.0\r\nv:SIP/2.0/UDP a\r\ni:1\r\n\r\n"
    answered = answer_malformed(smallest, Malformed("No CSeq"), ("255.255.255.255", 65535), "tag")
    assert answered is not None
    assert len(answered) <= 3 * len(smallest)


@pytest.mark.row("B05")
@pytest.mark.conformance("RFC 3261 8.2.7")
@pytest.mark.parametrize(
    "start",
    [
        b"INVITE sip:b@h SIP/2.0 ", b"INVITE  sip:b@h  SIP/2.0", b"INVITE sip:b@h; lr SIP/2.0",
        b"INVITE <sip:b@h> SIP/2.0",
        b"INVITE sip:b@h SIP/7.0", b"INV(TE sip:b@h SIP/2.0", b"INVITE sip:b\x00@h SIP/2.0",
        b"A" * 60_000 + b" sip:b@h SIP/2.0",
        b"\tINVITE sip:b@h SIP/2.0", b"invite sip:" + b"u" * 20_000 + b" sip/2.0", b"BYE\tsip:b@h\tSIP/2.0",
    ],
)  # fmt: skip
def test_a_broken_request_line_is_answered(start: bytes) -> None:
    assert lines(start + b"\r\n" + VIA + REST + b"\r\n")[-1] == b"CSeq: 7 INVITE"
    assert lines(b"\r\n\r\n" + start + b"\r\n" + VIA + REST + b"\r\n")[-1] == b"CSeq: 7 INVITE"


def test_a_head_without_an_end_is_answered() -> None:
    assert lines(START + VIA + REST)[-1] == b"CSeq: 7 INVITE"
    assert lines((START + VIA + REST).rstrip())[-1] == b"CSeq: 7 INVITE"


@pytest.mark.row("B15")
@pytest.mark.conformance("RFC 4475 3.1.2.1")
@pytest.mark.parametrize(
    ("via", "first"),
    [
        (b"SIP/2.0/UDP 192.0.2.15;;,;,,", b"SIP/2.0/UDP 192.0.2.15;received=192.0.2.9"),
        (b"SIP/2.0/UDP h;;branch=z9hG4bKx;", b"SIP/2.0/UDP h;branch=z9hG4bKx;received=192.0.2.9"),
        (
            b"SIP/2.0/UDP h:5070;branch=z9hG4bKx;branch=z9hG4bKx",
            b"SIP/2.0/UDP h:5070;branch=z9hG4bKx;received=192.0.2.9",
        ),
        (b'SIP/2.0/UDP h;branch=z9hG4bKx;x="open', b"SIP/2.0/UDP h;branch=z9hG4bKx;received=192.0.2.9"),
        (b"SIP/2.0/UDP [2001:db8::1];x=<y>", b"SIP/2.0/UDP [2001:db8::1];received=192.0.2.9"),
        (b"SIP/7.0/UDP h;branch=z9hG4bKx", b"SIP/7.0/UDP h;branch=z9hG4bKx;received=192.0.2.9"),
        (b"SIP/2.0/UDP h;branch=<>;;", b"SIP/2.0/UDP h;received=192.0.2.9"),
    ],
)
def test_what_can_be_read_of_a_broken_topmost_via_is_kept(via: bytes, first: bytes) -> None:
    assert lines(START + b"v: " + via + b"\r\n" + REST + b"\r\n")[0] == b"Via: " + first


def test_lower_vias_are_copied_unless_they_are_broken() -> None:
    vias = b'Via: SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b;x="y,z"\r\nVia: junk\r\n'
    vias += b"v: SIP/2.0/TLS c\r\nVia: SIP/2.0/WS d, junk\r\n"
    assert lines(START + vias + REST + b"\r\n")[:3] == [
        b"Via: SIP/2.0/UDP a;branch=1;received=192.0.2.9",
        b'Via: SIP/2.0/TCP b;x="y,z"',
        b"Via: SIP/2.0/TLS c",
    ]


@pytest.mark.row("B20")
@pytest.mark.parametrize(
    ("to", "copied"),
    [
        (b"<sip:b@h>;tag=theirs", b"<sip:b@h>;tag=theirs"),
        (b"sip:b@h", b"sip:b@h;tag=ours"),
        (b'"Mr. J. User <sip:j.user@example.com>', b"<sip:j.user@example.com>;tag=ours"),
        (b"Bell, Alexander <sip:a@h>;tag=43", b"<sip:a@h>;tag=43"),
        (b'"Watson, Thomas" < sip:t@h >', b"<sip:t@h>;tag=ours"),
        (b"<sip:a@h>;tag=1;tag=2", b"<sip:a@h>;tag=2"),
        (b"<sip:a@h>;tag", b"<sip:a@h>;tag=ours"),
        (b"<sip:a@h>, <sip:b@h>", b"<sip:b@h>;tag=ours"),
        (b"<sip:%zz@h>", None),
        (b'"open', None),
        (b"<sip:a@h", None),
        (b"", None),
    ],
)
def test_a_to_that_would_break_a_parser_is_not_passed_on(to: bytes, copied: bytes | None) -> None:
    found = lines(START + VIA + REST.replace(b"<sip:b@h>", to) + b"\r\n")
    assert [line for line in found if line.startswith(b"To:")] == ([] if copied is None else [b"To: " + copied])


@pytest.mark.parametrize(
    "line",
    [
        b"CSeq: x INVITE",
        b"CSeq: 1",
        b"CSeq: " + b"9" * 40 + b" INVITE",
        b"CSeq: 1 INV\x00ITE",
        b"CSeq: 1 INVITE\nRoute: x",
    ],
)
def test_a_broken_cseq_is_left_out(line: bytes) -> None:
    assert lines(START + VIA + b"Call-ID: c\r\n" + line + b"\r\n\r\n")[1:] == [b"Call-ID: c"]


def test_a_number_that_is_too_large_is_the_clients_own_and_copied() -> None:
    assert lines(START + VIA + b"CSeq: 36893488147419103232 INVITE\r\n\r\n")[1:] == [
        b"CSeq: 36893488147419103232 INVITE"
    ]


def test_only_the_first_of_each_header_is_copied() -> None:
    double = REST + b"To: <sip:other@h>\r\nFrom: <sip:x@h>\r\ni: d\r\nCSeq: 8 BYE\r\n"
    assert lines(START + VIA + double + b"\r\n")[1:] == [
        b"From: <sip:a@h>;tag=1", b"To: <sip:b@h>;tag=ours", b"Call-ID: c", b"CSeq: 7 INVITE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [b"Call-ID: a\nRoute: <sip:evil>", b"Call-ID: a\rb", b"Call-ID: a\x00", b"Call-ID: " + b"c" * 9000, b"Call-ID:"],
)
def test_a_line_that_is_not_clean_is_left_out_whole(bad: bytes) -> None:
    found = lines(START + VIA + REST.replace(b"Call-ID: c", bad) + b"\r\n")
    assert found[1:] == [b"From: <sip:a@h>;tag=1", b"To: <sip:b@h>;tag=ours", b"CSeq: 7 INVITE"]


def test_odd_spellings_of_names_are_read() -> None:
    odd = b"v : SIP/2.0/UDP h\r\nF\t: <sip:a@h>\r\nTO:\r\n <sip:b@h>\r\nI:c\r\ncseq: 7\r\n  INVITE\r\n"
    assert lines(START + odd + b"\r\n") == [
        b"Via: SIP/2.0/UDP h;received=192.0.2.9", b"From: <sip:a@h>", b"To: <sip:b@h>;tag=ours", b"Call-ID: c",
        b"CSeq: 7 INVITE",
    ]  # fmt: skip


@pytest.mark.row("B36")
def test_the_body_is_not_searched_for_headers() -> None:
    assert answer(START + b"To: <sip:b@h>\r\n\r\n" + VIA + REST) is None
