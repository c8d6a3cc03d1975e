"""What is too deep, too long or too much in a route file is refused with its place, and what is not runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routing.language.call_order import DEEPEST_CALLS
from routing.language.lexer import DEEPEST, MOST_WORDS
from routing.language.problem import MOST_SHOWN, Problem, render, render_all
from routing.runtime.loader import Routes
from sipcore.errors import ConfigurationError

Check = Callable[[str], list[Problem]]
Load = Callable[[str], Routes]
Run = Callable[..., Any]
BRACKETS = f"this nests too deeply: up to {DEEPEST} brackets may be open"
LEVELS = "this expression nests more than 64 levels deep"


def route(before: str, opening: str, inner: str, closing: str, after: str, depth: int) -> str:
    return f"on request {{ {before}{opening * depth}{inner}{closing * depth}{after} drop() }}"


NESTED = {
    "blocks": ("", "if true { ", "log(user)", " }", "", BRACKETS),
    "parentheses": ("if ", "(", "true", ")", " { drop() }", BRACKETS),
    "lists": ("note_down(", "[", "1", "]", ")", BRACKETS),
    "calls": ("note_down(", "exists(", '"sip:a@b"', ")", ")", BRACKETS),
    "not": ("if ", "not ", "true", "", " { drop() }", LEVELS),
    "plus": ("let x = ", "1 + ", "1", "", " log(x)", LEVELS),
    "dots": ("note_down(request", ".uri", "", "", ")", LEVELS),
    "keys": ("note_down(request", '["x"]', "", "", ")", LEVELS),
}


@pytest.mark.parametrize("shape", NESTED)
@pytest.mark.parametrize("depth", [100, 10_000])
def test_what_is_too_deep_is_one_mistake_with_its_place(shape: str, depth: int, check: Check) -> None:
    before, opening, inner, closing, after, message = NESTED[shape]
    text = route(before, opening, inner, closing, after, depth)
    (problem,) = check(text)
    assert problem.message == message
    assert problem.line == 1 and 14 <= problem.column < 1000
    assert render(problem, text)


@pytest.mark.parametrize("shape", ["blocks", "parentheses", "lists", "not", "plus"])
def test_what_is_not_too_deep_runs(shape: str, run: Run, recorder: Any) -> None:
    before, opening, inner, closing, after, _ = NESTED[shape]
    run(route(before, opening, inner, closing, after, 60))


def test_the_bounds_of_blocks_and_of_expressions_together_are_not_beyond_python(load: Load, new_context: Any) -> None:
    """The deepest that passes the check: it must be compiled, and run, from deep inside of a program."""
    ways = "if false { drop() } " + "else if false { drop() } " * 7 + "else { "
    condition = "not " * 30 + "(" + " + ".join(["1"] * 30) + " == 30)"
    text = "on request { " + ways * 60 + f"if {condition} {{ reply(200) }}" + "}" * 60 + " drop() }"

    def from_deep_inside(frames: int) -> Routes:
        return from_deep_inside(frames - 1) if frames else load(text)

    routes = from_deep_inside(100)
    context = new_context()
    with pytest.raises(StopIteration):
        routes.run(context).send(None)
    assert context.transaction.responses[0].status == 200


@pytest.mark.parametrize("joined", ["and", "or"])
def test_a_row_of_conditions_may_be_long(joined: str, run: Run) -> None:
    inner = f" {joined} ".join(['user == ""'] * 10_000)
    assert run(f"on request {{ if {inner} {{ reply(200) }} drop() }}")[1][0].status == 200


def test_many_arms_and_many_conditions_run(run: Run) -> None:
    for wanted in (0, 1, 499, 998, 999, 1234):
        arms = "\n".join(f'"{number}" => reply({200 + number % 400}, "{number}")' for number in range(1, 999))
        text = f'on request {{ let number = "{wanted}" match number {{ {arms} else => reply(699) }} }}'
        (response,) = run(text)[1]
        expected = (200 + wanted % 400, str(wanted)) if 1 <= wanted < 999 else (699, "")
        assert (response.status, response.reason if wanted in range(1, 999) else "") == expected
    rows = " else ".join(f'if source.port == {number} {{ reply(404, "{number}") }}' for number in range(4563, 5563))
    (response,) = run(f"on request {{ {rows} drop() }}")[1]
    assert response.reason == "5062"


@pytest.mark.parametrize("ways", [1, 7, 8, 9, 10, 33])
def test_ways_are_taken_in_order_however_many_there_are(ways: int, run: Run, recorder: Any) -> None:
    arms = "\n".join(f"/^b/ => note_down({number})" for number in range(ways))
    run(f"on request {{ match request.uri.user {{ /^a/ => note_down(99) {arms} }} drop() }}")
    assert recorder.calls == [("note_down", 0)]
    recorder.calls.clear()
    rows = " else ".join(f"if source.port == {number} {{ note_down({number}) }}" for number in range(5063 - ways, 5063))
    run(f"on request {{ {rows} else {{ note_down(0) }} drop() }}")
    run(f"on request {{ {rows.replace('5062', '9')} else {{ note_down(0) }} drop() }}")
    assert recorder.calls == [("note_down", 5062), ("note_down", 0)]


def test_an_arm_that_waits_among_many(run: Run, recorder: Any) -> None:
    recorder.answers["exists"] = True
    arms = "\n".join(f'"{number}" => drop()' for number in range(20))
    rest = 'if exists(request.uri) { call ends() } else if exists("sip:a@b") { drop() }'
    run(f"on request {{ match user {{ {arms} else => {{ {rest} }} }} drop() }} route ends() {{ ring()  relay() }}")
    assert [call[0] for call in recorder.calls] == ["exists", "ring", "relay"]


def test_too_many_arms_and_conditions(check: Check) -> None:
    arms = '"a" => drop()\n' * 1001
    (problem,) = check(f"on request {{ match user {{\n{arms} }}\ndrop() }}")
    assert (problem.line, problem.message) == (1002, "`match` has up to 1000 arms")
    rows = "if true { drop() } else\n" * 1000
    (problem,) = check(f"on request {{ {rows} if user == 3 {{ drop() }} else if true {{ }} }}")
    assert (problem.line, problem.column, problem.message) == (1001, 5, "`if` has up to 1000 conditions")


def test_the_path_that_falls_off_a_long_row_is_named(check: Check) -> None:
    rows = 'if user == "x" { drop() }\nelse ' * 200
    (problem,) = check(f"on request {{ {rows} if true {{ drop() }}\n}}")
    assert problem.hint == "the condition in line 201 can be false: end with an outcome such as reply(404)"
    (problem,) = check(f"on request {{ {rows} if true {{ log(user) }} else {{ drop() }}\n}}")
    assert problem.hint == "nothing follows line 201: end with an outcome such as reply(404)"
    (problem,) = check(f"on request {{ {rows} if true {{ drop() }} else {{ log(user) }}\n}}")
    assert problem.hint == "nothing follows line 201: end with an outcome such as reply(404)"


def chain(length: int) -> str:
    routes = "\n".join(f"route r{number}() {{ call r{number + 1}() }}" for number in range(1, length))
    return f"on request {{ call r1() }}\n{routes}\nroute r{length}() {{ drop() }}\n"


def test_routes_call_each_other_only_so_deep(check: Check, run: Run) -> None:
    run(chain(DEEPEST_CALLS))
    (problem,) = check(chain(DEEPEST_CALLS + 1))
    assert problem.message == f"routes call each other up to {DEEPEST_CALLS} deep"
    assert (problem.line, problem.column) == (2, 19)
    (problem,) = check(chain(5_000))
    assert (problem.line, problem.message) == (4951, f"routes call each other up to {DEEPEST_CALLS} deep")


def test_a_long_circle_is_shown_in_short(check: Check) -> None:
    problems = check(chain(40).replace("drop()", "call r1()"))
    (circle,) = [problem.message for problem in problems if "itself" in problem.message]
    assert circle == (
        "route `r1` would call itself: r1 -> r2 -> r3 -> r4 -> r5 -> r6 -> ... -> r36 -> r37 -> r38 -> r39 -> r40 -> r1"
    )


def test_a_file_of_too_many_words(check: Check) -> None:
    (problem,) = check("on request {\n" + "log(1)\n" * 60_000 + "drop() }")
    assert problem.message == f"this file is too long: it has more than {MOST_WORDS:,} words and signs"
    assert problem.line == MOST_WORDS // 4 + 1


def test_patterns_beyond_bounds(check: Check) -> None:
    for pattern in ("(" * 5000 + "a" + ")" * 5000, "a{99999999999999999999}"):
        (problem,) = check(f"on request {{ if user matches /{pattern}/ {{ drop() }} drop() }}")
        assert (problem.column, problem.message) == (31, "this pattern nests too deeply, or counts too far")


# -- call variables ---------------------------------------------------------------------------------------------------


def stored_from_each_other(count: int) -> str:
    lines = "\n".join(f"call.x{number} = call.x{number + 1}" for number in range(count))
    return f'on request {{\n{lines}\ncall.x{count} = "a"\ndrop() }}'


def test_call_variables_may_be_stored_from_each_other(check: Check) -> None:
    assert check(stored_from_each_other(6)) == []
    problems = check(stored_from_each_other(3000))
    assert problems[0].message == "nothing tells what `call.x0` holds"
    assert len(problems) == 2993


# -- many mistakes ----------------------------------------------------------------------------------------------------


def test_of_many_mistakes_the_first_are_shown_and_the_rest_is_counted(check: Check) -> None:
    text = "on request {\n" + "".join(f"repli{number}()\n" for number in range(500)) + "drop() }"
    problems = check(text)
    assert len(problems) == 500
    assert problems[0].hint == "" or problems[0].hint.startswith("did you mean")
    shown = render_all(problems, text)
    assert len(shown) == MOST_SHOWN + 1
    assert shown[0] == render(problems[0], text)
    assert shown[-1] == "... and 400 more"
    assert render_all(problems[:3], text) == [render(problem, text) for problem in problems[:3]]


def test_of_many_broken_blocks_no_more_are_looked_at_than_are_shown(check: Check) -> None:
    assert len(check("route x(\n" * 5_000)) == MOST_SHOWN


def test_a_mistake_of_one_block_does_not_hide_behind_another(check: Check) -> None:
    found = [(one.line, one.message) for one in check("route x( $\nroute y(\nroute z() { $ }\n")]
    assert found == [
        (1, "names are written without `$`"),
        (2, "this `(` is never closed"),
        (3, "names are written without `$`"),
    ]


def test_of_a_long_line_the_part_around_the_place_is_shown(check: Check) -> None:
    text = 'on request { log("' + "a" * 5000 + '") repli() log("' + "b" * 5000 + '") drop() }'
    (problem,) = check(text)
    first, line, caret, _ = render(problem, text).split("\n")
    assert first.startswith("error: main.route:1:5022: there is no function `repli`")
    assert line.startswith("    ...aaa") and line.endswith("bbb...") and len(line) < 220
    assert line[caret.index("^") :].startswith("repli()") and caret.count("^") == 5


def test_the_end_of_a_long_line_is_shown_to_its_end() -> None:
    text = "x" * 400 + "yz"
    assert render(Problem("a.route", 1, 401, 9, "here"), text).split("\n")[1:] == [
        "    ..." + "x" * 100 + "yz",
        "    " + " " * 103 + "^^",
    ]


# -- a file that was cut off -------------------------------------------------------------------------------------------

WHOLE = Path(__file__).parents[2].joinpath("etc", "ringway", "routes", "trunk.route").read_text("utf-8")


def test_a_file_cut_off_anywhere_is_a_list_of_mistakes(check: Check) -> None:
    assert not any(problem.severity.value == "error" for problem in check(WHOLE))
    end = WHOLE.rindex("}")
    for length in range(end):
        text = WHOLE[:length]
        problems = check(text)
        assert problems, text
        assert all(problem.line >= 1 and render(problem, text) for problem in problems)


def test_a_file_that_begins_anywhere_is_a_list_of_mistakes(check: Check) -> None:
    for start in range(1, len(WHOLE), 3):
        text = WHOLE[start:]
        assert all(render(problem, text) for problem in check(text))


def test_python_is_left_as_it_was(check: Check, load: Load) -> None:
    limit = sys.getrecursionlimit()
    with pytest.raises(ConfigurationError):
        load(route(*NESTED["blocks"][:5], 10_000))
    assert sys.getrecursionlimit() == limit
