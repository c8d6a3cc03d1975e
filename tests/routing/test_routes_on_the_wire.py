"""Compiled routes inside the whole server: stack, dispatcher and proxy on a fake network with chosen time."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from routing.runtime import Context, Module, function
from routing.runtime.builtins import Builtins
from routing.runtime.loader import load_routes
from sipcore.errors import Unavailable
from sipcore.need import Pending
from tests.calls import ALICE, BOB, BOB_DESK, US, Call, busy
from tests.routed import routed
from tests.serving import Route, Server
from tests.wire import request, response_to


def test_a_reply_ends_the_transaction() -> None:
    call = Call(routed('on request { reply(404, "Nobody here") }'))
    call.dial()
    assert [(one.status, one.reason) for one in call.alice.responses()] == [(404, "Nobody here")]
    call.acknowledge_failure()
    call.wire.run(40.0)
    assert call.server.nothing_left()


def test_a_dropped_request_leaves_nothing_behind() -> None:
    call = Call(routed("on request { drop() }"))
    for _ in range(3):  # also its retransmissions
        call.dial(1.0)
        assert call.alice.received == []
        assert call.server.nothing_left()


def test_a_dropped_request_of_another_method_leaves_nothing_behind() -> None:
    call = Call(routed("on request { drop() }"))
    call.alice.send(request("OPTIONS", "sip:example.com", source=ALICE, branch="o1"), US)
    call.wire.run(5.0)
    assert call.alice.received == [] and call.server.nothing_left()


def test_the_first_answer_ends_the_route() -> None:
    call = Call(routed("on request { ring(lookup(request.uri), for: 20s)  reply(480) }", BOB, BOB_DESK))
    call.dial()
    call.respond(call.desk, 180)
    call.respond(call.bob, 200, "Contact: <sip:bob@10.0.0.3>")
    assert call.statuses() == [180, 200]
    assert len(call.desk.requests("CANCEL")) == 1


HUNT = """
on request {
    for phone in lookup(request.uri) {
        ring(phone, for: 10s)
        if outcome.code in [486, 600..699] { reply(outcome) }
    }
    reply(503, retry_after: 30s)
}
"""


def test_a_route_hunts_in_a_straight_line() -> None:
    call = Call(routed(HUNT, BOB, BOB_DESK))
    call.bob.answer = busy(404)(call.bob)
    call.dial()
    assert len(call.desk.requests("INVITE")) == 1
    call.respond(call.desk, 486)
    assert call.statuses() == [486]


def test_a_phone_that_does_not_answer_is_given_up_after_its_time() -> None:
    call = Call(routed(HUNT, BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 180)
    call.wire.run(9.0)
    assert call.desk.requests("INVITE") == []
    call.wire.run(1.5)
    assert call.bob.requests("CANCEL")
    call.bob.send(response_to(call.bob.requests("INVITE")[0], 487), US)
    call.wire.run(0.1)
    call.respond(call.desk, 404)
    assert call.statuses()[-1] == 503
    assert call.alice.responses(503)[0].get("retry-after") == b"30"


def test_the_best_answer_is_given_back_with_its_headers() -> None:
    call = Call(routed("on request { ring(lookup(request.uri))  reply(outcome) }", BOB, BOB_DESK))
    call.dial()
    call.respond(call.bob, 404)
    call.respond(call.desk, 302, "Contact: <sip:bob@10.0.0.9>", "X-Private: yes")
    (answer,) = call.alice.responses(302)
    assert answer.get("contact") == b"<sip:bob@10.0.0.9>"
    assert answer.get("x-private") is None


def test_a_cancel_stops_the_route() -> None:
    call = Call(routed("on request { ring(lookup(request.uri))  reply(480) }", BOB))
    call.dial()
    call.respond(call.bob, 180)
    call.cancel()
    call.bob.send(response_to(call.bob.requests("INVITE")[0], 487), US)
    call.wire.run(0.1)
    assert call.statuses() == [180, 487]
    assert call.statuses("CANCEL") == [200]


def test_edits_reach_the_next_hop() -> None:
    text = """on request {
        request.header["X-Account"] = "7"
        remove(request.header["X-Secret"])
        request.uri.user = "carol"
        relay()
    }"""
    call = Call(routed(text))
    call.invite = request(
        "INVITE", "sip:bob@10.0.0.3", source=ALICE, branch="i1", headers=("X-Secret: yes", "X-Kept: yes")
    )
    call.dial()
    (sent,) = call.bob.requests("INVITE")
    assert sent.uri_text == "sip:carol@10.0.0.3"
    assert (sent.get("x-account"), sent.get("x-secret"), sent.get("x-kept")) == (b"7", None, b"yes")


@pytest.mark.row("E08")
@pytest.mark.parametrize(
    ("text", "failure", "status", "after"),
    [
        ("on request {\n    ring(lookup(request.uri))\n    drop()\n}", ZeroDivisionError(), 500, [500]),
        ("on request {\n    ring(lookup(request.uri))\n    drop()\n}", Unavailable("database"), 503, [503]),
        ('on request {\n    request.header["X"] = request.uri.user\n    drop()\n}', None, 400, []),
        ("on request { for a in 1..200 { for b in 1..200 { } } drop() }", None, 500, [500]),
    ],
)
def test_a_fault_is_answered_and_the_next_request_is_served(
    text: str, failure: Exception | None, status: int, after: list[int], caplog: Any
) -> None:
    caplog.set_level(logging.CRITICAL)
    call = Call(routed(text, failure=failure))
    call.invite = request("INVITE", "sip:a%0d%0aEvil:%201@example.com", source=ALICE, branch="i1")
    call.dial()
    assert call.statuses() == [status]
    assert b"Evil: 1" not in call.alice.responses()[0].write()
    call.alice.send(request("OPTIONS", "sip:example.com", source=ALICE, branch="o1", call_id="2"), US)
    call.wire.run(0.1)
    assert call.statuses("OPTIONS") == after
    assert not call.server.platform.runner.parked


def test_a_fault_is_logged_with_the_line_of_the_route(caplog: Any) -> None:
    call = Call(routed("on request {\n    ring(lookup(request.uri))\n    drop()\n}", failure=ZeroDivisionError()))
    call.dial()
    (record,) = caplog.records
    assert record.getMessage() == "route failed for call b'call-1' at main.route:2"
    assert 'File "main.route", line 2, in on_request' in caplog.text


class Slow(Module):
    """Waits for what never comes, with a deadline."""

    name = "slow"

    @function()
    async def directory(self, context: Context) -> str:
        """What a directory says."""
        return await Pending(timeout=8.0)


@pytest.mark.row("E08")
def test_a_wait_that_takes_too_long_is_answered_and_others_do_not_wait(caplog: Any) -> None:
    def make(server: Server) -> Route:
        modules = [Builtins(server.platform), Slow(server.platform)]
        text = 'on request {\n    if request.method == "OPTIONS" { reply(200) }\n    log(directory())\n    drop()\n}'
        return load_routes(text, modules).run

    call = Call(make)
    call.dial(7.9)
    call.alice.send(request("OPTIONS", "sip:bob@example.com", source=ALICE, branch="o1", call_id="2"), US)
    call.wire.run(0.05)
    assert (call.statuses(), call.statuses("OPTIONS")) == ([100], [200])
    call.wire.run(0.1)
    assert call.statuses() == [100, 503]
    assert "backend unavailable at main.route:3: no answer within 8 s" in caplog.text
