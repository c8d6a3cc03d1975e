"""No text and no place in it breaks an answer; and a text twice as long costs twice as much."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routing.language.editor.analysis import Analysis
from routing.language.editor.completion import complete
from routing.language.editor.fixes import fixes
from routing.language.editor.hover import hover, table_at
from routing.language.editor.outline import outline
from routing.language.editor.parameters import parameters_at
from routing.language.editor.renaming import Refused, renamable, rename
from routing.language.editor.source import Range
from routing.language.environment import Environment

ROOT = Path(__file__).resolve().parents[3]
ROUTES = "".join(file.read_text("utf-8") for file in sorted((ROOT / "etc" / "ringway" / "routes").glob("*.route")))
MORE = """
shared failures: number for 10m
branch out(branch) { branch.from.display = "x"  remove(branch.header["X-*"]) }
reply tidy(reply) { if reply.code == 183 { drop() } }
on dialog { call.keys = call.keys + 1  match request.method { "INFO", "BYE" => drop() in ["X"] => { log("x") } } }
route more(time: duration, who: list of uri) { call more2(time: 2 * 20s) ring(who, edit: out) reply(outcome) }
on reply { log("x", shared.failures[reply.reason], now in hours.office) }
"""
VOCABULARY = """
on request route branch reply shared test call let if else match for in not and or matches true false given expect
{ } ( ) [ ] , . .. : = == < => + * # $ " / \\ ; 404 20s 20/s 10.0.0.0/8 ::1 /a+/ "text" "sip:a@b"
user from to source.ip request.uri request. request.header["X"] call.x shared.y reply drop ring( lookup(
"""
WORDS = [*VOCABULARY.split(), "\n", "\n"]


Ask = Callable[[str, int], None]


@pytest.fixture
def ask(environment: Environment) -> Ask:
    """Ask everything about one place of a text."""
    return lambda text, offset: ask_everything(text, offset, environment)


def ask_everything(text: str, offset: int, environment: Environment) -> None:
    """Every answer about one place; only `Refused` may be raised, and every range lies in the text."""
    analysis = Analysis(text, environment)
    size = len(analysis.source.text)
    offers = complete(analysis, offset)
    assert 0 <= offers.range.start <= offset <= offers.range.end <= size
    for problem in analysis.problems:
        assert problem.line >= 1 and problem.column >= 1
    for _, fix in fixes(analysis.source, analysis.problems, Range(0, size)):
        analysis.source.changed(list(fix.edits))
    shown = hover(analysis, offset)
    assert shown is None or (shown.text and 0 <= shown.range.start <= shown.range.end <= size)
    for entry in outline(analysis):
        assert 0 <= entry.range.start <= entry.range.end <= size
    parameters_at(analysis, offset)
    table_at(analysis, offset)
    try:
        renamable(analysis, offset)
        rename(analysis, offset, "fresh_name")
    except Refused as refused:
        assert str(refused)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80), st.integers(0, 80))
@example("\N{BYTE ORDER MARK}on", 2)
@example("\r\r", 1)
@example("#", 1)
@example('"', 1)
@example("on request { reply(", 19)
def test_any_text(ask: Ask, text: str, offset: int) -> None:
    ask(text, min(offset, len(text.removeprefix("\N{BYTE ORDER MARK}"))))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(WORDS), max_size=30), st.integers(0, 200))
def test_any_row_of_words(ask: Ask, words: list[str], offset: int) -> None:
    text = "on request { " + " ".join(words)
    ask(text, min(offset, len(text)))


def test_a_file_cut_anywhere(environment: Environment) -> None:
    chance = random.Random(1)
    whole = MORE + ROUTES
    for _ in range(60):
        end = chance.randrange(len(whole))
        ask_everything(whole[:end], end, environment)


def test_a_file_with_a_part_missing(environment: Environment) -> None:
    chance = random.Random(2)
    whole = MORE + ROUTES
    for _ in range(40):
        start = chance.randrange(len(whole))
        end = start + chance.randrange(1, 12)
        ask_everything(whole[:start] + whole[end:], start, environment)


def test_every_place_of_a_good_file(environment: Environment) -> None:
    for offset in range(0, len(MORE), 3):
        ask_everything(MORE, offset, environment)


@pytest.mark.parametrize(
    ("before", "middle", "after"),
    [
        ("if true { ", "", " }"), ("x = (", "a", ")"), ("x = [", "", "]"), ("x = not ", "a", ""), ("x = f(", "", ")"),
        ("a.", "b", ""), ("x = true and ", "a", ""), ("match a { 1 => { ", "", " } }"), ("if a { } else ", "{ }", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("closed", [True, False])
def test_a_text_that_is_nested_without_end(ask: Ask, before: str, middle: str, after: str, closed: bool) -> None:
    store = before.startswith("x = ")
    inner = before.removeprefix("x = ") * 1500 + middle + (after * 1500 if closed else "")
    text = f"on request {{ {'x = ' if store else ''}{inner}{' }' if closed else ''}"
    for offset in (len(text), len(text) // 2, 3):
        ask(text, offset)


# -- how much work it is ----------------------------------------------------------------------------------------------


def calls_made(work: Callable[[], Any]) -> int:
    """How many Python functions are called."""
    count = 0

    def counted(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def many_routes(count: int, seed: str) -> str:
    """A good file with so many routes, of 8 lines each; `seed` makes it one that was not seen before."""
    calls = "".join(f'    if from.user == "{seed}{one}" {{ call r{one}(20s) }}\n' for one in range(count))
    route = (
        "\nroute r%d(time: duration) {\n    let phones = lookup(request.uri)\n    if phones.empty { reply(404) }\n"
        '    request.header["X-Account"] = from.user + "%d"\n    ring(phones, for: time)\n    reply(outcome)\n}\n'
    )
    return f"on request {{\n{calls}    drop()\n}}\n" + "".join(route % (one, one) for one in range(count))


def test_a_file_twice_as_long_costs_twice_as_much(environment: Environment) -> None:
    _ = Analysis(many_routes(2, "warm"), environment).problems

    def costs(count: int, broken: str) -> int:
        text = many_routes(count, f"{count}{len(broken)}").replace("    drop()\n", f"    {broken}\n    drop()\n")
        return calls_made(lambda: Analysis(text, environment).problems)

    for broken in ("", "request.uri."):
        small, large = costs(40, broken), costs(80, broken)
        assert large < 2.3 * small
        assert large < 80 * 8 * 1000, "calls for a line"


def test_what_did_not_change_is_not_parsed_again(environment: Environment) -> None:
    text = many_routes(60, "again")
    first = calls_made(lambda: Analysis(text, environment).parts)
    again = calls_made(lambda: Analysis(text.replace("drop()", "reply(404)"), environment).parts)
    assert again < first / 3
