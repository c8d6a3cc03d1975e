"""What a compiled route does: control flow, outcomes, waiting, loops, variables."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from routing.runtime import Context, Destination, Rate
from routing.runtime.loader import Routes
from routing.runtime.steps import MOST_STEPS
from sipcore.errors import RingwayError
from sipcore.message import Response
from sipcore.need import Pending, Runner
from sipcore.uri import Uri

Run = Callable[..., tuple[bool, list[Response]]]


def names(recorder: Any) -> list[str]:
    return [call[0] for call in recorder.calls]


def test_an_outcome_answers_and_ends(run: Run) -> None:
    ended, responses = run('on request { reply(404, "Nobody here") }')
    assert ended is True
    assert [(one.status, one.reason) for one in responses] == [(404, "Nobody here")]


def test_the_entry_is_a_coroutine_function(load: Callable[[str], Routes]) -> None:
    assert inspect.iscoroutinefunction(load("on request { drop() }").run)


def test_a_function_that_may_end_ends_when_it_says_so(run: Run, recorder: Any) -> None:
    text = "on request { authenticate(as: from) save() }"
    recorder.answers["authenticate"] = True
    assert run(text)[0] is True
    assert recorder.calls == [("authenticate", "sip:alice@Example.COM")]
    recorder.answers["authenticate"] = False
    recorder.calls.clear()
    assert run(text)[0] is True
    assert names(recorder) == ["authenticate", "save"]


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ("true", True),
        ("false", False),
        ("not false", True),
        ("true and false", False),
        ("true or false", True),
        ("not (true and false)", True),
        ('request.method == "INVITE"', True),
        ('request.method != "INVITE"', False),
        ('"INVITE" == request.method', True),
        ("1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3", True),
        ("1 > 2 or 2.5 < 2", False),
        ("20s < 1m and 60s == 1m", True),
        ("source.port == 5062", True),
        # domains: neither case nor a trailing dot counts
        ('from.domain == "EXAMPLE.com"', True),
        ('from.domain == "example.com."', True),
        ('"Example.COM" == from.domain', True),
        ('from.domain != "example.com"', False),
        ("from.domain == to.domain", True),
        ('from.domain in ["example.org", "EXAMPLE.COM"]', True),
        ('from.domain not in ["example.org"]', True),
        ("from.domain in [request.uri.domain]", True),
        ('from.domain == request.header["X-Domain"]', False),
        ("from.domain in domains", True),
        ("from.domain not in domains", False),
        # addresses: by value
        ("source.ip == 192.0.2.1", True),
        ('source.ip == "192.0.2.1"', True),
        ("192.0.2.1 == source.ip", True),
        ("source.ip != 192.0.2.1", False),
        ("source.ip == 192.0.2.0/24", True),
        ("source.ip in 192.0.2.0/24", True),
        ("source.ip in [10.0.0.0/8, 192.0.2.1]", True),
        ("source.ip in [10.0.0.0/8, 2001:db8::/32]", False),
        ('source.ip in ["192.0.2.1"]', True),
        ("source.ip in banned", False),
        ('source.ip == request.header["X-Address"]', False),
        ("request.uri.host in 192.0.2.0/24", False),
        # lists and ranges
        ("5 in [1, 5]", True),
        ("5 in [1, 2..9]", True),
        ("5 in 1..4", False),
        ("source.port in 1024..65535", True),
        ("source.port in [80, 1024..65535]", True),
        ("source.port in [80, 81]", False),
        ("source.port in []", False),
        ('user in ["", "x"]', True),
        ("user in [to.user, from.user]", False),
        ("request.uri.user in denied_prefixes", False),
        ('"x" in [user, "x"]', True),
        ('"x" in [user]', False),
        # headers and parameters
        ('"X-Account" in request.header', True),
        ('"x-account" in request.header', True),
        ('"Nothing" in request.header', False),
        ('"Nothing" not in request.header', True),
        ('"i" in request.header', True),
        ('request.header["X-Account"] == "7"', True),
        ('request.header["Nothing"] == ""', True),
        ('request.header["i"] == request.call_id', True),
        ('"transport" in request.uri.parameter', True),
        ('"lr" in request.uri.parameter', False),
        ('request.uri.parameter["Transport"] == "tcp"', True),
        ('request.uri.parameter["t"] == ""', True),
        # patterns
        ("request.user_agent matches /^Lin/", True),
        ("request.user_agent matches /^lin/", False),
        ("request.user_agent matches /^lin/i", True),
        ("not (request.user_agent matches /scanner/)", True),
        # uris, by RFC 3261 section 19.1.4
        ('to.uri == "sip:bob@EXAMPLE.com"', True),
        ('to.uri == "sip:BOB@example.com"', False),
        ("to.uri == from.uri", False),
    ],
)
def test_conditions(condition: str, true: bool, run: Run) -> None:
    text = f"on request {{ if {condition} {{ reply(200) }} reply(404) }}"
    assert run(text)[1][0].status == (200 if true else 404)


@pytest.mark.parametrize(
    ("subject", "status"),
    [("0044", 201), ("0044\n", 204), ("112", 202), ("0900", 203), ("4711", 204), ("12", 202)],
)
def test_match_takes_the_first_arm_that_fits(subject: str, status: int, run: Run, recorder: Any) -> None:
    recorder.answers["e164"] = subject
    text = r"""
    on request {
        match e164("x") {
            /^00\d+$/           => reply(201)
            "112", ["110", "12"] => { log("help")  reply(202) }
            in denied_prefixes  => reply(203)
            else                => reply(204)
        }
    }"""
    assert run(text)[1][0].status == status
    assert names(recorder) == ["e164"]  # the subject is evaluated once


def test_match_compares_as_its_subject_wants(run: Run) -> None:
    text = """on request {
        match source.ip { 10.0.0.0/8 => reply(201) [192.0.2.0/24] => reply(202) }
        reply(404)
    }"""
    assert run(text)[1][0].status == 202
    text = """on request { match from.domain { "EXAMPLE.com" => reply(200) } reply(404) }"""
    assert run(text)[1][0].status == 200
    text = """on request { match source.port { 1..100 => reply(201) 5062 => reply(202) } reply(404) }"""
    assert run(text)[1][0].status == 202


def test_else_if_and_else(run: Run) -> None:
    text = 'on request { if user == "a" { reply(201) } else if user == "" { reply(202) } else { reply(203) } }'
    assert run(text)[1][0].status == 202
    assert run(text.replace('""', '"b"'))[1][0].status == 203


def test_a_test_function_runs_its_else_block_when_false(run: Run, recorder: Any) -> None:
    text = "on request { limit(100/s, per: source.ip) else { ban(source.ip, 10m) drop() } save() }"
    run(text)
    assert recorder.calls == [("limit", Rate(100, 1.0), "192.0.2.1"), ("ban", "192.0.2.1", 600.0)]
    recorder.calls.clear()
    recorder.answers["limit"] = True
    run(text)
    assert names(recorder) == ["limit", "save"]


def test_arguments_arrive_converted(run: Run, recorder: Any) -> None:
    run(
        """on request {
            if allow(404, 10.0.0.0/8) { drop() }
            if allow(404, "10.0.0.0/8", share: 2) { drop() }
            ring("sip:bob@example.com", for: 1500ms)
            ring(["sip:a@example.com", request.uri])
            ring(gateways.carrier)
            relay()
        }"""
    )
    allow, again, ring, several, table, relay = recorder.calls
    assert allow[1] == 404 and "10.1.2.3" in allow[2] and allow[3] == 0.5
    assert "10.1.2.3" in again[2] and again[3] == 2
    assert isinstance(ring[1], Uri) and ring[1].text == "sip:bob@example.com" and ring[2] == 1.5
    assert [type(one) for one in several[1]] == [Destination, Destination]
    assert several[1][1].uri.host == "example.com"
    assert [one.uri.host for one in table[1]] == ["one.example.net", "two.example.net"]
    assert relay == ("relay", None)


def test_text_of_the_request_becomes_a_uri_where_one_is_wanted(run: Run, recorder: Any) -> None:
    run(
        'on request { request.header["X-To"] = "sip:x@example.com" '
        'let found = lookup(request.header["X-To"]) ring(found) drop() }'
    )
    assert recorder.calls[0] == ("lookup", "sip:x@example.com")


def test_each_use_of_a_written_list_is_a_new_list(
    load: Callable[[str], Routes], new_context: Any, recorder: Any
) -> None:
    run_route = load('on request { ring(["sip:a@example.com"]) drop() }').run
    recorder.answers["ring"] = lambda targets, time: targets.clear()
    for _ in range(2):
        with pytest.raises(StopIteration):
            run_route(new_context()).send(None)
    recorder.answers["ring"] = lambda targets, time: recorder.calls.append(("length", len(targets)))
    with pytest.raises(StopIteration):
        run_route(new_context()).send(None)
    assert recorder.calls[-1] == ("length", 1)


# -- routes -----------------------------------------------------------------------------------------------------------


def test_a_route_that_always_ends_is_an_outcome(run: Run) -> None:
    assert run("on request { call refuse(404) } route refuse(code: number) { reply(code) }")[1][0].status == 404


def test_a_route_that_may_end_goes_on_when_it_did_not(run: Run, recorder: Any) -> None:
    text = "on request { call try_it(20s)  reply(480) } route try_it(time: duration) { ring(request.uri, for: time) }"
    assert run(text)[1][0].status == 480
    recorder.answers["ring"] = True
    assert run(text) == (True, [])


def test_a_route_that_never_ends_is_a_plain_call(run: Run, recorder: Any) -> None:
    text = 'on request { call mark("a", "b")  save() } '
    run(text + 'route mark(x: text, y: text) { request.header["X"] = y note_down(x) }')
    assert recorder.calls == [("note_down", "a"), ("save",)]


def test_named_arguments_of_a_route_find_their_place(run: Run, recorder: Any) -> None:
    run("on request { call r(y: 2, x: 1)  drop() } route r(x: number, y: number) { note_down(x, y) }")
    assert recorder.calls == [("note_down", 1, 2)]


def test_routes_may_be_called_from_several_places(run: Run, recorder: Any) -> None:
    run("on request { call a()  call b()  drop() } route a() { call b() } route b() { note_down() }")
    assert names(recorder) == ["note_down", "note_down"]


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_a_route_waits_in_a_straight_line(load: Callable[[str], Routes], new_context: Any, recorder: Any) -> None:
    pending: Pending[bool] = Pending()
    recorder.answers["ring"] = pending
    context: Context = new_context()
    failures: list[Exception] = []
    runner = Runner(lambda need, done: lambda: None, lambda failure, owner: failures.append(failure))
    text = "on request { call user() } route user() { ring(lookup(request.uri), for: 20s)  reply(480) }"
    handle = runner.run(load(text).run(context), context)
    assert not handle.finished and context.transaction.responses == []  # type: ignore[attr-defined]
    pending.done(False)
    assert handle.finished and failures == []
    assert [one.status for one in context.transaction.responses] == [480]  # type: ignore[attr-defined]


def test_a_waiting_function_gives_values_too(run: Run, recorder: Any) -> None:
    recorder.answers["e164"] = "+441"
    run(
        'on request { let number = e164(request.uri.user, country: "GB") request.uri.user = number relay(request.uri) }'
    )
    assert recorder.calls[0] == ("e164", "bob", "GB")
    assert recorder.calls[1][1].user == "+441"


# -- variables --------------------------------------------------------------------------------------------------------


def test_a_let_can_change(run: Run, recorder: Any) -> None:
    run('on request { let code = 404 if user == "" { code = 486 } note_down(code) reply(code) }')
    assert recorder.calls == [("note_down", 486)]


def test_a_number_that_is_no_status_is_a_fault(run: Run) -> None:
    with pytest.raises(RingwayError, match=r"reply\(100\): a final status is 200 to 699"):
        run("on request { let code = 100 reply(code) }")


def test_parts_of_a_kept_uri_can_change(run: Run, recorder: Any) -> None:
    run('on request { let target = to.uri target.user = "carol" target.parameter["x"] = "1" relay(target) }')
    assert recorder.calls[0][1].text == "sip:carol@example.com;x=1"


def test_call_variables_are_read_back_and_begin_empty(run: Run, new_context: Any, recorder: Any) -> None:
    context = new_context()
    text = """
    on request {
        note_down(call.name, call.count, call.known, call.time)
        call.name = from.user
        call.count = 3
        call.known = from.domain in domains
        call.time = 20s
        note_down(call.name, call.count, call.known, call.time)
        drop()
    }"""
    run(text, context)
    assert recorder.calls == [("note_down", "", 0, False, 0.0), ("note_down", "alice", 3, True, 20.0)]
    assert context.call == {"name: text": "alice", "count: number": 3, "known: truth": True, "time: duration": 20.0}


@pytest.mark.parametrize(
    ("written", "condition", "true"),
    [
        ('["Example.COM.", "example.org"]', "from.domain in kept", True),
        ('["example.org"]', "from.domain in kept", False),
        ('["a", "b"]', '"b" in kept', True),
        ('["a", "b"]', "user in kept", False),
        ("[404, 600..603]", "602 in kept", True),
        ("[404, 600..603]", "outcome.code in kept", False),
        ("10.0.0.0/8", '"10.1.2.3" in kept', True),
        ("192.0.2.0/24", "source.ip in kept", True),
        ("192.0.2.0/24", "source.ip == kept", True),
        ("/^Lin/", "request.user_agent matches kept", True),
        ('"EXAMPLE.COM"', "from.domain == kept", True),
        ("20s", "kept < 30s", True),
        ("true", "kept == true and kept", True),
        ("from", "kept.user == from.user", True),
        ("from.uri", 'kept == "sip:alice@example.com"', True),
        ("source.ip", "kept == source.ip", True),
        ("user", '"x" in [kept]', False),
    ],
)
def test_a_value_that_was_kept_compares_like_the_one_written_there(
    written: str, condition: str, true: bool, run: Run
) -> None:
    text = f"on request {{ let kept = {written} if {condition} {{ reply(200) }} reply(404) }}"
    assert run(text)[1][0].status == (200 if true else 404)


def test_a_call_variable_may_be_read_above_what_stores_it(run: Run, recorder: Any) -> None:
    run(
        'on request { note_down(call.a, call.b) call.a = call.b call.b = call.c call.c = "x" note_down(call.a) drop() }'
    )
    assert recorder.calls == [("note_down", "", ""), ("note_down", "")]


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("call.x + 1", [0, 1, 2]),
        ("1 + call.x", [0, 1, 2]),
        ("call.x + 1 + 1", [0, 2, 4]),
        ("2 * (call.x + 1)", [0, 2, 6]),
        ('call.x + "."', ["", ".", ".."]),
        ('call.x + 1 + "."', ["", "1.", "1.1."]),
        ("call.x + 20s", [0.0, 20.0, 40.0]),
        ("call.y + call.x + 1", [0, 1, 2]),
        ('call.y + call.x + outcome.code + "."', ["", "0.", "0.0."]),
    ],
)
def test_a_call_variable_may_be_stored_from_itself_alone(
    step: str, after: list[object], run: Run, recorder: Any
) -> None:
    other = "call.y = call.y + call.x" if "call.y" in step else ""
    run(f"on request {{ note_down(call.x) call.x = {step} note_down(call.x) call.x = {step} note_down(call.x) "
        f"if from.user == \"nobody\" {{ {other} }} drop() }}")  # fmt: skip
    found = [value for _, value in recorder.calls]
    assert found == after and [type(one) for one in found] == [type(one) for one in after]


# -- loops ------------------------------------------------------------------------------------------------------------


def test_a_loop_goes_through_tables_lists_and_ranges(run: Run, recorder: Any) -> None:
    text = """
    on request {
        for gateway in gateways.carrier { ring(gateway, for: 40s) }
        for name in ["a", user, "c"] { note_down(name) }
        for number in 1..3 { note_down(number) }
        for number in [1, 7..8] { note_down(number) }
        for target in lookup(request.uri) { note_down(target.uri, target.q) }
        reply(503)
    }"""
    recorder.answers["lookup"] = [Destination(Uri("sip", "", "phone.example.com"), 0.5)]
    run(text)
    assert [call[1].uri.host for call in recorder.calls[:2]] == ["one.example.net", "two.example.net"]
    noted = [call[1:] for call in recorder.calls if call[0] == "note_down"]
    assert noted[:-1] == [("a",), ("",), ("c",), (1,), (2,), (3,), (1,), (7,), (8,)]
    assert (noted[-1][0].host, noted[-1][1]) == ("phone.example.com", 0.5)


def test_an_outcome_inside_a_loop_ends_the_route(run: Run, recorder: Any) -> None:
    run("on request { for number in 1..5 { note_down(number) if number == 2 { drop() } } reply(500) }")
    assert recorder.calls == [("note_down", 1), ("note_down", 2)]


@pytest.mark.row("E08")
def test_loops_in_loops_come_to_an_end(run: Run) -> None:
    text = "on request { for a in 1..200 { for b in 1..200 { if a == b { note_down() } } } drop() }"
    with pytest.raises(RingwayError, match=f"more than {MOST_STEPS} turns"):
        run(text)


def test_an_empty_loop_and_an_empty_block_do_nothing(run: Run) -> None:
    assert run("on request { for a in 1..2 { } if true { } reply(404) }")[1][0].status == 404


# -- branches ---------------------------------------------------------------------------------------------------------


def test_a_branch_function_edits_the_branch(run: Run, new_context: Any) -> None:
    context = new_context()
    text = """
    on request { ring(request.uri, edit: outbound)  drop() }
    branch outbound(leg) {
        remove(leg.header["X-*"])
        leg.header["P-Asserted-Identity"] = asserted("+442079460000")
        if leg.method == "INVITE" { leg.uri.user = "other" }
    }"""
    run(text, context)
    assert context.request.get("x-account") is None
    assert context.request.get("p-asserted-identity") == b"<tel:+442079460000>"
    assert context.request.uri_text == "sip:other@example.com:5070;transport=tcp"


# -- names do not collide ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["context", "k1", "f_reply", "steps", "list", "True", "None", "class", "v1_x", "on_request"]
)
def test_any_name_may_be_given_to_a_variable(name: str, run: Run, recorder: Any) -> None:
    text = f'on request {{ let {name} = "x" call {name}_r({name}) for i in 1..1 {{ note_down({name}) }} drop() }}'
    run(text + f" route {name}_r({name}: text) {{ note_down({name}) }}")
    assert recorder.calls == [("note_down", "x"), ("note_down", "x")]
