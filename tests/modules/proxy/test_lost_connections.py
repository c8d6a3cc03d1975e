"""A phone's connection may end at the moment a call for it comes: its address is tried then."""

from __future__ import annotations

from collections.abc import Callable

from routing.runtime import Context, Destination
from sipcore.uri import parse_uri
from tests.calls import BOB, Call
from tests.serving import Route, Server

SOURCE = ("10.0.0.9", 40_001)
"""Where the phone's own connection came from."""


def to_bobs_connection(contact: str) -> Callable[[Server], Route]:
    """A route that relays to a binding which came by a TCP connection."""

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            flow = server.node.flow(SOURCE, "tcp")
            await server.proxy.relay(context, Destination(parse_uri(contact), flow=flow))
            return True

        return route

    return make


def test_a_lost_connection_is_replaced_by_one_to_the_contact() -> None:
    call = Call(to_bobs_connection(f"sip:bob@{BOB[0]};transport=tcp"))
    call.wire.refusing.add(SOURCE)
    call.dial()
    assert len(call.bob.requests("INVITE")) == 1
    call.respond(call.bob, 200)
    assert call.statuses()[-1] == 200


def test_an_open_connection_is_used_although_the_contact_has_an_address() -> None:
    call = Call(to_bobs_connection(f"sip:bob@{BOB[0]};transport=tcp"))
    phone = call.wire.peer(*SOURCE)
    call.dial()
    assert len(phone.requests("INVITE")) == 1
    assert call.bob.requests("INVITE") == []


def test_a_contact_that_has_no_address_ends_the_branch() -> None:
    call = Call(to_bobs_connection("sip:bob@nowhere.invalid;transport=ws"))
    call.wire.refusing.add(SOURCE)
    call.dial()
    assert call.statuses()[-1] == 500
