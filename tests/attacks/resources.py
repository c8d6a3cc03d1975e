"""Rows E02 to E14, and what the servers hold when all is over."""

from __future__ import annotations

import time

from tests.attacks.field import DOMAIN, HERE, Field, Place, request
from tests.attacks.framing import LIMIT, options, wait_until_no_transactions
from tests.attacks.table import row
from tests.attacks.transactions import a_way, silent
from tests.loopback import Datagrams
from tests.probing import LONGEST_RECORD, bad_records


def warm_up(field: Field) -> None:
    """Let caches fill, which are bounded and stay; then the baseline of memory is taken."""
    for place in field.places.values():
        for transport in ("udp", "tcp"):
            with a_way(place, transport) as way:
                for number in range(2000):
                    way.send(
                        request("MESSAGE" if number % 2 else "OPTIONS", f"sip:hop{number}@{DOMAIN}"), place.address
                    )
                    way.receive(LIMIT)
    for place in field.places.values():
        wait_until_no_transactions(place)
        place.baseline = place.memory()


def wait_until_nothing_is_left(name: str, place: Place) -> None:
    """Every transaction, timer, parked handler and connection is gone, and memory is that of the beginning + 5 %."""
    wait_until_no_transactions(place)
    deadline = time.monotonic() + 40
    while place.memory() > place.baseline * 1.05 and time.monotonic() < deadline:
        time.sleep(0.2)
    print(name, place.memory() / place.baseline, place.baseline, place.counters())


@row("E02")
def a_hundred_thousand_calls_without_an_end(field: Field) -> None:
    place = field.fast
    field.hop.script = silent
    with a_way(place) as way, a_way(place, host="127.0.0.6") as asking:
        for number in range(100_000):
            way.send(request("INVITE"), place.address)
            while way.receive(0.0) is not None:
                pass  # 408 for those that were taken, 503 for those that were too many
            if number % 500 == 0:  # it keeps up: whoever asks is answered, be it with 503
                asking.send(options(), place.address)
                answered = asking.receive(1.0)
                assert answered is not None and answered.raw.status in (200, 503)
    assert place.counters()["stack"]["shed"] > 0
    wait_until_no_transactions(place)


@row("E05")
def words_for_a_log(field: Field) -> None:
    place = field.open
    begin = len(place.server.printed())
    wicked = (
        "a\x1b[2Jb",
        "%n%n%s",
        "a\u202eb",
        "${jndi:ldap://x}",
        "\u0085\u2028\u2029",
        "x" * 9_000,
        "' ; drop table",
    )
    for text in wicked:
        data = text.encode()
        sender = b'"' + data[:200].replace(b"\x1b", b"\\\x1b") + b'" <sip:m@example.org>;tag=5'
        for lines in ([b"User-Agent: " + data.replace(b"\x1b", b"")], [b"Subject: " + data.replace(b"\x1b", b"")]):
            place.expect(request("MESSAGE", f"sip:hop@{DOMAIN}", *lines, **{"from": sender}), 299, forwarded=1)
        place.see(request("MESSAGE", f"sip:{text}@{DOMAIN}"))
        place.see(request("MESSAGE", f"sip:hop@{DOMAIN}", b"User-Agent: " + data + b"\r\n \r\nX: 1"))
    place.see(
        request("MESSAGE", f"sip:hop@{DOMAIN}", b"User-Agent: " + b"x" * (1 << 20)), "tcp", lambda seen: seen.closed
    )
    log = place.server.printed()[begin:]
    assert "on its way" in log and not bad_records(log)
    assert max(map(len, log.splitlines())) <= LONGEST_RECORD


@row("E08")
def routes_that_go_wrong(field: Field) -> None:
    place = field.open
    field.open.expect(request("MESSAGE", f"sip:turns@{DOMAIN}"), 500)  # 160,000 turns are more than a route may take
    wicked = b"<sip:a%0d%0aX-Smuggled:%201@example.org>;tag=1"
    field.open.expect(request("MESSAGE", f"sip:fault@{DOMAIN}", **{"from": wicked}), 400)
    field.open.expect(request("MESSAGE", f"sip:fault@{DOMAIN}"), 200)
    with a_way(place) as way:
        way.send(request("MESSAGE", f"sip:slow@{DOMAIN}"), place.address)  # its name takes long to look up
        for _ in range(20):
            assert place.well() == []
        way.send(request("MESSAGE", f"sip:turns@{DOMAIN}"), place.address)
        assert place.well() == []


@row("E14")
def levers(field: Field) -> None:
    place = field.default
    alice = {"from": b"<sip:alice@example.com>;tag=14"}
    small = b"OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP a;rport\r\ni:1\r\n\r\n"
    for data in (
        small, request("INVITE", f"sip:alice@{DOMAIN}", **alice), request("REGISTER", f"sip:{DOMAIN}", to=b"<sip:alice@example.com>"),
        request("INVITE", f"sip:alice@{DOMAIN}"), request("MESSAGE", f"sip:x@{DOMAIN}", **alice), options(), request("SUBSCRIBE"),
        request(cseq=b"x"), b"X sip:a SIP/2.0\r\nVia:SIP/2.0/UDP a\r\nCSeq:1 X\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nVia:SIP/2.0/UDP a;rport;branch=z9hG4bKe\r\nf:<sip:alice@example.com>;tag=1\r\nt:<sip:a>\r\ni:e\r\nCSeq:1 INVITE\r\n\r\n",
    ):  # fmt: skip
        way = Datagrams(HERE)
        try:
            way.send(data, place.address)
            came = []
            deadline = time.monotonic() + 1.6  # T1, twice, and what is longer
            while time.monotonic() < deadline:
                arrival = way.receive(deadline - time.monotonic())
                came += [arrival.data] if arrival is not None else []
        finally:
            way.close()
        assert len(came) <= 1, (data[:100], came)
        assert sum(map(len, came)) <= 3 * len(data), (data[:100], came)
