"""`on dialog`: what a route does with requests inside a call before they go on."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from routing.program.route_version import RouteVersion
from routing.runtime.builtins import Builtins
from routing.runtime.loader import load_routes
from sipcore.facts import CallEnded
from tests.calls import BOB, US, Call, answer_last, established, relaying
from tests.routed import routed
from tests.wire import request, response_to

RELAY = "on request { relay(lookup(request.uri)) }\n"
CONTACT = "Contact: <sip:bob@10.0.0.3:5060>"


def calling(on_dialog: str) -> Call:
    return Call(routed(f"{RELAY}on dialog {{ {on_dialog} }}", BOB))


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_new_sessions_are_refused_inside_a_call(method: str) -> None:
    call = calling('if request.method in ["INVITE", "UPDATE"] { reply(488, "As it is") }')
    alice, bob = established(call)
    before = len(call.bob.received)
    alice.send(method, CONTACT)
    answer = call.alice.responses()[-1]
    assert (answer.status, answer.reason, answer.to.tag) == (488, "As it is", "b1")
    assert len(call.bob.received) == before
    bob.send("BYE")
    answer_last(call.alice, "BYE", 200)
    assert call.bob.responses()[-1].status == 200


def test_the_acknowledgement_of_a_refusal_goes_no_further() -> None:
    call = calling('if request.method == "INVITE" { reply(488) }')
    alice, _ = established(call)
    before = len(call.bob.received)
    sent = alice.send("INVITE", CONTACT)
    ack = request(
        "ACK", sent.uri_text, source=call.alice.address, branch=sent.via.branch.removeprefix("z9hG4bK"),
        to=alice.remote, cseq=alice.number, headers=alice.routes,
    )  # fmt: skip
    call.alice.send(ack, US)
    call.wire.run(60)
    assert len(call.bob.received) == before
    assert call.statuses("INVITE")[-1:] == [488] and call.server.nothing_left()


def test_a_request_that_is_dropped_is_never_answered() -> None:
    call = calling('if request.method == "INFO" { drop() }')
    alice, _ = established(call)
    alice.send("INFO")
    alice.send("OPTIONS")
    assert [one.method for one in call.bob.requests()][-1:] == ["OPTIONS"]
    assert call.statuses("INFO") == [] and not call.bob.requests("INFO")


def test_headers_and_contact_are_edited_and_the_rest_stays() -> None:
    call = calling(
        'remove(request.header["X-*"])  request.header["Contact"] = "<sip:" + from.user + "@" + source.ip + ">"'
    )
    alice, _ = established(call)
    sent = alice.send("INFO", "X-Secret: 1", "Contact: <sip:alice@192.168.1.2>")
    (got,) = call.bob.requests("INFO")
    assert (got.get("x-secret"), got.all("contact")) == (None, [b"<sip:alice@10.0.0.2>"])
    for name in ("from", "to", "call-id", "cseq"):
        assert got.get(name) == sent.get(name)


def test_where_it_goes_can_be_changed() -> None:
    call = calling('if request.method == "INFO" { request.uri = "sip:bob@10.0.0.4:5060" }')
    alice, _ = established(call)
    alice.send("INFO")
    assert [one.uri_text for one in call.desk.requests("INFO")] == ["sip:bob@10.0.0.4:5060"]


def test_from_and_to_of_one_request_are_changed_and_come_back() -> None:
    call = calling('if request.method == "INFO" { from.display = "Once"  to.user = "robert"  from.user = "sales" }')
    alice, _ = established(call)
    alice.send("INFO")
    (got,) = call.bob.requests("INFO")
    assert got.get("from") == b'"Once" <sip:sales@example.com>;tag=a1'
    assert got.get("to") == b"<sip:robert@example.com>;tag=b1"
    answer_last(call.bob, "INFO", 200)
    answer = call.alice.responses()[-1]
    assert (answer.get("from"), answer.get("to")) == (alice.local.encode(), alice.remote.encode())
    alice.send("UPDATE")
    assert call.bob.requests("UPDATE")[0].get("from") == alice.local.encode()


def test_what_it_changes_goes_before_what_the_side_knows() -> None:
    text = 'on request { from.display = "Company"  to.user = "robert"  relay(lookup(request.uri)) }\n'
    call = Call(routed(text + 'on dialog { log(from.display, from.user)  from.display = "Now" }', BOB))
    alice, bob = established(call)
    alice.send("INFO")
    got = call.bob.requests("INFO")[0]
    assert got.get("from") == b'"Now" <sip:alice@example.com>;tag=a1'
    assert got.get("to") == b"<sip:robert@example.com>;tag=b1"
    bob.send("INFO")
    got = call.alice.requests("INFO")[0]
    assert got.get("from") == b'"Now" <sip:robert@example.com>;tag=b1'
    assert got.get("to") == b"<sip:alice@example.com>;tag=a1"


def test_it_reads_who_really_asks(caplog: Any) -> None:
    text = 'on request { from.display = "Company"  to.user = "robert"  relay(lookup(request.uri)) }\n'
    call = Call(routed(text + 'on dialog { log(request.method, from.user, "->", to.user, source.ip) }', BOB))
    caplog.set_level(logging.INFO)
    alice, bob = established(call)
    alice.send("INFO")
    bob.send("INFO")
    assert caplog.messages == ["INFO alice -> bob 10.0.0.2", "INFO robert -> alice 10.0.0.3"]


def test_it_reads_and_stores_what_is_kept_with_the_call() -> None:
    text = """
    on request { call.caller = from.tag  relay(lookup(request.uri)) }
    on dialog {
        call.asked = call.asked + 1
        if call.asked > 2 and request.method != "BYE" { reply(403, "No more") }
        if from.tag == call.caller { request.header["X-By"] = "caller" } else { request.header["X-By"] = "callee" }
    }
    """
    call = Call(routed(text, BOB))
    alice, bob = established(call)
    alice.send("INFO")
    bob.send("INFO")
    assert (call.bob.requests("INFO")[0].get("x-by"), call.alice.requests("INFO")[0].get("x-by")) == (
        b"caller",
        b"callee",
    )
    alice.send("INFO")
    assert call.alice.responses()[-1].status == 403
    bob.send("BYE")
    answer_last(call.alice, "BYE", 200)
    assert not call.server.platform.dialogs.entries


def test_what_it_stores_is_kept_from_then_on() -> None:
    text = 'on dialog { call.asked = call.asked + 1  request.header["X-Asked"] = "" + call.asked }'
    call = Call(routed(RELAY + text, BOB))
    alice, bob = established(call)
    for side, phone, seen in ((alice, call.bob, b"1"), (bob, call.alice, b"2"), (alice, call.bob, b"3")):
        side.send("INFO")
        assert phone.requests("INFO")[-1].get("x-asked") == seen
    alice.send("BYE")
    answer_last(call.bob, "BYE", 200)
    assert not call.server.platform.dialogs.entries


def test_a_bye_alone_keeps_nothing() -> None:
    call = Call(routed(RELAY + "on dialog { call.asked = call.asked + 1 }", BOB))
    alice, _ = established(call)
    alice.send("BYE")
    assert not call.server.platform.dialogs.entries


@pytest.mark.parametrize(("statement", "status"), [("reply(200)", 200), ("reply(481)", 481), ("reply(403)", 403)])
def test_its_answer_to_a_bye_decides_about_the_end(statement: str, status: int) -> None:
    text = 'on request { call.x = "1"  relay(lookup(request.uri)) }\non dialog { if request.method == "BYE" { %s } }'
    call = Call(routed(text % statement, BOB))
    alice, _ = established(call)
    alice.send("BYE")
    assert call.statuses("BYE") == [status]
    assert bool(call.server.platform.dialogs.entries) is (status == 403)


def test_requests_that_begin_something_do_not_pass_it() -> None:
    call = calling("reply(403)")
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    assert [one.method for one in call.bob.requests()] == ["INVITE", "CANCEL"]


def test_an_acknowledgement_does_not_pass_it() -> None:
    call = calling("reply(403)")
    established(call)
    assert len(call.bob.requests("ACK")) == 1


def test_a_dialog_that_did_not_begin_here_is_for_on_request() -> None:
    call = calling("reply(403)")
    alice, _ = established(call)
    alice.routes = ()
    alice.send("INFO")
    assert call.statuses("INFO") == [481]
    call.server.dispatcher.unknown_dialogs = True
    alice.send("INFO")
    assert len(call.bob.requests("INFO")) == 1


# -- faults -----------------------------------------------------------------------------------------------------------

FAULT = 'request.header["X-A"] = "1"  request.uri.user = "x"  call.size = 1000000000 * 1000000000'


def test_a_fault_answers_500_for_that_request_alone(caplog: Any) -> None:
    call = calling(f'if request.method == "INFO" {{\n{FAULT}\n}}')
    alice, _ = established(call)
    alice.send("INFO")
    assert call.statuses("INFO") == [500] and not call.bob.requests("INFO")
    assert "route failed for call b'call-1'" in caplog.text and 'File "main.route", line 3' in caplog.text
    alice.send("OPTIONS")
    assert len(call.bob.requests("OPTIONS")) == 1


def test_people_can_hang_up_whatever_is_wrong(caplog: Any) -> None:
    call = calling(FAULT)
    alice, _ = established(call)
    alice.send("BYE")
    (got,) = call.bob.requests("BYE")
    assert got.get("x-a") is None and got.uri_text == "sip:bob@10.0.0.3:5060", "it goes on as it came"
    assert "on dialog failed for call b'call-1'; its BYE goes on" in caplog.text


def test_a_sender_can_not_smuggle_a_line_in() -> None:
    call = calling('request.header["X-User"] = request.uri.user')
    alice, _ = established(call)
    alice.target = "sip:a%0d%0aEvil:%201@10.0.0.3"
    alice.send("INFO")
    assert call.statuses("INFO") == [400] and not call.bob.requests("INFO")


# -- facts, memory, reload --------------------------------------------------------------------------------------------


def test_the_end_of_a_call_is_reported_when_its_bye_goes_on() -> None:
    call = calling('if to.user == "bob" { reply(403) }')
    alice, bob = established(call)
    alice.send("BYE")
    assert not [fact for fact in call.server.facts if isinstance(fact, CallEnded)]
    bob.send("BYE")
    assert len([fact for fact in call.server.facts if isinstance(fact, CallEnded)]) == 1


def test_nothing_is_left_when_it_has_answered() -> None:
    call = calling('if request.method == "INFO" { reply(200) }')
    alice, _ = established(call)
    alice.send("INFO")
    call.wire.run(40)
    assert call.server.nothing_left()


def test_calls_use_the_block_that_is_in_force() -> None:
    call = calling("reply(403)")
    alice, _ = established(call)
    call.route = routed(RELAY, BOB)(call.server)
    alice.send("INFO")
    assert len(call.bob.requests("INFO")) == 1


def test_a_version_of_the_routes_hands_it_on() -> None:
    text = 'on request { call.x = "1"  drop() }\non dialog { drop() }'
    platform = Call(relaying(BOB)).server.platform
    routes = load_routes(text, [Builtins(platform)])
    version = RouteVersion(routes)
    assert version.on_dialog is routes.on_dialog is not None and version.keeps_calls


def test_responses_inside_the_dialog_pass_on_reply_as_before() -> None:
    call = Call(routed(RELAY + 'on dialog { log("x") }\non reply { reply.header["X-Hook"] = reply.method }', BOB))
    alice, _ = established(call)
    alice.send("INFO")
    call.bob.send(response_to(call.bob.requests("INFO")[0], 200), US)
    call.wire.run(0.1)
    assert call.alice.responses()[-1].get("x-hook") == b"INFO"
