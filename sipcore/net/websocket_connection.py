"""One WebSocket connection: a message of SIP in each of its messages (RFC 7118), and pings that notice who is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from sipcore.flow import Flow
from sipcore.net.driver import Driver
from sipcore.net.settings import StreamSettings, WebSocketSettings
from sipcore.net.stream import Connection
from sipcore.net.websocket_frames import POLICY
from sipcore.net.websocket_stream import HandshakeRefused, WebSocketStream

if TYPE_CHECKING:
    from sipcore.net.connections import Connections

_MOST_MISSED = 2
"""Pings without an answer, after which nobody is there any more."""


class WebSocketConnection(Connection):
    """A connection that a browser has made: only the browser can make it again, so its end is noticed soon."""

    __slots__ = ("_missed", "_ping_at", "_ping_interval", "_websocket")

    def __init__(
        self,
        flow: Flow,
        stream: WebSocketStream,
        *,
        driver: Driver,
        table: Connections,
        settings: StreamSettings,
        websocket: WebSocketSettings,
    ) -> None:
        super().__init__(flow, stream, incoming=True, driver=driver, table=table, settings=settings)
        self._websocket = stream
        self._ping_interval = websocket.ping_interval
        self._ping_at = trio.current_time() + websocket.ping_interval
        self._missed = 0

    async def _open(self) -> None:
        try:
            await super()._open()
        except HandshakeRefused as refused:
            if refused.why:
                self._table.complain(f"no WebSocket for {self.flow.remote[0]}: {refused.why}")
            raise
        # Its first words were those of HTTP: a page may connect now and have something to say later.
        self._patience.heard(0, None, trio.current_time())

    # -- receiving --------------------------------------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        now = trio.current_time()
        frames, stack = self._websocket.frames, self._driver.stack
        self._missed = 0  # whatever it says, it is there
        for message in frames.feed(data):
            if self._closing:
                break
            try:
                stack.receive_message(message, self.flow, now)
            except Exception as failure:  # only that message is concerned
                self._driver.on_error(failure, f"receiving by {self.flow!r}")
            self._driver.settle(now)
        self._patience.heard(len(data), frames, now)
        if frames.ended and not self._closing:
            self._put(b"")  # the farewell, behind what waits
            self._finish()
        self._driver.settle(now)

    async def _half_close(self) -> None:
        """Whoever closes a WebSocket reads no answers any more: its bindings go at once."""

    # -- sending ----------------------------------------------------------------------------------------------------

    def send(self, flow: Flow, data: bytes) -> None:
        """Send a message; no bytes mean that the peer's last one was no single whole message: close."""
        if not data:
            self._websocket.close_code = POLICY
        super().send(flow, data)

    # -- time -------------------------------------------------------------------------------------------------------

    def check(self, now: float) -> None:
        """Ping when it is time (RFC 7118 section 6), and end the connection when nobody answers or its time is over."""
        super().check(now)
        if now < self._ping_at or self._closing or not self._opened:
            return
        self._ping_at = now + self._ping_interval
        if self._missed >= _MOST_MISSED:
            self._table.timed_out += 1
            self.abort()
            return
        self._missed += 1
        self._websocket.frames.ping()
        self._put(b"")

    def leave(self) -> None:
        """The server stops: a browser is told that it goes (code 1001), and may connect again."""
        if self._opened and not self._closing:
            self._finish()
