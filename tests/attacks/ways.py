"""Rows C13 to C21, C31 and C32: where requests may and may not be led."""

from __future__ import annotations

import re
import time

from tests import raw
from tests.attacks.field import DOMAIN, Field, answer, answered, request
from tests.attacks.table import row
from tests.attacks.transactions import HOP, a_way, silent, until_final
from tests.loopback import LIMIT, Datagrams, Stream


@row("C13")
def circles(field: Field) -> None:
    for method in ("MESSAGE", "INVITE"):
        data = request(method, f"sip:circle@{DOMAIN}")
        seen = field.open.see(data, "udp", answered)
        assert seen.statuses == [482], seen.statuses


@row("C14")
def amplified_forks(field: Field) -> None:
    place = field.open
    before = place.counters()["stack"]["requests"]
    data = request("INVITE", f"sip:amplify@{DOMAIN}")
    seen = place.see(data, "udp", answered)
    assert seen.statuses[0] in (440, 482, 483), seen.statuses
    # Each copy is a request of its own: two to the power of 70 without a bound.
    assert place.counters()["stack"]["requests"] - before < 500


@row("C15")
def extensions_nobody_knows(field: Field) -> None:
    (refused,) = field.open.expect(request("MESSAGE", HOP, b"Proxy-Require: one, two"), 420).answers
    assert refused.first(b"unsupported").replace(b" ", b"") == b"one,two"
    register = request("REGISTER", f"sip:{DOMAIN}", b"Require: three", to=b"<sip:require@example.com>")
    (refused,) = field.open.expect(register, 420).answers
    assert refused.first(b"unsupported") == b"three"
    field.open.expect(request("MESSAGE", HOP, b"Require: three"), 299, forwarded=1)  # not a proxy's business


@row("C16")
def a_route_of_a_strangers_own(field: Field) -> None:
    other = f"{field.other.host}:{field.other.port}"
    for method in ("INVITE", "MESSAGE", "SUBSCRIBE"):
        for route in (b"Route: <sip:%b;lr>" % other.encode(), b"Route: <sip:x@%b>" % other.encode()):
            for uri in (f"sip:x@{other}", "sip:x@192.0.2.77", f"sip:nobody@{DOMAIN}"):
                seen = field.default.see(request(method, uri, route), "udp", answered)
                assert seen.statuses[0] in (403, 404) and not seen.forwarded, (method, uri, seen.statuses)
        with_from = {"from": b"<sip:alice@example.com>;tag=1"}
        field.default.expect(request(method, "sip:x@192.0.2.77", **with_from), 407)
    assert not field.other.requests


@row("C17")
def a_tag_that_was_made_up(field: Field) -> None:
    other = f"{field.other.host}:{field.other.port}"
    us = b"Route: <sip:%b:%d;lr>" % (field.default.address[0].encode(), field.default.address[1])
    for method in ("INVITE", "BYE", "INFO", "MESSAGE", "REFER"):
        for more in ((us,), (us, b"Route: <sip:%b;lr>" % other.encode()), ()):
            data = request(method, f"sip:x@{other}", *more, to=b"<sip:x@example.net>;tag=made-up")
            seen = field.default.see(data, "udp", answered)
            assert seen.statuses[0] in (403, 404, 481) and not seen.forwarded, (method, seen.statuses)
    assert not field.other.requests


@row("C18")
def parameters_of_our_domain(field: Field) -> None:
    for parameter in (
        "maddr=127.0.0.4",
        "maddr=10.0.0.1",
        "transport=foo",
        "ttl=255",
        "maddr=224.0.0.1;ttl=16",
        "transport=",
    ):
        seen = field.default.see(request("MESSAGE", f"sip:nobody@{DOMAIN};{parameter}"), "udp", answered)
        assert seen.statuses[0] in (400, 403, 404, 503) and not seen.forwarded, (parameter, seen.statuses)
    for uri in ("sip:x@127.0.0.3:1;transport=foo", f"sip:nobody@{DOMAIN}:9"):
        seen = field.open.see(request("MESSAGE", uri), "udp", answered)
        assert seen.statuses[0] in (299, 400, 403, 404, 500, 503)
    seen = field.open.see(request("MESSAGE", "sip:anywhere@127.0.0.3;transport=foo"), "udp", answered)
    assert seen.statuses[0] in (400, 500, 503) and not seen.forwarded


@row("C19")
def forged_vias(field: Field) -> None:
    other = b"127.0.0.4"
    for more in (
        b";received=" + other, b";maddr=" + other, b";maddr=224.0.0.1;ttl=255", b";received=%b;rport=5999" % other,
        b";ttl=1;rport",
    ):  # fmt: skip
        via = b"SIP/2.0/UDP 127.0.0.4:%d;branch=z9hG4bKattackforged%d" % (field.other.port, len(more))
        with a_way(field.open) as way:
            way.send(
                request("MESSAGE", HOP, via=via + more + (b"" if b"rport" in more else b";rport")), field.open.address
            )
            assert until_final(way).raw.status == 299, more
        top = raw.read(field.hop.requests[-1]).all(b"via")[1]
        assert b"received=127.0.0.2" in top and b"received=127.0.0.4" not in top
    assert not field.other.requests


