"""Any program, with comments and line ends anywhere: it says the same in its layout, and keeps every comment."""

from __future__ import annotations

import random
import re

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routing.language.formatter import format_routes, same
from routing.language.parser import parse
from routing.language.problem import Report

SEPARATORS = (
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\n\n\n",
    " # one\n",
    "\n  # two\n",
    " # three\n\n# four\n",
    "\t",
    "\r\n",
)
NAMES = st.sampled_from(["a", "number", "a_rather_long_name_for_a_value", "from", "branch", "reply"])
LITERALS = st.sampled_from(
    ['"text"', r'"\"#{"', "404", "20s", "20/s", "10.0.0.0/8", "::1", "/^a#/", "/x/i", "true", "600 .. 699", "[ ]"]
)
PATHS = st.recursive(
    st.one_of(NAMES, st.sampled_from(["call . x", "shared . a"])),
    lambda inner: st.one_of(
        st.tuples(inner, NAMES.filter(lambda name: name not in ("branch", "reply"))).map(" . ".join),
        inner.map(lambda path: f'{path} [ "X" ]'),
    ),
    max_leaves=3,
)


def row(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Items with commas, perhaps one behind the last."""
    return st.tuples(st.lists(inner, max_size=4), st.booleans()).map(
        lambda given: " , ".join(given[0]) + (" ," if given[1] and given[0] else "")
    )


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.one_of(inner, inner.map(lambda value: f"for: {value}"))
    return st.tuples(NAMES, row(arguments)).map(lambda given: f"{given[0]} ( {given[1]} )")


EXPRESSIONS = st.recursive(
    st.one_of(LITERALS, PATHS),
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["and", "or", "+", "-", "*", "==", "<=", "in", "not in", "matches"]), inner
        ).map(lambda given: f"( {given[0]} {given[1]} {given[2]} )"),
        st.lists(inner, min_size=2, max_size=4).map(lambda given: f"( {' and '.join(f'( {one} )' for one in given)} )"),
        inner.map(lambda value: f"( not {value} )"),
        row(inner).map(lambda items: f"[ {items} ]"),
        calls(inner),
    ),
    max_leaves=8,
)
SIMPLE = st.one_of(
    calls(EXPRESSIONS),
    calls(EXPRESSIONS).map(
        lambda call: f"call {call}".replace("call branch", "call b").replace("call reply", "call r")
    ),
    st.tuples(PATHS, EXPRESSIONS).map(" = ".join),
    EXPRESSIONS.map(lambda value: f"let x = {value}"),
)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=3).map(lambda statements: f"{{ {' '.join(statements)} }}")


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    block = blocks(inner)
    cases = st.one_of(
        st.lists(LITERALS, min_size=1, max_size=3).map(" , ".join),
        PATHS.map(lambda path: f"in {path}"),
        st.just("else"),
    )
    arm = st.tuples(cases, st.one_of(block, calls(EXPRESSIONS), st.just("call r ( )"))).map(" => ".join)
    return st.one_of(
        st.tuples(EXPRESSIONS, block).map(lambda given: f"if {given[0]} {given[1]}"),
        st.tuples(EXPRESSIONS, block, EXPRESSIONS, block, block).map(
            lambda given: f"if {given[0]} {given[1]} else if {given[2]} {given[3]} else {given[4]}"
        ),
        st.tuples(calls(EXPRESSIONS), block).map(" else ".join),
        st.tuples(EXPRESSIONS, block).map(lambda given: f"for one in {given[0]} {given[1]}"),
        st.tuples(EXPRESSIONS, st.lists(arm, max_size=4)).map(
            lambda given: f"match {given[0]} {{ {' '.join(given[1])} }}"
        ),
    )


STATEMENTS = st.recursive(SIMPLE, lambda inner: st.one_of(SIMPLE, compound(inner)), max_leaves=6)
ITEMS = st.one_of(
    st.tuples(st.sampled_from(["on request", "branch b ( branch )", "reply r ( reply )"]), blocks(STATEMENTS)).map(
        " ".join
    ),
    st.tuples(st.sampled_from(["", "a: text", "a: text , b: list of number"]), blocks(STATEMENTS)).map(
        lambda given: f"route r ( {given[0]} ) {given[1]}"
    ),
    st.just("shared a: number for 10m"),
)
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\S+')


def scattered(program: str, seed: int) -> str:
    """The same words with other white space and comments between them."""
    chance = random.Random(seed)
    return "".join(word + chance.choice(SEPARATORS) for word in TOKEN.findall(program))


def comments(text: str) -> list[str]:
    """All comments; none of the texts and patterns above holds something like them."""
    return re.findall(r"(?<=# )(?:one|two|three|four)", text)


def check(text: str) -> None:
    report = Report("x.route", text)
    tree = parse(text, report)
    assert not report.failed, report.problems
    shown = format_routes(text, report)
    assert shown is not None
    assert sorted(comments(shown)) == sorted(comments(text))
    assert same(tree, parse(shown, Report("x.route", shown)))
    again = format_routes(shown, Report("x.route", shown))
    assert again == shown, f"{text!r}\n{shown}\n--\n{again}"
    assert not re.search(r"[ \t]\n|\n\n\n|\A\n|\n\n\Z", shown)
    assert shown == "" or shown.endswith("\n")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(ITEMS, max_size=3).map("\n".join), st.integers(0, 9))
@example('on request { match "a" { "b" , 1 => { } else => call r ( ) } }', 3)
def test_any_program(program: str, seed: int) -> None:
    check(program)
    check(scattered(program, seed))


def test_many_ways_to_scatter_one_program() -> None:
    program = """shared a: number for 10m
        route r ( a: text , b: list of number ) {
            if a == 1 and ( b or not c ) { x ( ) y ( 1 , 2 , ) } else if d { z ( for: 20s , order: "by q" ) } else { }
            match a . b [ "X" ] { 1 , 2 => x ( ) in [ 3 ] => { y ( ) } else => call r ( ) }
            for one in [ 1 , 2 ] { call . x = shared . a [ "1" ] + 2 }
            f ( ) else { }
        }"""
    for seed in range(60):
        check(scattered(program, seed))
