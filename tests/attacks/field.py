"""Where attacks take place: running servers, next hops that do what a test says, and ways to send anything.

There are three servers: "open" does what the user part of the Request-URI says (see `ROUTE`), "fast" is the same with
a clock that runs fifty times as fast, so that its timers can be waited for, and "default" has the route file that comes
with Ringway. The clocks of "open" and "default" run four times as fast, which spares the waiting at the end.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sipp_runner.accounts import Account
from sipp_runner.server import Server

from routing.program.remote import ask
from tests import raw
from tests.loopback import LIMIT, Arrival, Datagrams, NextHop, Stream
from tests.probing import ping

RATES = {"open": 4, "fast": 50, "default": 4}
"""How much faster than real time the clock of each server runs."""
HERE = "127.0.0.2"
"""Where the attacker is."""
DOMAIN = "example.com"
PASSWORD = "a password"
ROUTE = """\
on request {
    if request.method == "OPTIONS" and request.uri.user == "" { reply(200) }
    if request.method == "REGISTER"          { save() }
    if request.uri.user == "registrar"       { save() }
    if request.uri.user == "alice"           { ring(lookup(request.uri))  reply(outcome) }
    if request.uri.user == "anywhere"        { relay() }
    if request.uri.user == "slow"            { relay("sip:x@slow.example.net") }
    if request.uri.user == "next"            { ring("sip:nobody@REFUSING")  relay("sip:x@HOP") }
    if request.uri.user == "both"            { ring(["sip:one@HOP", "sip:two@OTHER"])  reply(outcome) }
    if request.uri.user == "circle"          { relay("sip:circle@SERVER") }
    if request.uri.user == "amplify"         { ring(["sip:amplify@SERVER", "sip:amplify@SERVER;x=2"])  reply(outcome) }
    if request.uri.user == "follow"          { ring("sip:x@HOP", redirects: 3)  reply(outcome) }
    if request.uri.user == "turns"           { call turns() }
    if request.uri.user == "fault"           { request.header["X-User"] = from.user  log("written")  reply(200) }
    if request.uri.user == "stripped"        { remove(request.header["X-Internal"])  remove(request.header["Subject"]) }
    log("on its way", from.display, request.user_agent, request.header["Subject"])
    relay("sip:x@HOP")
}

