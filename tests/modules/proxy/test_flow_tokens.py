"""Requests inside a dialog find the connection of a phone that nobody else can connect to (RFC 5626, RFC 7118)."""

from __future__ import annotations

import pytest

from modules.proxy.contact import leads_to_sender
from routing.runtime import Context, Destination
from routing.runtime.editing import editable, set_address
from sipcore.flow import Flow
from sipcore.message import Message, Request, Response, parse, parse_name_addr
from sipcore.uri import parse_uri
from tests.calls import route_set
from tests.serving import HOST, Server
from tests.wire import Address, Node, Wire, request, response_to

US = (HOST, 5060)
ALICE, BOB = ("10.0.0.2", 40_001), ("10.0.0.3", 40_002)
DESK = ("10.0.0.4", 5060)


class Phones:
    """A server, two phones that have connected to it, and one that is called by UDP."""

    def __init__(self, alice: str = "ws", bob: str = "ws") -> None:
        self.wire = Wire()
        self.server = Server(self.wire, self._route)
        self.transports = {ALICE: alice, BOB: bob, DESK: "udp"}
        self.nodes = {address: self.wire.peer(*address) for address in self.transports}
        self.callee = BOB
        self.shown = ""
        """The From that the callee is shown, when it is another than the caller wrote."""
        for address, transport in self.transports.items():
            if transport != "udp":
                self.server.stack.flow_opened(self.flow(address), self.wire.now)

    def flow(self, address: Address) -> Flow:
        """Our end of a phone's connection."""
        return self.server.node.flow(address, self.transports[address])

    async def _route(self, context: Context) -> bool:
        if self.shown:
            set_address(editable(context), "from", parse_name_addr(f"{self.shown};tag=a1".encode()))
        flow = self.flow(self.callee) if self.transports[self.callee] != "udp" else None
        await self.server.proxy.relay(context, Destination(parse_uri(contact(self, self.callee)), flow=flow))
        return True

    def send(self, address: Address, message: Message) -> None:
        """A phone sends by its connection."""
        self.nodes[address].send(message, US, self.transports[address])
        self.wire.run(0.1)

    def lose(self, address: Address) -> None:
        """A phone's connection ends."""
        flow = self.flow(address)
        flow.closed = True
        self.server.stack.flow_lost(flow, self.wire.now)
        self.server.node.flush()


def contact(phones: Phones, address: Address) -> str:
    transport = phones.transports[address]
    if transport in ("ws", "wss"):
        return f"sip:x@{address[1]}.invalid;transport=ws"
    return f"sip:x@{address[0]}:{address[1]}" + (f";transport={transport}" if transport != "udp" else "")


def invite(phones: Phones, address: Address, *headers: str) -> Request:
    transport = phones.transports[address]
    return request(
        "INVITE", "sip:bob@example.com", source=address, branch="i1", transport=transport.upper(),
        headers=(f"Contact: <{contact(phones, address)}>", *headers),
    )  # fmt: skip


class Side:
    """One side of a call: what it needs to send a request inside the dialog."""

    def __init__(self, phones: Phones, address: Address, known: Message, remote: Address) -> None:
        self.phones, self.address, self.number = phones, address, 10
        self.target = contact(phones, remote)
        from_, to = (known.get(name) or b"" for name in ("from", "to"))
        if isinstance(known, Response):
            self.routes, self.local, self.remote = route_set(known), from_, to
        else:
            self.routes = tuple(f"Route: {value.decode()}" for value in known.elements("record-route"))
            self.local, self.remote = to + b";tag=b1", from_

    def send(self, method: str, call_id: str = "call-1") -> None:
        """Send a request inside the dialog."""
        self.number += 1
        transport = self.phones.transports[self.address].upper()
        message = request(
            method, self.target, source=self.address, branch=f"{method}{self.number}", transport=transport,
            from_=self.local.decode(), to=self.remote.decode(), cseq=self.number, headers=self.routes,
            call_id=call_id,
        )  # fmt: skip
        self.phones.send(self.address, message)

    def node(self) -> Node:
        return self.phones.nodes[self.address]


