"""A browser's side of a WebSocket: wsproto for what is right, and frames made by hand for what is not."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason

from sipcore.flow import Target

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
"""The example of RFC 6455 section 1.3, which is answered with `ACCEPT`."""
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def handshake(target: str = "/", **changed: str | None) -> bytes:
    """A good request; `changed` fields (with _ for -) have another value, or are left out with None."""
    fields: dict[str, str | None] = {
        "Host": "phone.example.com:8080",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Origin": "https://phone.example.com",
        "Sec-WebSocket-Key": KEY.decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "sip",
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    }
    known = {name.lower(): name for name in fields}
    for name, value in changed.items():
        shown = name.replace("_", "-")
        fields[known.get(shown.lower(), shown)] = value
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode()


def masked(data: bytes, key: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    """RFC 6455 section 5.3."""
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(data))


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    mask: bool = True,
    rsv: int = 0,
    declared: int | None = None,
) -> bytes:
    """A client's frame, right or wrong; `declared` is the length that it claims, in eight bytes."""
    first = (0x80 if final else 0) | rsv << 4 | opcode
    bit = 0x80 if mask else 0
    size = len(payload)
    if declared is not None:
        length = bytes([bit | 127]) + declared.to_bytes(8, "big")
    elif size < 126:
        length = bytes([bit | size])
    elif size < 65_536:
        length = bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([bit | 127]) + size.to_bytes(8, "big")
    key = b"\x37\xfa\x21\x3d" if mask else b""
    return bytes([first]) + length + key + (masked(payload) if mask else payload)


def close(code: int | None, reason: bytes = b"") -> bytes:
    """A client's close frame."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


class Browser:
    """One connection; `events` holds what came that nobody has asked for yet."""

    def __init__(self, stream: trio.abc.HalfCloseableStream | trio.abc.Stream) -> None:
        self.stream = stream
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.events: list[Event] = []
        self.answers_pings = True
        self.ended = False

    async def open(
        self, *, protocols: Sequence[str] = ("sip",), origin: str = "", path: str = "/"
    ) -> AcceptConnection | RejectConnection:
        """Shake hands."""
        headers = [(b"Origin", origin.encode())] if origin else []
        request = Request(host="phone.example.com", target=path, subprotocols=list(protocols), extra_headers=headers)
        await self.stream.send_all(self.protocol.send(request))
        event = await self.event()
        assert isinstance(event, AcceptConnection | RejectConnection)
        return event

    async def event(self) -> Event | None:
        """The next event but pings; None at the end of the connection."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if not isinstance(event, Ping):
                    return event
                if self.answers_pings:
                    await self.stream.send_all(self.protocol.send(event.response()))
            if self.ended:
                return None
            await self.receive()

    async def receive(self) -> None:
        """Wait for bytes."""
        try:
            data = await self.stream.receive_some(65_536)
        except trio.BrokenResourceError:
            data = b""
        self.ended = not data
        with contextlib.suppress(Exception):  # an end without a farewell
            self.protocol.receive_data(data or None)
            self.events.extend(self.protocol.events())

    async def send(self, data: bytes) -> None:
        """Send a message as JsSIP does: as text."""
        await self.stream.send_all(self.protocol.send(TextMessage(data.decode())))

    async def send_bytes(self, data: bytes) -> None:
        """Send a message in a binary frame."""
        await self.stream.send_all(self.protocol.send(BytesMessage(data)))

    async def ping(self, payload: bytes = b"") -> None:
        """Send a ping of WebSocket."""
        await self.stream.send_all(self.protocol.send(Ping(payload)))

    async def receive_message(self) -> bytes:
        """The next message, whole."""
        whole = b""
        while True:
            event = await self.event()
            if isinstance(event, Pong):
                continue
            assert isinstance(event, TextMessage | BytesMessage), event
            whole += event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
            if event.message_finished:
                return whole

    async def close_code(self) -> int | None:
        """The code of the server's close frame; None when it ended without one."""
        while (event := await self.event()) is not None:
            if isinstance(event, CloseConnection):
                return int(event.code) if event.code != CloseReason.ABNORMAL_CLOSURE else None
        return None


async def connect(target: Target, tls: ssl.SSLContext | None = None, name: str | None = None) -> trio.abc.Stream:
    """A TCP or TLS connection to a listener."""
    carrier = await trio.open_tcp_stream(target.host, target.port)
    if tls is None:
        return carrier
    stream = trio.SSLStream(carrier, tls, server_hostname=name, https_compatible=True)
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError:
        await trio.aclose_forcefully(stream)
        raise
    return stream


@contextlib.asynccontextmanager
async def browser(target: Target, tls: ssl.SSLContext | None = None, origin: str = "") -> AsyncIterator[Browser]:
    """Somebody whose WebSocket is open."""
    stream = await connect(target, tls)
    made = Browser(stream)
    try:
        answer = await made.open(origin=origin)
        assert isinstance(answer, AcceptConnection), answer
        yield made
    finally:
        await trio.aclose_forcefully(stream)


async def answer_to(target: Target, request: bytes) -> tuple[int, bytes]:
    """Status and the whole text of what is answered to bytes on a new connection, up to its end."""
    stream = await connect(target)
    try:
        await stream.send_all(request)
        text = b""
        while b"\r\n\r\n" not in text or not text.startswith(b"HTTP/1.1 101"):
            try:
                more = await stream.receive_some()
            except trio.BrokenResourceError:
                break
            if not more:
                break
            text += more
    finally:
        await trio.aclose_forcefully(stream)
    return int(text.split(b" ", 2)[1] or b"0") if text else 0, text


async def frames_answered(target: Target, data: bytes) -> bytes:
    """What comes back to frames made by hand, up to the end of the connection."""
    stream = await connect(target)
    try:
        await stream.send_all(handshake())
        found = b""
        while b"\r\n\r\n" not in found:
            found += await stream.receive_some()
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(data)
        with contextlib.suppress(trio.BrokenResourceError):
            while more := await stream.receive_some():
                found += more
    finally:
        await trio.aclose_forcefully(stream)
    return found.partition(b"\r\n\r\n")[2]
