"""UDP over loopback: batches, flows, refused ports, and a kernel that takes no more."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import trio
import trio.testing

from sipcore.flow import Target
from sipcore.net.addresses import interface_addresses
from sipcore.net.driver import Driver
from sipcore.net.settings import EdgeSettings
from sipcore.net.udp import UdpSocket
from tests.net.echo import UDP4, UDP6, Echo, Listen, message, running, until


@contextlib.asynccontextmanager
async def phone(target: Target, host: str = "127.0.0.1") -> AsyncIterator[trio.socket.SocketType]:
    """A UDP socket whose peer is the edge."""
    family = socket.AF_INET6 if ":" in target.host else socket.AF_INET
    with trio.socket.socket(family, socket.SOCK_DGRAM) as opened:
        await opened.bind(("::1" if ":" in target.host else host, 0))
        await opened.connect((target.host, target.port))
        yield opened


def refused_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens at."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.bind((host, 0))
        port: int = opened.getsockname()[1]
        return port


@pytest.mark.parametrize("listen", [UDP4, UDP6], ids=["v4", "v6"])
async def test_a_datagram_is_answered(listen: Listen) -> None:
    async with running(listen) as (edge, stack), phone(edge.addresses()[0]) as alice:
        await alice.send(b"ping")
        assert await alice.recv(100) == b"ping"
        (flow,) = stack.flows
        assert flow.transport == "udp"
        assert not flow.reliable
        assert flow.local == edge.addresses()[0].address
        assert flow.remote == alice.getsockname()[:2]
        assert flow.sent_by == (f"127.0.0.1:{flow.local[1]}" if listen is UDP4 else f"[::1]:{flow.local[1]}")


async def test_each_peer_has_one_flow() -> None:
    async with running(UDP4) as (edge, stack), phone(edge.addresses()[0]) as alice, phone(edge.addresses()[0]) as bob:
        for sender in (alice, bob, alice, bob):
            await sender.send(b"x")
            await sender.recv(10)
        first, second, third, fourth = stack.flows
        assert first is third
        assert second is fourth
        assert first is not second
        assert edge.open_flow(Target("udp", *first.remote)) is first
        assert edge.statistics().udp[0].received == 4
        assert edge.statistics().udp[0].peers == 2


async def test_several_listeners_answer_from_their_own_port() -> None:
    async with running(UDP4, UDP4, UDP6) as (edge, _):
        for target in edge.addresses():
            async with phone(target) as alice:
                await alice.send(b"x")
                assert await alice.recv(10) == b"x"


@pytest.mark.parametrize(("wildcard", "own"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
async def test_a_wildcard_listener_names_the_address_that_the_kernel_uses(wildcard: str, own: str) -> None:
    async with running(Listen("udp", wildcard)) as (edge, stack):
        port = edge.addresses()[0].port
        async with phone(Target("udp", own, port)) as alice:
            await alice.send(b"x")
            assert await alice.recv(10) == b"x"
            assert stack.flows[0].local == (own, port)
            assert stack.flows[0].sent_by == (f"[{own}]:{port}" if ":" in own else f"{own}:{port}")


async def test_without_a_free_descriptor_new_peers_are_still_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(host: str, scope: int) -> str:
        raise OSError(errno.EMFILE, "Too many open files")

    async with running(Listen("udp", "0.0.0.0")) as (edge, stack):
        here = Target("udp", "127.0.0.1", edge.addresses()[0].port)
        async with phone(here) as alice, phone(here, "127.0.0.5") as bob:
            await alice.send(b"x")
            await alice.recv(10)
            monkeypatch.setattr("sipcore.net.udp.source_address", exhausted)
            await bob.send(b"x")
            assert await bob.recv(10) == b"x"
            assert stack.flows[1].local == here.address


async def test_a_peer_without_a_way_back_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(host: str, scope: int) -> str:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("sipcore.net.udp.source_address", unreachable)
    async with running(Listen("udp", "0.0.0.0")) as (edge, stack):
        async with phone(Target("udp", "127.0.0.1", edge.addresses()[0].port)) as alice:
            await alice.send(b"x")
            await until(lambda: edge.statistics().udp[0].unanswerable == 1)
        assert stack.received == []


async def test_link_local_peers_are_answered_and_their_zone_stays_here() -> None:
    async with running(Listen("udp", "::")) as (edge, stack):
        for interface, address in interface_addresses():
            if not address.startswith("fe80:"):
                continue
            with trio.socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as alice:
                here = (address, edge.addresses()[0].port, 0, socket.if_nametoindex(interface))
                await alice.sendto(b"x", here)
                assert await alice.recv(10) == b"x"
                assert stack.flows[-1].remote[0] == stack.flows[-1].local[0] == address
        assert edge.statistics().udp[0].unanswerable == 0


@pytest.mark.parametrize(
    ("advertise", "sent_by"),
    [
        ("sip.example.com", "sip.example.com:{port}"),
        ("203.0.113.5:5080", "203.0.113.5:5080"),
        ("[2001:db8::5]", "[2001:db8::5]:{port}"),
    ],
)
async def test_an_advertised_address_is_what_our_via_carries(advertise: str, sent_by: str) -> None:
    async with running(Listen("udp", "127.0.0.1", 0, advertise)) as (edge, stack), phone(edge.addresses()[0]) as alice:
        await alice.send(b"x")
        await alice.recv(10)
        assert stack.flows[0].sent_by == sent_by.format(port=edge.addresses()[0].port)
        assert stack.flows[0].local[0] == "127.0.0.1"


async def test_the_next_datagram_is_answered_after_a_flood_of_10_000() -> None:
    async with running(UDP4) as (edge, stack), phone(edge.addresses()[0]) as alice:
        stack.on_message = lambda data, flow: None if data == b"flood" else stack.send(flow, data)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
            for _ in range(10_000):
                flooder.sendto(b"flood", edge.addresses()[0].address)
        await alice.send(b"still there?")
        with trio.move_on_after(1.0):
            await alice.recv(100)
        # The flood may have filled the kernel's buffer, so that the first one was lost; not the next.
        await alice.send(b"and now?")
        with trio.fail_after(1.0):
            assert await alice.recv(100) in (b"still there?", b"and now?")
        assert len(stack.received) > 1_000


async def test_other_tasks_have_their_turn_during_a_flood() -> None:
    async with running(UDP4) as (edge, stack):
        turns_at: list[int] = []

        async def neighbour() -> None:
            while True:
                turns_at.append(len(stack.received))
                await trio.lowlevel.checkpoint()

        stack.on_message = lambda data, flow: None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
            for _ in range(1_000):
                flooder.sendto(b"flood", edge.addresses()[0].address)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(neighbour)
            await until(lambda: len(stack.received) == 1_000)
            nursery.cancel_scope.cancel()
        steps = [after - before for before, after in pairwise(turns_at)]
        assert max(steps) <= 2 * 64  # Trio shuffles who comes first in a round


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Jumps ahead when nothing has happened for a while; a datagram on loopback is faster than that."""
    return trio.testing.MockClock(autojump_threshold=0.01)


