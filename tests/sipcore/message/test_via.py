from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.errors import Malformed
from sipcore.message import Request, mark_source, parse_via, response_target
from sipcore.message import via as via_module


def parts(value: bytes) -> tuple[str, str, int, str, str | None, str]:
    via = parse_via(value)
    return via.transport, via.host, via.port, via.received, via.rport, via.branch


@pytest.mark.conformance("RFC 3261 20.42", "RFC 5118 4.5")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"SIP/2.0/UDP 192.0.2.1:5091;branch=z9hG4bK-1-0", ("UDP", "192.0.2.1", 5091, "", None, "z9hG4bK-1-0")),
        (b"SIP/2.0/UDP h;rport;branch=z9hG4bKa", ("UDP", "h", 0, "", "", "z9hG4bKa")),
        (b"SIP/2.0/UDP h;branch=z9hG4bKa;rport;alias", ("UDP", "h", 0, "", "", "z9hG4bKa")),
        (b"SIP/2.0/UDP h;branch=a;received=192.0.2.9;rport=7", ("UDP", "h", 0, "192.0.2.9", "7", "a")),
        (b"SIP/2.0/TCP Host.Example.COM.", ("TCP", "host.example.com", 0, "", None, "")),
        (b"sip/2.0/udp h;BRANCH=a;RPORT", ("UDP", "h", 0, "", "", "a")),
        (b"SIP  /   2.0 /UDP    192.0.2.2;branch=390skdjuw", ("UDP", "192.0.2.2", 0, "", None, "390skdjuw")),
        (b"SIP / 2.0  / TCP     h   ;  branch  =   z9hG4bK9  ", ("TCP", "h", 0, "", None, "z9hG4bK9")),
        (b"SIP/2.0/UDP h : 5060 ;branch=a", ("UDP", "h", 5060, "", None, "a")),
        (b"SIP/7.0/UDP h;branch=a", ("UDP", "h", 0, "", None, "a")),
        (b"SIP/2.0/UNKNOWN h;branch=a", ("UNKNOWN", "h", 0, "", None, "a")),
        (b"SIP/2.0/UDP [2001:DB8::9:1]:6050;branch=a", ("UDP", "2001:db8::9:1", 6050, "", None, "a")),
        (b"SIP/2.0/UDP [2001:db8::1];received=[2001:db8::9]", ("UDP", "2001:db8::1", 0, "2001:db8::9", None, "")),
        (b"SIP/2.0/UDP [2001:db8::1];received=2001:db8::9", ("UDP", "2001:db8::1", 0, "2001:db8::9", None, "")),
        (b"SIP/2.0/TCP h;branch=z9hG4bK-.!%66*_+`'~", ("TCP", "h", 0, "", None, "z9hG4bK-.!%66*_+`'~")),
        (b"SIP/2.0/UDP h;branch=a@b:c", ("UDP", "h", 0, "", None, "a@b:c")),
        (b'SIP/2.0/UDP h;x=";branch=no";branch=yes', ("UDP", "h", 0, "", None, "yes")),
        (b'SIP/2.0/UDP h;branch=yes;x=";rport;branch=no"', ("UDP", "h", 0, "", None, "yes")),
        (b'SIP/2.0/UDP h;x="a;branch=z;y=b"', ("UDP", "h", 0, "", None, "")),
    ],
)  # fmt: skip
def test_via_values(value: bytes, expected: tuple[object, ...]) -> None:
    assert parts(value) == expected
    assert parse_via(value).value == value


