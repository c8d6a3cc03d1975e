"""The path on which a request would get no outcome is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.problem import Problem

MESSAGE = "a request can get here without an outcome"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "this block is empty"),
        ('log("x")', "nothing follows line 2"),
        ('let x = "y" log(x)', "nothing follows line 2"),
        ('request.header["X"] = "y"', "nothing follows line 2"),
        ("if true { drop() }", "the condition in line 2 can be false"),
        ("if true { drop() } else { log(user) }", "nothing follows line 2"),
        ("if true { log(user) } else { drop() }", "nothing follows line 2"),
        ("if true { } else { drop() }", "this block is empty"),
        ("if true { drop() } else if false { drop() }", "the condition in line 2 can be false"),
        ("ring(request.uri)", "`ring` in line 2 does not always end the route"),
        ("limit(1/s, per: user) else { drop() }", "nothing follows line 2"),
        ('match user { "a" => drop() }', "nothing may match in line 2"),
        ('match user { in ["a"] => drop() }', "nothing may match in line 2"),
        ('match user { "a" => drop() else => log("x") }', "nothing follows line 2"),
        ('match user { "a" => ring(request.uri) else => drop() }', "`ring` in line 2 does not always end the route"),
        ("match user { }", "nothing may match in line 2"),
        ("for x in 1..2 { drop() }", "the loop in line 2 comes to its end"),
        ("call may_end()", "route `may_end`, called in line 2, can come back"),
        ("call never_ends()", "route `never_ends`, called in line 2, can come back"),
    ],
)
def test_the_reason_is_given(body: str, reason: str, check: Callable[[str], list[Problem]]) -> None:
    text = f"on request {{\n{body}\n}}\nroute may_end() {{ ring(request.uri) }}\nroute never_ends() {{ log(user) }}\n"
    errors = [problem for problem in check(text) if problem.severity.value == "error"]
    assert [(one.line, one.column, one.message) for one in errors] == [(3, 1, MESSAGE)]
    assert errors[0].hint == f"{reason}: end with an outcome such as reply(404)"


@pytest.mark.parametrize(
    "body",
    [
        "drop()",
        "if true { drop() } else { reply(404) }",
        "if true { drop() } else if false { drop() } else { drop() }",
        "if true { drop() } reply(404)",
        'match user { "a" => drop() else => reply(404) }',
        'match user { "a" => { log("x") drop() } else => call ends() }',
        "call ends()",
        "ring(request.uri) drop()",
        "for x in 1..2 { drop() } drop()",
        "limit(1/s, per: user) else { drop() } drop()",
    ],
)
def test_a_file_without_such_a_path_is_right(body: str, check: Callable[[str], list[Problem]]) -> None:
    problems = check(f"on request {{\n{body}\n}}\nroute ends() {{ drop() }}\n")
    assert [one.message for one in problems if one.severity.value == "error"] == []
