"""An open relay is warned of, at the line that sends; what asks first who it is from is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.language.networks import Networks
from routing.language.problem import Problem, Severity
from routing.language.signature import Ends, Parameter, Place, Signature
from routing.language.types import TEXT, TRUTH
from routing.program.server import MODULES
from routing.runtime import Domains
from routing.runtime.loader import examine_routes

ROOT = Path(__file__).parents[2]
TABLES = {
    "domains": Domains(("example.com",)),
    "lists.trunks": Networks(["192.0.2.0/28"]),
    "lists.partners": frozenset({"partner.example"}),
}
FUNCTIONS = {
    "known": Signature(
        "known", (Parameter("who", TEXT, "who"),), TRUTH, Ends.NEVER, Place.REQUEST, True, None, "functions"
    )
}
MESSAGE = "anybody can have a request sent anywhere from here: nothing on the way asks who it is from"


def found(text: str) -> list[Problem]:
    problems = examine_routes(text, MODULES, TABLES, functions=FUNCTIONS)[0]
    assert not [problem for problem in problems if problem.severity is Severity.ERROR], problems
    return [problem for problem in problems if problem.message == MESSAGE]


def lines(text: str) -> list[int]:
    return [problem.line for problem in found(text)]


def route(*statements: str, rest: str = "") -> str:
    """The statements in lines of their own, from line 2 on."""
    return "on request {\n" + "\n".join(statements) + "\n}\n" + rest


OPEN = {
    "nothing asked": ["relay()"],
    "the Request-URI by name": ["relay(request.uri)"],
    "its text": ["relay(request.uri.text)"],
    "a name for it": ["let target = request.uri", "relay(target)"],
    "a name for a name for it": ["let target = request.uri", "let other = target", "relay(to: other)"],
    "the To of the sender": ["relay(to.uri)"],
    "ringing": ["ring(for: 20s)", "reply(outcome)"],
    "a claim": ["if from.domain in domains { relay() }", "reply(403)"],
    "a ban is no trust": ["if source.ip in banned { drop() }", "relay()"],
    "not banned is no trust": ["if source.ip not in banned { relay() }", "drop()"],
    "a rate is no trust": ["limit(20/s, per: source.ip) else { drop() }", "relay()"],
    "a header is no trust": ['if request.header["X-Key"] == "secret" { relay() }', "drop()"],
    "the wrong side": ["if source.ip in lists.trunks { reply(403) }", "relay()"],
    "another way round": ["if source.ip not in lists.trunks { relay() }", "drop()"],
    "who was not authenticated": ['if user == "" { relay() }', "drop()"],
    "foreign": ["if request.uri.domain in domains { reply(404) }", "relay()"],
    "one half of an or": ['if source.ip in lists.trunks or from.user == "a" { relay() }', "drop()"],
    "the false side of an and": ["if source.ip in lists.trunks and request.max_forwards > 3 { drop() }", "relay()"],
    "only on one way": ['if request.method == "INVITE" { authenticate(as: from) }', "relay()"],
    "the domain of a To": ["if to.domain in domains { relay() }", "drop()"],
    "a domain that the sender wrote": ["request.uri.domain = to.domain", "relay()"],
    "a whole URI that the sender wrote": [
        "if request.uri.domain not in domains { drop() }",
        "request.uri = to.uri",
        "relay()",
    ],
    "equal to what the sender wrote": ["if request.uri.domain == from.domain { relay() }", "drop()"],
    "in an arm": ['match request.method { "INVITE" => relay() else => drop() }'],
    "behind a match": ['match request.method { "INVITE" => drop() }', "relay()"],
    "an empty list": [
        "let phones = lookup(request.uri)",
        "if phones.empty { relay() }",
        "drop()",
    ],
    "in a loop": ["for phone in lookup(request.uri) { ring() }", "drop()"],
    "an account of another": ["exists(from.uri) else { drop() }", "relay()"],
}  # fmt: skip


@pytest.mark.parametrize("statements", OPEN.values(), ids=OPEN)
def test_an_open_relay_is_warned_of(statements: list[str]) -> None:
    problems = found(route(*statements))
    (problem,) = problems
    assert problem.severity is Severity.WARNING
    source = route(*statements).split("\n")[problem.line - 1][problem.column - 1 :]
    assert source.startswith(("relay(", "ring("))
    assert problem.hint.startswith("`authenticate(as: from)` before it, ask where it is from (`source.ip in ...`)")


CLOSED = {
    "authenticated": ["authenticate(as: from)", "relay()"],
    "a trunk": ["if source.ip in lists.trunks { relay() }", "reply(403)"],
    "a network": ["if source.ip not in 10.0.0.0/8 { reply(403) }", "relay()"],
    "an address": ['if source.ip == "192.0.2.1" { relay() }', "drop()"],
    "all but an address": ['if source.ip != "192.0.2.1" { drop() }', "relay()"],
    "local": ["if request.uri.domain not in domains { reply(403) }", "relay()"],
    "one of two": ["if request.uri.domain not in domains { authenticate(as: from) }", "relay()"],
    "both of an and": ['if source.ip in lists.trunks and request.method == "INVITE" { relay() }', "drop()"],
    "neither of an or": ["if source.ip not in lists.trunks or request.max_forwards == 0 { drop() }", "relay()"],
    "either of an or": ["if source.ip in lists.trunks or request.uri.domain in domains { relay() }", "drop()"],
    "not not": ["if not (not (source.ip in lists.trunks)) { relay() }", "drop()"],
    "somewhere fixed": ['relay("sip:voicemail@example.com")'],
    "the phones": ["ring(lookup(request.uri))", "reply(outcome)"],
    "each phone": ["for phone in lookup(request.uri) { ring(phone) }", "reply(404)"],
    "what the DNS says": ["relay(enum(request.uri.user))"],
    "a domain that the route chose": ['request.uri.domain = "192.0.2.1"', "relay()"],
    "a host that the route chose": ['request.uri.host = "192.0.2.1"', "relay()"],
    "a URI that the route chose": ['request.uri = "sip:a@example.net"', "relay()"],
    "a name whose parts were changed": ["let target = request.uri", 'target.domain = "192.0.2.1"', "relay(target)"],
    "places that are listed": ["if request.uri.domain in lists.partners { relay() }", "drop()"],
    "places that are written": ['if request.uri.domain in ["a.example", "b.example"] { relay() }', "drop()"],
    "one place": ['if request.uri.domain == "a.example" { relay() }', "drop()"],
    "one place, the other way round": ['if "a.example" != request.uri.domain { drop() }', "relay()"],
    "an account": ["exists(request.uri) else { reply(404) }", "relay()"],
    "an account in a condition": ["if exists(request.uri) { relay() }", "drop()"],
    "the operator's own judgement": ["known(source.ip) else { drop() }", "relay()"],
    "a truth with a name": ["let trusted = source.ip in lists.trunks", "if trusted { relay() }", "drop()"],
    "who was authenticated": ['if user != "" { relay() }', "drop()"],
    "who is nobody": ['if user == "" { drop() }', "relay()"],
    "a truth of the call": [
        "if source.ip in lists.trunks { call.trusted = true }",
        "if call.trusted { relay() }",
        "drop()",
    ],
    "an arm": ["match source.ip { in lists.trunks => relay() else => drop() }"],
    "an arm of domains": ["match request.uri.domain { in domains => relay() else => drop() }"],
    "behind arms": ["match request.uri.domain { in domains => drop() else => authenticate(as: from) }", "relay()"],
    "never": ["if false { relay() }", "drop()"],
    "what can't be": [
        "if from.domain in domains { authenticate(as: from) }",
        'else if request.uri.domain not in domains { reply(403, "Not relaying") }',
        "if request.uri.domain not in domains { relay() }",
        "reply(404)",
    ],
}  # fmt: skip


@pytest.mark.parametrize("statements", CLOSED.values(), ids=CLOSED)
def test_what_asks_first_is_no_open_relay(statements: list[str]) -> None:
    assert lines(route(*statements)) == []


def test_the_place_is_the_line_that_sends_and_the_way_there_is_told() -> None:
    text = route(
        "if source.ip in lists.trunks { reply(403) }",
        'if request.method == "INVITE" {',
        "    log(user)",
        "    relay()",
        "}",
        "relay()",
    )
    first, second = found(text)
    assert (first.line, first.column, first.length) == (5, 5, 7)
    assert first.hint.endswith("; one way here: line 2 is false, line 3 is true")
    assert second.hint.endswith("; one way here: line 2 is false, line 3 is false")
    assert found(route("relay()"))[0].hint.endswith("refuse what is not for `domains`")


def test_of_a_long_way_the_end_is_told() -> None:
    asked = [f'if request.method == "M{number}" {{ drop() }}' for number in range(20)]
    (problem,) = found(route(*asked, "relay()"))
    assert problem.hint.endswith(
        "; one way here: line 18 is false, line 19 is false, line 20 is false, line 21 is false"
    )


def test_one_cause_is_told_once() -> None:
    assert lines(route("ring()", "ring()", "relay()")) == [2]


# -- through routes ---------------------------------------------------------------------------------------------------


def test_what_was_asked_before_a_call_counts_in_the_route_and_behind_it() -> None:
    out = "route out() { relay() }\n"
    assert lines(route("authenticate(as: from)", "call out()", rest=out)) == []
    assert lines(route("call out()", rest=out)) == [4]
    ask = "route ask() { authenticate(as: from) }\n"
    assert lines(route("call ask()", "relay()", rest=ask)) == []
    ask = 'route ask() { if from.user == "a" { authenticate(as: from) } }\n'
    assert lines(route("call ask()", "relay()", rest=ask)) == [3]


def test_a_route_is_judged_for_each_way_into_it() -> None:
    text = route(
        "if source.ip in lists.trunks { call out() }",
        "authenticate(as: from)",
        "call out()",
        rest="route out() { relay() }\n",
    )
    assert lines(text) == []
    assert lines(text.replace("authenticate(as: from)", "log(user)")) == [6]


def test_a_target_that_is_a_parameter_is_the_callers_choice() -> None:
    rest = "route out(target: uri) { relay(target) }\n"
    assert lines(route('call out("sip:a@example.net")', rest=rest)) == []


def test_a_route_that_nothing_calls_is_not_judged() -> None:
    assert lines(route("drop()", rest="route out() { relay() }\n")) == []


def test_names_that_stand_for_each_other_come_to_an_end() -> None:
    one, other = "let a = request.uri let b = a relay(b)", "let b = request.uri let a = b relay(a)"
    assert lines(route(f"if true {{ {one} }} else {{ {other} }}")) == []
    trusted = "let a = source.ip in lists.trunks let b = a"
    assert lines(route(f"if user == user {{ {trusted} if b {{ relay() }} }}", "drop()")) == []


def test_many_paths_are_few_states() -> None:
    """Two to the two hundredth paths: what is known of them is walked, not they."""
    asked = ['if from.user == "a" { log(user) }' for _ in range(200)]
    routes = "".join(f"route r{number}() {{ call r{number + 1}() call r{number + 1}() }}\n" for number in range(40))
    text = route(*asked, "call r0()", "relay()", rest=routes + "route r40() { log(user) }\n")
    assert lines(text) == [203]


# -- what is shipped --------------------------------------------------------------------------------------------------

SHIPPED = sorted(
    file
    for file in (*ROOT.glob("etc/**/*.route"), *ROOT.glob("routing/program/data/*.route"))
    if not file.name.endswith(".test.route")
)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_the_routes_that_are_shipped_are_no_open_relays(file: Path) -> None:
    assert len(SHIPPED) >= 4
    assert found(file.read_text("utf-8")) == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_they_would_be_without_their_questions(file: Path) -> None:
    """The same files with everybody let in: the warning is what the questions are for."""
    text = file.read_text("utf-8")
    for asked, answer in (
        ("authenticate(as: from)", "log(user)"),
        ('reply(403, "Not relaying")', "log(user)"),
        ("source.ip in 192.0.2.0/28", "true"),
        ("{ reply(404) }", "{ relay() }"),
    ):
        text = text.replace(asked, answer)
    assert found(text)
