"""`ring`: calls that go on with the next line, time out, or are cancelled while the route waits."""

from __future__ import annotations

import pytest

from routing.runtime import Context
from sipcore.flow import Target
from tests.calls import BOB, BOB_DESK, Call, destinations, relaying, ringing
from tests.serving import Route, Server


def test_ring_goes_on_with_the_next_line_when_nobody_answers() -> None:
    call = Call(ringing(20, [BOB], [BOB_DESK]))
    call.dial()
    call.respond(call.bob, 486)
    assert call.statuses() == []
    call.respond(call.desk, 200)
    assert call.statuses() == [200]


def test_ring_ends_after_its_time_and_cancels() -> None:
    call = Call(ringing(20, [BOB], [BOB_DESK]))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(20)
    assert len(call.bob.requests("CANCEL")) == 1
    call.respond(call.bob, 487)
    assert len(call.desk.requests("INVITE")) == 1
    call.respond(call.desk, 480)
    final = call.alice.responses()[-1]
    assert (final.status, final.get("x-attempts")) == (480, b"2")


def test_ring_for_longer_than_a_silent_phone_takes_to_acknowledge_the_cancel() -> None:
    call = Call(ringing(20, [BOB]))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(25)
    assert call.statuses()[-1] == 408


@pytest.mark.row("C24")
@pytest.mark.conformance("RFC 3261 16.7")
def test_an_answer_that_crosses_the_end_of_ring_still_wins() -> None:
    call = Call(ringing(20, [BOB], [BOB_DESK]))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(25)
    call.respond(call.desk, 180, tag="d1")
    call.respond(call.bob, 200, tag="b1")
    assert call.statuses()[-1] == 200
    assert len(call.desk.requests("CANCEL")) == 1


@pytest.mark.conformance("RFC 3261 9.2", "RFC 3261 16.10")
def test_a_cancel_during_ring_stops_the_route() -> None:
    call = Call(ringing(20, [BOB], [BOB_DESK]))
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    call.respond(call.bob, 487)
    assert call.statuses()[-1] == 487
    assert call.desk.received == []


@pytest.mark.conformance("RFC 3261 9.2", "RFC 3261 16.10")
def test_a_cancel_while_dns_is_slow_stops_the_look_up() -> None:
    call = Call(relaying())
    call.server.locator.slow.add("example.com")
    call.dial()
    assert len(call.server.waiting) == 1
    call.cancel()
    assert call.statuses() == [487]
    assert call.server.cancelled_calls == 1
    call.acknowledge_failure()
    call.wire.run(40)
    assert call.server.nothing_left()


def test_a_slow_look_up_parks_the_route_and_then_goes_on() -> None:
    call = Call(relaying())
    call.server.locator.slow.add("example.com")
    call.dial()
    call.server.answer((Target("udp", *BOB),))
    call.wire.run(0.1)
    assert len(call.bob.requests("INVITE")) == 1


@pytest.mark.parametrize("order", [None, "one by one", "by q"])
def test_ring_with_nobody_to_ring_goes_on_with_480(order: str | None) -> None:
    """A user without a phone is what voicemail is for: the next line must run."""

    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            assert not await server.proxy.ring(context, [], order=order)  # type: ignore[arg-type]
            assert (context.outcome.code, context.outcome.attempts) == (480, [])
            assert not await server.proxy.ring(context, destinations(BOB))
            context.reply(context.outcome.code)
            return True

        return route

    call = Call(make)
    call.dial()
    call.respond(call.bob, 486)
    assert call.statuses() == [486]
    call.acknowledge_failure()
    call.wire.run(40)
    assert call.server.nothing_left()


def test_relay_to_nobody_is_480() -> None:
    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            await server.proxy.relay(context, [])
            return True

        return route

    call = Call(make)
    call.dial()
    assert call.statuses() == [480]


@pytest.mark.conformance("RFC 3261 16.7")
def test_when_somebody_has_answered_no_late_redirection_is_followed() -> None:
    def make(server: Server) -> Route:
        async def route(context: Context) -> bool:
            return await server.proxy.ring(context, destinations(BOB, BOB_DESK), redirects=1)

        return route

    call = Call(make)
    elsewhere = call.wire.peer("10.0.0.9")
    call.dial()
    call.respond(call.desk, 200)
    call.respond(call.bob, 302, "Contact: <sip:bob@10.0.0.9>")
    assert call.statuses() == [200]
    assert elsewhere.received == []
