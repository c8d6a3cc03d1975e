"""Peers that ask too much of the edge: too many, too slow, too long."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from sipcore.errors import Unresolvable
from sipcore.flow import Flow
from sipcore.net.edge import Edge
from sipcore.net.settings import StreamSettings
from tests.garbage import left_behind, no_collector
from tests.net.echo import TCP4, Echo, message, running, until
from tests.net.test_tcp import connected, received, reset


@contextlib.asynccontextmanager
async def called(stream: StreamSettings, limit: float = 100.0) -> AsyncIterator[tuple[Edge, Echo, trio.SocketStream]]:
    """An edge, its stack, and a caller who is connected to it."""
    async with (
        running(TCP4, stream=stream, limit=limit) as (edge, stack),
        await connected(edge.addresses()[0]) as caller,
    ):
        yield edge, stack, caller


def send_all(stack: Echo, flow: Flow, parts: list[bytes]) -> None:
    for part in parts:
        stack.send(flow, part)


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Jumps ahead when nothing has happened for a while; real bytes on loopback are faster than that."""
    return trio.testing.MockClock(autojump_threshold=0.005)


@pytest.mark.row("A17")
async def test_a_peer_that_does_not_read_is_lost_and_the_others_are_answered() -> None:
    async with called(StreamSettings(send_queue=100_000)) as (edge, stack, deaf):
        stack.on_message = lambda data, flow: send_all(stack, flow, [bytes(60_000)] * 200)
        await deaf.send_all(message())
        await until(lambda: stack.lost)
        assert stack.lost == stack.flows
        assert edge.statistics().streams.overflowed == 1
        stack.on_message = None
        async with await connected(edge.addresses()[0]) as bob:
            await bob.send_all(message())
            assert await received(bob, len(message())) == message()


async def test_a_peer_that_reads_late_gets_everything_in_order() -> None:
    async with called(StreamSettings(send_queue=20_000_000)) as (_, stack, alice):
        parts = [bytes([number]) * 50_000 for number in range(200)]
        stack.on_message = lambda data, flow: send_all(stack, flow, parts)
        await alice.send_all(message())
        await until(lambda: stack.received and not stack.outbox)
        assert await received(alice, 10_000_000) == b"".join(parts)
        assert stack.lost == []


@pytest.mark.row("A17")
async def test_a_peer_that_takes_nothing_for_long_is_lost(clock: trio.testing.MockClock) -> None:
    settings = StreamSettings(send_queue=20_000_000, send_timeout=8.0)
    async with called(settings) as (edge, stack, deaf):
        stack.on_message = lambda data, flow: send_all(stack, flow, [bytes(100_000)] * 100)
        started = trio.current_time()
        await deaf.send_all(message())
        await until(lambda: stack.lost, 0.5)
        assert 8.0 <= trio.current_time() - started < 12.0
        assert edge.statistics().streams.timed_out == 1


async def test_an_idle_connection_is_closed_and_any_traffic_keeps_it(clock: trio.testing.MockClock) -> None:
    async with called(StreamSettings(idle_timeout=8.0, message_timeout=100.0)) as (edge, stack, alice):
        for _ in range(4):
            await trio.sleep(6)
            await alice.send_all(b"\r\n\r\n")
            assert await alice.receive_some() == b"\r\n"
        started = trio.current_time()
        assert await alice.receive_some() == b""
        assert 8.0 <= trio.current_time() - started < 11.0
        await until(lambda: stack.lost, 0.5)
        assert edge.statistics().streams.timed_out == 1


async def test_our_own_bytes_keep_a_connection_too(clock: trio.testing.MockClock) -> None:
    async with called(StreamSettings(idle_timeout=8.0)) as (edge, stack, alice):
        await alice.send_all(message())
        await received(alice, len(message()))
        for _ in range(4):
            await trio.sleep(6)
            stack.send(stack.flows[0], message("ours"))
            edge.post(lambda: None)
            await received(alice, len(message("ours")))
        assert stack.lost == []


@pytest.mark.row("A15")
async def test_a_message_must_be_completed_in_time(clock: trio.testing.MockClock) -> None:
    """Slowloris: one byte now and then is no message."""
    async with called(StreamSettings(message_timeout=8.0)) as (_, stack, slow):
        started = trio.current_time()
        with pytest.raises(trio.BrokenResourceError):
            for byte in message():
                await slow.send_all(bytes([byte]))
                await trio.sleep(3)
        assert 8.0 <= trio.current_time() - started < 20.0
        assert stack.received == []
        assert len(stack.lost) == 1


@pytest.mark.row("A15")
async def test_whoever_connects_must_say_something(clock: trio.testing.MockClock) -> None:
    async with called(StreamSettings(message_timeout=8.0)) as (_, _, silent):
        started = trio.current_time()
        assert await silent.receive_some() == b""
        assert 8.0 <= trio.current_time() - started < 11.0


