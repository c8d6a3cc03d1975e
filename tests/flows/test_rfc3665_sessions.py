"""The call flows of RFC 3665 section 3 with our proxies in the places of its proxies."""

from __future__ import annotations

import pytest

from routing.runtime import Context
from sipcore.flow import Target
from tests.calls import ALICE, BOB, BOB_DESK, US, Call, Dialog, destinations, established, relaying, route_set
from tests.serving import Route, Server
from tests.wire import Node, Wire, request, response_to

SECOND = ("10.0.0.11", 5060)
THIRD = ("10.0.0.12", 5060)


class Chain:
    """Alice, two of our proxies one behind the other, and Bob."""

    def __init__(self, first: Route | None = None, second: Route | None = None) -> None:
        self.wire = Wire()
        self.one = Server(self.wire, first or self.to_second)
        self.two = Server(self.wire, second or self.to_bob, host=SECOND[0])
        self.alice, self.bob = self.wire.peer(*ALICE), self.wire.peer(*BOB)
        self.count = 0

    async def to_second(self, context: Context) -> bool:
        await self.one.proxy.relay(context, f"sip:bob@{SECOND[0]}")
        return True

    async def to_bob(self, context: Context) -> bool:
        await self.two.proxy.relay(context, destinations(BOB))
        return True

    def dial(self, *headers: str, seconds: float = 0.1) -> None:
        self.count += 1
        invite = request(
            "INVITE", "sip:bob@example.com", source=ALICE, branch=f"i{self.count}", cseq=self.count,
            headers=("Contact: <sip:alice@10.0.0.2>", *headers),
        )  # fmt: skip
        self.alice.send(invite, US)
        self.wire.run(seconds)

    def respond(self, status: int, *headers: str) -> None:
        self.bob.send(response_to(self.bob.requests("INVITE")[-1], status, *headers), SECOND)
        self.wire.run(0.1)

    def acknowledge_failure(self) -> None:
        final = self.alice.responses()[-1]
        ack = request("ACK", "sip:bob@example.com", source=ALICE, branch=f"i{self.count}", cseq=self.count)
        ack.set("to", final.get("to") or b"")
        self.alice.send(ack, US)
        self.wire.run(0.1)

    def statuses(self, method: str = "INVITE") -> list[int]:
        return [response.status for response in self.alice.responses() if response.cseq.method == method]

    def alice_side(self) -> Dialog:
        answer = self.alice.responses(200)[-1]
        target = (answer.get("contact") or b"").decode().strip("<>")
        local, remote = (answer.get("from") or b"").decode(), (answer.get("to") or b"").decode()
        return Dialog(self.alice, local, remote, target, route_set(answer), answer.call_id.decode())


def vias(node: Node, method: str) -> list[str]:
    """The hosts in the Via headers of the last request of a method."""
    return [value.decode().split()[1].split(";")[0] for value in node.requests(method)[-1].elements("via")]


@pytest.mark.conformance("RFC 3665 3.2")
def test_3_2_session_establishment_through_two_proxies() -> None:
    chain = Chain()
    chain.dial()
    assert vias(chain.bob, "INVITE") == ["10.0.0.11:5060", "10.0.0.1:5060", "10.0.0.2:5060"]
    chain.respond(180)
    chain.respond(200, "Contact: <sip:bob@10.0.0.3>")
    assert chain.statuses() == [180, 200]
    side = chain.alice_side()
    assert [route.split("@")[1][:9] for route in side.routes] == ["10.0.0.1:", "10.0.0.11"]
    side.send("ACK")
    assert vias(chain.bob, "ACK") == ["10.0.0.11:5060", "10.0.0.1:5060", "10.0.0.2:5060"]
    side.send("BYE")
    chain.bob.send(response_to(chain.bob.requests("BYE")[0], 200), SECOND)
    chain.wire.run(0.1)
    assert chain.statuses("BYE") == [200]
    chain.wire.run(40)
    assert chain.one.nothing_left() and chain.two.nothing_left()


def challenging(realm: str, onward: str) -> Route:
    """A route that wants credentials for its realm before it relays."""

    async def route(context: Context) -> bool:
        offered = b" ".join(context.request.all("proxy-authorization"))
        if f'realm="{realm}"'.encode() not in offered:
            context.reply(407, "", ("proxy-authenticate", f'Digest realm="{realm}", nonce="n"'.encode()))
            return True
        proxy = context.platform.get(Server).proxy
        await proxy.relay(context, onward)
        return True

    return route


@pytest.mark.conformance("RFC 3665 3.3", "RFC 3261 22.3")
def test_3_3_multiple_proxy_authentication() -> None:
    chain = Chain(challenging("atlanta", f"sip:bob@{SECOND[0]}"), challenging("biloxi", f"sip:bob@{BOB[0]}"))
    chain.one.platform.provide(Server, chain.one)
    chain.two.platform.provide(Server, chain.two)
    chain.dial()
    chain.acknowledge_failure()
    first = 'Proxy-Authorization: Digest realm="atlanta", response="1"'
    chain.dial(first)
    chain.acknowledge_failure()
    assert b"biloxi" in (chain.alice.responses(407)[-1].get("proxy-authenticate") or b"")
    chain.dial(first, 'Proxy-Authorization: Digest realm="biloxi", response="2"')
    chain.respond(200, "Contact: <sip:bob@10.0.0.3>")
    assert chain.statuses() == [407, 407, 200]


