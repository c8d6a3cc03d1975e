"""How much work a check and a run take, counted in calls: the time itself is what `./dev bench routes` measures."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from typing import Any

import bench
import pytest
import route_speed

from routing.runtime import Domains
from routing.runtime.loader import check_routes, load_routes


def calls(step: Callable[[], object]) -> int:
    """How many functions a step calls, Python's own included."""
    count = 0

    def seen(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        step()
    finally:
        sys.setprofile(before)
    return count


def test_the_work_of_a_check_is_in_proportion_to_the_file() -> None:
    small, large = (route_speed.steps_of(route_speed.many_routes(count)) for count in (30, 60))
    for step in (0, 1):
        small[step]()  # what is made once is made
        assert 1.8 < calls(large[step]) / calls(small[step]) < 2.1


def test_the_work_of_a_line_has_a_bound() -> None:
    text = route_speed.many_routes(40)
    steps = route_speed.steps_of(text)
    lines = text.count("\n")
    steps.check()
    assert calls(steps.check) / lines < 800
    assert calls(steps.compile) / lines < 500


def test_the_file_is_as_large_as_it_is_said_to_be() -> None:
    text = route_speed.many_routes(200)
    assert text.count("\nroute ") == 200
    assert 5_000 <= text.count("\n") <= 5_500


@pytest.mark.parametrize(("text", "most"), [(route_speed.SIX_STATEMENTS, 12), (route_speed.default_route(), 22)])
def test_a_run_calls_little(text: str, most: int) -> None:
    once = route_speed.run_of(text)
    once()
    assert calls(once) <= most


def code_of(routes: Any) -> list[Any]:
    """The code of every function of a compiled file."""
    values = routes.run.__globals__.values()
    return [
        one.__code__ for one in values if getattr(one, "__code__", None) and one.__code__.co_filename == routes.name
    ]


def test_a_run_looks_nothing_up_by_name_but_in_its_globals() -> None:
    """Names are globals of the compiled code: no dict of ours, no getattr; `call.x` alone is kept by name."""
    routes = load_routes(
        route_speed.default_route(),
        [route_speed.Nothing(None)],  # type: ignore[arg-type]
        {"domains": Domains(("example.com",))},
    )
    for code in code_of(routes):
        names = {one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL"}
        assert names <= set(routes.run.__globals__)
        assert not [one for one in dis.get_instructions(code) if one.opname in ("BINARY_SUBSCR", "LOAD_NAME")]
    assert len(code_of(routes)) == 2


def test_the_texts_are_right() -> None:
    tables = {"domains": Domains(("example.com",))}
    for text in (route_speed.SIX_STATEMENTS, route_speed.default_route()):
        assert check_routes(text, [route_speed.Nothing], tables) == []


def test_the_work_needs_no_other_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "missing", lambda: ["sip-tester"])
    monkeypatch.setattr(route_speed, "lines", lambda: ["  the numbers"])
    assert bench.main(["routes"]) == 0
    assert capsys.readouterr().out.endswith("\n  the numbers\n")
    assert bench.main(["routes", "calls"]) == 2


def test_numbers_are_printed_with_their_goals(monkeypatch: pytest.MonkeyPatch) -> None:
    time_runs = route_speed.time_runs
    monkeypatch.setattr(route_speed, "time_runs", lambda: time_runs(1, 10))
    monkeypatch.setattr(route_speed, "many_routes", lambda count, many=route_speed.many_routes: many(2))
    shown = route_speed.lines()
    assert len(shown) == 5
    assert "a route of six statements" in shown[1] and "(goal: 1 us)" in shown[1]
    assert "us a run   (goal: 5 us)" in shown[2] and "(goal: 1 s)" in shown[3]
