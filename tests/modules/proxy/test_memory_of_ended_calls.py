"""A call that has ended, in whatever way, is freed by counting references."""

from __future__ import annotations

import gc
import random
import string
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from modules.proxy.redirection import Redirection
from tests.calls import (
    ALICE,
    BOB,
    BOB_DESK,
    US,
    Call,
    answer_last,
    caller_side,
    destinations,
    established,
    relaying,
    ringing,
)
from tests.garbage import left_behind, no_collector
from tests.routed import routed
from tests.serving import Route, Server
from tests.wire import request

CONTACT = "Contact: <sip:bob@10.0.0.3:5060>"


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    with no_collector():
        yield


def answered_and_ended() -> Call:
    call = Call(relaying(BOB))
    alice, _ = established(call)
    alice.send("BYE")
    answer_last(call.bob, "BYE", 200)
    return call


def busy() -> Call:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 486)
    call.acknowledge_failure()
    return call


def nobody_says_anything() -> Call:
    call = Call(relaying(BOB))
    call.dial()
    return call


def rings_for_ever() -> Call:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    return call


def cancelled() -> Call:
    call = Call(relaying(BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    call.respond(call.bob, 487)
    call.acknowledge_failure()
    return call


def cancelled_before_anything() -> Call:
    call = Call(relaying(BOB))
    call.dial()
    call.cancel()
    return call


def forked() -> Call:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.desk, 180)
    call.respond(call.bob, 200, CONTACT)
    call.respond(call.desk, 487)
    return call


def forked_and_both_answered() -> Call:
    call = Call(relaying(BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 200, CONTACT)
    call.respond(call.desk, 200, CONTACT, tag="d1")
    return call


def refused_by_the_network() -> Call:
    call = Call(relaying(BOB))
    call.wire.refusing.add(BOB)
    call.dial()
    return call


def one_after_the_other() -> Call:
    call = Call(ringing(5, [BOB], [BOB_DESK]))
    call.dial()
    call.respond(call.bob, 486)
    call.respond(call.desk, 404)
    call.acknowledge_failure()
    return call


def rung_for_their_time() -> Call:
    call = Call(ringing(5, [BOB], [BOB_DESK]))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(30)
    return call


def cancelled_while_the_route_waits() -> Call:
    call = Call(ringing(20, [BOB], [BOB_DESK]))
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    call.respond(call.bob, 487)
    call.acknowledge_failure()
    return call


def redirected() -> Call:
    def make(server: Server) -> Route:
        async def route(context: Any) -> bool:
            forks = await server.proxy._fork(context, destinations(BOB))
            forks.redirection = Redirection(1, None)
            forks.start()
            return True

        return route

    call = Call(make)
    call.dial()
    call.respond(call.bob, 302, "Contact: <sip:bob@10.0.0.4:5060>")
    call.respond(call.desk, 486)
    call.acknowledge_failure()
    return call


def no_invite(status: int) -> Callable[[], Call]:
    def make() -> Call:
        call = Call(relaying(BOB))
        call.alice.send(request("MESSAGE", "sip:bob@example.com", source=ALICE, branch="m1"), US)
        call.wire.run(0.1)
        if status:
            answer_last(call.bob, "MESSAGE", status)
        return call

    return make


CHANGING = """
on request {
    call.account = "42"
    from.display = "Company"
    ring(lookup(request.uri), edit: outbound, redirects: 1)
    reply(outcome)
}
branch outbound(branch) { branch.to.user = branch.uri.domain  call.host = branch.uri.domain }
on dialog { call.asked = call.asked + 1  if request.method == "INFO" { reply(200) } }
on reply { call.codes = call.codes + " " + reply.code }
"""


def changing() -> Call:
    call = Call(routed(CHANGING, BOB, BOB_DESK))
    gc.collect()  # what checking and compiling a file leaves is another matter
    return call


def changed_and_kept(*, to: Callable[[Call], None]) -> Callable[[], Call]:
    def make() -> Call:
        call = changing()
        call.dial()
        call.respond(call.bob, 180)
        call.respond(call.desk, 180, tag="d1")
        to(call)
        assert not call.server.platform.dialogs.entries
        return call

    return make


def talk_and_hang_up(call: Call) -> None:
    call.respond(call.bob, 200, CONTACT)
    call.respond(call.desk, 487, tag="d1")
    alice = caller_side(call, call.alice.responses(200)[0])
    for method in ("ACK", "INFO", "UPDATE", "BYE"):
        alice.send(method)
        if method in ("UPDATE", "BYE"):
            answer_last(call.bob, method, 200)


def redirect_and_refuse(call: Call) -> None:
    call.respond(call.bob, 302, "Contact: <sip:bob@10.0.0.4:5061>")
    call.respond(call.desk, 486, tag="d1")
    call.cancel()
    call.wire.run(60)


def lose_interest(call: Call) -> None:
    call.cancel()
    call.wire.run(300)


def too_long_to_be_carried() -> Call:
    call = changing()
    name = "".join(random.Random(1).choices(string.ascii_letters, k=2_000))
    call.invite = request(
        "INVITE", "sip:bob@example.com", source=ALICE, branch="i1", from_=f'"{name}" <sip:a@example.com>;tag=a1'
    )
    call.dial()
    assert call.statuses() == [513]
    return call


def a_fault() -> Call:
    def make(server: Server) -> Route:
        async def route(context: Any) -> bool:
            raise RuntimeError("a fault of the route")

        return route

    call = Call(make)
    call.dial()
    return call


ENDINGS = [
    answered_and_ended, busy, nobody_says_anything, rings_for_ever, cancelled, cancelled_before_anything, forked,
    forked_and_both_answered, refused_by_the_network, one_after_the_other, rung_for_their_time,
    cancelled_while_the_route_waits, redirected, a_fault, too_long_to_be_carried,
    *(
        pytest.param(changed_and_kept(to=end), id=f"changed_and_kept_to_{end.__name__}")
        for end in (talk_and_hang_up, redirect_and_refuse, lose_interest)
    ),
    *(pytest.param(no_invite(status), id=f"message_{status or 'unanswered'}") for status in (200, 404, 503, 0)),
]  # fmt: skip


@pytest.mark.row("E02")
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_left_to_the_collector(ending: Callable[[], Call]) -> None:
    call = ending()
    call.wire.run(1000)
    assert call.server.nothing_left()
    assert left_behind() == Counter()


def test_a_cycle_would_be_noticed() -> None:
    call = busy()
    call.wire.run(1000)
    context = Redirection(1, None)
    context.followed.append(context)  # type: ignore[arg-type]
    del context
    assert left_behind() == Counter({"Redirection": 1})
