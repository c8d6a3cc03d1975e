"""A WebSocket over TCP or TLS, as a stream of bytes that are frames: the handshake, and what is sent (RFC 7118)."""

from __future__ import annotations

from collections.abc import Callable

import trio

from sipcore.net.byte_stream import ByteStream
from sipcore.net.websocket_frames import GOING_AWAY, WebSocketFrames, message_frame
from sipcore.net.websocket_handshake import Opened, Refused, WebSocketHandshake

_DRAIN = 1.0
"""How long a client whose handshake was refused may take to read why."""


class HandshakeRefused(ConnectionError):
    """The client got an answer of HTTP in place of a WebSocket; `why` is for the operator, or ""."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class WebSocketStream:
    """The server's side of one WebSocket; what it receives is for `frames`, what it is given is one message each."""

    __slots__ = ("_carrier", "_origins", "_rest", "_scheme", "close_code", "frames")

    identities: tuple[str, ...] = ()
    """A browser shows no certificate of a SIP domain."""

    def __init__(self, carrier: ByteStream, scheme: str, origins: tuple[str, ...], longest: int) -> None:
        self._carrier = carrier
        self._scheme = scheme
        self._origins = origins
        self._rest = b""
        self.frames = WebSocketFrames(longest)
        self.close_code = GOING_AWAY
        """What `finish` says."""

    # -- the handshake ----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Shake hands; raises OSError when the client wants something else or leaves."""
        await self._carrier.open()
        handshake = WebSocketHandshake(self._scheme, self._origins)
        outcome: Opened | Refused | None = None
        while outcome is None:
            received = await self._carrier.receive_some()
            if received is None:  # TLS has something to say
                await self._send(b"")
                continue
            outcome = handshake.feed(received)
        if isinstance(outcome, Refused):
            await self._part(outcome.answer)
            raise HandshakeRefused(outcome.why)
        await self._send(outcome.answer)
        self._rest = outcome.rest

    async def _send(self, data: bytes) -> None:
        encode = self._carrier.encode
        if encode is not None:
            data = encode(data)
        while data:
            data = data[self._carrier.send_now(data) :]
            if data:
                await self._carrier.wait_send()

    async def _part(self, answer: bytes) -> None:
        """Answer, and let the client read it, which closing with unread bytes would reset away."""
        with trio.move_on_after(_DRAIN):
            try:
                await self._send(answer)
                self._carrier.finish()
                while await self._carrier.receive_some() != b"":
                    pass
            except OSError:
                return  # the client is gone already

    # -- bytes ------------------------------------------------------------------------------------------------------

    async def receive_some(self) -> bytes | None:
        """Wait for bytes of frames; b"" at the end."""
        if self._rest:  # came together with the handshake
            rest, self._rest = self._rest, b""
            await trio.lowlevel.checkpoint()
            return rest
        return await self._carrier.receive_some()

    @property
    def owes(self) -> bool:
        """Whether a pong, a farewell or something of TLS waits to be sent."""
        return self.frames.owes or self._carrier.owes

    def encode(self, data: bytes) -> bytes:
        """Put one message into a frame; b"" stands for the control frames that wait, which a farewell ends."""
        return self._encrypted(message_frame(data) if data else self.frames.take_owed())

    def _encrypted(self, framed: bytes) -> bytes:
        encrypt: Callable[[bytes], bytes] | None = self._carrier.encode
        return framed if encrypt is None else encrypt(framed)

    def send_now(self, data: bytes | bytearray) -> int:
        """Send what the socket takes of encoded bytes."""
        return self._carrier.send_now(data)

    async def wait_send(self) -> None:
        """Wait until the socket takes bytes again."""
        await self._carrier.wait_send()

    # -- the end ----------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Say farewell, unless both sides know already, and send FIN (RFC 6455 section 7.1.1)."""
        farewell = self._encrypted(self.frames.farewell(self.close_code))
        if farewell:
            self._carrier.send_now(farewell)
        self._carrier.finish()

    def close(self) -> None:
        """Close the socket."""
        self._carrier.close()
