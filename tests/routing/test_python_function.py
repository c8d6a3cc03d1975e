"""What passes between a route and a Python function: values on their way in, and on their way back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from routing.runtime import Uri
from routing.runtime.loader import load_routes
from routing.runtime.python_function import Made, PythonFunction
from routing.runtime.python_source import read_function
from sipcore.errors import RingwayError
from sipcore.need import Need
from tests.routing.conftest import Recorder, finish


class Performed:
    """Stands for the workers: keeps what was given, and answers what the test wants."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.given: list[tuple[tuple[Any, ...], Mapping[str, Any]]] = []
        self.__qualname__ = "find"

    async def __call__(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Made:
        self.given.append((arguments, named))
        return self.made


NOTHING = Made()


def function(folder: Path, definition: str, made: Made = NOTHING) -> tuple[PythonFunction, Performed]:
    imports = "from routing.runtime import Duration, Uri\n"
    (folder / "numbers.py").write_text(f"{imports}def find{definition}: ...\n")
    performed = Performed(made)
    return PythonFunction("find", read_function("numbers", "find", folder), performed, 2.0), performed


def outcome(called: PythonFunction, *arguments: Any, **named: Any) -> Any:
    """Step the call by hand: the need it has is met at once."""
    coroutine = called(None, *arguments, **named)  # type: ignore[arg-type]
    need = coroutine.send(None)
    assert isinstance(need, Need) and need.timeout == 3.0
    made = finish(need.call(*need.arguments))  # type: ignore[arg-type]
    with pytest.raises(StopIteration) as end:
        coroutine.send(made)
    return end.value.value


@pytest.mark.parametrize(
    ("result", "value"),
    [
        ("str", "a"), ("int", 3), ("int", -(10**15)), ("float", 0.5), ("float", 3), ("bool", True), ("Duration", 2),
        ("Uri", Uri("sip", "a", "b")), ("list[str]", ["a", "b"]), ("list[str]", ("a",)), ("list[int]", []),
        ("None", None), ("None", "forgotten"),
    ],
)  # fmt: skip
def test_what_is_promised_comes_back(result: str, value: Any, tmp_path: Path) -> None:
    expected = None if result == "None" else list(value) if result.startswith("list") else value
    assert outcome(function(tmp_path, f"() -> {result}", Made(value))[0]) == expected


@pytest.mark.parametrize(
    ("result", "value", "what"),
    [
        ("str", None, "None"),
        ("str", b"a", "of type bytes"),
        ("str", "a" * 65_537, "a text of more than 65,536 characters"),
        ("int", True, "of type bool"),
        ("int", 0.5, "of type float"),
        ("int", "3", "of type str"),
        ("int", 10**16, "a number beyond 1,000,000,000,000,000"),
        ("float", float("nan"), "a number beyond 1,000,000,000,000,000"),
        ("float", float("inf"), "a number beyond 1,000,000,000,000,000"),
        ("bool", 1, "of type int"),
        ("Duration", -1, "less than no time"),
        ("Uri", "sip:a@b", "of type str"),
        ("list[str]", "ab", "of type str"),
        ("list[str]", ["a", 3], "of type int"),
        ("list[str]", ["a"] * 10_001, "a list of more than 10,000"),
    ],
)
@pytest.mark.row("E08")
def test_what_is_not_promised_is_a_fault(result: str, value: Any, what: str, tmp_path: Path) -> None:
    called, _ = function(tmp_path, f"() -> {result}", Made(value))
    with pytest.raises(RingwayError) as caught:
        outcome(called)
    assert str(caught.value) == f"the function `find` gave what it does not promise: {what}"


@pytest.mark.row("E08")
@pytest.mark.parametrize("raised", [ValueError("no such number"), SystemExit(3), KeyboardInterrupt()])
def test_what_it_raises_is_the_cause_of_the_fault(raised: BaseException, tmp_path: Path) -> None:
    with pytest.raises(RingwayError) as caught:
        outcome(function(tmp_path, "() -> str", Made(None, raised))[0])
    assert str(caught.value) == f"the function `find` failed: {type(raised).__name__}: {raised}"
    assert caught.value.__cause__ is raised


def test_arguments_are_given_as_they_are_declared(tmp_path: Path) -> None:
    called, performed = function(tmp_path, "(a: int, b: float = 1, *c: int, d_: list[str], e: bool = False) -> None")
    texts = ["x"]
    outcome(called, 3.0, 4, 5.0, 6, d_=texts)
    ((given, named),) = performed.given
    assert given == (3, 4.0, 5, 6) and [type(one) for one in given] == [int, float, int, int]
    assert named == {"d_": ["x"]} and named["d_"] is not texts


def test_a_number_that_is_not_whole_is_not_cut(tmp_path: Path) -> None:
    called, performed = function(tmp_path, "(a: int) -> None")
    with pytest.raises(RingwayError, match=r"0\.5 is no whole number"):
        outcome(called, 0.5)
    assert performed.given == []


def test_a_route_calls_it_like_any_other(tmp_path: Path, new_context: Any, recorder: Recorder) -> None:
    called, performed = function(tmp_path, "(number: str, *, wait: Duration = Duration(0)) -> str", Made("+44"))
    source = read_function("numbers", "find", tmp_path)
    text = 'on request { note_down(find(request.uri.user, wait: 20s)) if find("1") == "+44" { drop() } reply(404) }'
    routes = load_routes(text, [*_modules(recorder)], functions={"find": source.signature("find", called)})
    context = new_context()
    coroutine = routes.run(context)
    need = coroutine.send(None)
    assert isinstance(need, Need)
    need = coroutine.send(Made("+1"))
    assert isinstance(need, Need)
    with pytest.raises(StopIteration):
        coroutine.send(Made("+44"))
    assert recorder.calls == [("note_down", "+1")] and context.ended
    assert performed.given == []


def _modules(recorder: Recorder) -> list[Any]:
    from routing.runtime.builtins import Builtins

    return [Builtins(None), recorder]  # type: ignore[arg-type]