def answered_call(field: Field, way: Datagrams | Stream) -> tuple[raw.Raw, raw.Raw]:
    """A call through the open server that the hop has answered: the 200, and the INVITE as the hop got it."""
    contact = b"Contact: <sip:x@%b:%d>" % (field.hop.host.encode(), field.hop.port)
    field.hop.script = lambda data: (
        [] if data.startswith(b"ACK") else [answer(data, 200, b"OK", *_recorded(data), contact)]
    )
    way.send(request("INVITE"), field.open.address)
    return until_final(way).raw, raw.read(field.hop.got(b"INVITE")[-1])


def _recorded(data: bytes) -> list[bytes]:
    return [b"Record-Route: " + value for value in raw.read(data).all(b"record-route")]


def within(ok: raw.Raw, method: str, uri: str, *more: bytes) -> bytes:
    """A request of the caller inside an answered call."""
    return request(
        method, uri, *more, to=ok.first(b"to"), cseq=b"2 " + method.encode(), **{
            "from": ok.first(b"from"), "call-id": ok.first(b"call-id"),
        },
    )  # fmt: skip


@row("C20")
def a_strict_router_before_us(field: Field) -> None:
    with a_way(field.open) as way:
        ok, _ = answered_call(field, way)
        ours = ok.first(b"record-route").strip(b"<>").decode()
        contact = ok.first(b"contact").strip(b"<>").decode()
        way.send(within(ok, "BYE", ours, f"Route: <{contact}>".encode()), field.open.address)
        assert until_final(way).raw.status == 200
    (bye,) = field.hop.got(b"BYE")
    assert bye.startswith(b"BYE " + contact.encode() + b" SIP/2.0") and not raw.read(bye).all(b"route")


@row("C21")
def tokens_that_were_tampered_with(field: Field) -> None:
    with a_way(field.open) as way:
        ok, _ = answered_call(field, way)
        route, contact = ok.first(b"record-route"), ok.first(b"contact").strip(b"<>").decode()
        values = {match[1] for match in re.finditer(rb"[;:]([A-Za-z0-9_\-.~=+]{12,})", route)}
        assert values, route
        for value in values:
            for wrong in (
                value[:-1] + (b"0" if value[-1:] != b"0" else b"1"),
                value[:-4],
                value * 2,
                b"x",
                value[::-1],
            ):
                if wrong.startswith(b"127."):
                    continue
                data = within(ok, "BYE", contact, b"Route: " + route.replace(value, wrong))
                seen = field.open.see(data, "udp", answered)
                assert seen.statuses[0] in (403, 404, 481) and not seen.forwarded, (wrong, seen.statuses)
        way.send(within(ok, "BYE", contact, b"Route: " + route), field.open.address)
        assert until_final(way).raw.status == 200


@row("C31")
def redirections_by_the_thousand(field: Field) -> None:
    hop = f"{field.other.host}:{field.other.port}".encode()
    contacts = [b"Contact: <sip:%d@%b>" % (number, hop) for number in range(200)] + [
        b"Contact: <tel:+44%d>" % n for n in range(40)
    ]
    contacts += [b"Contact: <sip:circle@127.0.0.1:%d>" % field.open.address[1]]
    thousand = b"Contact: " + b", ".join(b"<sip:%d@%b>" % (number, hop) for number in range(250))
    for many in (contacts, [thousand] * 2 + [thousand.replace(b"<sip:", b"<sips:")] * 2):
        field.hop.script = lambda data, many=many: (
            [] if data.startswith(b"ACK") else [answer(data, 302, b"Moved", *many)]
        )  # type: ignore[misc]
        field.open.expect(request("INVITE"), 302, forwarded=1)
        begin = len(field.other.got(b"INVITE"))
        field.other.script = lambda data: [] if data.startswith(b"ACK") else [answer(data, 404)]
        seen = field.open.see(request("INVITE", f"sip:follow@{DOMAIN}"), "udp", answered)
        assert seen.statuses[0] >= 400 or seen.statuses[0] == 302
        assert len({raw.read(one).first(b"via") for one in field.other.got(b"INVITE")[begin:]}) <= 100


@row("C32")
def refusing_and_black_holes(field: Field) -> None:
    began = time.monotonic()
    for uri in ("sip:anywhere@127.0.0.8:5999", "sip:anywhere@127.0.0.8:5999;transport=tcp"):
        field.open.expect(request("INVITE", uri), 500)
        field.open.expect(request("MESSAGE", uri), 500)
    field.open.expect(request("INVITE", f"sip:next@{DOMAIN}"), 299, forwarded=1)
    assert time.monotonic() - began < LIMIT  # refusals are heard of at once
    field.hop.script = silent
    with a_way(field.fast) as way:
        way.send(request("INVITE"), field.fast.address)
        assert until_final(way).raw.status == 408  # timer B