@pytest.mark.parametrize(("gather", "waits"), [(0.002, [0, 0, 0.002, 0]), (0.0, [0, 0, 0, 0])])
async def test_datagrams_that_come_fast_are_gathered(
    clock: trio.testing.MockClock, gather: float, waits: list[float]
) -> None:
    async with running(UDP4, gather=gather) as (edge, _), phone(edge.addresses()[0]) as alice:
        waited = []
        for pause in (0, 0, 0, 1):
            await trio.sleep(pause)
            sent = trio.current_time()
            await alice.send(b"x")
            await alice.recv(10)
            waited.append(trio.current_time() - sent)
        assert waited == pytest.approx(waits)


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 18.4")
@pytest.mark.parametrize(("listen", "host"), [(UDP4, "127.0.0.1"), (UDP6, "::1")], ids=["v4", "v6"])
async def test_a_refused_port_loses_its_flow_at_once(listen: Listen, host: str) -> None:
    async with running(listen) as (edge, stack), phone(edge.addresses()[0]) as alice:
        refused = edge.open_flow(Target("udp", host, refused_port(host)))
        stack.send(refused, b"anybody?")
        edge.post(lambda: None)
        with trio.fail_after(1.0):
            await until(lambda: stack.lost)
        assert stack.lost == [refused]
        assert not refused.closed  # the socket lives: the next message may get through
        await alice.send(b"x")
        assert await alice.recv(10) == b"x"


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 18.4")
async def test_a_refusal_is_heard_of_by_whoever_sends_next() -> None:
    stack = Echo()
    async with running(UDP4, stack=stack) as (edge, _), phone(edge.addresses()[0]) as alice:
        refused = edge.open_flow(Target("udp", "127.0.0.1", refused_port()))
        stack.send(refused, b"anybody?")
        stack.send(edge.open_flow(Target("udp", *alice.getsockname())), b"x")
        edge._driver.settle(trio.current_time())
        assert stack.lost == [refused]  # without a turn of the loop
        assert await alice.recv(10) == b"x"