@pytest.mark.row("B15")
@pytest.mark.conformance("RFC 3261 20.42")
@pytest.mark.parametrize(
    "value",
    [
        b"", b"SIP/2.0/UDP", b"SIP/2.0 UDP h", b"SIP/2.0/UDP  ", b"SIP/2.0/UDPh", b"UDP h", b"SIP//UDP h",
        b"SIP/2.0/UDP h h", b"SIP/2.0/UDP h:", b"SIP/2.0/UDP h:0", b"SIP/2.0/UDP h:65536", b"SIP/2.0/UDP h:99999",
        b"SIP/2.0/UDP h:x", b"SIP/2.0/UDP h;", b"SIP/2.0/UDP h;;", b"SIP/2.0/UDP h;branch=",
        b"SIP/2.0/UDP h;branch=a;", b"SIP/2.0/UDP h;branch=a;;x", b"SIP/2.0/UDP h;branch=a b",
        b'SIP/2.0/UDP h;branch="a', b"SIP/2.0/UDP h;branch=a;branch=b", b"SIP/2.0/UDP h;branch=a;Branch=a",
        b"SIP/2.0/UDP h;rport;branch=a;rport=5", b"SIP/2.0/UDP h;received=a;branch=b;received=c",
        b"SIP/2.0/UDP h;x;branch=a;x", b"SIP/2.0/UDP [::1;branch=a", b"SIP/2.0/UDP [1::2::3];branch=a",
        b"SIP/2.0/UDP ::1;branch=a", b"SIP/2.0/UDP 127.1;branch=a", b"SIP/2.0/UDP h\xe4;branch=a",
        b"SIP/2.0/UDP " + b"a" * 64 + b";branch=a", b'SIP/2.0/UDP h;x="a;branch=b', b"SIP/2.0/UDP h;x=<a>",
        b"SIP/2.0/UDP h, SIP/2.0/UDP i", b"SIP/2.0/UDP h?a",
    ],
)  # fmt: skip
def test_broken_via_values(value: bytes) -> None:
    with pytest.raises(Malformed):
        parse_via(value)


def test_all_parameters_are_kept_in_order() -> None:
    via = parse_via(b'SIP/2.0/UDP h;ttl=1;branch=z9hG4bKa;maddr=m;x="q;\\"";Rport')
    assert via.parameters == (("ttl", "1"), ("branch", "z9hG4bKa"), ("maddr", "m"), ("x", '"q;\\""'), ("rport", None))
    assert parse_via(b"SIP/2.0/UDP h").parameters == ()


_SPACE = st.sampled_from([b"", b"", b"", b" ", b"\t ", b"  "])
_NAME = st.sampled_from([b"branch", b"Branch", b"rport", b"received", b"alias", b"x", b"ttl", b"branchx", b""])
_VALUE = st.sampled_from(
    [None, b"", b"z9hG4bKa", b"5", b"192.0.2.1", b'"q"', b'";branch=z"', b'"open', b"[::1]", b"a b", b"\xff", b"a@b"]
)


@st.composite
def via_values(draw: st.DrawFn) -> bytes:
    """Via values near enough to the usual shape to take every turn of the fast path, and of the slow one."""
    head = draw(st.sampled_from([b"SIP/2.0/UDP ", b"SIP / 2.0/ TCP\t", b"sip/2.0/ws ", b"SIP/2.0/UDP", b"X"]))
    host = draw(st.sampled_from([b"192.0.2.1", b"h:5070", b"[2001:DB8::1]:1", b"h:0", b"", b"a..b", b"h :7"]))
    value = head + host
    for _ in range(draw(st.integers(0, 4))):
        name, content = draw(_NAME), draw(_VALUE)
        space, other = draw(_SPACE), draw(_SPACE)
        value += space + b";" + other + name + (b"" if content is None else other + b"=" + space + content)
    return value


def outcome(value: bytes, *, slow: bool) -> object:
    """What a value parses to, or why not; the slow path is the fast one with nothing that is short enough for it."""
    before, via_module._SHORT = via_module._SHORT, 0 if slow else via_module._SHORT
    try:
        via = parse_via(value)
    except Malformed:
        return "malformed"
    finally:
        via_module._SHORT = before
    return (via.transport, via.host, via.port, via.received, via.rport, via.branch, via.parameters, via.value)


@given(via_values())
def test_the_fast_path_finds_what_the_slow_one_finds(value: bytes) -> None:
    assert outcome(value, slow=False) == outcome(value, slow=True)


# -- the source of a request ---


