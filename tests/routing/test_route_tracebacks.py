"""A fault in a route shows the route file's own line."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routing.runtime.loader import Routes, load_routes

TEXT = """on request {
    if user == "" {
        call user("é", request.uri)
    }
    drop()
}

route user(name: text, target: uri) {
    note_down(name)
    ring(
        lookup(target),
        for: 20s)
    for number in 1..2 { note_down(number) }
}
"""


def frames(failure: BaseException) -> list[tuple[str, int, str, str]]:
    found = traceback.extract_tb(failure.__traceback__)
    return [
        (one.filename, one.lineno or 0, one.name, one.line or "") for one in found if one.filename.endswith(".route")
    ]


def fault(routes: Routes, context: Any) -> BaseException:
    with pytest.raises(ZeroDivisionError) as caught:
        routes.run(context).send(None)
    return caught.value


@pytest.mark.parametrize(
    ("function", "line", "source"),
    [("note_down", 9, "note_down(name)"), ("lookup", 11, "lookup(target),"), ("ring", 10, "ring(")],
)
def test_each_frame_is_a_line_of_the_file(
    function: str, line: int, source: str, load: Callable[[str], Routes], new_context: Any, recorder: Any
) -> None:
    recorder.answers[function] = ZeroDivisionError()
    found = frames(fault(load(TEXT), new_context()))
    assert found == [
        ("main.route", 3, "on_request", 'call user("é", request.uri)'),
        ("main.route", line, "route_user", source),
    ]


def test_the_caret_stands_under_the_call(load: Callable[[str], Routes], new_context: Any, recorder: Any) -> None:
    recorder.answers["ring"] = ZeroDivisionError()
    shown = "".join(traceback.format_exception(fault(load(TEXT.replace("ring(\n", "ring(")), new_context())))
    assert '    call user("é", request.uri)\n' in shown
    assert 'File "main.route", line 10, in route_user\n    ring(        lookup(target),\n' in shown


def test_a_file_shows_the_lines_that_were_loaded(
    tmp_path: Path, modules: list[Any], new_context: Any, recorder: Any
) -> None:
    file = tmp_path / "calls.route"
    file.write_text("on request {\n    note_down(user)\n    drop()\n}\n")
    routes = load_routes(file, modules)
    file.write_text("# edited since\n" * 5)
    recorder.answers["note_down"] = ZeroDivisionError()
    assert frames(fault(routes, new_context())) == [(str(file), 2, "on_request", "note_down(user)")]