def established(phones: Phones) -> tuple[Side, Side]:
    """A call that was answered and acknowledged."""
    callee = phones.callee
    phones.send(ALICE, invite(phones, ALICE))
    (called,) = phones.nodes[callee].requests("INVITE")
    phones.send(callee, response_to(called, 200, f"Contact: <{contact(phones, callee)}>"))
    (answer,) = phones.nodes[ALICE].responses(200)
    alice, bob = Side(phones, ALICE, answer, callee), Side(phones, callee, called, ALICE)
    alice.send("ACK")
    assert len(phones.nodes[callee].requests("ACK")) == 1
    return alice, bob


def statuses(phones: Phones, address: Address, method: str) -> list[int]:
    return [one.status for one in phones.nodes[address].responses() if one.cseq.method == method]


@pytest.mark.conformance("RFC 5626 5.3.1", "RFC 7118 5")
@pytest.mark.parametrize("ends", [ALICE, BOB])
@pytest.mark.parametrize(
    ("alice", "bob", "values"),
    [("ws", "ws", 2), ("wss", "ws", 2), ("tls", "wss", 2), ("tcp", "tcp", 2), ("udp", "ws", 2)],
)
def test_both_sides_can_end_a_call(alice: str, bob: str, values: int, ends: Address) -> None:
    phones = Phones(alice, bob)
    sides = established(phones)
    (called,) = phones.nodes[BOB].requests("INVITE")
    assert len(called.elements("record-route")) == values
    side, other = sides if ends == ALICE else sides[::-1]
    side.send("BYE")
    (bye,) = other.node().requests("BYE")
    assert "route" not in bye.names
    phones.send(other.address, response_to(bye, 200))
    assert statuses(phones, ends, "BYE") == [200]


COMPANY = '"Company" <sip:+442079460000@example.com>'


@pytest.mark.conformance("RFC 5626 5.3.1")
@pytest.mark.parametrize(("alice", "bob"), [("ws", "ws"), ("udp", "ws"), ("ws", "tls"), ("tcp", "tcp")])
def test_connections_are_found_and_each_side_sees_the_from_it_knows(alice: str, bob: str) -> None:
    phones = Phones(alice, bob)
    phones.shown = COMPANY
    caller, callee = established(phones)
    (called,) = phones.nodes[BOB].requests("INVITE")
    assert [value.count(b"-") for value in called.elements("record-route")][1:] == [2]
    for side, other, from_, to in (
        (caller, callee, f"{COMPANY};tag=a1", "<sip:bob@example.com>;tag=b1"),
        (callee, caller, "<sip:bob@example.com>;tag=b1", "<sip:alice@example.com>;tag=a1"),
    ):
        side.send("INFO")
        (got,) = other.node().requests("INFO")
        assert (got.get("from"), got.get("to")) == (from_.encode(), to.encode())
        phones.send(other.address, response_to(got, 200))
        answer = side.node().responses()[-1]
        assert (answer.get("from"), answer.get("to")) == (side.local, side.remote)


@pytest.mark.row("C21", "D32")
@pytest.mark.parametrize("changed", ["name", "box", "owner"])
def test_a_token_with_both_sides_can_not_lead_elsewhere(changed: str) -> None:
    phones = Phones()
    phones.shown = COMPANY
    _, callee = established(phones)
    _, name, box = callee.routes[1].partition("sip:")[2].partition("@")[0].split("-")
    other = phones.flow(BOB).name
    old, new = {"name": (name, other), "box": (box, box[::-1]), "owner": ("sip:w0-", "sip:w1-")}[changed]
    callee.routes = (callee.routes[1].replace(old, new),)
    callee.send("BYE")
    assert phones.nodes[ALICE].requests("BYE") == phones.nodes[BOB].requests("BYE") == []
    assert statuses(phones, BOB, "BYE") == [481]


