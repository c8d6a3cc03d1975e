"""A small HTTP/1.1 server on a Unix socket, for those who may open its file.

Each connection carries one request. Everything is bounded: connections, the head, the body, and the time a request
may take to come in and an answer to go out.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h11
import trio

_log = logging.getLogger("ringway.net")

_BACKLOG = 16
_PAUSE = 0.1
_PIECE = 16_384


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Sizes in bytes, times in seconds."""

    connections: int = 16
    """Served at a time; the next ones wait."""
    head: int = 16_384
    body: int = 65_536
    request_time: float = 10.0
    answer_time: float = 60.0


class HttpRequest(NamedTuple):
    """A whole request; `target` is what stands behind the method, query and all."""

    method: str
    target: str
    body: bytes


class HttpAnswer(NamedTuple):
    """What is answered; `headers` go beside those that every answer has."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[HttpRequest], Awaitable[HttpAnswer]]
"""Answers one request; what it raises is logged and answered with 500."""


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class HttpServer:
    """Answers requests on one Unix socket: `bind`, then `run`, then `close`."""

    def __init__(self, path: Path, handler: Handler, limits: HttpLimits | None = None) -> None:
        self.path = path
        self._handler = handler
        self._limits = limits or HttpLimits()
        self._socket: socket.socket | None = None

    def bind(self) -> None:
        """Make the socket, for its owner and group; OSError when it can't be made or another program listens there."""
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        beside = f"{self.path.name}.{os.getpid()}"
        try:
            with _short(self.path.parent) as folder:
                if _is_served(f"{folder}/{self.path.name}"):
                    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
                bound.bind(f"{folder}/{beside}")
                # Nobody can connect before `listen`, so that the wrong mode is never of use to anybody.
                os.chmod(f"{folder}/{beside}", 0o660)
                bound.listen(_BACKLOG)
                os.replace(f"{folder}/{beside}", f"{folder}/{self.path.name}")  # also over what a killed server left
        except BaseException:
            bound.close()
            self.path.with_name(beside).unlink(missing_ok=True)
            raise
        self._socket = bound

    async def run(self) -> None:
        """Serve until cancelled."""
        assert self._socket is not None, "bind first"
        listening = trio.socket.from_stdlib_socket(self._socket)
        room = trio.Semaphore(self._limits.connections)
        async with trio.open_nursery() as nursery:
            while True:
                await room.acquire()
                try:
                    accepted, _ = await listening.accept()
                except OSError:  # no descriptor is free; those who wait are served when one is
                    room.release()
                    await trio.sleep(_PAUSE)
                    continue
                nursery.start_soon(self._serve, trio.SocketStream(accepted), room)

    def close(self) -> None:
        """Close, and remove the socket's file."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self.path.unlink(missing_ok=True)

    async def _serve(self, stream: trio.SocketStream, room: trio.Semaphore) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head)
        try:
            async with stream:
                answer = await self._answer(connection, stream)
                with trio.move_on_after(self._limits.request_time):
                    await stream.send_all(_written(connection, answer))
                    # Read what still comes, so that closing does not cut off the answer.
                    await stream.send_eof()
                    while await stream.receive_some(_PIECE):
                        pass
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has gone
        finally:
            room.release()

    async def _answer(self, connection: h11.Connection, stream: trio.SocketStream) -> HttpAnswer:
        try:
            with trio.fail_after(self._limits.request_time):
                request = await self._receive(connection, stream)
            with trio.fail_after(self._limits.answer_time):
                return await self._handler(request)
        except _Refused as refused:
            return HttpAnswer(refused.status, b"")
        except h11.RemoteProtocolError as error:
            return HttpAnswer(error.error_status_hint, b"")
        except trio.TooSlowError:
            return HttpAnswer(503 if connection.their_state is h11.DONE else 408, b"")
        except (OSError, trio.BrokenResourceError):
            raise
        except Exception:
            _log.exception("a request on %s failed", self.path)
            return HttpAnswer(500, b"")

    async def _receive(self, connection: h11.Connection, stream: trio.SocketStream) -> HttpRequest:
        head: h11.Request | None = None
        body = b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(_PIECE))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._limits.body:
                    raise _Refused(413)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return HttpRequest(head.method.decode(), head.target.decode("ascii", "replace"), body)
            else:  # it closed without a request
                raise trio.BrokenResourceError


def _written(connection: h11.Connection, answer: HttpAnswer) -> bytes:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(answer.body))),
        ("Connection", "close"),
        *answer.headers,
    ]
    parts = (
        h11.Response(status_code=answer.status, headers=headers, reason=b""),
        h11.Data(data=answer.body),
        h11.EndOfMessage(),
    )
    return b"".join(connection.send(part) or b"" for part in parts)


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Another name of a folder: that of a Unix socket has room for 107 bytes only (unix(7))."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def connect(path: Path, timeout: float) -> socket.socket:
    """A blocking client's socket, connected to the one at `path`; raises OSError."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout)
    try:
        with _short(path.parent) as folder:
            client.connect(f"{folder}/{path.name}")
    except BaseException:
        client.close()
        raise
    return client


def _is_served(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(address)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True
