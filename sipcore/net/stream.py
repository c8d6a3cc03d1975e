"""One connection of a stream transport: its flow and what waits to be sent (RFC 3261 section 18)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trio

from sipcore.flow import Flow, Target, host_port
from sipcore.net.byte_stream import ByteStream
from sipcore.net.driver import Driver
from sipcore.net.patience import Patience
from sipcore.net.settings import StreamSettings

if TYPE_CHECKING:
    from sipcore.net.connections import Connections


class _Gone:
    """Stands for a connection that has ended: what is sent there goes nowhere."""

    def send(self, flow: Flow, data: bytes) -> None:
        """Drop it: the stack was told that the flow is lost."""


_GONE = _Gone()


class Connection:
    """Reads in one task of its own; writes directly, and in a second task only while the peer is slow.

    The flow is lost for the stack (once) when the connection ends in whatever way; `send` is what the driver calls
    for each packet of the flow.
    """

    __slots__ = (
        "_closing",
        "_driver",
        "_encode",
        "_opened",
        "_patience",
        "_settings",
        "_stream",
        "_table",
        "_unsent",
        "_writing",
        "flow",
        "incoming",
        "targets",
    )

    def __init__(
        self,
        flow: Flow,
        stream: ByteStream,
        *,
        incoming: bool,
        driver: Driver,
        table: Connections,
        settings: StreamSettings,
    ) -> None:
        self.flow = flow
        flow.edge = self
        self.incoming = incoming
        self.targets: list[Target] = []
        """What this connection is found by; kept by the table."""
        self._stream = stream
        self._encode = stream.encode
        self._driver = driver
        self._table = table
        self._settings = settings
        self._patience = Patience(trio.current_time(), incoming)
        self._unsent = bytearray()
        self._opened = self._closing = self._writing = False

    async def run(self) -> None:
        """Carry bytes until the connection ends."""
        try:
            await self._open()
            await self._read()
        except ssl.SSLError as error:
            self._report(error)
        except (OSError, trio.ClosedResourceError):
            pass  # refused, timed out, reset, or closed by us: the flow is lost in each case
        finally:
            self.abort()
            self._table.remove(self)
            self.flow.edge = _GONE  # a cycle less: what has ended is freed by counting references
        self._driver.settle(trio.current_time())

    async def _open(self) -> None:
        with trio.move_on_after(self._settings.connect_timeout) as scope:
            await self._stream.open()
        if scope.cancelled_caught:
            raise TimeoutError("not connected in time")
        self.flow.identities = self._stream.identities
        self._table.opened(self)
        self._opened = True
        if self.incoming:
            self._driver.stack.flow_opened(self.flow, trio.current_time())
        if self._encode is not None:  # what waited is plain as yet
            self._unsent = bytearray(self._encode(bytes(self._unsent)))
        self._send_unsent()

    def _report(self, error: ssl.SSLError) -> None:
        """Clients with bad handshakes come by all day; a server that we can't call is for the operator to know."""
        if not self.incoming and not self._opened and self.targets:
            why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error.args[0])
            self._table.complain(f"no TLS with {self.targets[0].domain} at {host_port(*self.flow.remote)}: {why}")

    # -- receiving --------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while (data := await self._stream.receive_some()) != b"":
            if self._closing:
                continue  # what the peer still sends is thrown away
            if data:
                self._receive(data)
            if self._stream.owes:
                self._put(b"")
        if not self.flow.closed:
            await self._half_close()

    async def _half_close(self) -> None:
        """The peer sends no more, but may wait for answers; nothing new is sent this way."""
        self._table.forget(self)
        self.flow.ending = True
        await trio.sleep(self._settings.half_close_grace)

    def _receive(self, data: bytes) -> None:
        now = trio.current_time()
        try:
            self._driver.stack.receive_stream(data, self.flow, now)
        except Exception as failure:
            self._driver.on_error(failure, f"receiving by {self.flow!r}")
            self._finish()  # where the next message begins is not certain any more
        self._patience.heard(len(data), self.flow.framing, now)
        self._driver.settle(now)

    # -- sending ----------------------------------------------------------------------------------------------------

    def send(self, flow: Flow, data: bytes) -> None:
        """Send now, or when the peer takes it; no bytes mean: close after what was sent before."""
        if self._closing:
            return
        self._patience.active = True
        if not data:
            self._finish()
            return
        self._put(data)

    def _put(self, data: bytes) -> None:
        try:
            if self._opened and self._encode is not None:
                data = self._encode(data)
            taken = self._stream.send_now(data) if self._opened and not self._unsent else 0
        except OSError:
            self.abort()
            return
        if taken < len(data):
            self._wait(data[taken:])

    def _wait(self, data: bytes) -> None:
        if len(self._unsent) + len(data) > self._settings.send_queue:
            self._table.overflowed += 1
            self.abort()
            return
        self._unsent += data
        if self._opened and not self._writing:
            self._start_writing()

    def _start_writing(self) -> None:
        self._writing = True
        self._driver.spawn(self._write)

    async def _write(self) -> None:
        try:
            while self._unsent:
                await self._stream.wait_send()
                self._send_unsent()
        except (OSError, trio.ClosedResourceError):
            self.abort()
        finally:
            self._writing = False
        self._driver.settle(trio.current_time())

    def _send_unsent(self) -> None:
        if self._unsent:
            taken = self._stream.send_now(self._unsent)
            del self._unsent[:taken]
            if taken:
                self._patience.progress = True
        if self._unsent and not self._writing:
            self._start_writing()
        elif self._closing and not self._unsent:
            self._leave()

    # -- the end ----------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """The server stops: this kind of connection has no word for it, and is closed with its socket."""

    def check(self, now: float) -> None:
        """End the connection when its time is over."""
        why = self._patience.ended(self._settings, bool(self._unsent), now)
        if not why:
            return
        if not self.flow.closed:
            self._table.timed_out += 1
        if self.flow.closed or self._unsent:
            self.abort()
        else:
            self._finish()

    def _finish(self) -> None:
        """Close behind the bytes that wait."""
        self._closing = True
        self._table.forget(self)
        if self._unsent:
            return
        if self._opened:
            self._leave()
        else:
            self.abort()

    def _leave(self) -> None:
        """Say that we send no more, and let the peer read our last bytes: closing at once might reset them away."""
        self._patience.left(trio.current_time())
        try:
            self._stream.finish()
        except OSError:
            self.abort()
        else:
            self._lose()

    def abort(self) -> None:
        """Close at once; the task that reads ends by itself."""
        self._closing = True
        self._unsent.clear()
        self._stream.close()
        self._lose()

    def _lose(self) -> None:
        if not self.flow.closed:
            self.flow.closed = True
            self._table.forget(self)
            self._driver.lost(self.flow)
