"""Rows A01 to A28: where messages begin and end, and connections that ask too much."""

from __future__ import annotations

import contextlib
import random
import resource
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from sipp_runner.server import Server

from tests import raw
from tests.attacks.field import HERE, Field, Place, Seen, at_once, renewed, request
from tests.attacks.table import row
from tests.loopback import LIMIT, Datagrams, Stream

LENGTHS = (
    b"-1", b"+5", b"0x10", b"5 5", b"5;a", b"five", b"", b"1e3", "٥".encode(), b"5,5", b"5.0", b"5\x0b", b"\xa05",
)  # fmt: skip
HUGE = (b"4294967301", b"9223372036854775808", b"18446744073709551621", b"5" * 5000, b"0" * 4999 + b"5")
OPTIONS = "sip:example.com"


def options(*more: bytes, **changed: bytes) -> bytes:
    """A request that is answered with 200 by the server itself."""
    return request("OPTIONS", OPTIONS, *more, **changed)


@contextlib.contextmanager
def connected(place: Place, count: int, hosts: tuple[str, ...] = (HERE,)) -> Iterator[list[socket.socket]]:
    """So many TCP connections, from these addresses in turn."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 1000)), hard))
    with contextlib.ExitStack() as stack:
        made = []
        for number in range(count):
            each = socket.create_connection(place.address, LIMIT, (hosts[number % len(hosts)], 0))
            made.append(stack.enter_context(each))
        yield made


def ended(connection: socket.socket, limit: float = LIMIT) -> bool:
    """Whether the server ends a connection in time; what it sends before is read."""
    connection.settimeout(limit)
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@row("A01")
def empty_lines(field: Field) -> None:
    for data in (b"\r\n", b"\r\n\r\n", b"\r\n" * 4, b"\0\0\0\0"):
        field.open.silent(data)
    with connected(field.open, 1) as (connection,):
        connection.settimeout(LIMIT)
        connection.sendall(b"\r\n\r\n")
        assert connection.recv(100) == b"\r\n"
        connection.sendall(b"\r\n" + options())
        assert connection.recv(65_536).startswith(b"SIP/2.0 200 ")


@row("A02")
def noise(field: Field) -> None:
    chance = random.Random(2)
    for data in (b"x", b"\0", b"\0" * 500, b"jaK", *(chance.randbytes(size) for size in range(1, 1400, 70))):
        field.open.silent(data)
    for data in (b"x" * 100 + b"\r\n\r\n", b"\0" * 500, chance.randbytes(500)):
        field.open.expect(data, closed=True, transport="tcp")


@row("A03")
def shorter_than_it_says(field: Field) -> None:
    field.open.expect(request(body=b"short", content_length=b"6"), 400)


@row("A04")
def a_tail(field: Field) -> None:
    tail = request("INVITE", "sip:hop@example.com")
    (head,) = field.open.expect(request(body=b"hello") + tail, 299, forwarded=1).forwarded
    assert head.endswith(b"\r\n\r\nhello") and b"INVITE" not in head


@row("A05")
def no_length(field: Field) -> None:
    data = request(body=b"to the end", without=(b"content-length",))
    (forwarded,) = field.open.expect(data, 299, forwarded=1).forwarded
    assert raw.read(forwarded).body == b"to the end"
    field.open.expect(renewed(data), 400, closed=True, transport="tcp")


@row("A06")
def lengths_that_are_none(field: Field) -> None:
    for value in LENGTHS:
        data = request(body=b"hello", content_length=value)
        field.open.expect(data, 400)
        field.open.expect(renewed(data), 400, closed=True, transport="tcp")


@row("A07")
def two_lengths(field: Field) -> None:
    for second in (b"Content-Length: 5", b"Content-Length: 0", b"content-length : 5"):
        data = request("MESSAGE", "sip:hop@example.com", second, body=b"hello")
        field.open.expect(data, 400)
        field.open.expect(renewed(data), 400, closed=True, transport="tcp")


@row("A08")
def huge_lengths(field: Field) -> None:
    for value in HUGE:
        data = request(body=b"hello", content_length=value) + request()
        field.open.expect(data, 0, closed=True, transport="tcp")


@row("A09")
def four_gigabytes(field: Field) -> None:
    before = field.open.memory()
    for _ in range(20):
        seen = field.open.expect(request(content_length=b"4294967295"), 0, closed=True, transport="tcp")
        assert seen.statuses[0] in (400, 513)
    assert field.open.memory() - before < 8 << 20


@row("A10")
def a_length_and_its_short_form(field: Field) -> None:
    data = request("MESSAGE", "sip:hop@example.com", b"l: 0", body=b"x" * 300)
    field.open.expect(data, 400)
    field.open.expect(renewed(data), 400, closed=True, transport="tcp")


@row("A11")
def spellings_of_a_length(field: Field) -> None:
    for line in (
        b"Content-Length \t:  5",
        b"Content-Length:\r\n 5",
        b"Content-Length: 0000005",
        b"L:5",
        b"l\t:\r\n\t 05",
    ):
        for transport in ("udp", "tcp"):
            data = request("MESSAGE", "sip:hop@example.com", line, body=b"hello", without=(b"content-length",))
            (forwarded,) = field.open.expect(data, 299, forwarded=1, transport=transport).forwarded
            assert raw.read(forwarded).body == b"hello"


@row("A12")
def cut_anywhere(field: Field) -> None:
    whole = options()
    way = field.open.way("tcp")
    assert isinstance(way, Stream)
    try:
        for cut in range(1, len(whole)):
            data = renewed(whole)
            way.send(data[:cut])
            way.send(data[cut:])
            arrival = way.receive(LIMIT)
            assert arrival is not None and arrival.raw.status == 200, cut
        for byte in (data := renewed(whole)):
            way.send(bytes([byte]))
        arrival = way.receive(LIMIT)
        assert arrival is not None and arrival.raw.status == 200
        assert field.open.well(way, "tcp") == []
    finally:
        way.close()


@row("A13")
def many_in_one_segment(field: Field) -> None:
    good = [options() for _ in range(99)]
    bad = options(cseq=b"x OPTIONS")
    field.open.expect(b"".join([*good[:50], bad, *good[50:]]), *[200] * 50, 400, *[200] * 49, transport="tcp")
    good = [renewed(data) for data in good]
    bad = options(content_length=b"five")
    field.open.expect(b"".join([*good[:50], bad, *good[50:]]), *[200] * 50, 400, closed=True, transport="tcp")


@row("A14")
def headers_without_end(field: Field) -> None:
    before = field.open.memory()
    start = request("OPTIONS", OPTIONS).partition(b"\r\n\r\n")[0]
    with connected(field.open, 1) as (connection,):
        connection.settimeout(LIMIT)
        sent = connection.send(start)
        with contextlib.suppress(OSError):
            while sent < 10 << 20:
                sent += connection.send(b"\r\nX-More: " + b"y" * 4000)
        assert ended(connection)
    assert field.open.memory() - before < 8 << 20


@row("A15")
def a_byte_now_and_then(field: Field) -> None:
    place = field.open
    before = place.descriptors()
    hosts = tuple(f"127.0.1.{number}" for number in range(1, 5))
    with connected(place, 2000, hosts) as slow:
        deadline = time.monotonic() + 20
        open_ones = list(enumerate(slow))
        while open_ones and time.monotonic() < deadline:
            place.well()
            place.well(transport="tcp")
            for number, connection in open_ones[:: max(1, len(open_ones) // 200)]:
                with contextlib.suppress(OSError):
                    connection.send(options()[number % 100 : number % 100 + 1] if number else b"O")
            open_ones = [(number, one) for number, one in open_ones if not _is_ended(one)]
        assert not open_ones, f"{len(open_ones)} are open still"
    place.wait("all are closed", lambda: place.descriptors() <= before + 5)


def _is_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True


@row("A16")
def more_than_may_be(field: Field) -> None:
    place = field.open
    with connected(place, 700) as many:  # 600 of one address may be
        place.wait("the last are closed", lambda: sum(map(_is_ended, many)) >= 100)
        elsewhere = Stream("127.0.0.6", place.address)
        assert place.well(elsewhere, "tcp") == []
        elsewhere.close()
    place.wait("one may come again", lambda: _connects(place))
    _shortage_of_descriptors(field)


def _connects(place: Place) -> bool:
    with contextlib.suppress(AssertionError):
        place.well(transport="tcp")
        return True
    return False


def _shortage_of_descriptors(field: Field) -> None:
    folder = Path(mkdtemp(dir=field.open.server.folder.parent))
    few = Server(folder, prefix=("prlimit", "--nofile=64:64"))
    few.add_users([])
    with few:
        few.start()
        place = Place(few, field.open.hops)
        with connected(place, 200):
            place.well()
        place.wait("it listens again", lambda: _connects(place))


@row("A17")
def a_peer_that_never_reads(field: Field) -> None:
    place = field.open
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.bind((HERE, 0))
    deaf.connect(place.address)
    with deaf:
        deaf.setblocking(False)
        deadline = time.monotonic() + 20
        lost = False
        while not lost and time.monotonic() < deadline:
            try:
                deaf.send(b"".join(options() for _ in range(50)))
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                lost = True
            place.well(transport="tcp")
        assert lost


@row("A18")
def calls_and_then_a_reset(field: Field) -> None:
    place = field.fast
    field.hop.script = lambda data: []
    way = place.way("tcp")
    assert isinstance(way, Stream)
    for _ in range(1000):
        way.send(request("INVITE"))
    place.wait("all have gone on", lambda: len(field.hop.got(b"INVITE")) >= 1000, 20)
    way.reset()
    place.well()
    wait_until_no_transactions(place)


def wait_until_no_transactions(place: Place) -> None:
    """Until all have ended by their timers."""

    def none() -> bool:
        still = place.counters()["open"]
        return not (still["servers"] or still["clients"])

    place.wait("all transactions have ended", none, 40)


@row("A19")
def other_protocols(field: Field) -> None:
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(190)
    others = (
        b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", hello, b"SSH-2.0-OpenSSH_9.2\r\n",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"\x80\x2e\x01\x00\x02", b"EHLO example.com\r\n",
    )  # fmt: skip
    for data in others:
        seen = field.open.see(data, "tcp", lambda seen: seen.closed)
        assert seen.closed and seen.statuses in ([], [400]), data
    _plain_to_the_tls_port(field)


def _plain_to_the_tls_port(field: Field) -> None:
    folder = Path(mkdtemp(dir=field.open.server.folder.parent))
    made = Server(folder, configuration='[tls]\ncertificate = "cert.pem"\nkey = "key.pem"\n')
    secure = made.port + 1
    made.file.write_text(made.file.read_text().replace("listen  = [", f'listen  = ["tls:127.0.0.1:{secure}", '))
    done = made.command("cert", "self-signed", "--name", "example.com")
    assert done.returncode == 0, done.stderr
    made.add_users([])
    with made:
        made.start()
        for data in (options(), b"x" * 2000):
            with socket.create_connection(("127.0.0.1", secure), LIMIT) as connection:
                connection.sendall(data)
                assert ended(connection)
        Place(made, field.open.hops).well()


@row("A20")
def line_ends(field: Field) -> None:
    whole = request("MESSAGE", "sip:hop@example.com", b"Subject: one")
    for data in (
        whole.replace(b"\r\n", b"\n"),
        whole.replace(b"\r\n", b"\r"),
        whole.replace(b"Subject: one", b"Subject: one\nX-Smuggled: 1"),
        whole.replace(b"Subject: one", b"Subject: one\rX-Smuggled: 1"),
        whole.replace(b"Subject: one", b"Subject: one\n\nINVITE sip:hop@example.com SIP/2.0"),
        whole.replace(b"SIP/2.0\r\n", b"SIP/2.0\n", 1),
        whole.replace(b"\r\nSubject", b"\nSubject"),
    ):
        for transport in ("udp", "tcp"):
            enough = at_once if transport == "udp" else _answered_or_closed
            seen = field.open.see(renewed(data), transport, enough)
            assert not seen.forwarded and seen.statuses in ([400], []), (transport, data)


def _answered_or_closed(seen: Seen) -> bool:
    return seen.closed or bool(seen.statuses)


@row("A21")
def zero_bytes(field: Field) -> None:
    for data in (
        request("MESSAGE", "sip:hop@example.com", b"Subject: a\0b"),
        request("MESSAGE", "sip:h\0op@example.com"),
        request(from_=b"<sip:a\0b@example.org>;tag=1"),
        request(**{"call-id": b"a\0b"}),
        request("MESSAGE", "sip:hop@example.com", b"X-\0: 1"),
    ):
        field.open.refuse(data, 400)
    quoted = request(**{"from": b'"a \\\0 b" <sip:a@example.org>;tag=q'})
    (forwarded,) = field.open.expect(quoted, 299, forwarded=1).forwarded
    assert b'"a \\\0 b" <sip:a@example.org>;tag=q' in forwarded


@row("A22")
def the_longest_datagram(field: Field) -> None:
    head = len(options())
    field.open.expect(request("OPTIONS", OPTIONS, body=b"x" * (65_507 - head - 10)), 200)


@row("A23")
def too_large_for_a_datagram(field: Field) -> None:
    (forwarded,) = field.open.expect(request(body=b"x" * 1400), 299, forwarded=1).forwarded
    assert raw.read(forwarded).first(b"via").startswith(b"SIP/2.0/TCP ")
    udp_only = Datagrams("127.0.0.7")
    try:
        way = field.open.way("udp")
        way.send(request("MESSAGE", f"sip:anywhere@127.0.0.7:{udp_only.port}", body=b"x" * 1400), field.open.address)
        arrival = udp_only.receive(LIMIT)
        assert arrival is not None and arrival.raw.first(b"via").startswith(b"SIP/2.0/UDP ")
        way.close()
    finally:
        udp_only.close()


@row("A28")
def come_and_go(field: Field) -> None:
    place = field.open
    place.well(transport="tcp")
    before, memory = place.descriptors(), place.memory()
    for number in range(1000):
        with socket.create_connection(place.address, LIMIT, (f"127.0.2.{number % 200 + 1}", 0)) as connection:
            if number % 3 == 0:
                connection.sendall(options()[: number % 50])
            if number % 7 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    place.wait("all descriptors are free", lambda: place.descriptors() <= before + 2)
    assert place.memory() - before < memory * 1.05, sys.version
