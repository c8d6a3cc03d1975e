"""Route and Record-Route: strict and loose routers, preloaded Routes, two sides (RFC 3261 sections 16.4 and 16.6)."""

from __future__ import annotations

import pytest

from routing.runtime import Context, Destination
from sipcore.uri import parse_uri
from tests.calls import ALICE, BOB, US, Call, relaying, route_set
from tests.serving import Route, Server
from tests.wire import request


@pytest.mark.row("C20")
@pytest.mark.conformance("RFC 3261 16.4", "RFC 3261 16.12.1.2")
def test_a_strict_router_before_us_is_understood() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    answer = call.alice.responses(200)[0]
    ours = answer.elements("record-route")[0].decode().strip("<>")
    to = (answer.get("to") or b"").decode()
    bye = request("BYE", ours, source=ALICE, branch="s1", to=to, headers=("Route: <sip:bob@10.0.0.3:5060>",))
    call.alice.send(bye, US)
    call.wire.run(0.1)
    (got,) = call.bob.requests("BYE")
    assert got.uri_text == "sip:bob@10.0.0.3:5060" and not got.all("route")


@pytest.mark.conformance("RFC 3261 16.6", "RFC 3261 16.12.1.2")
def test_a_strict_router_behind_us_gets_its_uri_in_the_request_line() -> None:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3:5060>")
    answer = call.alice.responses(200)[0]
    headers = (*route_set(answer), "Route: <sip:10.0.0.4:5060>")
    to = (answer.get("to") or b"").decode()
    call.alice.send(request("BYE", "sip:bob@10.0.0.3", source=ALICE, branch="s2", to=to, headers=headers), US)
    call.wire.run(0.1)
    (got,) = call.desk.requests("BYE")
    assert got.uri_text == "sip:10.0.0.4:5060"
    assert got.all("route") == [b"<sip:bob@10.0.0.3>"]


@pytest.mark.conformance("RFC 3261 16.6", "RFC 3261 16.12.1.3")
def test_two_record_routes_when_the_transports_differ() -> None:
    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            await server.proxy.relay(context, f"sip:bob@{BOB[0]};transport=tcp")
            return True

        return route

    call = Call(make)
    call.dial()
    values = call.bob.requests("INVITE")[0].elements("record-route")
    assert [b"transport=tcp" in value for value in values] == [True, False]


@pytest.mark.row("C16")
@pytest.mark.conformance("RFC 3261 26.1")
def test_a_strangers_preloaded_route_does_not_lead_past_our_target() -> None:
    call = Call(relaying(BOB))
    call.invite.append("route", b"<sip:10.0.0.4;lr>")
    call.dial()
    assert call.desk.received == []
    assert call.statuses() == [403]


@pytest.mark.conformance("RFC 3261 16.4")
def test_our_own_address_as_outbound_proxy_is_taken_off() -> None:
    call = Call(relaying(BOB))
    call.invite.append("route", b"<sip:10.0.0.1;lr>")
    call.dial()
    assert not call.bob.requests("INVITE")[0].all("route")


@pytest.mark.row("B32")
@pytest.mark.conformance("RFC 4475 3.3.14")
def test_a_contact_with_header_components_adds_no_header() -> None:
    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            uri = parse_uri("sip:bob@10.0.0.3?Route=%3Csip:evil%3E")
            await server.proxy.relay(context, Destination(uri))
            return True

        return route

    call = Call(make)
    call.dial()
    (invite,) = call.bob.requests("INVITE")
    assert invite.uri_text == "sip:bob@10.0.0.3" and not invite.all("route")
