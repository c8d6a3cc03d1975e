"""A listener for connections: accepts, within limits, and outlives a shortage of file descriptors."""

from __future__ import annotations

import logging
import math
import socket
from dataclasses import replace

import trio

from sipcore.flow import Flow, Target, host_port
from sipcore.net.byte_stream import ByteStream, TcpStream
from sipcore.net.connections import Connections
from sipcore.net.driver import Driver
from sipcore.net.settings import EdgeSettings, Listen
from sipcore.net.sockets import EXHAUSTED, advertised
from sipcore.net.stream import Connection
from sipcore.net.tls_contexts import HTTP, SIP, Tls
from sipcore.net.tls_stream import TlsStream
from sipcore.net.websocket_connection import WebSocketConnection
from sipcore.net.websocket_stream import WebSocketStream

_BATCH = 64
_PAUSE = 0.1
_WARN_AGAIN = 60.0

_log = logging.getLogger("ringway.net")


class StreamListener:
    """One listening socket; `transport` is that of its connections."""

    def __init__(
        self,
        listen: Listen,
        bound: socket.socket,
        driver: Driver,
        table: Connections,
        settings: EdgeSettings,
        tls: Tls,
    ) -> None:
        self.transport = listen.transport
        self.socket = bound
        self.local: tuple[str, int] = bound.getsockname()[:2]
        self.version = 6 if bound.family == socket.AF_INET6 else 4
        self.advertise = advertised(listen.advertise, self.local[1])
        self._driver = driver
        self._table = table
        self._settings = settings
        self._tls = tls
        self._warned_at = -math.inf

    def sent_by(self, local_host: str) -> str:
        """What our Via carries on a connection whose local address is `local_host`: this listener there."""
        return self.advertise or host_port(local_host, self.local[1])

    async def run(self) -> None:
        """Accept until cancelled or closed."""
        try:
            while self.socket.fileno() >= 0:
                await trio.lowlevel.wait_readable(self.socket)
                if not self._accept_batch():
                    await trio.sleep(_PAUSE)  # descriptors come free when connections end; callers wait meanwhile
        except trio.ClosedResourceError:
            pass  # accepting was stopped

    def _accept_batch(self) -> bool:
        """Accept who waits; False when the system has nothing left to accept with."""
        for _ in range(_BATCH):
            try:
                accepted, address = self.socket.accept()
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._report_exhausted(error)
                    return False
                continue  # that one caller is gone (accept(2)); the next may wait
            self._welcome(accepted, address[0], address[1])
        return True

    def _report_exhausted(self, error: OSError) -> None:
        now = trio.current_time()
        if now - self._warned_at > _WARN_AGAIN:
            self._warned_at = now
            where = f"{self.transport}:{host_port(*self.local)}"
            _log.warning("can't accept connections at %s: %s", where, error.strerror)

    def _welcome(self, accepted: socket.socket, host: str, port: int) -> None:
        if not self._table.room_for(host):
            accepted.close()
            return
        try:
            accepted.setblocking(False)
            local: tuple[str, int] = accepted.getsockname()[:2]
            carrier = TcpStream(accepted)
        except OSError:  # reset already
            accepted.close()
            return
        flow = Flow(self.transport, local, (host, port), self.sent_by(local[0]))
        if self.transport == "tcp":
            self._start(flow, carrier, Target("tcp", host, port))
        elif self.transport == "tls":
            self._start(flow, TlsStream(carrier, self._tls.contexts.servers[SIP]))
        elif self.transport == "ws":
            self._start_websocket(flow, carrier)
        else:
            self._start_websocket(flow, TlsStream(carrier, self._tls.contexts.servers[HTTP]))

    def _start(self, flow: Flow, stream: ByteStream, *targets: Target) -> None:
        connection = Connection(
            flow, stream, incoming=True, driver=self._driver, table=self._table, settings=self._settings.stream
        )
        self._table.start(connection, *targets)

    def _start_websocket(self, flow: Flow, carrier: ByteStream) -> None:
        settings = self._settings
        connection = WebSocketConnection(
            flow,
            WebSocketStream(carrier, self.transport, settings.websocket.origins, settings.longest_message),
            driver=self._driver,
            table=self._table,
            settings=settings.stream,
            websocket=settings.websocket,
        )
        self._table.start(connection)

    def change(self, listen: Listen, settings: EdgeSettings) -> None:
        """Advertise as `listen` says, and take WebSockets as `settings` say, from now on; bounds of streams stay."""
        self.advertise = advertised(listen.advertise, self.local[1])
        self._settings = replace(settings, stream=self._settings.stream)

    def stop(self) -> None:
        """Accept no more; connections stay."""
        if self.socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self.socket)
            self.socket.close()

    def close(self) -> None:
        """Close the socket when `run` has ended or was never started."""
        self.socket.close()
