"""What the compiler makes of a route: plain Python code that looks nothing up."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import pytest

from routing.runtime.loader import Routes

Load = Callable[[str], Routes]


def functions(routes: Routes) -> dict[str, FunctionType]:
    names = vars(inspect.unwrap(routes.run))
    assert names == {}
    return {name: one for name, one in routes.run.__globals__.items() if isinstance(one, FunctionType)}  # type: ignore[attr-defined]


def code_of(routes: Routes) -> CodeType:
    return routes.run.__code__  # type: ignore[attr-defined,no-any-return]


def test_only_routes_that_may_wait_are_coroutine_functions(load: Load) -> None:
    routes = load(
        """
        on request { call plain()  call waiting()  call through()  drop() }
        route plain() { log("x") }
        route waiting() { ring(request.uri) }
        route through() { call waiting() }
        branch edit(branch) { branch.header["X"] = "y" }
        """
    )
    kinds = {name: inspect.iscoroutinefunction(one) for name, one in functions(routes).items() if "_" in name}
    wanted = {"on_request": True, "route_plain": False, "route_waiting": True, "route_through": True}
    assert wanted | {"branch_edit": False} == {name: kinds[name] for name in (*wanted, "branch_edit")}


def test_code_carries_the_name_and_lines_of_the_file(load: Load) -> None:
    code = code_of(load("on request {\n    log(user)\n\n    drop()\n}\n"))
    assert code.co_filename == "main.route"
    assert {line for _, _, line in code.co_lines() if line} == {1, 2, 4}


def test_properties_are_attribute_access(load: Load) -> None:
    code = code_of(load('on request { if request.method == "REGISTER" and source.port == 5060 { drop() } drop() }'))
    assert set(code.co_names) == {"request", "method", "flow", "remote", "f_drop"}
    assert "REGISTER" in code.co_consts


def test_sets_are_constants_of_the_code(load: Load) -> None:
    code = code_of(load("on request { if outcome.code in [486, 600..602] { drop() } drop() }"))
    assert frozenset({486, 600, 601, 602}) in code.co_consts


def test_functions_and_large_constants_are_globals(load: Load) -> None:
    routes = load("on request { if source.ip in 10.0.0.0/8 { drop() } drop() }")
    loaded = {one.argval for one in dis.get_instructions(code_of(routes)) if one.opname == "LOAD_GLOBAL"}
    assert loaded == {"f_drop", "k1"}


def test_a_negated_test_is_one_instruction(load: Load) -> None:
    names = [
        one.opname
        for one in dis.get_instructions(
            code_of(load("on request { if user not in denied_prefixes { drop() } drop() }"))
        )
    ]
    assert "CONTAINS_OP" in names and "UNARY_NOT" not in names


@pytest.mark.parametrize("text", ["é", "\N{GRINNING FACE}", "\udce9"])
def test_any_text_may_stand_in_a_file(text: str, load: Load, new_context: Any, recorder: Any) -> None:
    with pytest.raises(StopIteration):
        load(f'on request {{ note_down("{text}", "{text}") drop() }}').run(new_context()).send(None)
    assert recorder.calls == [("note_down", text, text)]
