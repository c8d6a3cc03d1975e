"""Mistakes, quick fixes, the list of blocks, parameters, and places in a text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.editor.analysis import Analysis
from routing.language.editor.fixes import fixes
from routing.language.editor.outline import outline
from routing.language.editor.parameters import Parameters, parameters_at
from routing.language.editor.source import Edit, Range, Source
from routing.language.environment import Environment
from routing.language.problem import Span
from routing.program.server import MODULES
from routing.runtime.loader import check_routes
from tests.routing.editor.conftest import TABLES

Analyse = Callable[[str], Analysis]
At = Callable[[str], tuple[Analysis, int]]

# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "on request { drop() }\n",
        "on request {\n    ring(lookup(request.ury), for: 20)\n    repli(480)\n}\n",
        "route a() { call b() }\nroute b() { call a() }\n",
        "",
        "# nothing\n",
        "on request { if a {",
        "on request { drop() }\nroute r( { }\nroute s() { drop( }\n",
        "on request { reply(404, 'x') }\n",
        "\N{BYTE ORDER MARK}on request { dorp() }\n",
        "on request { dorp() }\r\n",
    ],
)
def test_the_mistakes_are_those_of_the_check(analyse: Analyse, text: str) -> None:
    assert analyse(text).problems == check_routes(text, MODULES, TABLES)


def test_a_broken_block_hides_only_its_own_mistakes(analyse: Analyse) -> None:
    text = "on request {\n    unknown()\n    drop(;)\n}\nroute r() {\n    alsso()\n}\n"
    assert [(one.line, one.message) for one in analyse(text).problems] == [
        (3, "nothing stands between statements"),
        (5, "route `r` is never called"),
        (6, "there is no function `alsso`"),
    ]


def test_a_file_of_tests_is_checked_as_one(environment: Environment) -> None:
    text = 'test "x" {\n    given users alice, bob\n    alice calls bob\n    expect bob got INVITE\n}\n'
    assert Analysis(text, environment, tests=True).problems == []
    (missing,) = Analysis(text, environment).problems
    assert "there is no `on request { }`" in missing.message
    (wrong,) = Analysis("on request { drop() }", environment, tests=True).problems
    assert wrong.message == "a test file holds `test` blocks only"


def test_what_is_too_deep_is_one_mistake(analyse: Analyse) -> None:
    text = "on request { if " + "not " * 3000 + "true { drop() } drop() }"
    assert [one.message for one in analyse(text).problems] == ["this expression nests more than 64 levels deep"]


def test_types_are_known_by_what_holds_them(analyse: Analyse) -> None:
    analysis = analyse("on request { let x = lookup(to.uri) call.y = 20s for z in x { ring(z) } drop() }")
    types = {one.symbol.name: str(analysis.type_of(one.symbol)) for one in analysis.names.occurrences}
    assert types == {"x": "list of destination", "y": "duration", "z": "destination"}


# -- quick fixes ------------------------------------------------------------------------------------------------------


def mended(analysis: Analysis) -> str:
    whole = Range(0, len(analysis.source.text))
    edits = [edit for _, fix in fixes(analysis.source, analysis.problems, whole) for edit in fix.edits]
    return analysis.source.changed(edits)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("repli(404)", "reply(404)"),
        ("ring(lookup(request.ury), for: 20)", "ring(lookup(request.uri), for: 20s)"),
        ("if requst.method == \"X\" { drop() }", "if request.method == \"X\" { drop() }"),
        ("if source.ip in lists.trunk { drop() }", "if source.ip in lists.trunks { drop() }"),
        ("ring(to, ordr: \"by q\")", "ring(to, order: \"by q\")"),
        ("call usr()", "call user()"),
        ("call.who = from.user log(call.wo)", "call.who = from.user log(call.who)"),
        ("log(shared.sen[to.user])", "log(shared.seen[to.user])"),
        ('limit("20/s", per: to.user) else { drop() }', "limit(20/s, per: to.user) else { drop() }"),
        ("if outcome.code in 699..600 { drop() }", "if outcome.code in 600..699 { drop() }"),
        ("if source.ip in 10.0.0.1/8 { drop() }", "if source.ip in 10.0.0.0/8 { drop() }"),
        ("if to.user = \"x\" { drop() }", "if to.user == \"x\" { drop() }"),
        ("if true && false { drop() }", "if true and false { drop() }"),
        ("if true || false { drop() }", "if true or false { drop() }"),
        ("if !true { drop() }", "if not true { drop() }"),
        ("drop();", "drop()"),
        ("if true { drop() } elif false { drop() }", "if true { drop() } else if false { drop() }"),
        ("let x = e164(to.user, country: \"GBR\") log(x)", "let x = e164(to.user, country: \"GR\") log(x)"),
    ],
)  # fmt: skip
def test_a_hint_becomes_an_edit(analyse: Analyse, wrong: str, right: str) -> None:
    around = "shared seen: number for 1h\non request {{\n    {}\n}}\nroute user() {{ drop() }}\n"
    assert mended(analyse(around.format(wrong))) == around.format(right)


def test_a_fix_is_offered_only_where_somebody_looks(analyse: Analyse) -> None:
    analysis = analyse("on request {\n    repli(404)\n    lokup(1)\n}\n")
    first = analysis.source.text.index("repli")
    assert [fix.title for _, fix in fixes(analysis.source, analysis.problems, Range(first, first))] == ["Write `reply`"]
    assert fixes(analysis.source, analysis.problems, Range(0, 0)) == []


def test_a_hint_that_is_only_advice_is_no_fix(analyse: Analyse) -> None:
    assert mended(analyse("on request { exists(to.uri) }")) == "on request { exists(to.uri) }"


# -- the list of blocks, and parameters -------------------------------------------------------------------------------


def test_the_blocks_of_a_file(analyse: Analyse) -> None:
    text = """shared seen: number for 10m