@pytest.mark.parametrize("caller", ["ws", "tcp"])
def test_a_call_to_a_udp_phone_leads_back_by_the_callers_connection(caller: str) -> None:
    phones = Phones(caller)
    phones.callee = DESK
    _, desk = established(phones)
    desk.send("BYE")
    assert len(phones.nodes[ALICE].requests("BYE")) == 1


def test_between_udp_phones_there_is_one_route_and_no_name() -> None:
    phones = Phones("udp")
    phones.callee = DESK
    phones.send(ALICE, invite(phones, ALICE))
    (called,) = phones.nodes[DESK].requests("INVITE")
    (value,) = called.elements("record-route")
    assert value.count(b"-") == 1  # owner and proof


@pytest.mark.conformance("RFC 7118 5.2")
def test_both_kinds_of_web_socket_have_one_word_in_a_route() -> None:
    phones = Phones("ws", "wss")
    phones.send(ALICE, invite(phones, ALICE))
    (called,) = phones.nodes[BOB].requests("INVITE")
    assert all(value.endswith(b";transport=ws;lr>") for value in called.elements("record-route"))


@pytest.mark.conformance("RFC 5626 5.3.1")
@pytest.mark.row("D32")
def test_when_the_connection_is_gone_the_flow_has_failed() -> None:
    phones = Phones()
    alice, _ = established(phones)
    phones.lose(BOB)
    alice.send("BYE")
    assert statuses(phones, ALICE, "BYE") == [430]
    assert phones.server.stack.flows.keys() == {phones.flow(ALICE).name}
    alice.send("ACK")  # is never answered
    assert len(phones.nodes[BOB].requests()) == 2
    phones.wire.run(40)
    assert phones.server.nothing_left()


@pytest.mark.conformance("RFC 5626 5.3.1")
@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_connection_that_ends_while_its_browser_rings_ends_the_call(transport: str) -> None:
    phones = Phones("udp", transport)
    phones.send(ALICE, invite(phones, ALICE))
    (called,) = phones.nodes[BOB].requests("INVITE")
    phones.send(BOB, response_to(called, 180))
    phones.lose(BOB)
    phones.wire.run(0.1)
    assert statuses(phones, ALICE, "INVITE") == [180, 480]
    phones.wire.run(40)
    assert phones.server.nothing_left()


def test_a_connection_that_ended_before_its_binding_did_is_not_looked_up() -> None:
    phones = Phones("udp", "ws")
    flow = phones.flow(BOB)
    flow.closed = True
    phones.flow = lambda address: flow if address == BOB else phones.server.node.flow(address)  # type: ignore[method-assign]
    phones.send(ALICE, invite(phones, ALICE))
    assert phones.nodes[BOB].requests() == []
    assert statuses(phones, ALICE, "INVITE") == [480]


@pytest.mark.conformance("RFC 5626 5.3.1")
def test_a_connection_that_ends_inside_a_call_is_a_flow_that_has_failed() -> None:
    phones = Phones()
    alice, _ = established(phones)
    alice.send("INFO")
    assert len(phones.nodes[BOB].requests("INFO")) == 1
    phones.lose(BOB)
    phones.wire.run(0.1)
    assert statuses(phones, ALICE, "INFO") == [430]


def test_when_the_connection_is_gone_a_contact_with_an_address_is_called() -> None:
    phones = Phones("ws", "tcp")
    alice, _ = established(phones)
    before = phones.flow(BOB)
    phones.lose(BOB)
    alice.send("BYE")
    assert len(phones.nodes[BOB].requests("BYE")) == 1
    assert phones.flow(BOB) is not before


def test_a_connection_whose_peer_sends_no_more_is_not_used() -> None:
    phones = Phones()
    alice, _ = established(phones)
    phones.flow(BOB).ending = True
    alice.send("BYE")
    assert statuses(phones, ALICE, "BYE") == [430]