route turns() {
    let many = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]
    for a in many { for b in many { for c in many { for d in many { log("turn", a + b + c + d) } } } }
    reply(200)
}
"""
_CONFIGURATION = """\
listen = ["udp:127.0.0.1:{port}", "tcp:127.0.0.1:{port}"]
domains = ["{domain}"]
[database]
url = "sqlite:///ringway.db"
[dns]
servers = ["127.0.0.9:53"]
timeout = "2s"
[limits]
transactions = 5000
peers = 256
[stream]
connections_per_address = 600
message_timeout = "{message_timeout}"
"""
_numbers = itertools.count(1)
_USUAL = (b"via", b"max-forwards", b"from", b"to", b"call-id", b"cseq", b"contact")


@dataclass
class Hop(NextHop):
    """A next hop that answers each request as `script` says: with messages to send back the same way."""

    host: str
    port: int = 0
    script: Callable[[bytes], list[bytes]] | None = None
    earlier: set[bytes] = field(default_factory=set)
    """Call-IDs of what came before: a server may still repeat it."""

    def __post_init__(self) -> None:
        super().__init__(self.host, self.port)

    def _respond(self, data: bytes) -> list[bytes]:
        if self.script is None:
            return super()._respond(data)
        self.requests.append(data)
        return self.script(data)

    def send(self, data: bytes, server: tuple[str, int]) -> None:
        """Send a datagram of its own accord."""
        self._datagrams.sendto(data, server)

    def call_ids(self, count: int) -> set[bytes]:
        """Those of the first requests that came."""
        return {raw.read(data).first(b"call-id") for data in self.requests[:count]}

    def got(self, method: bytes) -> list[bytes]:
        """Requests of one method, in their order."""
        return [data for data in self.requests if data.startswith(method + b" ")]

    def calm(self) -> None:
        """Answer everything with 299 again, and forget what came."""
        self.script = None
        self.earlier |= self.call_ids(len(self.requests))
        self.requests.clear()


@dataclass
class Seen:
    """What became of something that was sent."""

    statuses: list[int] = field(default_factory=list)
    """Final statuses that came back, in their order."""
    forwarded: list[bytes] = field(default_factory=list)
    """What the next hop got of it, ACKs not counted."""
    closed: bool = False
    answers: list[raw.Raw] = field(default_factory=list)

    def same(self, statuses: list[int], forwarded: int, closed: bool) -> bool:
        """Whether it is all that is expected; 0 stands for any refusal."""
        both = zip(self.statuses, statuses, strict=False)
        as_wanted = [given == wanted or (wanted == 0 and given >= 400) for given, wanted in both]
        return (
            len(self.statuses) == len(statuses)
            and all(as_wanted)
            and len(self.forwarded) == forwarded
            and self.closed == closed
        )


def at_once(seen: Seen) -> bool:
    """Wait for nothing but the proof that no more comes."""
    return True


def answered(seen: Seen) -> bool:
    """Wait for a final status."""
    return bool(seen.statuses)


class Place:
    """One running server and how to reach it."""

    def __init__(self, server: Server, hops: tuple[Hop, Hop]) -> None:
        self.server = server
        self.address = server.host, server.port
        self.hops = hops
        self.baseline = 0

    def way(self, transport: str, host: str = HERE) -> Datagrams | Stream:
        """A new way to this server."""
        return Datagrams(host) if transport == "udp" else Stream(host, self.address)

    def see(self, data: bytes, transport: str = "udp", until: Callable[[Seen], bool] = at_once) -> Seen:
        """Send bytes and watch until it is enough, or `LIMIT` seconds are over; then prove that no more comes."""
        begin = [len(hop.requests) for hop in self.hops]
        way = self.way(transport)
        seen = Seen()
        try:
            way.send(data, self.address)
            deadline = time.monotonic() + LIMIT
            while not until(seen) and time.monotonic() < deadline:
                self._take(seen, way.receive(0.02), way, data)
                self._look(seen, way, begin)
            while transport == "tcp" and (arrival := way.receive(0.02)) is not None:
                self._take(seen, arrival, way, data)
            for arrival in self.well(way, transport):
                self._take(seen, arrival, way, data)
            self._look(seen, way, begin)
        finally:
            way.close()
        return seen

    def _take(self, seen: Seen, arrival: Arrival | None, way: Datagrams | Stream, data: bytes) -> None:
        if arrival is None or arrival.raw.status < 200:
            return
        seen.answers.append(arrival.raw)
        seen.statuses.append(arrival.raw.status)
        if arrival.raw.method == b"INVITE" and arrival.raw.status >= 300 and data.startswith(b"INVITE"):
            way.send(raw.acknowledgement(data, arrival.data), self.address)

    def _look(self, seen: Seen, way: Datagrams | Stream, begin: list[int]) -> None:
        seen.closed = isinstance(way, Stream) and way.closed
        copies: dict[bytes, bytes] = {}  # a retransmission is no further copy
        for hop, first in zip(self.hops, begin, strict=True):
            earlier = hop.earlier | hop.call_ids(first) if len(hop.requests) > first else hop.earlier
            for request in hop.requests[first:]:
                message = raw.read(request)
                if message.method != b"ACK" and not message.status and message.first(b"call-id") not in earlier:
                    copies.setdefault(message.first(b"via"), request)
        seen.forwarded = list(copies.values())

    def well(self, way: Datagrams | Stream | None = None, transport: str = "udp") -> list[Arrival]:
        """The process lives and answers OPTIONS within a second; what came before that answer."""
        assert self.server.is_running(), self.server.printed()
        if way is None or (isinstance(way, Stream) and way.closed):
            fresh = self.way(transport)
            try:
                ping(fresh, self.address, transport)
            finally:
                fresh.close()
            return []
        return ping(way, self.address, transport)

    def expect(
        self, data: bytes, *statuses: int, forwarded: int = 0, closed: bool = False, transport: str = "udp"
    ) -> Seen:
        """Send bytes; fail unless exactly these final statuses come back and so many copies reach a next hop."""
        wanted = list(statuses)
        seen = self.see(data, transport, lambda seen: seen.same(wanted, forwarded, closed))
        assert seen.same(wanted, forwarded, closed), (
            f"{transport}: wanted {statuses}, {forwarded} forwarded, closed {closed}; got {seen.statuses}, "
            f"{len(seen.forwarded)} forwarded, closed {seen.closed}, for {data[:300]!r}"
        )
        return seen

    def refuse(self, data: bytes, *statuses: int) -> None:
        """One of these statuses comes back over UDP and over TCP, and nothing goes on; a connection may be closed."""
        for transport in ("udp", "tcp"):
            seen = self.see(renewed(data), transport, answered)
            assert not seen.forwarded and len(seen.statuses) == 1 and seen.statuses[0] in statuses, (
                f"{transport}: wanted one of {statuses}; got {seen.statuses}, {len(seen.forwarded)} forwarded, for "
                f"{data[:300]!r}"
            )

    def silent(self, data: bytes, transport: str = "udp") -> None:
        """Nothing comes back and nothing goes on."""
        self.expect(data, transport=transport)

    # -- what the process holds ---------------------------------------------------------------------------------------

    def memory(self) -> int:
        """Bytes of resident memory."""
        assert self.server.process is not None
        with open(f"/proc/{self.server.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * 4096

    def descriptors(self) -> int:
        """Open file descriptors."""
        assert self.server.process is not None
        return len(list(Path(f"/proc/{self.server.process.pid}/fd").iterdir()))

    def counters(self) -> dict[str, Any]:
        """What `ringway status` counts."""
        status, document = ask(self.server.folder / "run" / "control.sock", "GET", "/status")
        assert status == 200, document
        counters: dict[str, Any] = document["counters"]
        return counters

    def wait(self, what: str, reached: Callable[[], bool], limit: float = LIMIT) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + limit
        while not reached():
            assert time.monotonic() < deadline, f"{what}: not within {limit} s"
            time.sleep(0.02)


class Field:
    """The servers and their next hops."""

    def __init__(self, open_: Place, fast: Place, default: Place) -> None:
        self.open, self.fast, self.default = open_, fast, default
        self.hop, self.other = open_.hops
        self.places = {"open": open_, "fast": fast, "default": default}


@contextmanager
def field_of_attack(folder: Path) -> Iterator[Field]:
    """Start everything; all is ended with the block."""
    with ExitStack() as stack:
        hops = Hop("127.0.0.3"), Hop("127.0.0.4")
        for hop in hops:
            stack.enter_context(hop)
        made: dict[str, Place] = {}
        for name, rate in RATES.items():
            (folder / name).mkdir()
            server = Server(folder / name, prefix=(sys.executable, "-m", "tests.launcher", "--rate", str(rate), "--"))
            timeout = "20s" if name == "fast" else "6s"
            server.file.write_text(
                _CONFIGURATION.format(
                    port=server.port, domain=DOMAIN, message_timeout=timeout,
                )
            )  # fmt: skip
            if name != "default":
                text = ROUTE.replace("HOP", f"{hops[0].host}:{hops[0].port}")
                text = text.replace("OTHER", f"{hops[1].host}:{hops[1].port}").replace("REFUSING", "127.0.0.5:5999")
                (folder / name / "main.route").write_text(text.replace("SERVER", f"{server.host}:{server.port}"))
            server.add_users([Account("alice", PASSWORD)])
            stack.enter_context(server)
            server.start()
            made[name] = Place(server, hops)
        yield Field(made["open"], made["fast"], made["default"])


# -- messages ---------------------------------------------------------------------------------------------------------


def request(
    method: str = "MESSAGE",
    uri: str = f"sip:hop@{DOMAIN}",
    *more: bytes,
    body: bytes = b"",
    without: tuple[bytes, ...] = (),
    **changed: bytes,
) -> bytes:
    """A request nobody has seen before, with an answer to its source; `changed` replaces header values by name.

    `call_id=b"x"` is the value of Call-ID. What stands in `without` is left out; `more` are whole header lines.
    """
    number = next(_numbers)
    values = {
        b"via": b"SIP/2.0/UDP %b:5999;branch=z9hG4bKattack%d;rport" % (HERE.encode(), number),
        b"max-forwards": b"70",
        b"from": b"<sip:mallory@example.org>;tag=%d" % number,
        b"to": b"<sip:hop@example.com>",
        b"call-id": b"attack-%d" % number,
        b"cseq": b"1 " + method.encode(),
        b"contact": b"<sip:mallory@%b>" % HERE.encode(),
        b"content-length": b"%d" % len(body),
    }
    values |= {name.replace("_", "-").encode(): value for name, value in changed.items()}
    lines = [name.title() + b": " + value for name, value in values.items() if name not in without]
    start = f"{method} {uri} SIP/2.0".encode("utf-8", "surrogateescape")
    return b"\r\n".join([start, *lines, *more]) + b"\r\n\r\n" + body


def renewed(data: bytes) -> bytes:
    """The same message in a transaction and a call of its own."""
    number = next(_numbers)
    return data.replace(b"z9hG4bKattack", b"z9hG4bKattack%dx" % number).replace(b"attack-", b"attack%d-" % number)


def answer(data: bytes, status: int, reason: bytes = b"As Told", *more: bytes) -> bytes:
    """A response of the next hop."""
    return raw.answer(data, b"%d %b" % (status, reason), *more)


def with_invites(then: Callable[[bytes], list[bytes]]) -> Callable[[bytes], list[bytes]]:
    """A script for INVITEs; other requests but ACK are answered with 200."""

    def script(data: bytes) -> list[bytes]:
        if data.startswith(b"INVITE "):
            return then(data)
        return [] if data.startswith((b"ACK ", b"SIP/2.0 ")) else [answer(data, 200)]

    return script
