"""Peers of a running server that send and take bytes as they are: a tester at many ports, and a next hop."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

from tests import raw

LIMIT = 5.0
"""Seconds that any wait takes at most; what is waited for normally comes within milliseconds."""


class Arrival(NamedTuple):
    """A message that came: at which port over UDP, or over the connection (port 0)."""

    data: bytes
    port: int

    @property
    def raw(self) -> raw.Raw:
        """The message, read."""
        return raw.read(self.data)


class Datagrams:
    """UDP at one address: sends from a port nobody told the server, and listens at the ports that messages name."""

    def __init__(self, host: str, ports: Sequence[int] = ()) -> None:
        self.host = host
        self._source = _udp(host, 0)
        self.port: int = self._source.getsockname()[1]
        self._sockets = [self._source, *(_udp(host, port) for port in ports)]

    def send(self, data: bytes, server: tuple[str, int]) -> None:
        """Send one datagram."""
        self._source.sendto(data, server)

    def receive(self, wait: float) -> Arrival | None:
        """The next datagram, or None when none came in time."""
        ready = _readable(self._sockets, max(0.0, wait))
        if not ready:
            return None
        return Arrival(ready[0].recv(65_535), ready[0].getsockname()[1])

    def close(self) -> None:
        """Close all sockets."""
        for each in self._sockets:
            each.close()


class Stream:
    """One TCP connection to the server. `closed` turns True when the server has closed it."""

    def __init__(self, host: str, server: tuple[str, int]) -> None:
        self._socket = socket.create_connection(server, LIMIT, (host, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.port = self._socket.getsockname()
        self._left = b""
        self._complete: list[bytes] = []
        self.closed = False

    def send(self, data: bytes, server: tuple[str, int] | None = None) -> None:
        """Send bytes; a server that has closed the connection already is no error."""
        try:
            self._socket.sendall(data)
        except OSError:
            self.closed = True

    def receive(self, wait: float) -> Arrival | None:
        """The next message, or None when none came in time or the server closed."""
        deadline = time.monotonic() + wait
        while not self._complete and not self.closed:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(65_535)
            except TimeoutError:
                return None
            except OSError:
                data = b""
            self.closed = not data
            self._complete, self._left = raw.cut(self._left + data)
        return Arrival(self._complete.pop(0), 0) if self._complete else None

    def wait_closed(self, wait: float = LIMIT) -> bool:
        """Whether the server closes the connection in time; messages that still come are dropped."""
        deadline = time.monotonic() + wait
        while not self.closed and time.monotonic() < deadline:
            self.receive(deadline - time.monotonic())
        return self.closed

    def reset(self) -> None:
        """End the connection with a RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._socket.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _readable(sockets: Sequence[socket.socket], wait: float | None) -> list[socket.socket]:
    """Those of these sockets that can be read within `wait` seconds; select would know 1,024 descriptors only."""
    poll = select.poll()
    for each in sockets:
        poll.register(each, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(None if wait is None else wait * 1000)}
    return [each for each in sockets if each.fileno() in ready]


def _udp(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind((host, port))
    return made


class NextHop:
    """Whom requests are forwarded to, in a thread: takes them over UDP and TCP, and answers each with `status`.

    `requests` holds what came, ACK too. With no `status` nothing is answered.
    """

    def __init__(self, host: str, port: int = 0, status: bytes | None = b"299 From The Next Hop") -> None:
        self.status = status
        self.requests: list[bytes] = []
        self._datagrams = _udp(host, port)
        self.host, self.port = self._datagrams.getsockname()
        self._listener = socket.create_server((host, self.port))
        self._streams: dict[socket.socket, bytes] = {}
        self._end, end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, args=(end,), daemon=True)
        self._thread.start()

    def _serve(self, end: socket.socket) -> None:
        with end, self._datagrams, self._listener:
            while True:
                ready = _readable([end, self._datagrams, self._listener, *self._streams], None)
                if end in ready:
                    break
                for each in ready:
                    self._take(each)
            for stream in self._streams:
                stream.close()

    def _take(self, ready: socket.socket) -> None:
        if ready is self._listener:
            self._streams[ready.accept()[0]] = b""
        elif ready is self._datagrams:
            data, source = ready.recvfrom(65_535)
            for response in self._respond(data):
                ready.sendto(response, source)
        else:
            self._take_stream(ready)

    def _take_stream(self, stream: socket.socket) -> None:
        try:
            data = stream.recv(65_535)
        except OSError:
            data = b""
        if not data:
            del self._streams[stream]
            stream.close()
            return
        messages, self._streams[stream] = raw.cut(self._streams[stream] + data)
        for message in messages:
            for response in self._respond(message):
                stream.sendall(response)

    def _respond(self, data: bytes) -> list[bytes]:
        self.requests.append(data)
        if self.status is None or data.startswith((b"ACK ", b"SIP/2.0 ")):
            return []
        return [raw.answer(data, self.status)]

    def close(self) -> None:
        """Stop and close everything."""
        self._end.close()
        self._thread.join(LIMIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
