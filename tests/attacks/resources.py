"""Rows E02 to E14, and what the servers hold when all is over."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.attacks.field import DOMAIN, HERE, Field, Place, answered, request
from tests.attacks.framing import LIMIT, options, wait_until_no_transactions
from tests.attacks.table import ATTACKS, row
from tests.attacks.transactions import a_way, silent
from tests.loopback import Datagrams, Stream
from tests.probing import LONGEST_RECORD, bad_records


def attack(name: str, field: Field) -> None:
    """Do what a row says, with hops that know nothing of the rows before."""
    for hop in (field.hop, field.other):
        hop.calm()
    ATTACKS[name](field)
    for hop in (field.hop, field.other):
        hop.calm()
    wait_until_no_transactions(field.fast)


_BURST = 50
_ALLOWED = 1.05
_ALLOWED_AGAIN = 1.015


def warm_up(field: Field) -> None:
    """Let every server work as hard as it may, under attack too; then the baseline of memory is taken.

    What Python's allocator has once taken for many small objects it gives back only where nothing of them is left, so
    a server that had a busy minute is the measure, and not one that has just begun: what grows again is a leak.
    """
    for name in sorted(ATTACKS):
        if name[0] in "AB":
            attack(name, field)
    _until_it_stays(field.open, lambda: attack("A15", field))  # thousands of connections take the most
    attack("E02", field)  # and so many calls on the other server
    field.hop.calm()
    for place in field.places.values():
        for transport in ("udp", "tcp"):
            with a_way(place, transport) as way:
                _talk(place, way)
    for place in field.places.values():
        wait_until_no_transactions(place)
        place.baseline = place.memory()


def _hardest(field: Field) -> None:
    """What took the most memory of each server."""
    for name in ("A15", "B34", "C25", "E02"):
        attack(name, field)
    for place in field.places.values():
        wait_until_no_transactions(place)


def _until_it_stays(place: Place, work: Callable[[], None]) -> None:
    """Repeat hard work until it takes no more memory than the time before; a leak would take more each time."""
    for _ in range(12):
        before = place.memory()
        work()
        if place.memory() < before * 1.003:
            return


def _talk(place: Place, way: Datagrams | Stream) -> None:
    """Requests of all sizes, many of them open at a time, and so many that every bounded cache is full."""
    for burst in range(60):
        for number in range(_BURST):
            method = "MESSAGE" if number % 2 else "OPTIONS"
            body = b"x" * (1000 * burst % 20_000 if number % 10 == 0 else 10)
            way.send(request(method, f"sip:hop{burst}-{number}@{DOMAIN}", body=body), place.address)
        for _ in range(_BURST):
            assert way.receive(LIMIT) is not None


def wait_until_nothing_is_left(name: str, place: Place, field: Field) -> None:
    """Every transaction, parked handler and connection is gone, and memory is what it was at the beginning.

    Where Python's allocator holds a little more, since what stays is scattered otherwise now, the hardest attacks come
    twice again: a leak takes more each time.
    """
    wait_until_no_transactions(place)
    deadline = time.monotonic() + 5
    while place.memory() > place.baseline * _ALLOWED and time.monotonic() < deadline:
        time.sleep(0.1)
    counters = place.counters()
    print(f"{name}: memory {place.memory() / place.baseline:.3f} of {place.baseline >> 20} MB")
    if place.memory() > place.baseline * _ALLOWED:
        _hardest(field)
        before = place.memory()
        _hardest(field)
        assert place.memory() <= before * _ALLOWED_AGAIN, (before, place.memory(), counters)
    assert counters["parked"] == 0 and counters["edge"]["slow_calls"] == 0, counters
    assert counters["transactions"]["unexpected_events"] == 0, counters
    assert counters["edge"]["streams"]["connections"] <= 2, counters  # with us, who have just asked


def _calls_without_an_end(field: Field, count: int) -> None:
    """More than the table of transactions may hold; it keeps up: whoever asks is answered, be it with 503."""
    place = field.fast
    field.hop.script = silent
    with a_way(place) as way, a_way(place, host="127.0.0.6") as asking:
        for number in range(count):
            way.send(request("INVITE"), place.address)
            while way.receive(0.0) is not None:
                pass  # 408 for those that were taken, 503 for those that were too many
            if number % 500 == 0:
                asking.send(options(), place.address)
                arrival = asking.receive(1.0)
                assert arrival is not None and arrival.raw.status in (200, 503)
    assert place.counters()["stack"]["shed"] > 0


@row("E02")
def a_hundred_thousand_calls_without_an_end(field: Field) -> None:
    _calls_without_an_end(field, 100_000)
    wait_until_no_transactions(field.fast)


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
        place.see(request("MESSAGE", f"sip:{text}@{DOMAIN}"), "udp", answered)
        folded = b"User-Agent: " + data + b"\r\n \r\nX: 1"
        place.see(request("MESSAGE", f"sip:hop@{DOMAIN}", folded), "udp", answered)
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
    requests = (
        small, request("INVITE", f"sip:alice@{DOMAIN}", **alice),
        request("REGISTER", f"sip:{DOMAIN}", to=b"<sip:alice@example.com>"),
        request("INVITE", f"sip:alice@{DOMAIN}"), request("MESSAGE", f"sip:x@{DOMAIN}", **alice), options(),
        request("SUBSCRIBE"), request(cseq=b"x"), b"X sip:a SIP/2.0\r\nVia:SIP/2.0/UDP a\r\nCSeq:1 X\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nVia:SIP/2.0/UDP a;rport;branch=z9hG4bKe\r\nf:<sip:alice@example.com>;tag=1\r\n"
        b"t:<sip:a>\r\ni:e\r\nCSeq:1 INVITE\r\n\r\n",
    )  # fmt: skip
    ways = [Datagrams(HERE) for _ in requests]
    came: list[list[bytes]] = [[] for _ in requests]
    try:
        for way, data in zip(ways, requests, strict=True):
            way.send(data, place.address)
        deadline = time.monotonic() + 1.6  # T1, twice, and what is longer
        while time.monotonic() < deadline:
            for way, answers in zip(ways, came, strict=True):
                arrival = way.receive(0.01)
                answers += [arrival.data] if arrival is not None else []
    finally:
        for way in ways:
            way.close()
    for data, answers in zip(requests, came, strict=True):
        assert len(answers) <= 1, (data[:100], answers)
        assert sum(map(len, answers)) <= 3 * len(data), (data[:100], answers)
