"""The HTTP server on a Unix socket: what it serves, and that nobody can make it hold more than its bounds."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from sipcore.net.http_server import HttpAnswer, HttpLimits, HttpRequest, HttpServer, connect

SMALL = HttpLimits(connections=2, head=1_000, body=100, request_time=0.2, answer_time=0.2)


class Recorded:
    """Answers with the target, and remembers what came."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    async def __call__(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        if request.target == "/fault":
            raise ValueError("boom")
        if request.target == "/slow":
            await trio.sleep_forever()
        return HttpAnswer(200, b"%r" % request.target.encode(), (("X-Method", request.method),))


@contextlib.asynccontextmanager
async def serving(path: Path, limits: HttpLimits | None = None) -> AsyncIterator[Recorded]:
    handler = Recorded()
    server = HttpServer(path, handler, limits)
    server.bind()
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.run)
            try:
                yield handler
            finally:
                nursery.cancel_scope.cancel()
                server.close()


async def ask(path: Path, data: bytes) -> bytes:
    """Send these bytes, and read until the server closes."""
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(client(path)))
    async with stream:
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(data)
        answer = b""
        while part := await stream.receive_some(10_000):
            answer += part
        return answer


def client(path: Path) -> socket.socket:
    return connect(path, 5.0)


def post(target: str, body: bytes) -> bytes:
    return f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


GET = b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_a_request_is_answered_and_the_connection_closed(tmp_path: Path) -> None:
    async with serving(tmp_path / "run" / "control.sock") as handler:
        answer = await ask(tmp_path / "run" / "control.sock", post("/reload?x=1", b"{}"))
    assert handler.requests == [HttpRequest("POST", "/reload?x=1", b"{}")]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert {b"Content-Type: application/json", b"Connection: close", b"X-Method: POST"} <= set(head.split(b"\r\n"))
    assert body == b"b'/reload?x=1'"


async def test_the_file_is_for_owner_and_group_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with serving(path):
        await trio.testing.wait_all_tasks_blocked()
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert os.listdir(tmp_path) == ["control.sock"]
    assert os.listdir(tmp_path) == []


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / ("folder" * 20) / ("folder" * 20) / "control.sock"
    assert len(str(path)) > 200
    async with serving(path):
        assert b" 200 " in await ask(path, GET)


async def test_what_a_killed_server_left_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with serving(path):
        with pytest.raises(OSError, match="Address already in use"):
            HttpServer(path, Recorded()).bind()
        assert b" 200 " in await ask(path, GET)
        assert os.listdir(tmp_path) == ["control.sock"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        HttpServer(tmp_path / "file" / "control.sock", Recorded()).bind()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\xff\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host (RFC 9112 section 3.2)
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 2_000, 431),
        (post("/", b"x" * 101), 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"32\r\n" + b"x" * 50 + b"\r\n" * 2,
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 200, 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", 408),
        (b"GE", 408),
        (b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", 503),
        (b"GET /fault HTTP/1.1\r\nHost: x\r\n\r\n", 500),
    ],
)
async def test_what_is_wrong_too_large_or_too_slow_is_refused_and_the_next_one_served(
    tmp_path: Path, data: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s"
    async with serving(path, SMALL):
        assert (await ask(path, data)).startswith(b"HTTP/1.1 %d " % status)
        assert (await ask(path, GET)).startswith(b"HTTP/1.1 200 ")
    assert ("boom" in caplog.text) == (status == 500)


async def test_who_says_nothing_holds_a_place_for_a_short_time_only(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with serving(path, SMALL):
        with contextlib.ExitStack() as silent:
            for _ in range(4):
                silent.enter_context(client(path))
            assert (await ask(path, GET)).startswith(b"HTTP/1.1 200 ")


async def test_a_client_that_goes_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with serving(path):
        before = len(os.listdir("/proc/self/fd"))
        for data in (b"", b"GET", GET, post("/", b"x")[:-1]):
            with client(path) as gone:
                gone.sendall(data)
        assert (await ask(path, GET)).startswith(b"HTTP/1.1 200 ")
        await trio.sleep(0.05)
        assert len(os.listdir("/proc/self/fd")) == before
