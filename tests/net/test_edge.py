"""The edge as a whole: the clock, slow calls, calls of other threads, the beginning and the end."""

from __future__ import annotations

import os
import socket
import threading

import pytest
import trio
import trio.testing

from sipcore.errors import ConfigurationError, Unavailable, Unresolvable
from sipcore.flow import Target
from sipcore.need import Need
from sipcore.net.edge import Edge
from sipcore.net.settings import EdgeSettings
from tests.net.echo import TCP4, TCP6, UDP4, UDP6, Echo, Listen, message, running, until
from tests.net.test_udp import phone

# -- the clock --------------------------------------------------------------------------------------------------------


async def test_timers_run_when_they_are_due(autojump_clock: trio.testing.MockClock) -> None:
    async with running(UDP4, limit=1_000) as (edge, stack):
        ran: list[tuple[float, object]] = []
        began = trio.current_time()

        def note(argument: object) -> None:
            ran.append((round(trio.current_time() - began, 1), argument))

        def set_timers() -> None:
            for delay in (32.0, 0.5, 181.0, 7.0):
                stack.timers.after(delay, note, delay)

        edge.post(set_timers)
        await trio.sleep(200)
        assert ran == [(delay, delay) for delay in (0.5, 7.0, 32.0, 181.0)]


async def test_an_earlier_timer_wakes_earlier(autojump_clock: trio.testing.MockClock) -> None:
    async with running(UDP4, limit=100) as (edge, stack):
        ran: list[float] = []
        edge.post(lambda: stack.timers.after(32.0, print))
        await trio.sleep(1)
        edge.post(lambda: stack.timers.after(0.5, lambda _: ran.append(trio.current_time())))
        asked = trio.current_time()
        await trio.sleep(1)
        assert len(ran) == 1
        assert 0.5 <= ran[0] - asked < 0.52


async def test_timers_that_are_due_close_together_share_a_waking(autojump_clock: trio.testing.MockClock) -> None:
    class Counting(Echo):
        ticks = 0

        def tick(self, now: float) -> None:
            self.ticks += 1
            super().tick(now)

    stack = Counting()
    async with running(UDP4, stack=stack, limit=100) as (edge, _):
        edge.post(lambda: [stack.timers.after(0.7 + number / 10_000, str) for number in range(50)])
        await trio.sleep(1)
        assert stack.timers.pending() == 0
        assert stack.ticks == 1
        edge.post(lambda: [stack.timers.after(0.7 + number / 1_000, str) for number in range(50)])
        await trio.sleep(1)
        assert stack.timers.pending() == 0
        assert stack.ticks <= 1 + 7


async def test_what_a_timer_sends_leaves_at_once(autojump_clock: trio.testing.MockClock) -> None:
    async with running(UDP4) as (edge, stack), phone(edge.addresses()[0]) as alice:
        flow = edge.open_flow(Target("udp", *alice.getsockname()))
        edge.post(lambda: stack.timers.after(0.7, lambda _: stack.send(flow, b"again")))
        assert await alice.recv(10) == b"again"
        assert trio.current_time() == pytest.approx(0.7, abs=0.02)


async def test_a_fault_in_a_timer_is_reported_and_the_next_one_runs(autojump_clock: trio.testing.MockClock) -> None:
    faults: list[tuple[Exception, str]] = []
    async with running(UDP4, faults=faults) as (edge, stack):
        ran: list[object] = []
        edge.post(lambda: stack.timers.after(0.5, int, "no number"))
        edge.post(lambda: stack.timers.after(1.0, ran.append, "ran"))
        await trio.sleep(2)
        assert ran == ["ran"]
        assert [doing for _, doing in faults] == ["running timers"]


# -- slow calls -------------------------------------------------------------------------------------------------------


class Answers:
    """A `done` that keeps what it was called with."""

    def __init__(self, stack: Echo) -> None:
        self.stack = stack
        self.got: list[tuple[object, BaseException | None]] = []
        self.now = 0.0

    def __call__(self, result: object, error: BaseException | None) -> None:
        self.now = self.stack.timers.now
        self.got.append((result, error))


async def double(value: int) -> int:
    await trio.sleep(0.01)
    return 2 * value


async def fail(error: Exception) -> None:
    await trio.lowlevel.checkpoint()
    raise error


async def test_a_slow_call_is_answered_at_the_present_time(autojump_clock: trio.testing.MockClock) -> None:
    async with running(UDP4) as (edge, stack):
        done = Answers(stack)
        edge.perform(Need(double, 21), done)
        await until(lambda: done.got)
        assert done.got == [(42, None)]
        assert done.now == pytest.approx(0.01, abs=0.002)
        assert edge.statistics().slow_calls == 0


async def test_what_the_answer_makes_the_stack_send_leaves_at_once() -> None:
    async with running(UDP4) as (edge, stack), phone(edge.addresses()[0]) as alice:
        flow = edge.open_flow(Target("udp", *alice.getsockname()))
        edge.perform(Need(double, 21), lambda result, error: stack.send(flow, b"%d" % result))
        assert await alice.recv(10) == b"42"