@pytest.mark.conformance("RFC 3665 3.4", "RFC 3261 16.9")
def test_3_4_session_with_proxy_failure() -> None:
    chain = Chain()
    chain.one.locator.names["example.com"] = (Target("udp", *THIRD), Target("udp", *SECOND))
    chain.wire.refusing.add(THIRD)

    async def by_dns(context: Context) -> bool:
        await chain.one.proxy.relay(context)
        return True

    chain.one.dispatcher.routes.route = by_dns  # type: ignore[union-attr]
    chain.dial()
    chain.respond(200, "Contact: <sip:bob@10.0.0.3>")
    assert chain.statuses() == [200]


@pytest.mark.conformance("RFC 3665 3.4", "RFC 3261 17.1.1.2")
def test_3_4_a_proxy_that_stays_silent_is_given_up_after_timer_b() -> None:
    call = Call(relaying())
    call.server.locator.names["example.com"] = (Target("udp", *THIRD), Target("udp", *BOB))
    call.dial(33)
    assert len(call.bob.requests("INVITE")) >= 1


@pytest.mark.conformance("RFC 3665 3.6")
def test_3_6_session_via_redirect_with_sdp_in_the_ack() -> None:
    chain = Chain()

    async def redirect(context: Context) -> bool:
        context.reply(302, "", ("contact", f"<sip:bob@{SECOND[0]}>".encode()))
        return True

    chain.one.dispatcher.routes.route = redirect  # type: ignore[union-attr]
    chain.dial()
    assert chain.alice.responses(302)[0].get("contact") == b"<sip:bob@10.0.0.11>"
    chain.acknowledge_failure()
    invite = request("INVITE", "sip:bob@10.0.0.11", source=ALICE, branch="d", headers=("Contact: <sip:a@10.0.0.2>",))
    chain.alice.send(invite, SECOND)
    chain.wire.run(0.1)
    chain.respond(200, "Contact: <sip:bob@10.0.0.3>")
    answer = chain.alice.responses(200)[0]
    offer = b"v=0\r\n"
    ack = request(
        "ACK", "sip:bob@10.0.0.3", source=ALICE, branch="k", to=(answer.get("to") or b"").decode(),
        headers=route_set(answer), body=offer,
    )  # fmt: skip
    chain.alice.send(ack, SECOND)
    chain.wire.run(0.1)
    assert chain.bob.requests("ACK")[0].body == offer


@pytest.mark.conformance("RFC 3665 3.7")
def test_3_7_re_invite_with_a_new_address() -> None:
    call = Call(relaying(BOB))
    alice, bob = established(call)
    bob.send("INVITE", "Contact: <sip:bob@10.0.0.4:5060>")
    reinvite = call.alice.requests("INVITE")[-1]
    call.alice.send(response_to(reinvite, 200, "Contact: <sip:alice@10.0.0.2>"), US)
    call.wire.run(0.1)
    bob.send("ACK", number=2)
    assert len(call.alice.requests("ACK")) == 1
    alice.target = "sip:bob@10.0.0.4:5060"
    alice.send("BYE")
    assert len(call.desk.requests("BYE")) == 1 and BOB_DESK == ("10.0.0.4", 5060)


@pytest.mark.conformance("RFC 3665 3.8")
def test_3_8_unsuccessful_no_answer() -> None:
    chain = Chain()
    chain.dial()
    chain.respond(180)
    cancel = request("CANCEL", "sip:bob@example.com", source=ALICE, branch="i1")
    chain.alice.send(cancel, US)
    chain.wire.run(0.1)
    assert chain.statuses("CANCEL") == [200]
    chain.bob.send(response_to(chain.bob.requests("CANCEL")[0], 200), SECOND)
    chain.respond(487)
    assert chain.statuses() == [180, 487]
    chain.acknowledge_failure()
    chain.wire.run(40)
    assert chain.one.nothing_left() and chain.two.nothing_left()


@pytest.mark.conformance("RFC 3665 3.9")
def test_3_9_unsuccessful_busy() -> None:
    chain = Chain()
    chain.dial()
    chain.respond(486)
    assert chain.statuses() == [486] and len(chain.bob.requests("ACK")) == 1


@pytest.mark.conformance("RFC 3665 3.10")
def test_3_10_unsuccessful_no_response() -> None:
    chain = Chain()
    chain.dial(seconds=33)
    assert next(status for status in chain.statuses() if status >= 200) == 408


@pytest.mark.conformance("RFC 3665 3.11")
def test_3_11_unsuccessful_temporarily_unavailable() -> None:
    chain = Chain()
    chain.dial()
    chain.respond(180)
    chain.respond(480)
    assert chain.statuses() == [180, 480]
