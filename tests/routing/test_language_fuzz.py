"""No text breaks the checker, and what it accepts runs."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routing.language.problem import Severity, render
from routing.runtime.builtins import Builtins
from routing.runtime.loader import check_routes, load_routes

VOCABULARY = """
on request route branch call let if else match for in not and or matches true false
{ } ( ) [ ] , . .. : = == != < => # $ ; é
404 20s 20/s 10.0.0.0/8 ::1 /a+/ "text" "sip:a@b"
user from to source.ip request.uri request.header["X"] call.x outcome.code x reply drop log remove
"""
WORDS = [*VOCABULARY.split(), "\n"]


def modules() -> list[Any]:
    return [Builtins(None)]  # type: ignore[arg-type]


@given(st.text(max_size=200))
@example("on request { reply(")
@example("\r\r\r")
@example('"')
def test_any_text_is_only_a_list_of_problems(text: str) -> None:
    for problem in check_routes(text, modules()):
        assert problem.line >= 1 and problem.column >= 1 and problem.length >= 1
        assert render(problem, text)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_row_of_words_is_only_a_list_of_problems(words: list[str]) -> None:
    text = "on request { " + " ".join(words) + " drop() }"
    for problem in check_routes(text, modules()):
        assert render(problem, text)


CONDITIONS = st.recursive(
    st.sampled_from(["true", 'user == ""', "source.port in 1..9", "from.domain in [to.domain]", "1 < 2"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda one: f"not {one}"),
    ),
    max_leaves=6,
)
BLOCKS = st.recursive(
    st.sampled_from(['log("x")', "let a = 1", "drop()", "reply(404)", 'call.x = "y"', 'request.uri.user = "z"']),
    lambda inner: st.one_of(
        st.tuples(CONDITIONS, inner).map(lambda parts: f"if {parts[0]} {{ {parts[1]} }}"),
        st.tuples(CONDITIONS, inner, inner).map(lambda parts: f"if {parts[0]} {{ {parts[1]} }} else {{ {parts[2]} }}"),
        inner.map(lambda one: f"for i in 1..2 {{ {one} }}"),
        inner.map(lambda one: f'match user {{ "a" => {{ {one} }} else => {{ drop() }} }}'),
        st.tuples(inner, inner).map(" ".join),
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(BLOCKS)
def test_what_the_checker_accepts_comes_to_exactly_one_outcome(new_context: Any, block: str) -> None:
    text = f"on request {{ {block} }}"
    if any(problem.severity is Severity.ERROR for problem in check_routes(text, modules())):
        text = f"on request {{ {block} drop() }}"
        if any(problem.severity is Severity.ERROR for problem in check_routes(text, modules())):
            return
    context = new_context()
    try:
        load_routes(text, [Builtins(context.platform)]).run(context).send(None)
    except StopIteration as end:
        assert end.value is True
    assert context.ended
    assert len(context.transaction.responses) + context.transaction.abandoned == 1
