"""Reply functions and `on reply`: what they do to responses on their way back, on the whole server."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.calls import ALICE, BOB, BOB_DESK, US, Call, answer_last, busy, established
from tests.routed import routed
from tests.wire import request

RING = "on request { ring(lookup(request.uri), replies: tidy)  reply(outcome) }\n"


def test_a_status_is_mapped_before_the_best_one_is_chosen() -> None:
    call = Call(routed(RING + "reply tidy(reply) { if reply.code == 404 { reply.code = 600 } }", BOB, BOB_DESK))
    call.bob.answer, call.desk.answer = busy(404)(call.bob), busy(486)(call.desk)
    call.dial()
    (answer,) = call.alice.responses(600)
    assert answer.reason == "Busy Everywhere"


def test_the_outcome_is_what_the_function_left() -> None:
    text = """
    on request {
        ring(lookup(request.uri), replies: tidy)
        if outcome.code == 486 and outcome.reason == "All lines busy" { reply(480, "Later") }
        reply(outcome)
    }
    reply tidy(reply) { if reply.code == 503 { reply.code = 486  reply.reason = "All lines busy" } }
    """
    call = Call(routed(text, BOB))
    call.bob.answer = busy(503)(call.bob)
    call.dial()
    assert [(one.status, one.reason) for one in call.alice.responses()[-1:]] == [(480, "Later")]


def test_a_provisional_response_can_be_dropped_and_the_phone_rings_all_the_same() -> None:
    call = Call(routed(RING + "reply tidy(reply) { if reply.code == 183 { drop() } }", BOB))
    call.dial()
    call.respond(call.bob, 183)
    call.respond(call.bob, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3>")
    assert call.statuses() == [180, 200]


def test_a_final_response_can_not_be_dropped(caplog: Any) -> None:
    call = Call(routed(RING + "reply tidy(reply) { drop() }", BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.bob, 486)
    assert call.statuses() == [486]
    assert "a reply function can't drop a final response" in caplog.text


def test_headers_are_edited() -> None:
    text = RING + 'reply tidy(reply) { remove(reply.header["X-*"])  reply.header["Server"] = "us" }'
    call = Call(routed(text, BOB))
    call.dial()
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3>", "X-Secret: 1", "Server: them")
    (answer,) = call.alice.responses(200)
    assert (answer.get("x-secret"), answer.all("server")) == (None, [b"us"])


@pytest.mark.parametrize(("status", "wanted"), [(200, 486), (486, 200), (180, 486), (486, 183), (200, 202)])
def test_a_response_stays_of_its_kind(status: int, wanted: int, caplog: Any) -> None:
    text = RING + f'reply tidy(reply) {{ reply.header["X-Seen"] = "yes"  reply.code = {wanted} }}'
    call = Call(routed(text, BOB))
    call.dial()
    call.respond(call.bob, status, "Contact: <sip:bob@10.0.0.3>")
    (answer,) = call.alice.responses(status)
    assert answer.get("x-seen") is None, "what a function that failed had done is undone"
    assert f"a {status} can't be changed to {wanted}" in caplog.text
    assert 'File "main.route", line 2' in caplog.text


def test_a_fault_leaves_the_response_alone(caplog: Any) -> None:
    text = RING + "reply tidy(reply) {\n    reply.reason = request.uri.user\n}"
    call = Call(routed(text, BOB))
    call.invite = request("INVITE", "sip:a%0d%0aEvil:%201@example.com", source=ALICE, branch="i1")
    caplog.set_level(logging.WARNING)
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.bob, 603)
    assert call.statuses() == [180, 603]
    assert b"Evil" not in b"".join(one.write() for one in call.alice.responses())
    assert "a reply function failed for call b'call-1'" in caplog.text


ON_REPLY = """
on request { relay(lookup(request.uri), replies: mark) }
reply mark(reply) { reply.header["X-Order"] = reply.header["X-Order"] + "function-" }
on reply { reply.header["X-Order"] = reply.header["X-Order"] + "hook-" + reply.method }
"""


def test_on_reply_comes_after_the_function_of_the_call() -> None:
    call = Call(routed(ON_REPLY, BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.respond(call.bob, 486)
    assert [one.get("x-order") for one in call.alice.responses()[-2:]] == [b"function-hook-INVITE"] * 2


def test_on_reply_also_sees_what_happens_inside_a_dialog() -> None:
    call = Call(routed("on request { relay(lookup(request.uri)) }\n" + ON_REPLY.split("\n")[3], BOB))
    alice, _ = established(call)
    alice.send("BYE")
    answer_last(call.bob, "BYE", 200)
    assert call.alice.responses(200)[-1].get("x-order") == b"hook-BYE"
    call.wire.run(40.0)
    assert call.server.nothing_left()


def test_a_hundred_is_for_one_hop_and_not_for_routes() -> None:
    call = Call(routed("on request { relay(lookup(request.uri)) }\non reply { log(reply.code) }", BOB))
    call.dial()
    call.respond(call.bob, 100)
    call.respond(call.bob, 486)
    assert call.statuses() == [486]


def test_every_retransmitted_answer_is_edited_alike() -> None:
    call = Call(routed('on request { relay(lookup(request.uri)) }\non reply { reply.header["X-A"] = "1" }', BOB))
    call.dial()
    for _ in range(3):
        call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3>")
    assert [one.get("x-a") for one in call.alice.responses(200)] == [b"1"] * 3


def test_a_reply_function_is_a_parameter_like_any_other() -> None:
    text = """
    on request { call out(tidy) }
    route out(how: reply function) { relay(lookup(request.uri), replies: how) }
    reply tidy(answer) { if answer.code in 500..599 { answer.code = 480 } }
    """
    call = Call(routed(text, BOB))
    call.bob.answer = busy(501)(call.bob)
    call.dial()
    assert call.statuses() == [480]


def test_a_reply_function_reads_the_request_and_what_is_kept_with_the_call() -> None:
    text = """
    on request { call.account = "42"  relay(lookup(request.uri), replies: tidy) }
    reply tidy(reply) { reply.header["X-Told"] = call.account + from.user + source.ip }
    """
    call = Call(routed(text, BOB))
    call.dial()
    call.respond(call.bob, 486)
    assert call.alice.responses(486)[0].get("x-told") == b"42alice10.0.0.2"


def test_a_message_passes_too() -> None:
    call = Call(routed("on request { relay(lookup(request.uri)) }\non reply { reply.code = 480 }", BOB))
    call.bob.answer = None
    call.alice.send(request("MESSAGE", "sip:bob@example.com", source=ALICE, branch="m1"), US)
    call.wire.run(0.1)
    answer_last(call.bob, "MESSAGE", 404)
    assert call.statuses("MESSAGE") == [480]
