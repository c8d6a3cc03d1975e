"""What is called by sips goes by TLS all the way, or not at all (RFC 5630)."""

from __future__ import annotations

import pytest

from modules.proxy.forwarding import copy_for, next_hop
from routing.runtime import Context, Destination
from sipcore.flow import Flow, Target
from sipcore.uri import parse_uri
from tests.calls import ALICE, BOB, US
from tests.serving import HOST, Server
from tests.wire import Wire, request, response_to

SIPS_BOB = f"sips:bob@{BOB[0]}"


class Secure:
    """A server that relays to what the test says; Alice calls it by TLS."""

    def __init__(self, *destinations: Destination) -> None:
        self.wire = Wire()
        self.wire.transports = {"udp", "tcp", "tls"}

        async def route(context: Context) -> bool:
            await self.server.proxy.relay(context, list(destinations))
            return True

        self.server = Server(self.wire, route)
        self.server.locator.names[BOB[0]] = (Target("tls", *BOB, BOB[0]),)
        self.alice, self.bob = self.wire.peer(*ALICE), self.wire.peer(*BOB)

    def call(self, uri: str) -> None:
        contact = f"Contact: <{uri.partition(':')[0]}:alice@{ALICE[0]}>"
        invite = request("INVITE", uri, source=ALICE, branch="i1", transport="TLS", headers=(contact,))
        self.alice.send(invite, US, "tls")
        self.wire.run(0.1)


@pytest.mark.conformance("RFC 5630 5.3")
def test_a_sips_request_goes_to_a_sips_contact_by_tls() -> None:
    secure = Secure(Destination(parse_uri(SIPS_BOB)))
    secure.call("sips:bob@example.com")
    (invite,) = secure.bob.requests("INVITE")
    assert invite.uri_text == SIPS_BOB
    assert invite.via.transport == "TLS"


@pytest.mark.conformance("RFC 5630 5.3")
def test_a_sips_request_is_not_sent_to_a_sip_contact() -> None:
    secure = Secure(Destination(parse_uri(f"sip:bob@{BOB[0]};transport=tls")))
    secure.call("sips:bob@example.com")
    assert secure.bob.received == []
    (refusal,) = [one for one in secure.alice.responses() if one.status >= 200]
    assert refusal.status == 480
    assert refusal.get("warning") == b'380 ringway "SIPS Not Allowed"'


def test_of_several_contacts_the_secure_ones_are_called() -> None:
    secure = Secure(Destination(parse_uri(f"sip:bob@{BOB[0]}")), Destination(parse_uri(SIPS_BOB)))
    secure.call("sips:bob@example.com")
    assert [one.uri_text for one in secure.bob.requests("INVITE")] == [SIPS_BOB]


@pytest.mark.conformance("RFC 5630 5.3")
def test_a_sip_request_for_a_sips_contact_becomes_no_sips_request_but_goes_by_tls() -> None:
    secure = Secure(Destination(parse_uri(SIPS_BOB + ";x=y")))
    secure.call("sip:bob@example.com")
    (invite,) = secure.bob.requests("INVITE")
    assert invite.uri_text == f"sip:bob@{BOB[0]};x=y"
    assert invite.via.transport == "TLS"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_the_connection_of_a_sips_binding_is_used_only_when_it_is_secure(transport: str) -> None:
    phone = ("10.0.0.9", 40_000)
    secure = Secure()
    flow = secure.server.node.flow(phone, transport)
    connected = secure.wire.peer(*phone)

    async def route(context: Context) -> bool:
        await secure.server.proxy.relay(context, Destination(parse_uri(SIPS_BOB), flow=flow))
        return True

    secure.server.dispatcher.routes.route = route  # type: ignore[union-attr]
    secure.call("sips:bob@example.com")
    assert len(connected.requests("INVITE")) == (transport == "tls")
    assert len(secure.bob.requests("INVITE")) == (transport != "tls")


@pytest.mark.conformance("RFC 3261 16.6")
def test_who_was_called_by_sips_is_called_back_by_sips() -> None:
    secure = Secure(Destination(parse_uri(SIPS_BOB)))
    secure.call("sips:bob@example.com")
    (invite,) = secure.bob.requests("INVITE")
    (route,) = invite.elements("record-route")
    assert route.startswith(b"<sips:")
    assert route.endswith(b"@10.0.0.1:5060;lr>")
    secure.bob.send(response_to(invite, 200, f"Contact: <{SIPS_BOB}>"), US, "tls")
    bye = request(
        "BYE", f"sips:alice@{ALICE[0]}", source=BOB, branch="b1", transport="TLS", from_="<sip:bob@example.com>;tag=b1",
        to="<sip:alice@example.com>;tag=a1", headers=(f"Route: {route.decode()}",),
    )  # fmt: skip
    secure.server.locator.names[ALICE[0]] = (Target("tls", *ALICE, ALICE[0]),)
    secure.bob.send(bye, US, "tls")
    secure.wire.run(0.1)
    assert len(secure.alice.requests("BYE")) == 1


def test_a_route_by_tls_is_ours_at_the_port_of_tls() -> None:
    wire = Wire()

    async def route(context: Context) -> bool:
        await server.proxy.relay(context)
        return True

    server = Server(wire, route)
    asked: list[int] = []
    server.proxy.own_routes._is_own_endpoint = lambda host, port: bool(asked.append(port)) or host == HOST
    for uri in (
        f"sip:{HOST}",
        f"sips:{HOST}",
        f"sip:{HOST};transport=TLS",
        f"sip:{HOST}:99",
        f"sip:{HOST};transport=ws",
    ):
        assert server.proxy.own_routes.is_ours(f"<{uri};lr>".encode())
    assert asked == [0, 5061, 5061, 99, 80]


def test_a_copy_keeps_what_it_may() -> None:
    invite = request("INVITE", "sip:bob@example.com", source=ALICE, branch="i1")
    secure = Destination(parse_uri("sips:bob@192.0.2.1;x"))
    copy = copy_for(invite, secure, 1)
    assert copy.uri_text == "sip:bob@192.0.2.1;x"
    assert next_hop(copy, secure) is secure.uri
    behind = secure._replace(received="sip:192.0.2.9:1234;transport=tls", flow=Flow("tls", US, BOB))
    assert next_hop(copy, behind).text == behind.received
