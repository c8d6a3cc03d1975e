"""Running servers for the torture messages, and what becomes of a message that is sent to one of them."""

from __future__ import annotations

import random
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sipp_runner.accounts import Account
from sipp_runner.server import DEFAULT_ROUTE, Server

from tests import raw
from tests.loopback import LIMIT, Arrival, Datagrams, NextHop, Stream
from tests.probing import ping

DOMAINS = (
    "example.com", "example.net", "example.org", "company.com", "chair-dnrc.example.com", "registrar.example.com",
)  # fmt: skip
ADVERTISED = "[2001:db8::10]"
"""The address of the server in the messages of RFC 5118."""
REPLY_PORTS = (5060, 5050, 5070, 6050, 19823)
"""What the topmost Via of some message names; 5060 when it names no port."""
ROUTED_TO = ("127.0.0.1", 5080)
"""The Route of mpart01 leads here."""
ROUTES = {
    "default": DEFAULT_ROUTE.read_text("utf-8"),
    "registrar": 'on request { if request.method == "OPTIONS" { reply(200) } save() }',
    "proxy": """on request {
    if request.method == "OPTIONS" and request.uri.domain == "127.0.0.1" { reply(200) }
    if "Route" in request.header { relay() }
    relay("sip:HOP")
}""",
}
_MORE = {
    "default": "",
    "registrar": "",
    "proxy": 'unknown_dialogs = "route"',
}
_CONFIGURATION = """\
listen = [
    {{uri = "udp:127.0.0.1:{port}", advertise = "{advertised}"}},
    {{uri = "tcp:127.0.0.1:{port}", advertise = "{advertised}"}},
]
domains = {domains}
{more}
[database]
url = "sqlite:///ringway.db"
[stream]
message_timeout = 0.5
[log]
level = "debug"
"""
_FORWARDED = 299


class Role:
    """Servers of one route, as many as are needed so that none sees two messages of one transaction or binding."""

    def __init__(self, name: str, folder: Path, here: str, hops: tuple[NextHop, NextHop]) -> None:
        self.name = name
        self._folder = folder
        self._here = here
        self._hops = hops
        self._servers: list[tuple[Server, set[bytes]]] = []

    def server_for(self, data: bytes) -> Server:
        """A server that has not seen the transaction of this message, nor its Call-ID and CSeq."""
        keys = _keys(data)
        for server, taken in self._servers:
            if not taken & keys:
                taken |= keys
                return server
        server = self._start()
        self._servers.append((server, keys))
        return server

    def _start(self) -> Server:
        folder = self._folder / f"{self.name}-{len(self._servers)}"
        folder.mkdir()
        hosts = folder / "hosts"
        hosts.write_text(f"{self._hops[0].host} services.example.com\n")
        server = Server(folder, prefix=(sys.executable, "-m", "tests.launcher", "--hosts", str(hosts), "--"))
        domains = str(list(DOMAINS)).replace("'", '"')
        server.file.write_text(
            _CONFIGURATION.format(port=server.port, advertised=ADVERTISED, domains=domains, more=_MORE[self.name])
        )
        hop = f"{self._hops[0].host}:{self._hops[0].port}"
        (folder / "main.route").write_text(ROUTES[self.name].replace("HOP", hop), "utf-8")
        shutil.copyfile(self._database(server), folder / "ringway.db")
        server.start()
        return server

    def _database(self, server: Server) -> Path:
        """A database with its users, made once."""
        made = self._folder / "ringway.db"
        if not made.exists():
            server.add_users([Account("user", "a password")])
            (server.folder / "ringway.db").replace(made)
        return made

    def observe(self, data: bytes, transport: str, expected: str) -> Observed:
        """Send a message and see what becomes of it, until it is what is expected or `LIMIT` seconds have passed."""
        server = self.server_for(data)
        address = server.host, server.port
        way = Datagrams(self._here, REPLY_PORTS) if transport == "udp" else Stream(self._here, address)
        begin = [len(hop.requests) for hop in self._hops]
        seen = Observed(server, way.port)
        try:
            way.send(data, address)
            deadline = time.monotonic() + LIMIT
            while seen.outcome() != expected and time.monotonic() < deadline:
                arrival = way.receive(0.05)
                if arrival is not None:
                    seen.arrivals.append(arrival)
                    self._acknowledge(data, arrival, way, address)
                self._look(seen, way, begin)
            self._end(seen, way, address, transport)
            self._look(seen, way, begin)
        finally:
            way.close()
        return seen

    def _acknowledge(self, data: bytes, arrival: Arrival, way: Datagrams | Stream, address: tuple[str, int]) -> None:
        if arrival.raw.method == b"INVITE" and arrival.raw.status >= 300:
            way.send(raw.acknowledgement(data, arrival.data), address)

    def _look(self, seen: Observed, way: Datagrams | Stream, begin: list[int]) -> None:
        seen.closed = isinstance(way, Stream) and way.closed
        seen.forwarded = [
            request
            for hop, first in zip(self._hops, begin, strict=True)
            for request in hop.requests[first:]
            if not request.startswith(b"ACK ")
        ]

    def _end(self, seen: Observed, way: Datagrams | Stream, address: tuple[str, int], transport: str) -> None:
        """The process lives, and answers the next request: on the same connection, or on a new one."""
        assert seen.server.is_running(), seen.server.printed()
        if isinstance(way, Stream) and way.closed:
            way = Stream(self._here, address)
            ping(way, address, transport)
            way.close()
        else:
            seen.arrivals += ping(way, address, transport)

    def stop(self) -> list[str]:
        """End all servers; what they wrote."""
        for server, _ in self._servers:
            if server.is_running():
                server.stop(5.0)
        return [server.printed() for server, _ in self._servers]


class Observed:
    """What became of a message that was sent from `source_port`."""

    def __init__(self, server: Server, source_port: int) -> None:
        self.server = server
        self.source_port = source_port
        self.arrivals: list[Arrival] = []
        self.forwarded: list[bytes] = []
        self.closed = False

    def finals(self) -> list[Arrival]:
        """The final responses."""
        return [arrival for arrival in self.arrivals if arrival.raw.status >= 200]

    def outcome(self) -> str:
        """In the words of expected.toml."""
        words = [str(arrival.raw.status) for arrival in self.finals() if arrival.raw.status != _FORWARDED]
        answered = sum(arrival.raw.status == _FORWARDED for arrival in self.finals())
        words += ["forwarded"] * min(len(self.forwarded), answered)
        words += ["unanswered"] * abs(len(self.forwarded) - answered)
        words += ["closed"] * self.closed
        return " ".join(words) or "dropped"


def _keys(data: bytes) -> set[bytes]:
    message = raw.read(data)
    via = re.sub(rb"\s", b"", message.first(b"via"))
    return {message.method + b" " + via, message.first(b"call-id") + b" " + message.first(b"cseq")}


@contextmanager
def roles(folder: Path) -> Iterator[dict[str, Role]]:
    """A server as it comes, a registrar and a proxy; all are stopped in the end."""
    net = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
    with ExitStack() as stack:
        hops = stack.enter_context(NextHop(f"{net}.3", 5060)), stack.enter_context(NextHop(*ROUTED_TO))
        made = {name: Role(name, folder, f"{net}.2", hops) for name in ROUTES}
        for role in made.values():
            stack.callback(role.stop)
        yield made
