"""The edge as a whole: opens the sockets, runs one stack, and closes."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

from sipcore.errors import ConfigurationError
from sipcore.flow import SECURE, Flow, FlowOpener, Target
from sipcore.locate import DEFAULT_PORTS
from sipcore.need import Done, Need
from sipcore.net.addresses import interface_addresses
from sipcore.net.changing import ListenerChanges
from sipcore.net.connections import Connections, StreamStatistics
from sipcore.net.driver import DrivenStack, Driver, OnError, log_error
from sipcore.net.inbox import Inbox
from sipcore.net.listener import StreamListener
from sipcore.net.opener import Opener
from sipcore.net.settings import EdgeSettings, Listen
from sipcore.net.slow_calls import SlowCalls
from sipcore.net.sockets import is_wildcard, open_tcp, open_udp
from sipcore.net.stream import Connection
from sipcore.net.tls_contexts import Tls
from sipcore.net.udp import UdpSocket, UdpStatistics

_LOOK_FOR_ADDRESSES = 10.0


@dataclass(frozen=True, slots=True)
class EdgeStatistics:
    """Counters of the whole edge; `udp` has an entry for each UDP listener, in the order of the settings."""

    udp: tuple[UdpStatistics, ...]
    streams: StreamStatistics
    slow_calls: int


class Edge:
    """Sockets, connections, slow calls and the clock of one stack.

    In order: `edge = Edge(settings)`, a stack made with `edge.open_flow`, `edge.bind()` (or leave it to `run`), then
    `await nursery.start(edge.run, stack)`. `run` returns after `close`. All methods but `post` belong to the loop's
    thread; `perform` and `open_flow` work while `run` does.
    """

    def __init__(self, settings: EdgeSettings, on_error: OnError = log_error) -> None:
        self._settings = settings
        self.tls = Tls(settings.tls)
        """Certificates and keys, to be read again when their files have changed."""
        self._driver = Driver(on_error)
        self._inbox = Inbox(self._driver)
        self._slow_calls = SlowCalls(self._driver)
        self._connections = Connections(self._driver, settings.stream)
        self._udp: list[UdpSocket] = []
        self._listeners: list[StreamListener] = []
        self._changes = ListenerChanges(self._udp, self._listeners, self._driver, self._bind)
        self._watching = False
        self._scope = trio.CancelScope()
        self._opener = Opener(self._udp, self._listeners, self._driver, self._connections, settings.stream, self.tls)
        self.open_flow: FlowOpener = self._opener
        self.post = self._inbox.post

    # -- the beginning ----------------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Open all listening sockets; raises ConfigurationError that says why for each one that can't be opened."""
        self._changes.open(self._settings.listen)

    def _bind(self, listen: Listen) -> None:
        settings = self._settings
        if listen.transport == "udp":
            self._udp.append(UdpSocket(listen, open_udp(listen, settings), self._driver, settings))
        elif listen.transport in ("tcp", "tls", "ws", "wss"):
            self._bind_stream(listen)
        else:
            raise OSError(errno.EPROTONOSUPPORT, "")

    def _bind_stream(self, listen: Listen) -> None:
        if listen.transport in SECURE and not self.tls.contexts.servers:
            raise ConfigurationError([f"{listen.transport} needs a certificate, but tls.certificate names none"])
        opened = open_tcp(listen, self._settings)
        self._listeners.append(
            StreamListener(listen, opened, self._driver, self._connections, self._settings, self.tls)
        )

    def addresses(self) -> tuple[Target, ...]:
        """Where the edge listens, with the ports that the system chose; UDP first."""
        udp = [Target("udp", *bound.local) for bound in self._udp]
        return (*udp, *(Target(bound.transport, *bound.local) for bound in self._listeners))

    def reachable(self) -> dict[str, tuple[int, ...]]:
        """IP versions that requests can be sent to, for each transport, preferred first (for the Locator).

        Connecting needs no listener, but a version that we listen to comes first.
        """
        udp = tuple(sorted({bound.version for bound in self._udp}))
        return {"udp": udp, "tcp": self._connectable("tcp"), "tls": self._connectable("tls")}

    def _connectable(self, transport: str) -> tuple[int, ...]:
        first = tuple(sorted({bound.version for bound in self._listeners if bound.transport == transport}))
        return first + tuple(version for version in (4, 6) if version not in first)

    async def run(self, stack: DrivenStack, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry messages between the network and `stack` until `close` is called or this task is cancelled."""
        if not self._udp and not self._listeners:
            self.bind()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    self._begin(stack, nursery)
                    task_status.started()
        finally:
            self._driver.end()
            self._close_sockets()

    def _begin(self, stack: DrivenStack, nursery: trio.Nursery) -> None:
        self._driver.begin(stack, nursery)
        for udp in self._udp:
            nursery.start_soon(udp.run)
        for listener in self._listeners:
            nursery.start_soon(listener.run)
        nursery.start_soon(self._connections.watch)
        self._watch_when_needed()
        self._inbox.begin()

    def _watch_when_needed(self) -> None:
        if not self._watching and any(is_wildcard(bound.local[0]) for bound in self._udp):
            self._watching = True
            self._driver.spawn(self._watch_addresses)

    async def _watch_addresses(self) -> None:
        """Wildcard sockets ask which address the kernel uses; the answers get old when an interface changes."""
        before = interface_addresses()
        while True:
            await trio.sleep(_LOOK_FOR_ADDRESSES)
            now = interface_addresses()
            if now != before:
                before = now
                self._opener.forget_ways()
                for udp in self._udp:
                    udp.forget_ways()

    # -- while it runs ----------------------------------------------------------------------------------------------

    def perform(self, need: Need[Any], done: Done) -> Callable[[], None]:
        """Start a slow call (the Performer of sipcore.need); the function that is returned cancels it."""
        return self._slow_calls.perform(need, done)

    def alias(self, flow: Flow, port: int) -> None:
        """Let requests go by a connection that its peer made and offered (RFC 5923), if it has shown who it is.

        `port` is that of the peer's sent-by, 0 when it has none.
        """
        connection = flow.edge
        if isinstance(connection, Connection) and not flow.closed and not flow.ending:
            for domain in flow.identities:
                target = Target(flow.transport, flow.remote[0], port or DEFAULT_PORTS[flow.transport], domain)
                self._connections.alias(connection, target)

    def statistics(self) -> EdgeStatistics:
        """The counters."""
        udp = tuple(bound.statistics() for bound in self._udp)
        return EdgeStatistics(udp, self._connections.statistics(), self._slow_calls.running)

    def change(self, settings: EdgeSettings) -> None:
        """Listen where `settings` say, within their bounds for UDP, from now on; those of streams stay.

        Raises ConfigurationError, and changes nothing, when a socket can't be opened. A listener for connections that
        is not wanted any more accepts no more, and those that are open stay; a UDP one takes no new targets and closes
        when what it began has ended.
        """
        self._changes.apply(settings)
        self._settings = settings
        self._watch_when_needed()
        self._opener.forget_ways()

    # -- the end ----------------------------------------------------------------------------------------------------

    def stop_accepting(self) -> None:
        """Take no more connections; those that are open, and UDP, go on (the beginning of draining)."""
        for listener in self._listeners:
            listener.stop()

    def close(self) -> None:
        """Send what the stack wants sent, as far as it goes without waiting, and let `run` return."""
        if self._driver.running:
            self._driver.settle(trio.current_time())
        self._driver.end()
        self._connections.leave()
        self._scope.cancel()

    def _close_sockets(self) -> None:
        for udp in self._udp:
            udp.close()
        for listener in self._listeners:
            listener.close()
        self._changes.close()
        self._udp.clear()
        self._listeners.clear()
