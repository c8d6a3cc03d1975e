"""The network of a story: what happens in which order, and what comes of messages that nobody takes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from routing.program.rehearsal.ladder import Ladder, Noted, Sent
from routing.program.rehearsal.network import Network, NeverEnds
from sipcore.flow import Flow
from sipcore.stack import Stack
from tests.wire import new_tokens

US = ("198.51.100.1", 5060)
BOB = ("198.51.100.11", 5060)
OPTIONS = (
    b"OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.11;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


@dataclass
class Party:
    """Takes what comes."""

    name: str = "bob"
    up: bool = True
    taken: list[tuple[bytes, Flow | None]] = field(default_factory=list)

    def take(self, data: bytes, flow: Flow | None) -> None:
        self.taken.append((data, flow))


class Nobody:
    """A transaction user that answers nothing, and notes what is lost."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    def request(self, request: object, transaction: object) -> None:
        self.requests.append(str(request))

    def ack(self, request: object, flow: object) -> None: ...

    def stray_response(self, response: object, flow: object) -> None: ...


class World:
    def __init__(self) -> None:
        self.network = Network(Ladder())
        self.user = Nobody()
        self.stack = Stack(user=self.user, open_flow=lambda target: self.flow(), tokens=new_tokens())  # type: ignore[arg-type]
        self.network.connect(self.stack)
        self.bob = Party()
        self.network.parties[BOB] = self.bob
        self.lost: list[Flow] = []
        self.stack.when_flow_ends.append(self.lost.append)

    def flow(self, transport: str = "udp", remote: tuple[str, int] = BOB, edge: object = None) -> Flow:
        return Flow(transport, US, remote, "", edge)

    def sent(self) -> list[tuple[float, str, str, str]]:
        return [
            (one.time, one.source, one.target, one.text) for one in self.network.ladder.rungs if isinstance(one, Sent)
        ]

    def send(self, flow: Flow, data: bytes = OPTIONS) -> None:
        """The server sends something."""
        self.stack.outbox.append((flow, data))
        self.network.soon(lambda: None)
        self.network.settle()


@pytest.fixture
def world() -> World:
    return World()


# -- time -------------------------------------------------------------------------------------------------------------


def test_things_happen_in_the_order_of_their_time_and_then_of_their_making(world: World) -> None:
    network, told = world.network, []
    network.later(2.0, lambda: told.append(("two", network.now)))
    network.later(1.0, lambda: told.append(("one", network.now)))
    network.later(2.0, lambda: told.append(("two again", network.now)))
    network.soon(lambda: told.append(("now", network.now)))
    while network.step(10.0):
        pass
    assert told == [("now", 0.0), ("one", 1.0), ("two", 2.0), ("two again", 2.0)]
    assert network.now == 10.0 == world.stack.timers.now


def test_what_lies_behind_the_end_does_not_happen_yet(world: World) -> None:
    told: list[str] = []
    world.network.later(5.0, lambda: told.append("late"))
    assert not world.network.step(4.0)
    assert (world.network.now, told) == (4.0, [])
    assert world.network.step(5.0)
    assert told == ["late"]


def test_timers_of_the_server_are_due_in_their_turn(world: World) -> None:
    network, told = world.network, []
    world.stack.timers.after(1.5, lambda _: told.append(("timer", network.now)))
    network.later(1.0, lambda: told.append(("before", network.now)))
    network.later(1.5, lambda: told.append(("at the same time", network.now)))
    network.later(2.0, lambda: told.append(("behind", network.now)))
    while network.step(3.0):
        pass
    assert told == [("before", 1.0), ("at the same time", 1.5), ("timer", 1.5), ("behind", 2.0)]


def test_an_event_can_be_called_off(world: World) -> None:
    told: list[str] = []
    event = world.network.later(1.0, lambda: told.append("no"))
    world.network.later(2.0, lambda: told.append("yes"))
    event.cancel()
    while world.network.step(5.0):
        pass
    assert told == ["yes"]
    assert not world.network.has_events


def test_only_what_is_on_its_way_counts(world: World) -> None:
    network = world.network
    assert not network.has_events
    event = network.later(1.0, lambda: None)
    assert network.has_events
    event.cancel()
    assert not network.has_events


def test_settling_does_all_of_this_moment_and_nothing_of_the_next(world: World) -> None:
    network, told = world.network, []
    network.soon(lambda: network.soon(lambda: told.append("inner")))
    network.later(0.001, lambda: told.append("later"))
    network.settle()
    assert (told, network.now) == (["inner"], 0.0)


def test_what_goes_round_for_ever_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.program.rehearsal.network.MOST_EVENTS", 100)

    def again() -> None:
        world.network.soon(again)

    again()
    with pytest.raises(NeverEnds):
        world.network.settle()


# -- messages ---------------------------------------------------------------------------------------------------------


def test_the_server_sends_to_whoever_has_the_address(world: World) -> None:
    flow = world.flow()
    world.send(flow)
    assert world.bob.taken == [(OPTIONS, flow)]
    assert world.sent() == [(0.0, "ringway", "bob", "OPTIONS sip:example.com")]


def test_a_connection_leads_to_who_made_it_whatever_its_address(world: World) -> None:
    flow = world.flow("tcp", ("198.51.100.11", 50_000), world.bob)
    world.send(flow)
    assert world.bob.taken == [(OPTIONS, flow)]


def test_nobody_there_takes_nothing(world: World) -> None:
    world.send(world.flow(remote=("203.0.113.9", 5070)))
    assert world.sent() == [(0.0, "ringway", "203.0.113.9:5070 (nobody)", "OPTIONS sip:example.com")]
    assert world.bob.taken == []


def test_who_is_down_refuses(world: World) -> None:
    world.bob.up = False
    udp, tcp = world.flow(), world.flow("tcp")
    world.send(udp)
    world.send(tcp)
    assert world.bob.taken == []
    assert (udp.closed, tcp.closed) == (False, True)
    assert world.lost == [tcp]
    notes = [one.text for one in world.network.ladder.rungs if isinstance(one, Noted)]
    assert notes == ["bob can't be reached", "bob can't be reached"]


def test_a_party_sends_to_the_server(world: World) -> None:
    world.network.send(world.bob, OPTIONS, world.flow())
    assert world.user.requests == []
    world.network.settle()
    assert world.user.requests == ["<OPTIONS sip:example.com>"]
    assert world.sent() == [(0.0, "bob", "ringway", "OPTIONS sip:example.com")]


def test_by_a_connection_that_has_ended_nothing_comes(world: World) -> None:
    flow = world.flow("tcp", edge=world.bob)
    world.network.send(world.bob, OPTIONS, flow)
    world.network.end(flow)
    world.network.settle()
    assert world.user.requests == []
    world.send(flow)
    assert world.bob.taken == []


def test_the_server_closes_a_connection(world: World) -> None:
    flow = world.flow("tcp", edge=world.bob)
    world.send(flow, b"")
    assert flow.closed
    assert world.sent() == []


def test_parties_may_send_past_the_server(world: World) -> None:
    alice = Party("alice")
    world.network.send_past(alice, OPTIONS, BOB)
    world.network.send_past(alice, OPTIONS, ("203.0.113.9", 5060))
    world.network.settle()
    assert world.bob.taken == [(OPTIONS, None)]
    assert [(source, target) for _, source, target, _ in world.sent()] == [
        ("alice", "bob"), ("alice", "203.0.113.9:5060 (nobody)"),
    ]  # fmt: skip