async def test_a_refusal_is_heard_of_though_the_socket_does_not_report_it() -> None:
    async with running(UDP4) as (edge, stack):
        refused = edge.open_flow(Target("udp", "127.0.0.1", refused_port()))
        stack.send(refused, b"anybody?")
        edge._driver.settle(trio.current_time())
        assert edge._udp[0].socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # asking takes the report away
        await until(lambda: stack.lost == [refused])


async def test_a_refusal_is_heard_of_while_datagrams_keep_coming() -> None:
    class Busy(socket.socket):
        """Always has a datagram, behind the report of a refused one."""

        reported = False

        def recvfrom(self, size: int) -> tuple[bytes, tuple[str, int]]:  # type: ignore[override]
            if not self.reported:
                Busy.reported = True
                raise ConnectionRefusedError
            return b"x", ("127.0.0.1", 9)

        def recvmsg(self, *_: int) -> object:  # type: ignore[override]
            if Busy.refused is None:
                raise BlockingIOError
            peer, Busy.refused = Busy.refused, None
            return b"", [(socket.IPPROTO_IP, 11, bytes((111, 0, 0, 0, 2, 3, 3, 0)) + bytes(24))], 0, peer

        refused: tuple[str, int] | None = ("127.0.0.1", 5999)

    with Busy(socket.AF_INET, socket.SOCK_DGRAM) as busy, trio.move_on_after(5):
        busy.bind(("127.0.0.1", 0))
        driver, stack = Driver(), Echo(on_message=lambda data, flow: None)
        udp = UdpSocket(UDP4, busy, driver, EdgeSettings((UDP4,)))
        async with trio.open_nursery() as nursery:
            driver.begin(stack, nursery)
            flow = udp.flow_to("127.0.0.1", 5999)
            busy.sendto(b"wake up", udp.local)
            nursery.start_soon(udp.run)
            await until(lambda: stack.lost)
            nursery.cancel_scope.cancel()
    assert stack.lost == [flow]


async def test_a_refused_datagram_does_not_take_the_next_one_to_somebody_else_with_it() -> None:
    async with running(UDP4) as (edge, stack), phone(edge.addresses()[0]) as alice:
        refused = edge.open_flow(Target("udp", "127.0.0.1", refused_port()))
        good = edge.open_flow(Target("udp", *alice.getsockname()))
        for number in range(20):
            stack.send(refused, b"anybody?")
            stack.send(good, b"%d" % number)
        edge.post(lambda: None)
        assert [await alice.recv(10) for _ in range(20)] == [b"%d" % number for number in range(20)]
        assert set(stack.lost) == {refused}


async def test_a_target_that_the_system_refuses_to_send_to_is_lost() -> None:
    async with running(UDP4) as (edge, stack):
        # A socket bound to loopback can send to no other machine; the flow is one that a peer could not have.
        flow = edge._udp[0].flow_to("192.0.2.200", 5060)
        stack.send(flow, b"x")
        edge.post(lambda: None)
        await until(lambda: stack.lost)
        assert stack.lost == [flow]