on request { drop() }
route user(time: duration, who: list of uri) { drop() }
branch out(branch) { }
reply tidy(reply) { }
test "busy" { given users a }
test { given users b }
"""
    analysis = analyse(text)
    found = outline(analysis)
    assert [(one.word, one.name, one.detail) for one in found] == [
        ("shared", "seen", "number for 10m"),
        ("on", "on request", ""),
        ("route", "user", "(time: duration, who: list of uri)"),
        ("branch", "out", ""),
        ("reply", "tidy", ""),
        ("test", 'test "busy"', ""),
        ("test", "test", ""),
    ]
    for entry in found:
        assert entry.range.holds(entry.name_range.start) and entry.range.holds(entry.name_range.end)
    assert text[slice(*found[2].name_range)] == "user"


def shown(at: At, text: str) -> Parameters:
    found = parameters_at(*at(text))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("on request { ban(|", 0),
        ("on request { ban(source.ip, |) }", 1),
        ("on request { ban(duration: |", 1),
        ('on request { reply(404, "x|") }', 1),
        ("on request { reply(40|4) }", 0),
        ('on request { log("a", 1, 2, |', 1),
        ("on request { ring(to, ord|", -1),
        ("on request { ring(to, order: |", 3),
        ("on request { call user(|)\n}\nroute user(time: duration, who: uri) { }", 0),
        ("on request { call user(20s, |)\n}\nroute user(time: duration, who: uri) { }", 1),
        ("on request { call user(who: |)\n}\nroute user(time: duration, who: uri) { }", 1),
    ],
)
def test_the_parameter_that_is_written(at: At, text: str, active: int) -> None:
    assert shown(at, text).active == active


def test_parameters_are_shown_with_their_types(at: At) -> None:
    found = shown(at, "on request { ban(|")
    assert found.line == "ban(address: text, duration: duration)"
    assert found.parameters == ("address: text", "duration: duration")
    assert found.text == "Put an IP address into the table `banned` for a time."
    for part in shown(at, "on request { ring(|").parameters:
        assert part in shown(at, "on request { ring(|").line
    inner = shown(at, "on request { ring(lookup(|), for: 20s) }")
    assert inner.line == "lookup(uri: uri) -> list of destination"


@pytest.mark.parametrize(
    "text", ["|", "on request { drop() | }", "on request { unknown(|", "on request { call no(|", "# f(|"]
)
def test_outside_of_calls_there_are_no_parameters(at: At, text: str) -> None:
    assert parameters_at(*at(text)) is None


# -- places -----------------------------------------------------------------------------------------------------------


def test_offsets_and_places() -> None:
    source = Source("ab\ncde\n\nf")
    for offset, place in {0: (1, 1), 2: (1, 3), 3: (2, 1), 6: (2, 4), 7: (3, 1), 8: (4, 1), 9: (4, 2)}.items():
        assert source.place(offset) == place
        assert source.offset(*place) == offset
    assert source.offset(1, 99) == 2 and source.offset(9, 1) == 9
    assert source.range(Span(2, 1, 2, 4)) == Range(3, 6)
    assert source.line(2) == "cde" and source.line(4) == "f"


def test_edits_are_made_from_the_end() -> None:
    source = Source("one two three")
    edits = [Edit(Range(0, 3), "1"), Edit(Range(8, 13), "3"), Edit(Range(4, 7), "2")]
    assert source.changed(edits) == "1 2 3"
