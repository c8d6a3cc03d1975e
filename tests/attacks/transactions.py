"""Rows C01 to C32: transactions, and where requests may and may not go."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests import raw
from tests.attacks.field import (
    DOMAIN,
    HERE,
    Field,
    Place,
    answer,
    answered,
    renewed,
    request,
    with_invites,
)  # fmt: skip
from tests.attacks.framing import OPTIONS, options, wait_until_no_transactions
from tests.attacks.table import row
from tests.loopback import LIMIT, Arrival, Datagrams, Stream

HOP = f"sip:hop@{DOMAIN}"


@contextmanager
def a_way(place: Place, transport: str = "udp", host: str = HERE) -> Iterator[Datagrams | Stream]:
    """A way to a server, closed in the end."""
    way = place.way(transport, host)
    try:
        yield way
    finally:
        way.close()


def finals(way: Datagrams | Stream, wait: float = 0.3) -> list[Arrival]:
    """The final responses that come until nothing has come for a while."""
    found = []
    while (arrival := way.receive(wait)) is not None:
        if arrival.raw.status >= 200:
            found.append(arrival)
    return found


def statuses(way: Datagrams | Stream, wait: float = 0.3) -> list[int]:
    """Their statuses."""
    return [arrival.raw.status for arrival in finals(way, wait)]


def until_final(way: Datagrams | Stream, limit: float = LIMIT) -> Arrival:
    """The next final response."""
    deadline = time.monotonic() + limit
    while (arrival := way.receive(max(0.0, deadline - time.monotonic()))) is not None:
        if arrival.raw.status >= 200:
            return arrival
    raise AssertionError(f"no final response within {limit} s")


def same_transaction(data: bytes, method: bytes, *more: bytes) -> bytes:
    """A CANCEL or ACK in the transaction of an INVITE."""
    message = raw.read(data)
    lines = [method + b" " + message.start.split(b" ")[1] + b" SIP/2.0"]
    lines += [name.title() + b": " + message.first(name) for name in (b"via", b"from", b"to", b"call-id")]
    lines += [b"CSeq: 1 " + method, b"Max-Forwards: 70", *more, b"Content-Length: 0"]
    return b"\r\n".join([*lines, b"", b""])


def ringing(data: bytes) -> list[bytes]:
    """A phone that rings."""
    return [answer(data, 180)]


def silent(data: bytes) -> list[bytes]:
    """A phone that says nothing."""
    return []


@row("C01")
def repeated_requests(field: Field) -> None:
    for method in ("MESSAGE", "INVITE"):
        field.hop.script = silent
        data = request(method)
        with a_way(field.open) as way:
            for _ in range(5):
                way.send(data, field.open.address)
            field.open.wait("it has gone on", lambda: bool(field.hop.requests))
            copy = field.hop.requests[0]
            field.hop.script = lambda data: [answer(data, 404)] if not data.startswith(b"ACK") else []
            field.hop.send(answer(copy, 404), field.open.address)
            assert until_final(way).raw.status == 404
            for _ in range(3):
                way.send(data, field.open.address)
                assert until_final(way).raw.status == 404
            if method == "INVITE":
                way.send(raw.acknowledgement(data, answer(data, 404)), field.open.address)
            assert field.open.well(way) == []
        branches = {raw.read(one).first(b"via") for one in field.hop.got(method.encode())}
        assert len(branches) == 1, branches
        field.hop.calm()


@row("C02")
def one_request_by_two_ways(field: Field) -> None:
    data = request("REGISTER", f"sip:{DOMAIN}", to=b"<sip:merged@example.com>")
    field.open.expect(data, 200)
    field.open.expect(data.replace(b"z9hG4bKattack", b"z9hG4bKattack-other-way-"), 482)


@row("C03")
def a_branch_of_nothing(field: Field) -> None:
    field.open.refuse(request(via=b"SIP/2.0/UDP 127.0.0.2:5999;branch=z9hG4bK;rport"), 400)


@row("C04")
def no_cookie(field: Field) -> None:
    for via in (b"SIP/2.0/UDP 127.0.0.2:5999;rport", b"SIP/2.0/UDP 127.0.0.2:5999;branch=1;rport"):
        field.open.expect(request(via=via), 299, forwarded=1)
        data = request(via=via)
        with a_way(field.open) as way:
            way.send(data, field.open.address)
            way.send(data, field.open.address)
            assert set(statuses(way)) == {299}
    assert len(field.hop.got(b"MESSAGE")) == 4


@row("C05")
def responses_nobody_waits_for(field: Field) -> None:
    for method in (b"INVITE", b"MESSAGE", b"CANCEL"):
        for status in (100, 180, 200, 404, 500):
            via = (
                b"SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKw0-spoofed, SIP/2.0/UDP 127.0.0.4:5999" % field.open.address[1]
            )
            field.open.silent(answer(request(method.decode(), via=via), status))
    assert not field.other.requests


@row("C06")
def responses_with_another_way_back(field: Field) -> None:
    def changed(what: bytes) -> list[bytes]:
        good = answer(what, 200)
        vias = re.findall(rb"Via: [^\r]*\r\n", good)
        return [
            good.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx", 1),
            good.replace(b"branch=z9hG4bK", b"branch=Z", 1),
            good.replace(vias[0], b""),
            good.replace(vias[0], b"Via: SIP/2.0/UDP 127.0.0.4:5999;branch=z9hG4bKmore\r\n" + vias[0]),
        ]

    field.hop.script = lambda data: [*changed(data), answer(data, 200)] if data.startswith(b"MESSAGE") else []
    field.open.expect(request(), 200, forwarded=1)
    field.hop.script = lambda data: [answer(data, 200).replace(b"127.0.0.2:5999", b"127.0.0.4:5999")]
    with a_way(field.open) as way:
        way.send(request(), field.open.address)
        assert until_final(way).raw.status == 502
    assert not field.other.requests


@row("C07")
def responses_that_lead_elsewhere(field: Field) -> None:
    for place in (b"255.255.255.255", b"224.0.0.1", b"0.0.0.0", b"127.0.0.4:5999"):
        field.hop.script = lambda data, place=place: [answer(data, 200).replace(b"127.0.0.2:5999", place)]  # type: ignore[misc]
        data = request()
        via = b"SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKstray, SIP/2.0/UDP %b" % (field.open.address[1], place)
        field.open.silent(answer(request(via=via), 200))
        with a_way(field.open) as way:
            way.send(data, field.open.address)
            assert until_final(way).raw.status == 502, place
        field.hop.calm()
    assert not field.other.requests


@row("C08")
def statuses_that_are_none(field: Field) -> None:
    wrong = (
        b"700 x",
        b"99 x",
        b"4294967301 better",
        b"2 00 x",
        b"-200 x",
        b"0200 x",
        b"2OO x",
        b"\xd9\xa2\xd9\xa0\xd9\xa0 x",
    )
    field.hop.script = lambda data: [*(raw.answer(data, status) for status in wrong), answer(data, 204)]
    for transport in ("udp", "tcp"):
        field.open.expect(request(), 204, forwarded=1, transport=transport)


@row("C09")
def acknowledgements_of_nothing(field: Field) -> None:
    for uri in (HOP, f"sip:{field.other.host}:{field.other.port}", OPTIONS, f"sip:anywhere@{DOMAIN}"):
        for more in ((), (b"Route: <sip:127.0.0.4:%d;lr>" % field.other.port,)):
            field.open.silent(request("ACK", uri, *more))
            field.open.silent(request("ACK", uri, *more, to=b"<sip:hop@example.com>;tag=made-up"))
    assert not field.other.requests and not field.hop.requests


@row("C10")
def cancels_of_nothing_and_of_others(field: Field) -> None:
    field.open.expect(request("CANCEL"), 481)
    field.hop.script = with_invites(ringing)
    data = request("INVITE")
    with a_way(field.open) as way, a_way(field.open, host="127.0.0.6") as stranger:
        way.send(data, field.open.address)
        field.open.wait("it rings", lambda: bool(field.hop.got(b"INVITE")))
        stranger.send(same_transaction(data, b"CANCEL"), field.open.address)
        assert statuses(stranger) == [481]
        assert not field.hop.got(b"CANCEL") and statuses(way) == []
        field.hop.script = with_invites(silent)
        way.send(same_transaction(data, b"CANCEL"), field.open.address)
        field.open.wait("the CANCEL has gone on", lambda: bool(field.hop.got(b"CANCEL")))
        field.hop.send(answer(field.hop.got(b"INVITE")[0], 487), field.open.address)
        assert sorted(statuses(way))[:2] == [200, 487]
        way.send(raw.acknowledgement(data, answer(data, 487)), field.open.address)


@row("C11")
def extensions_in_cancel_and_ack(field: Field) -> None:
    more = (b"Require: nobody-knows", b"Proxy-Require: nobody-knows")
    field.hop.script = with_invites(ringing)
    data = request("INVITE")
    with a_way(field.open) as way:
        way.send(data, field.open.address)
        field.open.wait("it rings", lambda: bool(field.hop.got(b"INVITE")))
        way.send(same_transaction(data, b"CANCEL", *more), field.open.address)
        field.open.wait("the CANCEL has gone on", lambda: bool(field.hop.got(b"CANCEL")))
        field.hop.send(answer(field.hop.got(b"INVITE")[0], 487), field.open.address)
        found = finals(way)
        assert {arrival.raw.status for arrival in found} == {200, 487}
        way.send(same_transaction(data, b"ACK", *more), field.open.address)
        assert statuses(way, 1.0) == []  # acknowledged: it is not repeated
        assert field.open.well(way) == []


@row("C12")
def hops_are_counted(field: Field) -> None:
    field.open.expect(request(**{"max-forwards": b"0"}), 483)
    field.open.expect(request("INVITE", **{"max-forwards": b"0"}), 483)
    (last,) = field.open.expect(request(**{"max-forwards": b"1"}), 299, forwarded=1).forwarded
    assert raw.read(last).first(b"max-forwards") == b"0"
    seen = field.open.see(renewed(options(**{"max-forwards": b"0"})), "udp", answered)
    assert seen.statuses in ([200], [483])


@row("C22")
def a_server_out_of_service(field: Field) -> None:
    field.hop.script = lambda data: [] if data.startswith(b"ACK") else [answer(data, 503, b"Out", b"Retry-After: 1")]
    (refused,) = field.open.expect(request("INVITE"), 500, forwarded=1).answers
    assert not refused.all(b"retry-after")
    field.hop.script = None
    field.open.expect(request("INVITE", f"sip:next@{DOMAIN}"), 299, forwarded=1)
    time.sleep(1.1)  # what Retry-After asked for


@row("C23")
def nobody_answers(field: Field) -> None:
    field.hop.script = silent
    with a_way(field.fast) as way:
        way.send(request("MESSAGE"), field.fast.address)
        heard = []
        deadline = time.monotonic() + 2.5  # 125 s of the server's time; timer F takes 32
        while time.monotonic() < deadline:
            arrival = way.receive(0.1)
            if arrival is not None:
                heard.append(arrival.raw.status)
    assert set(heard) <= {100} and len(heard) <= 1, heard  # RFC 4320: no 408; a 100 after T2


@row("C24")
def answers_that_cross(field: Field) -> None:
    place = field.open
    contact = b"Contact: <sip:x@127.0.0.3>"
    for hop in (field.hop, field.other):
        hop.script = with_invites(silent)
    data = request("INVITE", f"sip:both@{DOMAIN}")
    with a_way(place) as way:
        way.send(data, place.address)
        place.wait("both ring", lambda: bool(field.hop.got(b"INVITE") and field.other.got(b"INVITE")))
        first, second = field.hop.got(b"INVITE")[0], field.other.got(b"INVITE")[0]
        field.hop.send(answer(first, 200, b"OK", contact), place.address)
        assert until_final(way).raw.status == 200
        field.other.send(answer(second, 180), place.address)  # our CANCEL waits for it; nothing else happens
        field.other.send(answer(second, 200, b"OK", contact), place.address)  # it crosses the CANCEL
        assert until_final(way).raw.status == 200
        field.hop.send(answer(first, 183), place.address)
        field.hop.send(answer(first, 200, b"OK", contact), place.address)  # repeated, and goes back again
        assert statuses(way) == [200]
    for hop in (field.hop, field.other):
        hop.calm()
        hop.script = with_invites(silent)
    data = request("INVITE", f"sip:both@{DOMAIN}")
    with a_way(place) as way:
        way.send(data, place.address)
        place.wait("both ring", lambda: bool(field.hop.got(b"INVITE") and field.other.got(b"INVITE")))
        first, second = field.hop.got(b"INVITE")[0], field.other.got(b"INVITE")[0]
        field.other.send(answer(second, 180), place.address)
        field.hop.send(answer(first, 603), place.address)
        place.wait("the other is cancelled", lambda: bool(field.other.got(b"CANCEL")))
        field.other.send(answer(second, 200, b"OK", contact), place.address)  # it was answered before the CANCEL came
        assert until_final(way).raw.status == 200
        assert statuses(way) == []


@row("C25")
def a_hundred_thousand_ringings(field: Field) -> None:
    place = field.fast
    field.hop.script = with_invites(ringing)
    data = request("INVITE")
    with a_way(place) as way:
        way.send(data, place.address)
        place.wait("it rings", lambda: bool(field.hop.got(b"INVITE")))
        again = answer(field.hop.got(b"INVITE")[0], 180)
        memory, seen = place.memory(), 0
        for number in range(100_000):
            field.hop.send(again, place.address)
            while number % 100 == 0 and way.receive(0.0) is not None:
                seen += 1
            if number % 1000 == 0:
                place.well()
        assert place.memory() - memory < 4 << 20
        assert seen > 0


@row("C26")
def ringing_for_ever(field: Field) -> None:
    place = field.fast
    field.hop.script = lambda data: (
        [] if data.startswith(b"ACK ") else [answer(data, 180 if data.startswith(b"INVITE") else 200)]
    )
    with a_way(place) as way:
        way.send(request("INVITE"), place.address)
        began = time.monotonic()
        assert until_final(way, 20).raw.status in (408, 487)
        assert time.monotonic() - began > 180 / 50
    assert field.hop.got(b"CANCEL")


@row("C27")
def nobody_acknowledges(field: Field) -> None:
    place = field.fast
    field.hop.script = lambda data: [] if data.startswith(b"ACK ") else [answer(data, 486)]
    with a_way(place) as way:
        way.send(request("INVITE"), place.address)
        assert 1 < len(finals(way, 0.5)) < 15  # repeated until timer H, and not for ever
    field.hop.script = with_invites(silent)
    with a_way(place) as way:
        way.send(request("INVITE"), place.address)
        place.wait("it has gone on", lambda: len(field.hop.got(b"INVITE")) > 1)
        ok = answer(field.hop.got(b"INVITE")[-1], 200, b"OK", b"Contact: <sip:x@127.0.0.3>")
        memory = place.memory()
        for _ in range(5000):
            field.hop.send(ok, place.address)
            way.receive(0.0)
        place.well()
        assert place.memory() - memory < 2 << 20
    wait_until_no_transactions(place)