@pytest.mark.row("A22")
@pytest.mark.conformance("RFC 3261 18.1.1")
async def test_the_longest_datagram_goes_both_ways() -> None:
    async with running(UDP4) as (edge, _), phone(edge.addresses()[0]) as alice:
        data = bytes(range(256)) * 256
        await alice.send(data[:65_507])
        assert await alice.recv(65_535) == data[:65_507]


@pytest.mark.conformance("RFC 3261 18.1.1")
async def test_a_message_too_long_for_udp_is_dropped_and_the_flow_stays() -> None:
    async with running(UDP4) as (edge, stack), phone(edge.addresses()[0]) as alice:
        stack.on_message = lambda data, flow: stack.send(flow, bytes(70_000) if data == b"long" else data)
        await alice.send(b"long")
        await alice.send(b"short")
        assert await alice.recv(100) == b"short"
        assert stack.lost == []
        assert edge.statistics().udp[0].dropped == 1


async def test_a_fault_in_the_stack_is_reported_and_the_next_datagram_answered() -> None:
    faults: list[tuple[Exception, str]] = []
    async with running(UDP4, faults=faults) as (edge, stack), phone(edge.addresses()[0]) as alice:

        def fail(data: bytes, flow: object) -> None:
            stack.on_message = None
            raise ZeroDivisionError("a bug")

        stack.on_message = fail
        await alice.send(b"one")
        await alice.send(b"two")
        assert await alice.recv(100) == b"two"
        ((failure, doing),) = faults
        assert isinstance(failure, ZeroDivisionError)
        assert "receiving a datagram by <Flow udp" in doing


class Reluctant(socket.socket):
    """A socket whose kernel buffer is full for the next `full` attempts to send."""

    full = 0

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:  # type: ignore[override]
        if self.full > 0:
            Reluctant.full -= 1
            raise BlockingIOError
        return super().sendto(data, address)


@pytest.mark.parametrize(("most", "arrive"), [(100, 5), (3, 3)], ids=["all wait", "some are dropped"])
async def test_datagrams_wait_in_order_while_the_kernel_takes_no_more(most: int, arrive: int) -> None:
    with Reluctant(socket.AF_INET, socket.SOCK_DGRAM) as full, trio.fail_after(5):
        full.bind(("127.0.0.1", 0))
        full.setblocking(False)
        Reluctant.full = 3
        driver, stack = Driver(), Echo()
        udp = UdpSocket(UDP4, full, driver, EdgeSettings((UDP4,), datagrams_waiting=most))
        async with trio.open_nursery() as nursery, phone(Target("udp", *udp.local)) as alice:
            driver.begin(stack, nursery)
            flow = udp.flow_to(*alice.getsockname())
            for number in range(5):
                stack.send(flow, b"%d" % number)
            driver.settle(trio.current_time())
            assert [await alice.recv(10) for _ in range(arrive)] == [b"%d" % number for number in range(arrive)]
            assert udp.statistics().dropped == 5 - arrive
            nursery.cancel_scope.cancel()


async def test_the_real_messages_of_a_stack_pass_unchanged() -> None:
    async with running(UDP4) as (edge, _), phone(edge.addresses()[0]) as alice:
        await alice.send(message(body=b"\0\r\n\xff"))
        assert await alice.recv(2_000) == message(body=b"\0\r\n\xff")


@pytest.mark.conformance("RFC 3261 18.2.2")
@pytest.mark.parametrize("listen", [UDP4, UDP6], ids=["v4", "v6"])
async def test_another_port_of_a_peer_is_reached_by_the_same_socket(listen: Listen) -> None:
    """RFC 3261 section 18.2.2: an answer goes to the port that the Via names."""
    async with running(listen) as (edge, stack):
        (address,) = edge.addresses()
        async with phone(address) as alice, phone(address) as other:
            stack.on_message = lambda data, flow: stack.send(flow.at_port(other.getsockname()[1]), data)
            await alice.send(b"to the other")
            assert await other.recv(100) == b"to the other"
            (flow,) = stack.flows
            there = flow.at_port(other.getsockname()[1])
            assert there is flow.at_port(other.getsockname()[1]) and there.remote == other.getsockname()[:2]
            assert there.local == flow.local
