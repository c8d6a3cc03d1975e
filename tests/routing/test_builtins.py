"""`reply`, `drop`, `log` and `remove`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routing.runtime.builtins import Builtins, printable
from routing.runtime.context import Outcome
from sipcore.errors import RingwayError
from sipcore.message import Response
from tests.rehearsing import passes

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("call", "status", "reason"),
    [
        ("reply(404)", 404, "Not Found"),
        ('reply(404, "Nobody here")', 404, "Nobody here"),
        ('reply(404, reason: "Nobody here")', 404, "Nobody here"),
        ("reply(200)", 200, "OK"),
        ("reply(699)", 699, "Global Failure"),
    ],
)
def test_reply_sends_status_and_reason(call: str, status: int, reason: str, run: Run, new_context: Any) -> None:
    context = new_context()
    run(f"on request {{ {call} }}", context)
    (response,) = context.transaction.responses
    assert (response.status, response.reason) == (status, reason)
    assert context.ended
    assert response.to.tag


@pytest.mark.parametrize(("duration", "seconds"), [("30s", b"30"), ("1500ms", b"2"), ("2m", b"120")])
def test_retry_after_is_in_whole_seconds(duration: str, seconds: bytes, run: Run) -> None:
    (response,) = run(f"on request {{ reply(503, retry_after: {duration}) }}")[1]
    assert response.get("retry-after") == seconds


@pytest.mark.parametrize("status", [0, 99, 199, 700])
def test_a_status_that_is_not_final_is_a_fault(status: int, new_context: Any, platform: Any) -> None:
    context = new_context()
    with pytest.raises(RingwayError):
        Builtins(platform).reply(context, status)  # type: ignore[arg-type]
    assert context.transaction.responses == []


@pytest.mark.conformance("RFC 3261 11.2")
def test_options_are_answered_with_what_is_allowed(run: Run, new_context: Any) -> None:
    context = new_context(b"OPTIONS sip:h SIP/2.0\nVia: SIP/2.0/UDP h\nTo: <sip:h>\nCall-ID: 1\n\n")
    run("on request { reply(200) }", context)
    assert b"INVITE" in context.transaction.responses[0].get("allow")
    assert run("on request { reply(200) }")[1][0].get("allow") is None


def answer(status: int, *headers: tuple[str, bytes], body: bytes = b"") -> Response:
    response = Response(status, "As They Said", [], [])
    for name, value in headers:
        response.append(name, value)
    response.body = body
    return response


def test_the_best_answer_is_passed_on_with_what_it_tells(run: Run, new_context: Any) -> None:
    context = new_context()
    theirs = answer(
        407,
        ("via", b"SIP/2.0/UDP other"),
        ("to", b"<sip:bob@example.com>;tag=theirs"),
        ("record-route", b"<sip:other>"),
        ("content-length", b"4"),
        ("x-secret", b"theirs"),
        ("proxy-authenticate", b'Digest realm="a"'),
        ("proxy-authenticate", b'Digest realm="b"'),
        ("retry-after", b"9"),
        ("contact", b"<sip:new@example.net>"),
        ("warning", b'399 h "why"'),
        ("content-type", b"text/plain"),
        body=b"body",
    )
    context.outcome = Outcome(407, "As They Said", theirs)
    run("on request { reply(outcome) }", context)
    (response,) = context.transaction.responses
    assert (response.status, response.reason, response.body) == (407, "As They Said", b"body")
    assert response.all("proxy-authenticate") == [b'Digest realm="a"', b'Digest realm="b"']
    assert response.get("contact") == b"<sip:new@example.net>"
    assert response.get("retry-after") == b"9"
    assert response.get("content-type") == b"text/plain"
    assert response.get("x-secret") is None and response.get("content-length") is None
    assert response.all("via") == [b"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"]
    assert response.to.tag != "theirs"
    assert response.write().count(b"Content-Length") == 1


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Outcome(486, "Busy Here"), 486, "Busy Here"),
        (Outcome(408, "Request Timeout", None), 408, "Request Timeout"),
        (Outcome(), 480, "Temporarily Unavailable"),
        (Outcome(503, "Overload", answer(503, ("retry-after", b"600"))), 500, "Server Internal Error"),
    ],
)
def test_other_outcomes(outcome: Outcome, status: int, reason: str, run: Run, new_context: Any) -> None:
    context = new_context()
    context.outcome = outcome
    run("on request { reply(outcome) }", context)
    (response,) = context.transaction.responses
    assert (response.status, response.reason) == (status, reason)
    assert response.get("retry-after") is None


def test_our_own_words_win_over_theirs(run: Run, new_context: Any) -> None:
    context = new_context()
    context.outcome = Outcome(480, "Gone", answer(480, ("retry-after", b"9")))
    run('on request { reply(outcome, "Try later", retry_after: 60s) }', context)
    (response,) = context.transaction.responses
    assert (response.reason, response.all("retry-after")) == ("Try later", [b"60"])


def test_drop_answers_nothing_and_lets_go(run: Run, new_context: Any) -> None:
    context = new_context()
    run("on request { drop() }", context)
    assert context.transaction.responses == []
    assert context.ended and context.transaction.abandoned


@pytest.mark.row("E05")
def test_log_writes_one_line(run: Run, caplog: Any, new_context: Any) -> None:
    caplog.set_level(logging.INFO, "ringway.route")
    context = new_context(
        b"INVITE sip:a%0d%0aEVIL%1b[31m@h SIP/2.0\nVia: SIP/2.0/UDP h\nCall-ID: c1\nFrom: <sip:x@h>\n\n"
    )
    run('on request { log("call to", request.uri.user, source.port, from.uri) drop() }', context)
    (record,) = caplog.records
    assert record.getMessage() == r"call to a\r\nEVIL\x1b[31m 5062 sip:x@h"
    assert record.call_id == b"c1"


def test_a_quiet_logger_costs_no_line(run: Run, caplog: Any) -> None:
    caplog.set_level(logging.WARNING, "ringway.route")
    run('on request { log("x") drop() }')
    assert caplog.records == []


@pytest.mark.row("E05")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é", "plain é"),
        ("a\nb", r"a\nb"),
        ("\u2028", r"\u2028"),
        ("\udce9", r"\udce9"),
        ("\x9b", r"\x9b"),
        ("\u202e", r"\u202e"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.row("B11")
@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("X-Account", ["x-billing", "p-x-y", "subject"]),
        ("x-*", ["p-x-y", "subject"]),
        ("X-*g", ["x-account", "p-x-y", "subject"]),
        ("*-y", ["x-account", "x-billing", "subject"]),
        ("Nothing", ["x-account", "x-billing", "p-x-y", "subject"]),
        ("s", ["x-account", "x-billing", "p-x-y"]),
    ],
)
def test_remove_takes_headers_off_by_name(name: str, left: list[str], run: Run, new_context: Any) -> None:
    context = new_context(
        b"INVITE sip:h SIP/2.0\nVia: SIP/2.0/UDP h\nX-Account: 1\nX-Billing: 2\nP-X-Y: 3\ns: 4\nx-account: 5\n\n"
    )
    run(f'on request {{ remove(request.header["{name}"]) drop() }}', context)
    assert [one for one in context.request.names if one != "via"] == [
        one for one in ["x-account", "x-billing", "p-x-y", "subject", "x-account"] if one in left
    ]


def test_the_headers_of_the_server_stay_whatever_a_star_stands_for(run: Run, new_context: Any) -> None:
    context = new_context()
    run('on request { remove(request.header["*"]) drop() }', context)
    kept = ["via", "from", "to", "call-id", "cseq", "max-forwards", "content-length"]
    assert context.request.names == kept


@pytest.mark.parametrize(
    ("what", "kept", "left"),
    [
        ("X-*", ["X-Account"], ["x-account", "p-x-y", "subject"]),
        ("*", ["Subject", "x-b*"], ["x-billing", "subject"]),
        ("*", ["s"], ["subject"]),
        ("*", ["P-*", "*count"], ["x-account", "p-x-y"]),
        ("X-Account", ["x-account"], ["x-account", "x-billing", "p-x-y", "subject"]),
        ("X-Account", ["Subject"], ["x-billing", "p-x-y", "subject"]),
        ("*", [], []),
    ],
)
def test_what_is_excepted_stays(what: str, kept: list[str], left: list[str], run: Run, new_context: Any) -> None:
    context = new_context(
        b"INVITE sip:h SIP/2.0\nVia: SIP/2.0/UDP h\nX-Account: 1\nX-Billing: 2\nP-X-Y: 3\ns: 4\nx-account: 5\n\n"
    )
    named = ", ".join(f'"{name}"' for name in kept)
    run(f'on request {{ remove(request.header["{what}"], except: [{named}]) drop() }}', context)
    there = ["x-account", "x-billing", "p-x-y", "subject", "x-account"]
    assert [one for one in context.request.names if one != "via"] == [one for one in there if one in left]


def test_what_is_excepted_may_be_known_only_while_the_route_runs(run: Run, new_context: Any) -> None:
    context = new_context()
    run('on request { remove(request.header["*"], except: ["X-" + "Account"]) drop() }', context)
    assert "x-account" in context.request.names
    assert "user-agent" not in context.request.names


def test_a_name_that_is_none_is_told_when_the_file_is_loaded(check: Run) -> None:
    (problem,) = check('on request { remove(request.header["*"], except: ["X-A", "X A"]) drop() }')
    assert problem.message == '"X A" is no name of a header'
    assert problem.column == 59


def test_a_name_that_is_none_while_the_route_runs_is_a_fault(run: Run) -> None:
    with pytest.raises(RingwayError, match='"X A" is no name of a header'):
        run('on request { remove(request.header["*"], except: ["X " + "A"]) drop() }')


def test_a_branch_keeps_what_is_listed(tmp_path: Path) -> None:
    routes = """\
on request { relay("sip:peer.example.net", edit: allowed) }

branch allowed(branch) {
    remove(branch.header["*"], except: ["Contact", "Content-*", "Subject"])
}
"""
    story = """\
given peer alice at "sip.example.net"
given peer bob at "peer.example.net"
alice calls bob with "Subject: hi", "X-A: 1", "User-Agent: x"
expect bob got INVITE with "Subject: hi", "Contact", "Via", "Max-Forwards", body "" without "X-A", "User-Agent"
expect alice and bob talk
alice hangs up
expect bob got BYE
"""
    passes(tmp_path, story, routes)
