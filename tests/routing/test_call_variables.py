"""`call.x` lives as long as the dialog: seen by every later request, by both sides, and gone when it ends."""

from __future__ import annotations

from typing import Any

import pytest

from modules.proxy.branch_variables import MOST_DIALOGS
from routing.runtime.dialogs import Dialogs
from tests.calls import (
    ALICE,
    BOB,
    BOB_DESK,
    US,
    Call,
    Dialog,
    answer_last,
    busy,
    callee_side,
    caller_side,
    established,
)
from tests.routed import routed
from tests.wire import Node, request, response_to

CONTACT = "Contact: <sip:bob@10.0.0.3:5060>"
TOLD = 'on reply { reply.header["X-Told"] = call.account  call.account = call.account + "." }\n'
STORE = 'on request { call.account = "42"  relay(lookup(request.uri)) }\n'


def kept(call: Call) -> dict[str, Any]:
    """What is kept, of the one dialog there is."""
    (dialog,) = dialogs(call).entries.values()
    return dialog.variables


def dialogs(call: Call) -> Dialogs:
    return call.server.platform.dialogs


def told(phone: Node, header: str = "x-told") -> str:
    return (phone.responses()[-1].get(header) or b"").decode()


def hang_up(side: Dialog, other: Node, status: int = 200) -> None:
    side.send("BYE")
    answer_last(other, "BYE", status)


def nothing_left(call: Call) -> bool:
    call.wire.run(40)
    return call.server.nothing_left() and not dialogs(call).entries


def test_a_later_request_of_either_side_sees_what_was_stored() -> None:
    call = Call(routed(STORE + TOLD, BOB))
    alice, bob = established(call)  # a 180 and a 200
    assert [one.get("x-told") for one in call.alice.responses()[-2:]] == [b"42", b"42."]
    alice.send("INFO")
    answer_last(call.bob, "INFO", 200)
    assert told(call.alice) == "42.."
    bob.send("INVITE", CONTACT)
    answer_last(call.alice, "INVITE", 200, CONTACT)
    assert told(call.bob) == "42..."
    hang_up(alice, call.bob)
    assert told(call.alice) == "42....", "the answer to the BYE still sees it"
    assert nothing_left(call)


def test_a_dialog_that_was_set_up_elsewhere_keeps_what_the_routes_store() -> None:
    text = 'on request { call.account = call.account + "4"  relay(lookup(request.uri)) }\n' + TOLD
    call = Call(routed(text, BOB))
    call.server.dispatcher.unknown_dialogs = True
    alice = Dialog(call.alice, "<sip:a@h>;tag=a1", "<sip:b@h>;tag=elsewhere", "sip:bob@example.com", (), "call-9")
    for method, seen in (("INFO", "4"), ("INFO", "4.4"), ("BYE", "4.4.4")):
        alice.send(method)
        answer_last(call.bob, method, 200)
        assert told(call.alice) == seen
    assert nothing_left(call)


def test_branch_functions_see_it_inside_the_dialog_too() -> None:
    text = """
    on request { relay(lookup(request.uri), edit: count) }
    branch count(branch) { call.n = call.n + 1  branch.header["X-N"] = "" + call.n }
    """
    call = Call(routed(text, BOB))
    call.server.dispatcher.unknown_dialogs = True
    alice = Dialog(call.alice, "<sip:a@h>;tag=a1", "<sip:b@h>;tag=elsewhere", "sip:bob@example.com", (), "call-9")
    for seen in (b"1", b"2"):
        alice.send("INFO")
        assert call.bob.requests("INFO")[-1].get("x-n") == seen
    assert kept(call) == {"n: number": 2}


def test_an_answer_of_the_route_itself_keeps_it_too_and_a_refusal_does_not() -> None:
    text = """on request {
        call.count = call.count + 1
        if request.method == "BYE" { reply(200) }
        if call.count == 1 { reply(403) }
        reply(200)
    }"""
    call = Call(routed(text))
    call.server.dispatcher.unknown_dialogs = True
    alice = Dialog(call.alice, "<sip:a@h>;tag=a1", "<sip:b@h>;tag=elsewhere", "sip:bob@example.com", (), "call-9")
    alice.send("INFO")
    assert call.statuses("INFO") == [403] and not dialogs(call).entries
    call.route = routed(text.replace("== 1", "== 5"))(call.server)
    alice.send("INFO")
    alice.send("INFO")
    assert kept(call) == {"count: number": 2}
    alice.send("BYE")
    assert call.statuses("BYE") == [200] and nothing_left(call)