def marked(value: bytes, remote: tuple[str, int] = ("192.0.2.9", 40000)) -> bytes:
    request = Request(
        "OPTIONS", "sip:a", ["to", "via", "via"], [b"To: <sip:a>", b"v:" + value, b"Via: SIP/2.0/UDP x;rport"]
    )
    mark_source(request, remote)
    assert request.lines[::2] == [b"To: <sip:a>", b"Via: SIP/2.0/UDP x;rport"]
    again = request.copy()
    again.lines = request.lines.copy()
    again._via = None
    assert [
        getattr(request.via, name) for name in ("received", "rport", "branch", "host", "port", "transport", "value")
    ] == [getattr(again.via, name) for name in ("received", "rport", "branch", "host", "port", "transport", "value")]
    return request.lines[1].removeprefix(b"v:").lstrip(b" ")


@pytest.mark.conformance("RFC 3261 18.2.1")
@pytest.mark.parametrize(
    "value",
    [
        b"SIP/2.0/UDP 192.0.2.9:5060;branch=a",
        b"SIP/2.0/UDP 192.0.2.9",
        b"SIP/2.0/UDP [::ffff:192.0.2.9];branch=a",
        b"SIP/2.0/UDP 192.0.2.9;branch=a, SIP/2.0/UDP 192.0.2.1;rport",
    ],
)
def test_nothing_is_touched_when_the_sent_by_is_the_source(value: bytes) -> None:
    assert marked(value) == value


@pytest.mark.conformance("RFC 3261 18.2.1", "RFC 3581 4")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"SIP/2.0/UDP 192.0.2.1;branch=a", b"SIP/2.0/UDP 192.0.2.1;branch=a;received=192.0.2.9"),
        (b"SIP/2.0/UDP phone", b"SIP/2.0/UDP phone;received=192.0.2.9"),
        (b"SIP/2.0/UDP 192.0.2.1;branch=a;rport", b"SIP/2.0/UDP 192.0.2.1;branch=a;received=192.0.2.9;rport=40000"),
        (b"SIP/2.0/UDP 192.0.2.9;rport;branch=a", b"SIP/2.0/UDP 192.0.2.9;received=192.0.2.9;rport=40000;branch=a"),
        (b"SIP/2.0/UDP h;rportx;rport", b"SIP/2.0/UDP h;rportx;received=192.0.2.9;rport=40000"),
        (b"SIP/2.0/UDP h;RPORT;branch=a", b"SIP/2.0/UDP h;branch=a;received=192.0.2.9;rport=40000"),
        (b"SIP/2.0/UDP h ; rport ; x", b"SIP/2.0/UDP h ; x;received=192.0.2.9;rport=40000"),
        (b'SIP/2.0/UDP h;x=";rport";rport', b'SIP/2.0/UDP h;x=";rport";received=192.0.2.9;rport=40000'),
        # forged by the client
        (b"SIP/2.0/UDP h;rport=1;received=10.0.0.1;branch=a", b"SIP/2.0/UDP h;branch=a;received=192.0.2.9;rport=40000"),
        (b"SIP/2.0/UDP 192.0.2.9;branch=a;received=10.0.0.1", b"SIP/2.0/UDP 192.0.2.9;branch=a"),
        (b"SIP/2.0/UDP 192.0.2.9:1 ;received= z9hG4bKa", b"SIP/2.0/UDP 192.0.2.9:1"),
        (b"SIP/2.0/UDP 192.0.2.1;Received=10.0.0.1;rport", b"SIP/2.0/UDP 192.0.2.1;received=192.0.2.9;rport=40000"),
        (b"SIP/2.0/UDP h;maddr=10.0.0.1;branch=a", b"SIP/2.0/UDP h;maddr=10.0.0.1;branch=a;received=192.0.2.9"),
        # only the first value of a list
        (b"SIP/2.0/UDP h;rport,SIP/2.0/UDP i", b"SIP/2.0/UDP h;received=192.0.2.9;rport=40000,SIP/2.0/UDP i"),
        (b'SIP/2.0/UDP h;x="a,b" ,SIP/2.0/UDP i', b'SIP/2.0/UDP h;x="a,b";received=192.0.2.9,SIP/2.0/UDP i'),
    ],
)  # fmt: skip
def test_the_source_is_written_into_the_topmost_via(value: bytes, expected: bytes) -> None:
    assert marked(value) == expected


