"""Text that is no route file: what is said, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.parser import parse
from routing.language.problem import Problem, Report

COMMA = "did you forget a comma?"
STEP = "it is a line of words and values"
BRACES = "a block stands in braces: { ... }"


@pytest.mark.parametrize(
    ("text", "column", "length", "message", "hint"),
    [
        # something is missing
        ('on request { reply(200 "OK") }', 24, 4, 'expected "," or ")" before "OK"', COMMA),
        ("on request { let x = [1 2] }", 25, 1, 'expected "," or "]" before "2"', COMMA),
        ("on request { reply(200", 19, 1, "this `(` is never closed", "add the `)` that ends it"),
        ("on request { let x = [1, 2", 22, 1, "this `[` is never closed", "add the `]` that ends it"),
        ("on request { reply(200) ", 12, 1, "this `{` is never closed", "add the `}` that ends it"),
        (
            'on request { reply(403, "No) }',
            25,
            6,
            "this text has no closing quote",
            'a text stands between two " on one line',
        ),
        (
            "on request { if user matches /x { drop() } }",
            30,
            15,
            "this pattern has no closing slash",
            "a pattern is written /.../ on one line; a comment starts with #",
        ),
        ("on request drop()", 12, 4, 'expected "{" before "drop"', BRACES),
        ("on request { if x drop() }", 19, 4, 'expected "{" before "drop"', BRACES),
        ("on request { if x { } else drop() }", 28, 4, 'expected "if" or "{" before "drop"', BRACES),
        ("on request () { drop() }", 12, 1, 'expected "{" before "("', BRACES),
        ("on request { let x 3 }", 20, 1, 'expected "=" before "3"', ""),
        ("on request { for x lookup() {} }", 20, 6, 'expected "in" before "lookup"', ""),
        ("on request { f(x: ) }", 19, 1, 'expected a value before ")"', ""),
        ("on request { f(1,,2) }", 18, 1, 'expected a value or ")" before ","', ""),
        ("on request { if x in { } }", 22, 1, 'expected a value before "{"', ""),
        ("on request { if not { } }", 21, 1, 'expected a value before "{"', ""),
        ("on request { match x { y => f() } }", 24, 1, 'expected a value, "else" or "}" before "y"', ""),
        ("route r(x) { }", 9, 1, 'expected a name with `:` or ")" before "x"', "it needs a type: `x: text`"),
        ("route r(x: ) { }", 12, 1, 'expected a name before ")"', ""),
        ("on", 1, 1, "expected a name before the end of the file", ""),
        ("route user", 7, 1, 'expected "(" before the end of the file', ""),
        # something is too much
        ("on request { drop() } }", 23, 1, "this `}` closes nothing", "there is one too many, here or above"),
        ("on request { drop(); }", 20, 1, "nothing stands between statements", "leave the `;` out"),
        ("on request { lookup(x).empty }", 23, 1, 'expected a statement or "}" before "."', ""),
        # something else was meant
        (
            "on request { if a = 1 { } }",
            19,
            1,
            "`=` stores a value; it can't stand in a condition",
            "write `==` to compare",
        ),
        (
            "on request { drop }",
            14,
            4,
            "nothing is done with `drop`",
            "a statement is a call, `drop(...)`, or stores, `drop = ...`",
        ),
        ("on request { let route = 1 }", 18, 5, "`route` is a word of the language", "choose another name"),
        ("route if() { }", 7, 2, "`if` is a word of the language", "choose another name"),
        ("on request { f('x') }", 16, 1, "a text stands in double quotes", ""),
        ("on request { if a && b { } }", 19, 1, "`&` is not in the language", "write `and`"),
        ("on request { if a || b { } }", 19, 1, "`|` is not in the language", "write `or`"),
        ("on request { if !a { } }", 17, 1, "`!` is not in the language", "write `not`"),
        (
            "on request { let x = 7 % 2 }",
            24,
            1,
            "`%` is not in the language",
            "numbers take `+`, `-` and `*`",
        ),
        (
            'on request { match x { "a" -> f() } }',
            28,
            1,
            "`->` is not in the language",
            "an arm of `match` is written with `=>`",
        ),
        (
            "on request { let x = $ru }",
            22,
            1,
            "names are written without `$`",
            "`request.uri` is the Request-URI, `from.user` the user in From, ...",
        ),
        ("on request { drop() @ }", 21, 1, "`@` is not in the language", ""),
        ("on request { drop() \x01 }", 21, 1, "`U+0001` is not in the language", ""),
        ("on request { let x = 1 + }", 26, 1, 'expected a value before "}"', ""),
        ("on request { let x = * 1 }", 22, 1, 'expected a value before "*"', ""),
        ("on request { let x = -1 }", 22, 1, 'expected a value before "-"', ""),
        ("shared f for 10m", 8, 1, 'expected a name with `:` before "f"', "it needs a type: `f: text`"),
        (
            "shared failures: number",
            18,
            1,
            'expected "for" and a lifetime before the end of the file',
            "as in `shared failures: number for 10m`",
        ),
        ("shared failures: number for ever", 29, 4, 'expected a number before "ever"', ""),
        # tests
        ("test a_call { }", 6, 6, 'expected a name in quotes or "{" before "a_call"', 'as in `test "a call" { ... }`'),
        ('test "a call" bob', 15, 3, 'expected "{" before "bob"', BRACES),
        ('test "a call" { expect(bob) }', 23, 1, 'a step of a test is written without "("', STEP),
        ('test "a call" { bob: rings }', 17, 3, 'a step of a test is written without ":"', STEP),
        ('test "a call" { bob rings } }', 29, 1, "this `}` closes nothing", "there is one too many, here or above"),
        # words of other languages
        (
            "on request { return }",
            14,
            6,
            "`return` is not in the language: a route ends with an outcome such as reply(404)",
            "",
        ),
        (
            "on request { while x { } }",
            14,
            5,
            "`while` is not in the language: `for x in list { }` comes to an end by itself",
            "",
        ),
        ("on request { if a { } elif b { } }", 23, 4, "write `else if`", ""),
        ("request_route { }", 1, 13, "write `on request { }`", ""),
        (
            "rout user() { }",
            1,
            4,
            'expected `on request`, `route`, `branch`, `reply`, `shared` or `test` before "rout"',
            "did you mean `route`?",
        ),
        (
            "drop()",
            1,
            4,
            'expected `on request`, `route`, `branch`, `reply`, `shared` or `test` before "drop"',
            "everything else stands inside one of these",
        ),
    ],
)  # fmt: skip
def test_one_mistake_reads_well(
    text: str, column: int, length: int, message: str, hint: str, check: Callable[[str], list[Problem]]
) -> None:
    problem = Problem("main.route", 1, column, length, message, hint)
    assert check(text) == [problem]


def places(problems: list[Problem]) -> list[tuple[int, int]]:
    return [(problem.line, problem.column) for problem in problems]


def test_each_block_reports_its_first_mistake(check: Callable[[str], list[Problem]]) -> None:
    text = "on request {\n    drop(1 2)\n}\n\nroute a() { let x 3 }\nroute b() { drop() }\nbranch c() { }\n"
    assert places(check(text)) == [(2, 12), (5, 19), (7, 10)]


def test_a_missing_brace_is_placed_by_the_indentation(check: Callable[[str], list[Problem]]) -> None:
    text = "on request {\n    if a {\n        drop()\n    if b {\n        drop()\n    }\n}\n\nroute r() { drop() }\n"
    (problem,) = check(text)
    assert (problem.line, problem.column, problem.message) == (2, 10, "this `{` is never closed")


def test_a_missing_brace_in_an_indented_file_is_found_at_the_next_block(
    check: Callable[[str], list[Problem]],
) -> None:
    text = "  on request {\n    drop()\n  route r() { drop() }\n"
    (problem,) = check(text)
    assert (problem.line, problem.column, problem.message) == (1, 14, "this `{` is never closed")


def test_a_mistake_behind_crlf_and_tabs_is_at_its_character(check: Callable[[str], list[Problem]]) -> None:
    assert places(check("on request {\r\n\tdrop(1 2)\r\n}\r\n")) == [(2, 9)]


def test_a_byte_order_mark_is_no_mistake(check: Callable[[str], list[Problem]]) -> None:
    assert check("\N{BYTE ORDER MARK}on request { drop() }") == []


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment"])
def test_an_empty_file_answers_nothing(text: str, check: Callable[[str], list[Problem]]) -> None:
    (problem,) = check(text)
    assert problem.message == "there is no `on request { }`: nothing would answer a request"


def test_loops_in_loops_have_a_limit_python_does_not_reach(check: Callable[[str], list[Problem]]) -> None:
    text = "on request { " + "for %s in 1..2 { " * 11 + "log(user)" + " }" * 11 + " drop() }"
    (problem,) = check(text % tuple("abcdefghijk"))
    assert (problem.column, problem.message) == (174, "loops stand in each other up to 10 deep")


def test_a_wrong_character_below_other_blocks_is_named_as_what_it_is() -> None:
    text = "route a() { drop() }\n\non request {\n    drop();\n}\n"
    report = Report("main.route", text)
    parse(text, report)
    (problem,) = report.problems
    assert (problem.line, problem.column, problem.hint) == (4, 11, "leave the `;` out")
