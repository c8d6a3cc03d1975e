"""The table of all stream connections: reuse, limits, and the one task that ends what waited too long."""

from __future__ import annotations

import logging
import math
import socket
from collections import Counter
from dataclasses import dataclass

import trio

from sipcore.flow import Target
from sipcore.net.driver import Driver
from sipcore.net.settings import StreamSettings
from sipcore.net.stream import Connection

_MOST_TARGETS = 64
"""Names and ports under which one connection may be found."""
_COMPLAIN_AGAIN = 1.0

_log = logging.getLogger("ringway.net")


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """Counters of all stream connections."""

    connections: int
    refused: int
    """Connections closed at once because a limit was reached."""
    overflowed: int
    """Connections lost because the peer did not read what we sent."""
    timed_out: int


class Connections:
    """Every connection, found by transport and peer, with TLS by the domain of its certificate too.

    RFC 3261 section 18.1.1: a request goes by an open connection to its target. For a TCP connection that the peer
    opened this means its source address and port. One by TLS is found when we made it ourselves, or when the peer has
    proved whom it speaks for and offered it (RFC 5923); it is never used for another domain (section 9.3).
    """

    def __init__(self, driver: Driver, settings: StreamSettings) -> None:
        self._driver = driver
        self._settings = settings
        self._all: set[Connection] = set()
        self._by_target: dict[Target, Connection] = {}
        self._incoming: Counter[str | bytes] = Counter()
        self._complained_at = -math.inf
        self.refused = self.overflowed = self.timed_out = 0

    def room_for(self, host: str) -> bool:
        """Whether one more connection from `host` is within the limits; else it counts as refused."""
        room = self._driver.running and not self.is_full()
        if room and self._incoming[_origin(host)] < self._settings.connections_per_address:
            return True
        self.refused += 1
        return False

    def is_full(self) -> bool:
        """Whether the limit of all connections is reached."""
        return len(self._all) >= self._settings.connections

    def start(self, connection: Connection, *targets: Target) -> None:
        """Keep a new connection, to be found by these targets, and run it."""
        self._all.add(connection)
        for target in targets:
            self._release(target)
            self.alias(connection, target)
        if connection.incoming:
            self._incoming[_origin(connection.flow.remote[0])] += 1
        self._driver.spawn(connection.run)

    def _release(self, target: Target) -> None:
        """What is new from the same place shows that an older connection is over."""
        older = self._by_target.pop(target, None)
        if older is not None:
            older.targets.remove(target)

    def find(self, target: Target) -> Connection | None:
        """An open (or opening) connection to a target."""
        return self._by_target.get(target)

    def alias(self, connection: Connection, target: Target) -> None:
        """Let a connection be found by one more target, unless there is another for it already."""
        if target not in self._by_target and len(connection.targets) < _MOST_TARGETS:
            self._by_target[target] = connection
            connection.targets.append(target)

    def opened(self, connection: Connection) -> None:
        """A connection of ours leads to every domain that its certificate speaks for (RFC 5923 section 8.1)."""
        if not connection.incoming and connection.targets:
            target = connection.targets[0]
            for domain in connection.flow.identities:
                self.alias(connection, target._replace(domain=domain))

    def forget(self, connection: Connection) -> None:
        """Use a connection for nothing new."""
        for target in connection.targets:
            del self._by_target[target]
        connection.targets.clear()

    def remove(self, connection: Connection) -> None:
        """Count a connection no more: it has ended, and was forgotten before."""
        self._all.discard(connection)
        if connection.incoming:
            origin = _origin(connection.flow.remote[0])
            self._incoming[origin] -= 1
            if not self._incoming[origin]:
                del self._incoming[origin]

    async def watch(self) -> None:
        """End connections whose time is over, until cancelled."""
        settings = self._settings
        shortest = min(settings.idle_timeout, settings.message_timeout, settings.send_timeout, settings.linger)
        while True:
            await trio.sleep(min(1.0, shortest / 4))
            now = trio.current_time()
            for connection in tuple(self._all):
                connection.check(now)
            self._driver.settle(now)

    def leave(self) -> None:
        """The server stops: tell those that can be told."""
        for connection in tuple(self._all):
            connection.leave()

    def complain(self, text: str) -> None:
        """Tell the operator, at most once a second: whoever can make us connect could fill the log."""
        now = trio.current_time()
        if now - self._complained_at >= _COMPLAIN_AGAIN:
            self._complained_at = now
            _log.warning("%s", text)

    def statistics(self) -> StreamStatistics:
        """The counters."""
        return StreamStatistics(len(self._all), self.refused, self.overflowed, self.timed_out)


def _origin(host: str) -> str | bytes:
    """Whom a limit counts: an IPv4 address, or a /64 network, which one IPv6 customer has whole."""
    return socket.inet_pton(socket.AF_INET6, host)[:8] if ":" in host else host