@pytest.mark.row("C21", "D32")
@pytest.mark.parametrize("changed", ["name", "proof", "owner", "call"])
def test_a_token_counts_for_its_call_only_and_can_not_be_made_up(changed: str) -> None:
    phones = Phones()
    alice, _ = established(phones)
    _, name, proof = alice.routes[1].partition("sip:")[2].partition("@")[0].split("-")
    other = phones.flow(ALICE).name
    old, new = {
        "name": (name, other), "proof": (proof, proof[::-1]), "owner": ("sip:w0-", "sip:w1-"), "call": ("", ""),
    }[changed]  # fmt: skip
    if old:
        alice.routes = tuple(route.replace(old, new) for route in alice.routes[1:])
    alice.send("BYE", call_id="call-2" if changed == "call" else "call-1")
    assert phones.nodes[BOB].requests("BYE") == []
    assert statuses(phones, ALICE, "BYE") == [481]


def test_a_token_of_the_near_side_alone_leads_to_nobody_else() -> None:
    phones = Phones()
    alice, _ = established(phones)
    alice.routes = alice.routes[:1]
    alice.send("BYE")
    assert phones.nodes[BOB].requests("BYE") == []
    assert len(phones.nodes[ALICE].requests("BYE")) == 1  # whoever leaves a Route out talks to himself


def test_names_of_another_run_mean_nothing() -> None:
    phones, again = Phones(), Phones()
    assert phones.server.stack.flows.keys() == again.server.stack.flows.keys()  # chance is the same in tests
    again.server.stack.tokens.random_bytes = lambda size: b"\7" * size
    again.server.stack._flow_number = 0
    flow = Flow("ws", US, BOB)
    again.server.stack.flow_opened(flow, 0.0)
    assert flow.name not in phones.server.stack.flows


# -- whose contact it is ----------------------------------------------------------------------------------------------


def incoming(via: str, contact: str, more: str = "") -> Request:
    text = (
        f"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP {via};branch=z9hG4bK1\r\n{more}"
        f"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
        f"{contact}Content-Length: 0\r\n\r\n"
    )
    message = parse(text.encode())
    assert isinstance(message, Request)
    return message


PROXY = "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK2\r\n"


@pytest.mark.parametrize(
    ("transport", "via", "contact", "more", "leads"),
    [
        ("tcp", "10.0.0.2:5060", "Contact: <sip:a@10.0.0.2:5062>\r\n", "", True),
        ("tcp", "192.168.1.2", "m: <sip:a@192.168.1.2>\r\n", "", True),  # what it believes behind a NAT
        ("tls", "[2001:db8::1]", "Contact: <sip:a@[2001:DB8:0::1]>\r\n", "", True),
        ("tcp", "10.0.0.2", "Contact: <sip:a@gateway.example.com>\r\n", "", False),  # meant to be elsewhere
        ("tcp", "10.0.0.2", "Contact: <sip:a@10.0.0.7>\r\n", "", False),
        ("tcp", "10.0.0.2", "Contact: <sip:a@10.0.0.2>\r\n", PROXY, False),
        ("tcp", "10.0.0.2", "", "", False),
        ("tcp", "10.0.0.2", "Contact: <sip:a@>\r\n", "", False),
        ("tcp", "10.0.0.2", "Contact: <tel:+123>\r\n", "", False),
        ("ws", "x.invalid", "Contact: <sip:a@y.invalid;transport=ws>\r\n", "", True),
        ("wss", "x.invalid", "Contact: <sip:a@example.com;gr=1>\r\n", "", True),
        ("ws", "x.invalid", "Contact: <sip:a@y.invalid>\r\n", PROXY, False),
    ],
)
def test_whose_contact_it_is(transport: str, via: str, contact: str, more: str, leads: bool) -> None:
    flow = Flow(transport, US, ("10.0.0.2", 40_001))
    assert leads_to_sender(incoming(via, contact, more), flow) is leads


def test_two_vias_on_one_line_are_two() -> None:
    flow = Flow("ws", US, ("10.0.0.2", 40_001))
    message = incoming("x.invalid;branch=z9hG4bK0, SIP/2.0/UDP 10.9.9.9", "Contact: <sip:a@y.invalid>\r\n")
    assert not leads_to_sender(message, flow)