async def test_an_error_of_ours_arrives_as_it_is_and_a_foreign_one_as_unavailable() -> None:
    async with running(UDP4) as (edge, stack):
        done = Answers(stack)
        edge.perform(Need(fail, Unresolvable("no address")), done)
        await until(lambda: len(done.got) == 1)
        edge.perform(Need(fail, KeyError("row")), done)
        await until(lambda: len(done.got) == 2)
        (_, own), (_, foreign) = done.got
        assert isinstance(own, Unresolvable)
        assert isinstance(foreign, Unavailable)
        assert str(foreign) == "fail failed: KeyError: 'row'"
        assert isinstance(foreign.__cause__, KeyError)


async def test_a_call_without_an_answer_in_time_is_unavailable(autojump_clock: trio.testing.MockClock) -> None:
    async with running(UDP4, limit=60) as (edge, stack):
        done = Answers(stack)
        edge.perform(Need(trio.sleep_forever, timeout=2.0), done)
        await trio.sleep(1.9)
        assert done.got == []
        await trio.sleep(0.2)
        ((result, error),) = done.got
        assert result is None
        assert isinstance(error, Unavailable)
        assert "within 2 s" in str(error)


async def test_a_cancelled_call_is_not_answered() -> None:
    async with running(UDP4) as (edge, stack):
        stopped = trio.Event()

        async def wait() -> None:
            try:
                await trio.sleep_forever()
            finally:
                stopped.set()

        done = Answers(stack)
        cancel = edge.perform(Need(wait), done)
        await trio.testing.wait_all_tasks_blocked()
        cancel()
        await stopped.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert done.got == []


async def test_a_fault_behind_an_answer_is_reported_and_the_edge_goes_on() -> None:
    faults: list[tuple[Exception, str]] = []
    async with running(UDP4, faults=faults) as (edge, _), phone(edge.addresses()[0]) as alice:

        def fault(result: object, error: BaseException | None) -> None:
            raise ZeroDivisionError("a bug")

        edge.perform(Need(double, 1), fault)
        await until(lambda: faults)
        await alice.send(b"x")
        assert await alice.recv(10) == b"x"
        assert [str(failure) for failure, _ in faults] == ["a bug"]


# -- other threads ----------------------------------------------------------------------------------------------------


async def test_calls_of_other_threads_run_in_order_in_the_loop() -> None:
    async with running(UDP4) as (edge, _):
        ran: list[tuple[int, int]] = []

        def post_many() -> None:
            for number in range(1_000):
                edge.post(lambda number=number: ran.append((number, threading.get_ident())))  # type: ignore[misc]

        thread = threading.Thread(target=post_many)
        thread.start()
        await until(lambda: len(ran) == 1_000)
        thread.join(5)
        assert ran == [(number, threading.get_ident()) for number in range(1_000)]


async def test_a_fault_in_a_posted_call_does_not_stop_the_next_one() -> None:
    faults: list[tuple[Exception, str]] = []
    async with running(UDP4, faults=faults) as (edge, _):
        ran: list[str] = []
        edge.post(lambda: int("no number"))
        edge.post(lambda: ran.append("second"))
        await until(lambda: ran)
        assert isinstance(faults[0][0], ValueError)


async def test_what_is_posted_before_the_edge_runs_waits_for_it() -> None:
    edge, ran = Edge(EdgeSettings((UDP4,))), []
    edge.post(lambda: ran.append(1))
    assert ran == []
    async with trio.open_nursery() as nursery:
        await nursery.start(edge.run, Echo())
        assert ran == [1]
        edge.close()


def test_what_is_posted_after_the_end_is_dropped() -> None:
    edge, ran = Edge(EdgeSettings((UDP4,))), []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(edge.run, Echo())
            edge.close()
        edge.post(lambda: ran.append("the loop still runs"))
        await trio.testing.wait_all_tasks_blocked()

    trio.run(main)
    edge.post(lambda: ran.append("the loop has ended"))
    assert ran == []


# -- the beginning ----------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_explained_with_the_program_that_has_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        for taken in (udp, tcp):
            taken.bind(("127.0.0.1", 0))
        tcp.listen()
        wanted = (Listen("udp", "127.0.0.1", udp.getsockname()[1]), Listen("tcp", "127.0.0.1", tcp.getsockname()[1]))
        with pytest.raises(ConfigurationError) as raised:
            Edge(EdgeSettings((UDP4, *wanted))).bind()
        assert len(raised.value.problems) == 2
        for listen, problem in zip(wanted, raised.value.problems, strict=True):
            assert problem.startswith(f"{listen.transport}:127.0.0.1:{listen.port}: the port is in use by ")
            assert f"(process {os.getpid()})" in problem


