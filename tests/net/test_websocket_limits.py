"""WebSockets of those who are gone, too slow or too many; and what is left of a connection that has ended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import trio
import trio.testing

from sipcore.net.edge import Edge
from sipcore.net.settings import StreamSettings, WebSocketSettings
from tests.garbage import left_behind, no_collector
from tests.net.echo import Echo, message, running, until
from tests.net.test_tcp_limits import open_descriptors
from tests.net.test_tls import Trust
from tests.net.test_websocket import WS4, WSS4, called
from tests.net.websocket_client import TEXT, Browser, answer_to, browser, close, connect, frame, handshake


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path)


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Jumps ahead when nothing has happened for a while; real bytes on loopback are faster than that."""
    return trio.testing.MockClock(autojump_threshold=0.005)


# -- pings ------------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 7118 6", "RFC 6455 5.5.2")
async def test_whoever_answers_pings_stays(clock: trio.testing.MockClock) -> None:
    async with called(limit=2_000.0) as (_, stack, alice), trio.open_nursery() as nursery:
        nursery.start_soon(alice.event)
        await trio.sleep(200.0)
        assert stack.lost == []
        nursery.cancel_scope.cancel()


@pytest.mark.conformance("RFC 7118 6")
async def test_whoever_misses_two_pings_is_gone(clock: trio.testing.MockClock) -> None:
    async with called(limit=2_000.0) as (edge, stack, alice):
        alice.answers_pings = False
        started = trio.current_time()
        assert await alice.close_code() is None
        assert 75.0 <= trio.current_time() - started < 82.0
        await until(lambda: len(stack.lost) == 1, 0.1)
        assert edge.statistics().streams.timed_out == 1


async def test_whoever_says_anything_is_there(clock: trio.testing.MockClock) -> None:
    async with called(limit=2_000.0) as (_, stack, alice):
        alice.answers_pings = False
        for _ in range(4):
            await trio.sleep(40.0)
            await alice.send(message())
            assert await alice.receive_message() == message()
        assert stack.lost == []


async def test_a_page_that_says_nothing_after_its_handshake_may_stay(clock: trio.testing.MockClock) -> None:
    websocket = WebSocketSettings(ping_interval=1_000.0)
    async with called(stream=StreamSettings(message_timeout=5.0), websocket=websocket, limit=900.0) as (
        _,
        stack,
        alice,
    ):
        await trio.sleep(60.0)
        assert stack.lost == []
        await alice.stream.send_all(frame(TEXT, b"MESSAGE", final=False))  # a message that was begun must be completed
        assert await alice.close_code() == 1001


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.row("A17")
async def test_a_browser_that_does_not_read_is_lost_and_the_others_are_answered() -> None:
    async with called(stream=StreamSettings(send_queue=100_000)) as (edge, stack, deaf):
        stack.on_message = lambda data, flow: [stack.send(flow, bytes(60_000)) for _ in range(200)]
        await deaf.send(message())
        await until(lambda: stack.lost)
        assert edge.statistics().streams.overflowed == 1
        stack.on_message = None
        async with browser(edge.addresses()[0]) as bob:
            await bob.send(message())
            assert await bob.receive_message() == message()


async def test_a_browser_that_reads_late_gets_everything_in_order() -> None:
    async with called(stream=StreamSettings(send_queue=20_000_000)) as (_, stack, alice):
        parts = [bytes([65 + number % 26]) * 50_000 for number in range(200)]
        stack.on_message = lambda data, flow: [stack.send(flow, part) for part in parts]
        await alice.send(message())
        await until(lambda: stack.received and not stack.outbox)
        assert [await alice.receive_message() for _ in parts] == parts


@pytest.mark.row("A16")
async def test_connections_of_one_address_are_limited() -> None:
    async with called(stream=StreamSettings(connections_per_address=1)) as (edge, _, alice):
        assert await answer_to(edge.addresses()[0], handshake()) == (0, b"")
        await alice.send(message())
        assert await alice.receive_message() == message()
        assert edge.statistics().streams.refused == 1


@pytest.mark.row("A28")
async def test_connections_that_come_and_go_leave_nothing_behind() -> None:
    async with running(WS4) as (edge, stack):
        target = edge.addresses()[0]
        before = open_descriptors()
        for number in range(200):
            if number % 4 == 0:
                await answer_to(target, handshake(Sec_WebSocket_Protocol=None))
                continue
            async with browser(target) as alice:
                if number % 4 == 1:
                    await alice.send(message())
                    await alice.receive_message()
                elif number % 4 == 2:
                    await alice.stream.send_all(close(1001))
        await until(lambda: edge.statistics().streams.connections == 0)
        assert len(stack.lost) == 200
        assert open_descriptors() == before
        assert not edge._connections._incoming


@pytest.mark.row("A15", "A28")
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("end", ["farewell", "FIN", "by us", "mistake", "no answer", "bad handshake", "bad text"])
async def test_an_ended_connection_is_freed_by_counting_references(
    trust: Trust, end: str, secure: bool, clock: trio.testing.MockClock
) -> None:
    context = trust.client() if secure else None
    settings = StreamSettings(linger=0.5)
    listen = WSS4 if secure else WS4
    async with running(listen, tls=trust.settings(), stream=settings, limit=500.0) as (edge, stack):
        edge.tls.load()
        with no_collector():
            stream = await connect(edge.addresses()[0], context)
            alice = Browser(stream)
            if end == "bad handshake":
                await stream.send_all(handshake(Sec_WebSocket_Protocol="xmpp"))
            else:
                await alice.open()
                await alice.send(message())
                await alice.receive_message()
            await end_by(end, alice, edge, stack)
            await until(lambda: bool(stack.lost) and edge.statistics().streams.connections == 0, 0.5)
            for kept in (stack.lost, stack.opened, stack.received):
                kept.clear()  # type: ignore[attr-defined]
            assert left_behind() == Counter()
        await trio.aclose_forcefully(stream)


async def end_by(end: str, alice: Browser, edge: Edge, stack: Echo) -> None:
    """Let a connection end in one of the ways."""
    if end == "farewell":
        await alice.stream.send_all(close(1001))
    elif end == "FIN":
        await trio.aclose_forcefully(alice.stream)
    elif end == "by us":
        stack.send(stack.flows[0], b"")
        edge.post(lambda: None)
    elif end == "mistake":
        await alice.stream.send_all(frame(TEXT, b"x", rsv=1))
    elif end == "bad text":
        await alice.stream.send_all(frame(TEXT, b"\xff"))