# -- forks ------------------------------------------------------------------------------------------------------------

PER_PHONE = """
on request {
    call.before = "both"
    ring(lookup(request.uri), edit: outbound)
    reply(outcome)
}
branch outbound(branch) { call.host = branch.uri.domain  call.before = call.before + "+" }
on reply {
    call.codes = call.codes + "" + reply.code
    reply.header["X-Told"] = call.before + " " + call.host + " " + call.codes
}
"""


def test_each_dialog_of_a_fork_has_its_own_and_shares_what_was_stored_before() -> None:
    call = Call(routed(PER_PHONE, BOB, BOB_DESK))
    call.dial()
    seen = []
    for phone, status, tag in ((call.bob, 180, "b1"), (call.desk, 180, "d1"), (call.bob, 183, "b1")):
        call.respond(phone, status, tag=tag)
        seen.append(told(call.alice))
    assert seen == ["both+ 10.0.0.3 180", "both+ 10.0.0.4 180", "both+ 10.0.0.3 180183"]
    call.respond(call.bob, 200, CONTACT)
    call.respond(call.desk, 200, "Contact: <sip:bob@10.0.0.4:5060>", tag="d1")
    first, second = call.alice.responses(200)
    assert first.get("x-told") == b"both+ 10.0.0.3 180183200"
    assert second.get("x-told") == b"both+ 10.0.0.4 180200"
    hang_up(callee_side(call, call.desk, "d1"), call.alice)
    assert told(call.desk) == "both+ 10.0.0.4 180200200"
    assert len(dialogs(call).entries) == 1
    hang_up(caller_side(call, first), call.bob)
    assert nothing_left(call)


def test_dialogs_behind_one_branch_are_told_apart_by_their_tags() -> None:
    call = Call(routed(PER_PHONE, BOB))
    call.dial()
    for tag in ("x1", "x2", "x1"):
        call.respond(call.bob, 180, tag=tag)
    assert told(call.alice) == "both+ 10.0.0.3 180180"
    call.respond(call.bob, 200, CONTACT, tag="x2")
    assert told(call.alice) == "both+ 10.0.0.3 180200"
    assert len(dialogs(call).entries) == 2
    call.wire.run(40)
    assert [key[1:] for key in dialogs(call).entries] == [("a1", "x2")], "what was not confirmed has ended"


