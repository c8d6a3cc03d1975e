"""TCP over loopback: what arrives, what is sent, and which connection is used."""

from __future__ import annotations

import socket
import struct

import pytest
import trio

from sipcore.flow import Flow, Target
from sipcore.net.settings import StreamSettings
from tests.net.echo import TCP4, TCP6, UDP4, Echo, Listen, message, running, until


async def connected(target: Target) -> trio.SocketStream:
    return await trio.open_tcp_stream(target.host, target.port)


async def received(stream: trio.SocketStream, size: int) -> bytes:
    """Exactly `size` bytes, or fewer when the stream ended."""
    data = b""
    while len(data) < size and (more := await stream.receive_some(size - len(data))):
        data += more
    return data


def reset(stream: trio.SocketStream) -> None:
    """End a connection as a crashing peer does: with RST."""
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


class Peer:
    """Somebody who listens for connections."""

    def __init__(self, host: str = "127.0.0.1", backlog: int = 5) -> None:
        self.socket = trio.socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self.host = host
        self.backlog = backlog

    async def __aenter__(self) -> Peer:
        await self.socket.bind((self.host, 0))
        self.socket.listen(self.backlog)
        self.target = Target("tcp", self.host, self.socket.getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()

    async def accept(self) -> trio.SocketStream:
        accepted, _ = await self.socket.accept()
        return trio.SocketStream(accepted)


# -- receiving --------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 3261 18.2.2")
@pytest.mark.parametrize("listen", [TCP4, TCP6], ids=["v4", "v6"])
async def test_a_message_is_answered_on_its_connection(listen: Listen) -> None:
    async with running(listen) as (edge, stack), await connected(edge.addresses()[0]) as alice:
        await alice.send_all(message())
        assert await received(alice, len(message())) == message()
        (flow,) = stack.flows
        assert flow.transport == "tcp"
        assert flow.reliable
        assert flow.remote == alice.socket.getsockname()[:2]
        assert flow.local == edge.addresses()[0].address
        assert flow.sent_by.endswith(f":{edge.addresses()[0].port}")


@pytest.mark.row("A12")
@pytest.mark.conformance("RFC 3261 18.3")
async def test_a_message_split_at_every_byte_arrives_whole() -> None:
    async with running(TCP4) as (edge, stack), await connected(edge.addresses()[0]) as alice:
        data = message("split", body=b"v=0\r\n")
        for cut in range(1, len(data)):
            await alice.send_all(data[:cut])
            await alice.send_all(data[cut:])
            assert await received(alice, len(data)) == data
        for byte in data:
            await alice.send_all(bytes([byte]))
        assert await received(alice, len(data)) == data
        assert len(stack.received) == len(data)


@pytest.mark.row("A13")
@pytest.mark.conformance("RFC 3261 18.3")
async def test_a_hundred_messages_in_one_segment_are_answered_in_order() -> None:
    async with running(TCP4) as (edge, _), await connected(edge.addresses()[0]) as alice:
        data = b"".join(message(body=b"x" * number, call=number) for number in range(100))
        await alice.send_all(data)
        assert await received(alice, len(data)) == data


@pytest.mark.row("A01")
@pytest.mark.conformance("RFC 5626 3.5.1")
async def test_a_keep_alive_is_answered() -> None:
    async with running(TCP4) as (edge, _), await connected(edge.addresses()[0]) as alice:
        await alice.send_all(b"\r\n\r\n")
        assert await alice.receive_some() == b"\r\n"


async def test_the_last_answer_arrives_though_the_peer_still_sends() -> None:
    """Closing a socket with unread bytes resets it, which would take the answer away with it."""
    async with running(TCP4) as (edge, stack), await connected(edge.addresses()[0]) as alice:
        await alice.send_all(b"GET / HTTP/1.1\r\n\r\n" + bytes(200_000))
        assert await received(alice, 100) == b"bad\r\n\r\n"
        await until(lambda: stack.lost)
        assert stack.lost[0].closed


async def test_a_fault_in_the_stack_closes_that_connection_only() -> None:
    faults: list[tuple[Exception, str]] = []
    async with running(TCP4, faults=faults) as (edge, stack):
        target = edge.addresses()[0]
        async with await connected(target) as alice, await connected(target) as bob:

            def fail(data: bytes, flow: Flow) -> None:
                stack.on_message = None
                raise ZeroDivisionError("a bug")

            stack.on_message = fail
            await alice.send_all(message())
            assert await alice.receive_some() == b""
            await bob.send_all(message())
            assert await received(bob, len(message())) == message()
        assert [str(failure) for failure, _ in faults] == ["a bug"]
        assert len(stack.lost) == 1


async def test_a_wildcard_listener_names_the_address_that_the_peer_used() -> None:
    async with running(Listen("tcp", "0.0.0.0")) as (edge, stack):
        port = edge.addresses()[0].port
        async with await connected(Target("tcp", "127.0.0.3", port)) as alice:
            await alice.send_all(message())
            await received(alice, len(message()))
            assert stack.flows[0].local == ("127.0.0.3", port)
            assert stack.flows[0].sent_by == f"127.0.0.3:{port}"


# -- the end of a connection ------------------------------------------------------------------------------------------


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 18.4")
async def test_a_reset_loses_the_flow_once() -> None:
    async with running(TCP4) as (edge, stack):
        alice = await connected(edge.addresses()[0])
        await alice.send_all(message())
        await received(alice, len(message()))
        reset(alice)
        await until(lambda: stack.lost)
        stack.send(stack.flows[0], b"too late")
        edge.post(lambda: None)
        await until(lambda: edge.statistics().streams.connections == 0)
        assert stack.lost == stack.flows
        assert stack.flows[0].closed


async def test_a_peer_that_sends_no_more_still_gets_its_answer(autojump_clock: trio.testing.MockClock) -> None:
    settings = StreamSettings(half_close_grace=1.0)
    async with running(TCP4, stream=settings) as (edge, stack), await connected(edge.addresses()[0]) as alice:
        stack.on_message = lambda data, flow: stack.timers.after(0.5, lambda _: stack.send(flow, b"later"))
        await alice.send_all(message())
        await until(lambda: stack.flows)
        assert not stack.flows[0].ending
        await alice.send_eof()
        assert await received(alice, 100) == b"later"
        assert stack.flows[0].ending  # nothing new is sent this way
        assert stack.lost == stack.flows


@pytest.mark.conformance("RFC 3261 18.3")
async def test_a_connection_is_closed_when_the_stack_says_so_after_what_was_sent_before() -> None:
    settings = StreamSettings(send_queue=10_000_000)
    async with running(TCP4, stream=settings) as (edge, stack), await connected(edge.addresses()[0]) as alice:
        long = bytes(8_000_000)  # more than the kernel takes at once

        def answer_and_close(data: bytes, flow: Flow) -> None:
            for packet in (long, b"", b"never sent"):
                stack.send(flow, packet)

        stack.on_message = answer_and_close
        await alice.send_all(message())
        assert await received(alice, 9_000_000) == long
        await until(lambda: stack.lost)


# -- connecting -------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 3261 18.1.1")
@pytest.mark.parametrize(("listen", "host"), [(TCP4, "127.0.0.1"), (TCP6, "::1")], ids=["v4", "v6"])
async def test_packets_wait_while_connecting_and_the_connection_is_used_again(listen: Listen, host: str) -> None:
    async with running(listen) as (edge, stack), Peer(host) as peer:
        flow = edge.open_flow(peer.target)
        stack.send(flow, message("one"))
        stack.send(flow, message("two"))
        edge.post(lambda: None)
        async with await peer.accept() as bob:
            assert await received(bob, 2 * len(message("one"))) == message("one") + message("two")
            assert edge.open_flow(peer.target) is flow
            assert flow.local == bob.socket.getpeername()[:2]
            assert flow.sent_by.endswith(f":{edge.addresses()[0].port}")  # where we listen, not where we send from
            await bob.send_all(message("back"))
            await until(lambda: stack.received)
            assert stack.flows == [flow]


async def test_a_peer_that_sends_no_more_is_sent_nothing_new(autojump_clock: trio.testing.MockClock) -> None:
    async with running(TCP4) as (edge, stack), Peer() as peer:
        first = edge.open_flow(peer.target)
        async with await peer.accept() as bob:
            await bob.send_eof()
            await until(lambda: edge.open_flow(peer.target) is not first)
            assert stack.lost == []
            second = edge.open_flow(peer.target)
            await until(lambda: stack.lost)
            assert stack.lost == [first]
            assert edge.open_flow(peer.target) is second


async def test_we_connect_from_the_address_that_we_listen_at() -> None:
    async with running(Listen("tcp", "127.0.0.2")) as (edge, _), Peer() as peer:
        flow = edge.open_flow(peer.target)
        async with await peer.accept() as bob:
            assert bob.socket.getpeername() == flow.local
            assert flow.local[0] == "127.0.0.2"
            assert flow.sent_by == f"127.0.0.2:{edge.addresses()[0].port}"


async def test_connecting_needs_no_listener() -> None:
    async with running(UDP4) as (edge, stack), Peer() as peer:
        flow = edge.open_flow(peer.target)
        stack.send(flow, message())
        edge.post(lambda: None)
        async with await peer.accept() as bob:
            assert await received(bob, len(message())) == message()
            assert flow.sent_by == f"127.0.0.1:{flow.local[1]}"


async def test_a_request_goes_back_by_the_connection_that_the_peer_opened() -> None:
    async with running(TCP4) as (edge, stack), await connected(edge.addresses()[0]) as alice:
        await alice.send_all(message())
        await received(alice, len(message()))
        assert edge.open_flow(Target("tcp", *alice.socket.getsockname())) is stack.flows[0]


async def test_after_the_end_of_a_connection_a_new_one_is_made() -> None:
    async with running(TCP4) as (edge, stack), Peer() as peer:
        first = edge.open_flow(peer.target)
        async with await peer.accept():
            pass
        await until(lambda: edge.open_flow(peer.target) is not first)
        second = edge.open_flow(peer.target)
        async with await peer.accept() as bob:
            stack.send(second, message())
            edge.post(lambda: None)
            assert await received(bob, len(message())) == message()


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 18.4")
async def test_the_stack_hears_who_has_connected_and_not_whom_we_connect_to() -> None:
    async with running(TCP4) as (edge, stack), Peer() as peer:
        edge.open_flow(peer.target)
        async with await peer.accept(), await connected(edge.addresses()[0]) as alice:
            await alice.send_all(message())
            await received(alice, len(message()))
            assert stack.opened == stack.flows


async def test_a_refused_connection_loses_its_flow() -> None:
    async with running(TCP4) as (edge, stack):
        async with Peer() as peer:
            refused = peer.target
        flow = edge.open_flow(refused)
        assert not flow.closed
        stack.send(flow, message())
        edge.post(lambda: None)
        await until(lambda: stack.lost)
        assert stack.lost == [flow]
        assert flow.closed
        assert edge.open_flow(refused) is not flow


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 18.4")
async def test_a_connection_that_is_not_made_in_time_is_lost(autojump_clock: trio.testing.MockClock) -> None:
    async with Peer(backlog=0) as peer, running(TCP4, limit=60) as (edge, stack):
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:  # a full queue of connections takes no more: the kernel answers nothing
            filler.setblocking(False)
            filler.connect_ex(peer.target.address)
        flow = edge.open_flow(peer.target)
        started = trio.current_time()
        await until(lambda: stack.lost)
        assert stack.lost == [flow]
        assert 5.0 <= trio.current_time() - started < 5.1
        for filler in fillers:
            filler.close()


async def test_the_stack_hears_nothing_of_connections_that_end_with_the_edge() -> None:
    stack = Echo()
    async with running(TCP4, stack=stack) as (edge, _), await connected(edge.addresses()[0]) as alice:
        await alice.send_all(message())
        await received(alice, len(message()))
        edge.close()
        assert await alice.receive_some() == b""
    assert stack.lost == []
