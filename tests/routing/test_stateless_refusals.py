"""A refusal to somebody unknown leaves nothing behind and is said once (RFC 3261 sections 8.2.7 and 26.3.2.4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.runtime import Context
from sipcore.errors import Refused
from sipcore.message import Response
from tests.calls import ALICE, BOB, US, Call, destinations
from tests.serving import Route, Server
from tests.wire import request

pytestmark = [pytest.mark.conformance("RFC 3261 8.2.7"), pytest.mark.row("E14")]


def replying(status: int, *, user: str = "", slow: bool = False) -> Callable[[Server], Route]:
    """A route that answers with a status: to this user, after a look-up that is slow."""

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            if slow:
                server.locator.slow.add("slow.example.com")
                await server.locator.need(context.request.uri)
            context.user = user
            context.reply(status)
            return True

        return route

    return make


def raising(server: Server) -> Route:
    """A route that refuses by an error."""

    async def route(context: Context) -> bool:
        raise Refused(480)

    return route


def finals(call: Call) -> list[Response]:
    return [response for response in call.alice.responses() if response.status >= 200]


@pytest.mark.parametrize("make", [replying(407), replying(401), replying(404), replying(302), raising])
def test_a_refused_invite_is_forgotten_at_once(make: Callable[[Server], Route]) -> None:
    call = Call(make)
    call.dial()
    assert call.server.nothing_left()
    call.wire.run(64.0)
    assert len(finals(call)) == 1


def test_its_retransmission_gets_the_same_answer_again() -> None:
    call = Call(replying(404))
    call.dial()
    call.dial()
    first, again = finals(call)
    assert first.write() == again.write()
    assert first.to.tag
    call.acknowledge_failure()
    call.wire.run(64.0)
    assert len(call.alice.received) == 2
    assert call.server.nothing_left()


@pytest.mark.parametrize(
    ("method", "status", "kept"), [("REGISTER", 401, 0), ("MESSAGE", 407, 0), ("MESSAGE", 404, 1), ("OPTIONS", 200, 1)]
)
def test_a_challenged_request_of_another_method_is_forgotten_too(method: str, status: int, kept: int) -> None:
    call = Call(replying(status))
    call.alice.send(request(method, "sip:bob@example.com", source=ALICE, branch="m1"), US)
    call.wire.run(0.1)
    assert call.statuses(method) == [status]
    assert len(call.server.stack.transactions.servers) == kept


@pytest.mark.parametrize("header", ["Max-Forwards: 0", "Proxy-Require: foo", "X-None: 1"])
def test_what_no_route_has_seen_is_refused_the_same_way(header: str) -> None:
    call = Call(replying(404))
    call.invite = request(
        "INVITE", "sip:bob@example.com", source=ALICE, branch="i1", to="<sip:bob@example.com>;tag=invented"
    )
    name, _, value = header.partition(": ")
    call.invite.set(name.lower(), value.encode())
    call.dial(64.0)
    assert call.statuses() == [{"Max-Forwards": 483, "Proxy-Require": 420}.get(name, 481)]
    assert call.server.nothing_left()


def test_who_is_known_gets_it_until_he_acknowledges() -> None:
    call = Call(replying(404, user="alice@example.com"))
    call.dial(1.0)
    assert call.statuses() == [404, 404]
    call.acknowledge_failure()
    call.wire.run(64.0)
    assert call.server.nothing_left()


def test_after_a_100_the_answer_is_repeated_since_the_client_repeats_no_more() -> None:
    call = Call(replying(404, slow=True))
    call.server.locator.names["example.com"] = ()
    call.dial(0.3)
    assert call.statuses() == [100]
    call.server.answer(())
    call.wire.run(1.0)
    assert call.statuses() == [100, 404, 404]


def test_after_something_was_forwarded_the_answer_is_repeated() -> None:
    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            await server.proxy.ring(context, destinations(BOB))
            context.reply(486)
            return True

        return route

    call = Call(make)
    call.dial()
    call.respond(call.bob, 486)
    call.wire.run(1.0)
    assert call.statuses() == [486, 486]
    assert len(call.bob.requests("INVITE")) == 1


@pytest.mark.conformance("RFC 3261 9.2")
def test_the_answers_to_an_invite_and_to_its_cancel_have_one_tag() -> None:
    call = Call(replying(404, slow=True))
    call.server.locator.names["example.com"] = ()
    call.dial()
    call.cancel()
    invite, cancel = ([r for r in finals(call) if r.cseq.method == method] for method in ("INVITE", "CANCEL"))
    assert [r.status for r in (*invite, *cancel)] == [487, 200]
    assert invite[0].to.tag == cancel[0].to.tag != ""