@pytest.mark.parametrize(
    ("value", "remote", "expected"),
    [
        (b"SIP/2.0/UDP [2001:DB8:0::1]", "2001:db8::1", b"SIP/2.0/UDP [2001:DB8:0::1]"),
        (b"SIP/2.0/UDP [2001:db8::1]", "2001:db8::2", b"SIP/2.0/UDP [2001:db8::1];received=2001:db8::2"),
        (b"SIP/2.0/UDP [fe80::1]", "fe80::1%eth0", b"SIP/2.0/UDP [fe80::1]"),
        (b"SIP/2.0/UDP h", "fe80::1%eth0", b"SIP/2.0/UDP h;received=fe80::1"),
        (b"SIP/2.0/UDP 192.0.2.9", "::ffff:192.0.2.9", b"SIP/2.0/UDP 192.0.2.9"),
        (b"SIP/2.0/UDP h", "::ffff:192.0.2.9", b"SIP/2.0/UDP h;received=192.0.2.9"),
    ],
)
def test_addresses_are_compared_in_their_plain_form(value: bytes, remote: str, expected: bytes) -> None:
    assert marked(value, (remote, 5060)) == expected


@pytest.mark.row("C19")
@pytest.mark.conformance("RFC 3261 18.2.1", "RFC 3581 4")
@given(via_values(), st.sampled_from(["192.0.2.1", "192.0.2.9", "2001:db8::1"]))
def test_whatever_a_client_says_the_socket_is_believed(value: bytes, host: str) -> None:
    try:
        before = parse_via(value)
    except Malformed:
        return
    via = parse_via(marked(value, (host, 40000)))
    assert via.branch == before.branch
    if via.host != host or before.rport is not None:
        assert via.received == host
    else:
        assert via.received == ""
    assert via.rport == (None if before.rport is None else "40000")


@pytest.mark.row("C19")
@pytest.mark.conformance("RFC 3261 18.2.2", "RFC 3581 4")
@pytest.mark.parametrize(
    ("value", "transport", "target"),
    [
        (b"SIP/2.0/UDP 192.0.2.1", "udp", ("192.0.2.1", 5060)),
        (b"SIP/2.0/UDP 192.0.2.1:5070", "udp", ("192.0.2.1", 5070)),
        (b"SIP/2.0/UDP 192.0.2.1:5070;received=192.0.2.9", "udp", ("192.0.2.9", 5070)),
        (b"SIP/2.0/UDP 192.0.2.1:5070;received=192.0.2.9;rport=40000", "udp", ("192.0.2.9", 40000)),
        (b"SIP/2.0/TCP 192.0.2.1:5070;received=192.0.2.9;rport=40000", "tcp", ("192.0.2.9", 5070)),
        (b"SIP/2.0/TLS 192.0.2.1;received=192.0.2.9;rport=40000", "tls", ("192.0.2.9", 5061)),
        (b"SIP/2.0/UDP 192.0.2.1;maddr=10.0.0.1", "udp", ("192.0.2.1", 5060)),
        (b"SIP/2.0/UDP [2001:db8::1]", "udp", ("2001:db8::1", 5060)),
        (b"SIP/2.0/UDP [::ffff:192.0.2.1]:9", "udp", ("192.0.2.1", 9)),
        (b"SIP/2.0/UDP h;rport=0", "udp", ("h", 5060)),
        (b"SIP/2.0/UDP h;rport=65536", "udp", ("h", 5060)),
        (b"SIP/2.0/UDP h:7;rport=" + b"9" * 5000, "udp", ("h", 7)),
        (b"SIP/2.0/UDP h:7;rport=" + "٥".encode(), "udp", ("h", 7)),
        (b"SIP/2.0/UDP h;rport=abc", "udp", ("h", 5060)),
        (b"SIP/2.0/WS h", "ws", ("h", 80)),
        (b"SIP/2.0/WSS h", "wss", ("h", 443)),
    ],
)
def test_where_a_response_goes(value: bytes, transport: str, target: tuple[str, int]) -> None:
    assert response_target(parse_via(value), transport) == target