def test_an_early_dialog_has_variables_of_its_own() -> None:
    call = Call(routed(PER_PHONE, BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 183, CONTACT, tag="b1")
    call.respond(call.desk, 183, "Contact: <sip:bob@10.0.0.4:5060>", tag="d1")
    early = caller_side(call, call.alice.responses(183)[1])
    early.send("UPDATE")
    answer_last(call.desk, "UPDATE", 200)
    assert told(call.alice) == "both+ 10.0.0.4 183200"


def test_whoever_invents_tags_gets_no_more_than_a_few_dialogs() -> None:
    call = Call(routed(PER_PHONE, BOB))
    call.dial()
    for number in range(3 * MOST_DIALOGS):
        call.respond(call.bob, 180, tag=f"t{number}", seconds=0.01)
    assert len(dialogs(call).entries) == MOST_DIALOGS
    call.respond(call.bob, 486, tag="t0")
    call.acknowledge_failure()
    assert nothing_left(call)


# -- what the route reads afterwards ----------------------------------------------------------------------------------


def test_the_lines_behind_ring_see_what_branches_and_replies_have_stored() -> None:
    text = """
    on request {
        for phone in lookup(request.uri) { ring(phone, edit: count, replies: note) }
        reply(480, call.hosts + call.codes)
    }
    branch count(branch) { call.hosts = call.hosts + branch.uri.domain + " " }
    reply note(reply) { call.codes = call.codes + reply.code + " " }
    """
    call = Call(routed(text, BOB, BOB_DESK))
    call.bob.answer, call.desk.answer = busy(486)(call.bob), busy(404)(call.desk)
    call.dial()
    assert call.alice.responses(480)[0].reason == "10.0.0.3 10.0.0.4 486 404 "
    call.acknowledge_failure()
    assert nothing_left(call)


def test_what_one_branch_has_stored_is_not_seen_by_another() -> None:
    text = """
    on request { ring(lookup(request.uri), edit: mark, replies: note)  reply(480, call.mark) }
    branch mark(branch) {
        branch.header["X-Before"] = call.mark
        if branch.uri.domain == "10.0.0.3" { call.mark = "first" }
    }
    reply note(reply) { reply.header["X-Told"] = call.mark }
    """
    call = Call(routed(text, BOB, BOB_DESK))
    call.dial()
    assert [phone.requests("INVITE")[0].get("x-before") for phone in (call.bob, call.desk)] == [b"", b""]
    call.respond(call.desk, 180, tag="d1")
    assert told(call.alice) == ""
    call.respond(call.bob, 180)
    assert told(call.alice) == "first"
    for phone, tag in ((call.bob, "b1"), (call.desk, "d1")):
        call.respond(phone, 486, tag=tag)
    assert call.alice.responses(480)[0].reason == "first"


def test_a_message_has_no_dialog_and_shares_its_variables() -> None:
    text = """
    on request { call.n = 1  relay(lookup(request.uri), edit: count) }
    branch count(branch) { call.n = call.n + 1  branch.header["X-N"] = "" + call.n }
    on reply { reply.header["X-Told"] = "" + call.n }
    """
    call = Call(routed(text, BOB, BOB_DESK))
    call.alice.send(request("MESSAGE", "sip:bob@example.com", source=ALICE, branch="m1"), US)
    call.wire.run(0.1)
    assert [phone.requests("MESSAGE")[0].get("x-n") for phone in (call.bob, call.desk)] == [b"2", b"3"]
    answer_last(call.desk, "MESSAGE", 200)
    assert told(call.alice) == "3"
    assert not dialogs(call).entries


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("RFC 3261 15.1.1")
@pytest.mark.parametrize(("status", "left"), [(200, 0), (481, 0), (408, 0), (401, 1), (500, 1)])
def test_the_answer_to_a_bye_decides(status: int, left: int) -> None:
    call = Call(routed(STORE, BOB))
    alice, _ = established(call)
    hang_up(alice, call.bob, status)
    assert len(dialogs(call).entries) == left


def test_a_bye_that_nobody_answers_ends_it_too() -> None:
    call = Call(routed(STORE, BOB))
    alice, _ = established(call)
    alice.send("BYE")
    assert len(dialogs(call).entries) == 1
    assert nothing_left(call)


@pytest.mark.parametrize("status", [486, 302, 603])
def test_a_refused_invite_leaves_nothing(status: int) -> None:
    call = Call(routed(STORE, BOB))
    call.dial()
    call.respond(call.bob, 180)
    assert len(dialogs(call).entries) == 1
    call.respond(call.bob, status)
    assert not dialogs(call).entries
    call.acknowledge_failure()
    assert nothing_left(call)


def test_a_cancelled_invite_leaves_nothing() -> None:
    call = Call(routed(STORE, BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    call.respond(call.bob, 487)
    call.acknowledge_failure()
    assert nothing_left(call)


def test_a_phone_that_never_answers_leaves_nothing() -> None:
    call = Call(routed(STORE, BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(300)
    assert nothing_left(call)


def test_a_phone_that_lost_the_fork_leaves_nothing() -> None:
    call = Call(routed(STORE, BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.desk, 180, tag="d1")
    call.respond(call.bob, 200, CONTACT)
    assert len(dialogs(call).entries) == 2
    call.respond(call.desk, 487, tag="d1")
    assert len(dialogs(call).entries) == 1


def test_an_answer_that_comes_again_after_the_end_brings_nothing_back() -> None:
    call = Call(routed(STORE + TOLD, BOB))
    alice, _ = established(call)
    hang_up(alice, call.bob)
    call.respond(call.bob, 200, CONTACT)
    assert nothing_left(call)


def test_an_answer_after_the_branch_was_given_up_has_a_dialog() -> None:
    text = 'on request { call.account = "42"  ring(lookup(request.uri), for: 5s)  relay("sip:bob@10.0.0.4:5060") }\n'
    call = Call(routed(text + TOLD, BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(20)
    assert not dialogs(call).entries
    call.respond(call.bob, 200, CONTACT)
    assert told(call.alice) == "42"
    assert kept(call) == {"account: text": "42."}


def test_a_subscription_keeps_it_until_its_last_notify() -> None:
    call = Call(routed(STORE + TOLD, BOB))
    subscribe = request(
        "SUBSCRIBE", "sip:bob@example.com", source=ALICE, branch="s1", headers=("Contact: <sip:alice@10.0.0.2>",)
    )
    call.alice.send(subscribe, US)
    call.wire.run(0.1)
    answer_last(call.bob, "SUBSCRIBE", 200, CONTACT)
    asked = call.bob.requests("SUBSCRIBE")[0]
    routes = tuple(f"Route: {value.decode()}" for value in asked.elements("record-route"))
    bob = Dialog(
        call.bob, "<sip:bob@example.com>;tag=b1", "<sip:alice@example.com>;tag=a1", "sip:alice@10.0.0.2", routes,
        "call-1",
    )  # fmt: skip
    for state, seen, left in (("active", "42.", 1), ("terminated;reason=timeout", "42..", 0)):
        bob.send("NOTIFY", f"Subscription-State: {state}")
        answer_last(call.alice, "NOTIFY", 200)
        assert (told(call.bob), len(dialogs(call).entries)) == (seen, left)
    assert nothing_left(call)


# -- what it costs others, and reload ---------------------------------------------------------------------------------


def test_a_call_that_stores_nothing_has_no_entry() -> None:
    text = """
    on request { if from.user == "carol" { call.account = "42" }  relay(lookup(request.uri), edit: same) }
    branch same(branch) { branch.header["X-Account"] = call.account }
    on reply { reply.header["X-Told"] = call.account }
    """
    call = Call(routed(text, BOB))
    alice, _ = established(call)
    assert not dialogs(call).entries
    hang_up(alice, call.bob)
    assert nothing_left(call)


def test_without_functions_a_call_that_stores_nothing_has_no_way_back() -> None:
    text = 'on request { if from.user == "carol" { call.account = "42" }  relay(lookup(request.uri)) }'
    call = Call(routed(text, BOB))
    call.dial()
    (transaction,) = call.server.stack.transactions.servers.values()
    assert transaction.user.returning is None  # type: ignore[union-attr]


def test_a_call_keeps_its_variables_through_a_reload_that_names_other_types() -> None:
    call = Call(routed(STORE + TOLD, BOB))
    alice, _ = established(call)
    text = 'on request { call.account = 7  drop() }\non reply { reply.header["X-Told"] = "" + call.account }'
    call.route = routed(text, BOB)(call.server)
    alice.send("INFO")
    answer_last(call.bob, "INFO", 200)
    assert told(call.alice) == "0", "nothing of this type was stored"
    call.route = routed(STORE + TOLD, BOB)(call.server)
    alice.send("INFO")
    answer_last(call.bob, "INFO", 200)
    assert told(call.alice) == "42.."


def test_a_reply_function_that_fails_leaves_the_variables_in_their_places(caplog: Any) -> None:
    text = STORE + 'on reply { call.account = call.account + "!"  reply.code = 700 - 1 }\n'
    call = Call(routed(text, BOB))
    call.dial()
    call.respond(call.bob, 180)
    assert "a reply function failed" in caplog.text
    assert kept(call) == {"account: text": "42!"}


def test_what_a_request_stored_while_another_one_did_is_one_thing() -> None:
    """Two requests that find no entry, and store at different times: the first to be answered makes it."""
    text = """
    on request { if from.user == "carol" { call.a = "" call.b = "" }  relay(lookup(request.uri)) }
    on reply { if reply.method == "INFO" { call.a = "info" } else if reply.method == "UPDATE" { call.b = "update" } }
    """
    call = Call(routed(text, BOB))
    alice, _ = established(call)
    alice.send("INFO")
    alice.send("UPDATE")
    answer_last(call.bob, "UPDATE", 200)
    answer_last(call.bob, "INFO", 200)
    assert kept(call) == {"a: text": "info", "b: text": "update"}


def test_the_oldest_call_gives_way() -> None:
    call = Call(routed(STORE + TOLD, BOB))
    dialogs(call).bound(1)
    alice, _ = established(call)
    call.invite = request(
        "INVITE", "sip:bob@example.com", source=ALICE, branch="i2", call_id="call-2",
        headers=("Contact: <sip:alice@10.0.0.2>",),
    )  # fmt: skip
    call.dial()
    call.respond(call.bob, 200, CONTACT)
    assert [key[0] for key in dialogs(call).entries] == [b"call-2"]
    alice.send("INFO")
    answer_last(call.bob, "INFO", 200)
    assert told(call.alice) == "", "the call goes on; what was kept is gone"


def test_the_way_back_of_a_response_to_nobody_is_not_upset_by_tags() -> None:
    """A refusal without a tag, and a provisional one without: the branch's own variables are at hand."""
    call = Call(routed(STORE + TOLD, BOB))
    call.dial()
    for status in (180, 486):
        answer = response_to(call.bob.requests("INVITE")[-1], status, tag="")
        call.bob.send(answer, US)
        call.wire.run(0.1)
        assert told(call.alice).startswith("42")
    assert not dialogs(call).entries
