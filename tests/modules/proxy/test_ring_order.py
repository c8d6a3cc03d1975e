"""`ring` with `order:`, `progress:` and `redirects:`, and what `outcome` tells afterwards; on the whole server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from modules.proxy.best_response import better, ranked
from modules.proxy.order import in_order
from routing.runtime import Destination, Order, Outcome
from routing.runtime.outcome import contacts
from sipcore.message import Response
from sipcore.uri import parse_uri
from tests.calls import BOB, BOB_DESK, US, Call, busy
from tests.routed import routed
from tests.wire import Node, response_to

MOBILE = ("10.0.0.5", 5060)


def targets(*qs: float) -> list[Destination]:
    return [Destination(parse_uri(f"sip:{number}@h"), q) for number, q in enumerate(qs)]


@pytest.mark.parametrize(
    ("order", "groups"),
    [
        ("at once", [["0", "1", "2", "3"]]),
        ("one by one", [["1"], ["3"], ["0"], ["2"]]),
        ("by q", [["1", "3"], ["0"], ["2"]]),
    ],
)
def test_the_order_of_targets(order: str, groups: list[list[str]]) -> None:
    found = in_order(targets(0.5, 1.0, 0.1, 1.0), Order(order))
    assert [[one.uri.user for one in group] for group in found] == groups


class ThreePhones(Call):
    """Bob has a third phone."""

    def __init__(self, text: str) -> None:
        super().__init__(routed(text, BOB, BOB_DESK, MOBILE))
        self.mobile = self.wire.peer(*MOBILE)


def invited(call: ThreePhones) -> list[int]:
    return [len(phone.requests("INVITE")) for phone in (call.bob, call.desk, call.mobile)]


def test_one_by_one_each_phone_rings_for_its_time() -> None:
    call = ThreePhones('on request { ring(lookup(request.uri), for: 10s, order: "one by one")  reply(outcome) }')
    call.desk.answer = busy(486)(call.desk)
    call.dial()
    call.respond(call.bob, 180)
    assert invited(call) == [1, 0, 0]
    call.wire.run(10.0)
    assert call.bob.requests("CANCEL")
    call.bob.send(response_to(call.bob.requests("INVITE")[0], 487), US)
    call.wire.run(0.1)
    assert invited(call) == [1, 1, 1], "busy at once: the third one rings"
    call.respond(call.mobile, 404)
    assert call.statuses()[-1] == 404, "the best of the three, not the last"


def test_an_answer_ends_the_row() -> None:
    call = ThreePhones('on request { ring(lookup(request.uri), order: "one by one")  reply(480) }')
    call.bob.answer = busy(404)(call.bob)
    call.dial()
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4>")
    assert invited(call) == [1, 1, 0]
    assert call.statuses() == [200]


def test_a_6xx_ends_the_row() -> None:
    call = ThreePhones('on request { ring(lookup(request.uri), order: "one by one")  reply(outcome) }')
    call.bob.answer = busy(603)(call.bob)
    call.dial()
    assert invited(call) == [1, 0, 0]
    assert call.statuses() == [603]


def test_a_cancel_ends_the_row() -> None:
    call = ThreePhones('on request { ring(lookup(request.uri), order: "one by one")  reply(480) }')
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    call.bob.send(response_to(call.bob.requests("INVITE")[0], 487), US)
    call.wire.run(0.1)
    assert invited(call) == [1, 0, 0]
    assert call.statuses() == [180, 487]


# -- progress ---------------------------------------------------------------------------------------------------------

PROGRESS = """
on request {
    for phone in lookup(request.uri) { ring(phone, for: 60s, progress: 4s) }
    reply(outcome)
}
"""


def test_a_target_that_says_nothing_is_given_up_soon() -> None:
    call = Call(routed(PROGRESS, BOB, BOB_DESK))
    call.dial()
    call.wire.run(3.8)
    assert call.desk.requests("INVITE") == []
    call.wire.run(0.3)
    assert len(call.desk.requests("INVITE")) == 1
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4>")
    assert call.statuses() == [100, 200]


def test_a_target_that_only_tries_is_given_up_and_cancelled() -> None:
    call = Call(routed(PROGRESS, BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 100)
    call.wire.run(4.1)
    assert len(call.bob.requests("CANCEL")) == 1
    assert len(call.desk.requests("INVITE")) == 1


def test_a_target_that_rings_is_not_given_up() -> None:
    call = Call(routed(PROGRESS, BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(10.0)
    assert call.desk.requests("INVITE") == [] and call.bob.requests("CANCEL") == []


def test_a_late_answer_of_a_target_that_was_given_up_still_wins() -> None:
    call = Call(routed(PROGRESS, BOB, BOB_DESK))
    call.dial()
    call.wire.run(4.1)
    call.respond(call.desk, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3>")
    assert call.statuses() == [100, 180, 200]
    assert len(call.desk.requests("CANCEL")) == 1


def test_nobody_says_anything() -> None:
    call = Call(routed(PROGRESS, BOB, BOB_DESK))
    call.dial()
    call.wire.run(8.0)
    assert call.statuses() == [100, 408]
    call.acknowledge_failure()
    call.wire.run(60.0)
    assert call.server.nothing_left()


def test_a_target_that_was_given_up_is_not_tried_at_its_next_address() -> None:
    text = 'on request { ring("sip:bob@carrier.test", progress: 4s)  ring(lookup(request.uri))  reply(480) }'
    call = Call(routed(text, BOB_DESK))
    call.server.locator.names["carrier.test"] = call.server.locator.immediately(
        parse_uri("sip:x@10.0.0.3")
    ) + call.server.locator.immediately(parse_uri("sip:x@10.0.0.5"))  # type: ignore[operator]
    third = call.wire.peer(*MOBILE)
    call.dial()
    call.wire.run(40.0)
    assert len(call.desk.requests("INVITE")) >= 1
    assert third.requests("INVITE") == []


# -- redirections -----------------------------------------------------------------------------------------------------


def redirecting(phone: Node, *where: str, status: int = 302) -> None:
    """Let a phone redirect each INVITE."""

    def answer(message: object, flow: object) -> None:
        for invite in phone.requests("INVITE")[-1:]:
            if message is invite:
                contact = ", ".join(where)
                phone.send(response_to(invite, status, f"Contact: {contact}"), US)

    phone.answer = answer


FOLLOW = "on request { ring(lookup(request.uri), redirects: 2, for: 30s)  reply(outcome) }"


def test_redirections_are_an_outcome_unless_they_are_to_be_followed() -> None:
    call = Call(routed("on request { ring(lookup(request.uri))  reply(outcome) }", BOB))
    redirecting(call.bob, "<sip:bob@10.0.0.4:5060>")
    call.dial()
    assert call.desk.requests("INVITE") == []
    assert call.alice.responses(302)[0].get("contact") == b"<sip:bob@10.0.0.4:5060>"


def test_a_redirection_is_followed() -> None:
    call = Call(routed(FOLLOW, BOB))
    redirecting(call.bob, "<sip:robert@10.0.0.4:5060>")
    call.dial()
    (sent,) = call.desk.requests("INVITE")
    assert sent.uri_text == "sip:robert@10.0.0.4:5060"
    assert sent.get("max-forwards") == b"69"
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4>")
    assert call.statuses() == [200]


def test_what_a_followed_redirection_came_to_is_what_counts() -> None:
    call = Call(routed(FOLLOW, BOB))
    redirecting(call.bob, "<sip:robert@10.0.0.4:5060>")
    call.desk.answer = busy(486)(call.desk)
    call.dial()
    assert call.statuses() == [486]


def test_several_places_ring_at_once() -> None:
    call = Call(routed(FOLLOW, BOB))
    mobile = call.wire.peer(*MOBILE)
    redirecting(call.bob, "<sip:a@10.0.0.4:5060>;q=0.5", "<sip:b@10.0.0.5:5060>", "<tel:+44>", "<mailto:x@y>")
    call.dial()
    assert len(call.desk.requests("INVITE")) == len(mobile.requests("INVITE")) == 1


def test_nobody_is_asked_twice() -> None:
    call = Call(routed(FOLLOW, BOB))
    redirecting(call.bob, "<sip:bob@10.0.0.4:5060>")
    redirecting(call.desk, "<sip:bob@10.0.0.3:5060>", "<sip:bob@10.0.0.4:5060>")
    call.dial()
    assert (len(call.bob.requests("INVITE")), len(call.desk.requests("INVITE"))) == (1, 1)
    assert call.statuses() == [302]


def test_only_so_many_are_followed() -> None:
    call = Call(routed(FOLLOW, BOB))
    count = iter(range(100))
    for phone in (call.bob, call.desk):

        def answer(message: object, flow: object, phone: Node = phone) -> None:
            invite = phone.requests("INVITE")[-1]
            if message is invite:
                other = "10.0.0.4" if phone is call.bob else "10.0.0.3"
                phone.send(response_to(invite, 302, f"Contact: <sip:{next(count)}@{other}:5060>"), US)

        phone.answer = answer
    call.dial(0.2)
    assert next(count) == 3
    assert call.statuses() == [302]


def test_other_phones_ring_on_while_one_is_redirected() -> None:
    call = ThreePhones(FOLLOW)
    other = call.wire.peer("10.0.0.9")
    redirecting(call.bob, "<sip:bob@10.0.0.9:5060>")
    call.dial()
    assert len(other.requests("INVITE")) == 1
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4>")
    assert call.statuses() == [200]
    for phone in (other, call.mobile):
        call.respond(phone, 180)
        assert len(phone.requests("CANCEL")) == 1


@pytest.mark.parametrize("status", [300, 301, 305, 380])
def test_a_redirection_without_a_place_is_an_outcome(status: int) -> None:
    call = Call(routed(FOLLOW, BOB))
    call.bob.answer = busy(status)(call.bob)
    call.dial()
    assert call.statuses() == [status]


def test_a_cancel_while_a_redirection_is_looked_up() -> None:
    call = Call(routed(FOLLOW, BOB))
    call.server.locator.slow.add("elsewhere.test")
    redirecting(call.bob, "<sip:bob@elsewhere.test>")
    call.dial()
    assert len(call.server.waiting) == 1
    call.cancel()
    call.server.answer(call.server.locator.immediately(parse_uri("sip:x@10.0.0.4")))
    call.wire.run(0.1)
    assert call.desk.requests("INVITE") == []
    assert call.statuses() == [487]
    call.acknowledge_failure()
    call.wire.run(60.0)
    assert call.server.nothing_left()


def test_a_redirection_that_leads_nowhere() -> None:
    call = Call(routed(FOLLOW, BOB))
    redirecting(call.bob, "<sip:bob@nowhere.invalid>")
    call.dial()
    assert call.statuses() == [500]


def test_a_branch_function_edits_what_a_redirection_leads_to() -> None:
    text = """
    on request { ring(lookup(request.uri), redirects: 1, edit: mark)  reply(outcome) }
    branch mark(branch) { branch.header["X-Mark"] = branch.uri.host }
    """
    call = Call(routed(text, BOB))
    redirecting(call.bob, "<sip:bob@10.0.0.4:5060>")
    call.dial()
    assert call.desk.requests("INVITE")[0].get("x-mark") == b"10.0.0.4"


# -- what is known afterwards -----------------------------------------------------------------------------------------


def told(text: str) -> Callable[..., list[str]]:
    """What a route puts into the reason of its reply, after Bob and his desk phone answered with these statuses."""

    def run(bob: int, desk: int, *headers: str) -> list[str]:
        call = Call(routed(text, BOB, BOB_DESK))
        call.dial()
        call.respond(call.bob, bob, *headers)
        call.respond(call.desk, desk)
        return [one.reason for one in call.alice.responses()[-1:]]

    return run


def test_every_attempt_is_listed() -> None:
    text = """on request {
        for phone in lookup(request.uri) { ring(phone) }
        let all = ""
        for one in outcome.attempts { all = all + one.target + "=" + one.code + ";" }
        reply(480, all)
    }"""
    assert told(text)(486, 404) == ["sip:bob@10.0.0.3:5060=486;sip:bob@10.0.0.4:5060=404;"]


def test_an_attempt_knows_its_time() -> None:
    text = """on request {
        ring(lookup(request.uri))
        for one in outcome.attempts { if one.time >= 250ms and one.time < 350ms { reply(480, "slow") } }
        reply(480, "quick")
    }"""
    call = Call(routed(text, BOB))
    call.dial()
    call.wire.run(0.2)
    call.respond(call.bob, 486)
    assert call.alice.responses()[-1].reason == "slow"


def test_headers_and_contacts_of_the_best_answer() -> None:
    text = """on request {
        ring(lookup(request.uri))
        for one in outcome.contacts { reply(480, outcome.header["X-Why"] + one.uri.user) }
        reply(480, "none")
    }"""
    assert told(text)(302, 404, "X-Why: moved-", "Contact: <sip:a@h>;q=0.1, <sip:b@h>") == ["moved-b"]
    assert told(text)(486, 486) == ["none"]


BEST = 'on request { for phone in lookup(request.uri) { ring(phone) } reply(480, "" + outcome.best.code) }'


@pytest.mark.parametrize(
    ("bob", "desk", "best"), [(486, 500, "486"), (500, 486, "486"), (486, 603, "603"), (404, 486, "404")]
)
def test_the_best_of_all_rings(bob: int, desk: int, best: str) -> None:
    assert told(BEST)(bob, desk) == [best]


def outcome(code: int, real: bool = True) -> Outcome:
    return Outcome(code, "", Response(code, "", [], []) if real else None)


def test_a_real_answer_is_better_than_a_time_out() -> None:
    silent, busy_, gone = outcome(408, real=False), outcome(486), outcome(404)
    assert better(silent, busy_) is busy_ and better(busy_, silent) is busy_
    assert better(gone, outcome(404)) is gone, "the first of two alike"


def test_the_best_is_remembered_through_worse_ones() -> None:
    first, second, third = outcome(404), outcome(500), outcome(486)
    ranked(first, Outcome())
    ranked(second, first)
    ranked(third, second)
    assert (first.best, second.best, third.best) == (None, first, first)
    sixth = ranked(outcome(603), third)
    assert sixth.best is None


def test_contacts_that_can_not_be_read_are_no_contacts() -> None:
    response = Response(302, "", ["contact"], [b"Contact: <sip:a@h>, <<<"])
    assert contacts(response) == []