async def test_a_closed_peer_that_keeps_the_connection_open_is_cut_off(clock: trio.testing.MockClock) -> None:
    async with called(StreamSettings(linger=2.0)) as (edge, _, alice):
        await alice.send_all(b"nonsense\r\n\r\n")
        assert await received(alice, 100) == b"bad\r\n\r\n"
        started = trio.current_time()
        await until(lambda: edge.statistics().streams.connections == 0, 0.5)
        assert 2.0 <= trio.current_time() - started < 5.0


@pytest.mark.row("A16")
async def test_connections_of_one_address_are_limited() -> None:
    async with running(TCP4, stream=StreamSettings(connections_per_address=2, half_close_grace=0.01)) as (edge, _):
        target = edge.addresses()[0]
        async with await connected(target) as first, await connected(target) as second:
            for stream in (first, second):
                await stream.send_all(message())
                await received(stream, len(message()))
            async with await connected(target) as third:
                assert await third.receive_some() == b""
            assert edge.statistics().streams.refused == 1
        await until(lambda: edge.statistics().streams.connections == 0)
        async with await connected(target) as again:
            await again.send_all(message())
            assert await received(again, len(message())) == message()


@pytest.mark.row("A16")
async def test_all_connections_are_limited() -> None:
    async with running(TCP4, stream=StreamSettings(connections=1)) as (edge, _):
        target = edge.addresses()[0]
        async with await connected(target) as first, await connected(target) as second:
            assert await second.receive_some() == b""
            with pytest.raises(Unresolvable, match="too many connections"):
                edge.open_flow(target)
            await first.send_all(message())
            assert await received(first, len(message())) == message()


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.row("A28")
async def test_connections_that_come_and_go_leave_nothing_behind() -> None:
    async with running(TCP4, stream=StreamSettings(half_close_grace=0.01)) as (edge, stack):
        before = open_descriptors()
        for number in range(300):
            async with await connected(edge.addresses()[0]) as caller:
                if number % 2:
                    await caller.send_all(message())
                    await received(caller, len(message()))
        await until(lambda: len(stack.lost) == 300 and edge.statistics().streams.connections == 0)
        assert open_descriptors() == before
        assert not edge._connections._by_target
        assert not edge._connections._incoming


@pytest.mark.row("A15", "A28")
@pytest.mark.parametrize("end", ["by the caller", "by us", "reset", "out of time", "behind half a message"])
async def test_an_ended_connection_is_freed_by_counting_references(end: str, clock: trio.testing.MockClock) -> None:
    settings = StreamSettings(half_close_grace=0.01, message_timeout=4.0, linger=0.5)
    async with running(TCP4, stream=settings, limit=200.0) as (edge, stack):
        with no_collector():
            caller = await connected(edge.addresses()[0])
            await caller.send_all(message())
            await received(caller, len(message()))
            if end == "by the caller":
                await caller.aclose()
            elif end == "reset":
                reset(caller)
            elif end == "by us":
                stack.send(stack.flows[0], b"")
                edge.post(lambda: None)
            else:
                await caller.send_all(b"I" if end == "out of time" else message()[:20])
            await until(lambda: bool(stack.lost) and edge.statistics().streams.connections == 0, 0.5)
            stack.lost.clear()
            stack.opened.clear()
            stack.received.clear()
            assert left_behind() == Counter()
        await caller.aclose()


EXHAUSTED = """
import resource, socket, sys, trio
from tests.net.echo import TCP4, UDP4, message, running
from tests.net.test_tcp import connected, received

async def main():
    async with running(TCP4, UDP4) as (edge, stack):
        udp, tcp = edge.addresses()
        taken = []
        limit = len(__import__("os").listdir("/proc/self/fd")) + 8
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        caller = socket.socket()
        try:
            while True:
                taken.append(socket.socket())
        except OSError:
            pass
        caller.connect(tcp.address)          # the kernel completes it; the edge has no descriptor to accept it with
        caller.sendall(message())
        with trio.move_on_after(0.3):
            await trio.lowlevel.wait_readable(caller)
            raise AssertionError("accepted without a descriptor?")
        edge.post(lambda: print("alive"))
        for one in taken:
            one.close()
        with trio.fail_after(2):
            await trio.lowlevel.wait_readable(caller)
        assert caller.recv(10_000) == message()
        async with await connected(tcp) as alice:
            await alice.send_all(message())
            assert await received(alice, len(message())) == message()
        caller.close()
        print("recovered")

trio.run(main)
"""


@pytest.mark.row("A16")
def test_the_listener_survives_a_shortage_of_file_descriptors() -> None:
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", EXHAUSTED], cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, timeout=20
    )
    assert ran.stdout.split() == [b"alive", b"recovered"], ran.stderr.decode()
    assert b"can't accept connections" in ran.stderr
