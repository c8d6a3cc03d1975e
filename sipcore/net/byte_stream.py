"""A stream of bytes to one peer: TCP here; TLS is another class with the same methods."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Protocol

import trio

from sipcore.net.flows import SocketAddress

CHUNK = 32_768
"""Most bytes taken at a time, so that one busy peer does not keep the others waiting."""


class ByteStream(Protocol):
    """What a connection needs of its transport; all methods may raise OSError or trio.ClosedResourceError."""

    @property
    def encode(self) -> Callable[[bytes], bytes] | None:
        """Turns bytes into those that `send_now` takes, each once and in order; None when they go as they are."""

    @property
    def owes(self) -> bool:
        """Whether `encode` has something to say by itself, to which b"" may be given."""

    @property
    def identities(self) -> tuple[str, ...]:
        """The domains of the peer's certificate, when `open` is over and the peer has shown a good one."""

    async def open(self) -> None:
        """Make ready to carry bytes: connect, shake hands."""

    async def receive_some(self) -> bytes | None:
        """Wait for bytes; b"" when the peer sends no more, None when it `owes`. Always lets other tasks run."""

    def send_now(self, data: bytes | bytearray) -> int:
        """Take as many (encoded) bytes as go without waiting, and say how many those were."""

    async def wait_send(self) -> None:
        """Wait until `send_now` is worth another try."""

    def finish(self) -> None:
        """Tell the peer that we send no more."""

    def close(self) -> None:
        """Close at once; whoever waits in another method gets trio.ClosedResourceError."""


class TcpStream:
    """A TCP socket, accepted, or to be connected to `address`."""

    __slots__ = ("_address", "_more", "_socket")
    encode = None
    owes = False
    identities: tuple[str, ...] = ()

    def __init__(self, stream: socket.socket, address: SocketAddress | None = None) -> None:
        self._socket = stream
        self._address = address
        self._more = False
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A peer that went away without a word is noticed within about two minutes.
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)

    async def open(self) -> None:
        """Connect when there is an address to connect to."""
        if self._address is None:
            return
        try:
            self._socket.connect(self._address)
        except BlockingIOError:  # on its way
            await trio.lowlevel.wait_writable(self._socket)
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "can't connect") from None

    async def receive_some(self) -> bytes:
        """Wait for bytes; b"" at the end."""
        while True:
            if self._more:
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_readable(self._open_socket())
            try:
                data = self._socket.recv(CHUNK)
            except BlockingIOError:
                self._more = False
                continue
            self._more = len(data) == CHUNK  # a short read has emptied the socket
            return data

    def send_now(self, data: bytes | bytearray) -> int:
        """Send what the socket takes."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    async def wait_send(self) -> None:
        """Wait until the socket takes bytes again."""
        await trio.lowlevel.wait_writable(self._open_socket())

    def finish(self) -> None:
        """Send FIN behind the bytes sent so far."""
        self._socket.shutdown(socket.SHUT_WR)

    def _open_socket(self) -> socket.socket:
        if self._socket.fileno() < 0:
            raise trio.ClosedResourceError
        return self._socket

    def close(self) -> None:
        """Close the socket."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
