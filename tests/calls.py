"""A call between scripted phones through one server, step by step, on the fake network."""

from __future__ import annotations

from collections.abc import Callable

from routing.runtime import Context, Destination, Duration
from sipcore.flow import Flow
from sipcore.message import Message, Request, Response
from sipcore.uri import parse_uri
from tests.serving import HOST, Route, Server
from tests.wire import Node, Wire, request, response_to

ALICE = ("10.0.0.2", 5060)
BOB = ("10.0.0.3", 5060)
BOB_DESK = ("10.0.0.4", 5060)
US = (HOST, 5060)


def destinations(*addresses: tuple[str, int]) -> list[Destination]:
    """Bindings at these addresses."""
    return [Destination(parse_uri(f"sip:bob@{host}:{port}")) for host, port in addresses]


def relaying(*addresses: tuple[str, int]) -> Callable[[Server], Route]:
    """A route that relays to these addresses."""

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            await server.proxy.relay(context, destinations(*addresses) or None)
            return True

        return route

    return make


class Call:
    """Alice, Bob's two phones and a server between them."""

    def __init__(self, make: Callable[[Server], Route], **wire: float) -> None:
        self.wire = Wire(**wire)  # type: ignore[arg-type]

        async def later(context: Context) -> object:
            return await self.route(context)

        self.server = Server(self.wire, later)
        self.route = make(self.server)
        self.alice = self.wire.peer(*ALICE)
        self.bob = self.wire.peer(*BOB)
        self.desk = self.wire.peer(*BOB_DESK)
        self.invite = request(
            "INVITE", "sip:bob@example.com", source=ALICE, branch="i1", headers=("Contact: <sip:alice@10.0.0.2>",)
        )

    def dial(self, seconds: float = 0.1) -> None:
        """Alice sends the INVITE."""
        self.alice.send(self.invite, US)
        self.wire.run(seconds)

    def respond(self, phone: Node, status: int, *headers: str, tag: str = "b1", seconds: float = 0.1) -> None:
        """A phone answers the INVITE it has."""
        answered = phone.requests("INVITE")[-1]
        phone.send(response_to(answered, status, *headers, tag=tag), US)
        self.wire.run(seconds)

    def cancel(self) -> None:
        """Alice gives up."""
        cancel = request("CANCEL", "sip:bob@example.com", source=ALICE, branch="i1")
        self.alice.send(cancel, US)
        self.wire.run(0.1)

    def statuses(self, method: str = "INVITE") -> list[int]:
        """What Alice was told so far about her requests of one method."""
        return [response.status for response in self.alice.responses() if response.cseq.method == method]

    def acknowledge_failure(self) -> None:
        """Alice acknowledges a final response that is no 2xx."""
        ack = request("ACK", "sip:bob@example.com", source=ALICE, branch="i1")
        ack.set("to", self.alice.responses()[-1].get("to") or b"")
        self.alice.send(ack, US)
        self.wire.run(0.1)


def route_set(message: Message) -> tuple[str, ...]:
    """The Route headers a caller builds from the Record-Route of a 2xx."""
    return tuple(f"Route: {value.decode()}" for value in reversed(message.elements("record-route")))


def busy(status: int) -> Callable[[Node], Callable[[Message, Flow], None]]:
    """A phone that answers each INVITE with a status."""

    def make(phone: Node) -> Callable[[Message, Flow], None]:
        def answer(message: Message, flow: Flow) -> None:
            if isinstance(message, Request) and message.method == "INVITE":
                phone.send(response_to(message, status), flow.remote)

        return answer

    return make


def ringing(seconds: float, *hops: list[tuple[str, int]]) -> Callable[[Server], Route]:
    """A route that rings one set of addresses after the other, then says what the last outcome was."""

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            for hop in hops:
                if await server.proxy.ring(context, destinations(*hop), for_=Duration(seconds)):
                    return True
            context.reply(context.outcome.code, "Nobody", ("x-attempts", b"%d" % len(context.outcome.attempts)))
            return True

        return route

    return make


class Dialog:
    """One side of an established call: sends requests inside the dialog as its RFC 3261 section 12 state says."""

    def __init__(
        self, phone: Node, local: str, remote: str, target: str, routes: tuple[str, ...], call_id: str
    ) -> None:
        self.phone, self.local, self.remote = phone, local, remote
        self.target, self.routes, self.call_id = target, routes, call_id
        self.number = 1

    def send(self, method: str, *headers: str, number: int = 0, seconds: float = 0.1) -> Request:
        """Send a request in the dialog; an ACK repeats the number of its INVITE."""
        if method not in ("ACK", "CANCEL"):
            self.number += 1
        message = request(
            method, self.target, source=self.phone.address, branch=f"{method}{self.number}{self.local[-3:]}",
            call_id=self.call_id, from_=self.local, to=self.remote, cseq=number or self.number,
            headers=(*self.routes, *headers),
        )  # fmt: skip
        self.phone.send(message, US)
        self.phone.wire.run(seconds)
        return message


def caller_side(call: Call, answer: Response) -> Dialog:
    """Alice's side after a response that made a dialog."""
    target = (answer.get("contact") or b"").decode().strip("<>")
    local, remote = (answer.get("from") or b"").decode(), (answer.get("to") or b"").decode()
    return Dialog(call.alice, local, remote, target, route_set(answer), answer.call_id.decode())


def callee_side(call: Call, phone: Node, tag: str = "b1") -> Dialog:
    """The callee's side of the INVITE that its phone got."""
    invite = phone.requests("INVITE")[0]
    routes = tuple(f"Route: {value.decode()}" for value in invite.elements("record-route"))
    target = (invite.get("contact") or b"").decode().strip("<>")
    local, remote = (invite.get("to") or b"").decode() + f";tag={tag}", (invite.get("from") or b"").decode()
    return Dialog(phone, local, remote, target, routes, invite.call_id.decode())


def established(call: Call) -> tuple[Dialog, Dialog]:
    """A call that Bob answered and Alice acknowledged."""
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    alice, bob = caller_side(call, call.alice.responses(200)[0]), callee_side(call, call.bob)
    alice.send("ACK")
    return alice, bob


def answer_last(phone: Node, method: str, status: int, *headers: str, seconds: float = 0.1) -> None:
    """Answer the last request of a method that a phone got."""
    phone.send(response_to(phone.requests(method)[-1], status, *headers), US)
    phone.wire.run(seconds)
