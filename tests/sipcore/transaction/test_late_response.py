"""A response whose connection is gone goes back another way (RFC 3261 section 18.2.2, RFC 3263 section 5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.runtime.sent_by import SentBy
from sipcore.flow import Flow, Target
from sipcore.locate import Locator
from sipcore.message import Request, Response
from sipcore.need import Runner
from sipcore.transaction.user import ServerTransaction
from sipcore.uri import Uri
from tests.scripted_dns import SERVED, ScriptedDns
from tests.wire import Node, Wire, request

US = ("10.0.0.1", 5060)
SOURCE = ("10.0.0.2", 40_000)
BACK = ("10.0.0.2", 5060)
OTHER = ("10.0.0.3", 5070)
ZONE = f"""
_sip._tcp.client.example SRV 1 0 5070 dead.client.example
_sip._tcp.client.example SRV 2 0 5070 other.client.example
dead.client.example A 10.0.0.9
other.client.example A {OTHER[0]}
"""


class Waiting:
    """A transaction user that keeps what it gets."""

    def __init__(self) -> None:
        self.transactions: list[tuple[Request, ServerTransaction]] = []

    def request(self, message: Request, transaction: ServerTransaction) -> None:
        self.transactions.append((message, transaction))

    def ack(self, message: Request, flow: Flow) -> None:
        raise AssertionError("nobody acknowledges")

    def stray_response(self, response: Response, flow: Flow) -> None:
        raise AssertionError("nobody answers")


class Scene:
    """A client that sends a request by TCP from `SOURCE`, and other places it might be."""

    def __init__(self, sent_by: str = "client.example", zone: str = ZONE) -> None:
        self.wire = Wire()
        self.user = Waiting()
        self.us: Node = self.wire.stack(US[0], self.user)
        self.client = self.wire.peer(*SOURCE)
        self.back = self.wire.peer(*BACK)
        self.other = self.wire.peer(*OTHER)
        assert self.us.stack is not None
        self.stack = self.us.stack
        runner = Runner(lambda need, done: pytest.fail("everything is known"), _raise)
        locator = Locator(ScriptedDns(zone), SERVED)
        self.stack.transactions.locate_sent_by = SentBy(locator, runner).locate
        message = request("INVITE", "sip:bob@example.com", source=SOURCE, branch="x", transport="TCP")
        message.set("via", f"SIP/2.0/TCP {sent_by};branch=z9hG4bKx".encode())
        self.client.send(message, US, "tcp")
        self.wire.run(0.01)

    def respond(self, status: int = 486) -> None:
        """The connection ends, then we answer."""
        message, transaction = self.user.transactions[0]
        self.us.flow(SOURCE, "tcp").closed = True
        self.wire.at(0, lambda: transaction.respond(message.response(status, to_tag="t")))
        self.wire.run(1)

    def refuse(self, *addresses: tuple[str, int]) -> None:
        self.wire.refusing.update(addresses)

    def knocked(self) -> list[tuple[str, int]]:
        """Where responses were sent to, in order."""
        return [to for _, _, to, data in self.wire.carried if data.startswith(b"SIP/2.0 486")]


def _raise(failure: Exception, owner: object) -> None:
    raise failure


def test_an_open_connection_is_used() -> None:
    scene = Scene()
    message, transaction = scene.user.transactions[0]
    scene.wire.at(0, lambda: transaction.respond(message.response(486, to_tag="t")))
    scene.wire.run(1)
    assert scene.knocked() == [SOURCE]


@pytest.mark.conformance("RFC 3261 18.2.2")
def test_the_address_that_the_request_came_from_is_first() -> None:
    scene = Scene()
    scene.respond()
    assert scene.knocked() == [BACK]
    assert scene.back.responses(486)


@pytest.mark.conformance("RFC 3263 5")
def test_then_the_servers_of_the_name_are_tried_in_turn() -> None:
    scene = Scene()
    scene.refuse(BACK, ("10.0.0.9", 5070))
    scene.respond()
    assert scene.knocked() == [BACK, ("10.0.0.9", 5070), OTHER]
    assert scene.other.responses(486)


@pytest.mark.conformance("RFC 3263 5")
def test_with_a_port_only_addresses_are_asked_for() -> None:
    scene = Scene("client.example:5070", ZONE + f"client.example A {OTHER[0]}")
    scene.refuse(("10.0.0.2", 5070))
    scene.respond()
    assert scene.knocked() == [("10.0.0.2", 5070), OTHER]


@pytest.mark.conformance("RFC 3263 5")
@pytest.mark.row("C19")
@pytest.mark.parametrize(
    ("sent_by", "zone"), [("10.0.0.3:5070", ZONE), ("a.invalid", ZONE), ("gone.example", ZONE), ("127.0.0.1", ZONE)]
)
def test_what_leads_nowhere_or_elsewhere_is_not_tried(sent_by: str, zone: str) -> None:
    scene = Scene(sent_by, zone)
    scene.refuse(BACK, ("10.0.0.2", 5070))
    scene.respond()
    assert {host for host, _ in scene.knocked()} == {"10.0.0.2"}


@pytest.mark.row("C19")
def test_a_name_with_many_addresses_makes_us_knock_at_few() -> None:
    zone = "\n".join(f"client.example A 10.1.0.{number}" for number in range(16))
    scene = Scene("client.example:5070", zone)
    scene.refuse(("10.0.0.2", 5070), *((f"10.1.0.{number}", 5070) for number in range(16)))
    scene.respond()
    assert len(scene.knocked()) == 1 + 4


@pytest.mark.parametrize("refused", [(), (BACK,), (BACK, OTHER, ("10.0.0.9", 5070))])
def test_nothing_is_left(refused: tuple[tuple[str, int], ...]) -> None:
    scene = Scene()
    scene.refuse(*refused)
    scene.respond()
    scene.wire.run(70)
    assert all(not flow.clients for flow in scene.us.flows.values())
    assert scene.stack.timers.pending() == 0
    assert not scene.stack.transactions.servers


def test_without_a_way_to_locate_only_the_source_is_tried() -> None:
    scene = Scene()
    scene.stack.transactions.locate_sent_by = None
    scene.refuse(BACK)
    scene.respond()
    assert scene.knocked() == [BACK]


def test_a_name_that_is_located_later() -> None:
    scene = Scene()
    found: list[Callable[[tuple[Target, ...]], None]] = []

    def locate(uri: Uri, call: Callable[[tuple[Target, ...]], None]) -> None:
        assert uri.text == "sip:client.example;transport=tcp"
        found.append(call)

    scene.stack.transactions.locate_sent_by = locate
    scene.refuse(BACK)
    scene.respond()
    scene.wire.at(0, lambda: found[0]((Target("tcp", *OTHER),)))
    scene.wire.run(1)
    assert scene.other.responses(486)
