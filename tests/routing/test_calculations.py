"""`+`, `-` and `*`: what they give, for which types, and where they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.language.problem import Problem
from sipcore.errors import RingwayError
from sipcore.message import Response

Run = Callable[..., tuple[bool, list[Response]]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"+44" + "20"', "+4420"),
        ('"call " + 3', "call 3"),
        ('3 + " calls"', "3 calls"),
        ('"a" + 1 + 2', "a12"),
        ('1 + 2 + "a"', "3a"),
        ('"code " + outcome.code', "code 0"),
        ('"at " + request.uri.domain', "at example.com"),
        ('from.user + "@" + from.domain', "alice@example.com"),
        ("1 + 2", 3),
        ("7 - 10", -3),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("10 - 3 - 2", 5),
        ("request.max_forwards - 1", 68),
        ("0.5 * 4", 2.0),
        ("30s + 1m", 90.0),
        ("1m - 20s", 40.0),
        ("2 * 30s", 60.0),
        ("30s * 2", 60.0),
    ],
)
def test_values(text: str, value: object, run: Run, recorder: Any) -> None:
    run(f"on request {{ note_down({text}) drop() }}")
    (found,) = recorder.calls[-1][1:]
    assert found == value and type(found) is type(value)


def test_a_calculation_binds_closer_than_a_comparison(run: Run, recorder: Any) -> None:
    run('on request { if 1 + 1 == 2 and "a" + "b" in ["ab"] and 1 + 1 < 3 { note_down("yes") } drop() }')
    assert recorder.calls == [("note_down", "yes")]


def test_a_joined_text_is_a_uri_where_one_is_wanted(run: Run, recorder: Any) -> None:
    run('on request { relay("sip:" + request.uri.user + "@carrier.example.net") }')
    assert recorder.calls == [("relay", "sip:bob@carrier.example.net")]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "request.uri + 1",
            "`+` can't take uri and number",
            "take a part of it, such as `.user`, `.domain` or `.text`",
        ),
        ('from + "x"', "`+` can't take address and text", "take a part of it, such as `.user`, `.domain` or `.text`"),
        ("20s + 5", "`+` can't take duration and number", "a duration has a unit: 20s"),
        ('"a" - "b"', "`-` can't take text and text", "texts take `+`, numbers and durations `+`, `-` and `*`"),
        ('"a" * 3', "`*` can't take text and number", "texts take `+`, numbers and durations `+`, `-` and `*`"),
        ("20s * 5s", "`*` can't take duration and duration", "texts take `+`, numbers and durations `+`, `-` and `*`"),
        ("true + 1", "`+` can't take truth and number", "texts take `+`, numbers and durations `+`, `-` and `*`"),
    ],
)
def test_mistakes(text: str, message: str, hint: str, check: Callable[[str], list[Problem]]) -> None:
    (problem,) = check(f"on request {{ note_down({text}) drop() }}")
    assert (problem.column, problem.message, problem.hint) == (24, message, hint)


def test_a_mistake_in_an_operand_is_reported_once(check: Callable[[str], list[Problem]]) -> None:
    (problem,) = check('on request { note_down(nobody + 1 + "x") drop() }')
    assert problem.message == "nothing here is called `nobody`"


@pytest.mark.parametrize(
    ("start", "step", "message"),
    [
        ('"x"', "value + value", "a text is longer than 65536 characters"),
        ("10", "value * value", "a number is larger than 1000000000000000"),
        ("10", "value + value", "a number is larger than 1000000000000000"),
    ],
)
def test_a_loop_can_not_make_a_value_grow_for_ever(start: str, step: str, message: str, run: Run) -> None:
    with pytest.raises(RingwayError, match=message):
        run(f"on request {{ let value = {start} for i in 1..1000 {{ value = {step} }} note_down(value) drop() }}")