def test_an_address_of_somebody_else_is_explained() -> None:
    with pytest.raises(ConfigurationError) as raised:
        Edge(EdgeSettings((Listen("udp", "203.0.113.77", 0), Listen("sctp", "127.0.0.1", 0)))).bind()
    other, transport = raised.value.problems
    assert other.startswith("udp:203.0.113.77:0: this machine has no such address; its own are 127.0.0.1")
    assert transport == "sctp:127.0.0.1:0: can't listen: Protocol not supported"


async def test_addresses_and_what_can_be_reached() -> None:
    async with running(TCP6, UDP4, UDP6) as (edge, _):
        addresses = edge.addresses()
        assert [address[:2] for address in addresses] == [("udp", "127.0.0.1"), ("udp", "::1"), ("tcp", "::1")]
        assert all(address.port for address in addresses)
        assert edge.reachable() == {"udp": (4, 6), "tcp": (6, 4), "tls": (4, 6)}


# -- flows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        Target("udp", "::1", 5060),  # no IPv6 listener
        Target("tls", "127.0.0.1", 5061),
        Target("udp", "example.com", 5060),
        Target("udp", "127.0.0.1", 0),
        Target("udp", "127.0.0.1", 65536),
        Target("udp", "", 5060),
    ],
)
async def test_a_target_without_a_way_is_unresolvable(target: Target) -> None:
    async with running(UDP4, TCP4) as (edge, _):
        with pytest.raises(Unresolvable):
            edge.open_flow(target)


async def test_the_same_target_in_another_spelling_is_the_same_flow() -> None:
    async with running(UDP4, UDP6) as (edge, _):
        assert edge.open_flow(Target("udp", "0:0:0:0:0:0:0:1", 5060)) is edge.open_flow(Target("udp", "::1", 5060))
        mapped = Target("udp", "::ffff:127.0.0.9", 5060)
        assert edge.open_flow(mapped) is edge.open_flow(Target("udp", "127.0.0.9", 5060))


async def test_a_flow_leaves_by_the_listener_of_the_address_that_the_kernel_would_use() -> None:
    async with running(Listen("udp", "127.0.0.2"), UDP4, Listen("udp", "0.0.0.0")) as (edge, _):
        assert edge.open_flow(Target("udp", "127.0.0.9", 5060)).local == edge.addresses()[1].address


async def test_way_to_a_target_is_remembered_within_a_bound() -> None:
    async with running(UDP4, peers=100) as (edge, _):
        for number in range(1, 20_000):
            edge.open_flow(Target("udp", "127.0.0.9", number))
        assert len(edge._opener._known) <= 16_384
        assert edge.statistics().udp[0].peers <= 16_384 + 100


async def test_when_an_interface_changes_wildcard_sockets_ask_anew_which_address_is_theirs(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Listen("udp", "0.0.0.0"), limit=100) as (edge, _):
        target = Target("udp", "127.0.0.9", 5060)
        before = edge.open_flow(target)
        await trio.sleep(30)
        assert edge.open_flow(target) is before
        monkeypatch.setattr("sipcore.net.edge.interface_addresses", lambda: [("eth7", "127.0.0.7")])
        monkeypatch.setattr("sipcore.net.udp.source_address", lambda host, scope: "127.0.0.7")
        await trio.sleep(30)
        assert edge.open_flow(target).sent_by == f"127.0.0.7:{edge.addresses()[0].port}"


# -- the end ----------------------------------------------------------------------------------------------------------


async def test_after_stop_accepting_nobody_new_is_served_and_the_others_are() -> None:
    async with running(TCP4, UDP4) as (edge, _):
        udp, tcp = edge.addresses()
        async with await trio.open_tcp_stream(tcp.host, tcp.port) as alice:
            await alice.send_all(message())
            await alice.receive_some()
            edge.stop_accepting()
            edge.stop_accepting()
            with pytest.raises(OSError, match="all attempts to connect"):
                await trio.open_tcp_stream(tcp.host, tcp.port)
            await alice.send_all(message())
            assert await alice.receive_some() == message()
        async with phone(udp) as bob:
            await bob.send(b"x")
            assert await bob.recv(10) == b"x"


async def test_closing_sends_what_the_stack_wanted_sent_and_frees_the_ports() -> None:
    stack = Echo()
    async with running(UDP4, TCP4, stack=stack) as (edge, _), phone(edge.addresses()[0]) as alice:
        addresses = edge.addresses()
        stack.send(edge.open_flow(Target("udp", *alice.getsockname())), b"goodbye")
        edge.close()
        assert await alice.recv(10) == b"goodbye"
        await until(lambda: edge.addresses() == ())
        with pytest.raises(Unresolvable):
            edge.open_flow(Target("udp", "127.0.0.1", 5999))
    edge = Edge(EdgeSettings(tuple(Listen(*address) for address in addresses)))
    edge.bind()
    async with trio.open_nursery() as nursery:
        await nursery.start(edge.run, Echo())
        assert edge.addresses() == addresses
        edge.close()
