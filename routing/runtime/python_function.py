"""A Python function of the operator as a route calls it: waited for, with its values judged on the way back.

Whatever it does wrong is the fault of that one request: it is answered 500, or 503 when there was no answer in time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

from routing.runtime.context import Context
from routing.runtime.python_source import PythonSource
from sipcore.errors import RingwayError
from sipcore.need import Need

_LONGER = 1.0
"""Seconds that the runner waits longer than whoever makes the call, so that the one who knows more speaks first."""


class Made(NamedTuple):
    """How a call ended: what it gave, or what it raised."""

    value: Any = None
    error: BaseException | None = None


class Perform(Protocol):
    """Makes a call somewhere else than in the stack's thread; raises `Unavailable` when it takes too long."""

    __qualname__: str

    def __call__(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Awaitable[Made]:
        """The call."""


class PythonFunction:
    """What compiled code awaits in the place of a module's function."""

    __slots__ = ("_by_name", "_in_order", "_perform", "_repeated", "_result", "_timeout", "name")

    def __init__(self, name: str, source: PythonSource, perform: Perform, timeout: float) -> None:
        self.name = name
        self._perform = perform
        self._timeout = timeout
        rows = list(zip(source.parameters, source.kinds, strict=True))
        self._in_order = [kind.given for row, kind in rows if not row.labelled and not row.repeated]
        self._repeated = next((kind.given for row, kind in rows if row.repeated), None)
        self._by_name = {row.keyword: kind.given for row, kind in rows}
        self._result = source.result.result

    async def __call__(self, context: Context, *arguments: Any, **named: Any) -> Any:
        """Make the call and wait for it."""
        given = self._given(arguments)
        labelled = {word: self._by_name[word](value) for word, value in named.items()}
        made = await Need(self._perform, given, labelled, timeout=self._timeout + _LONGER)
        if made.error is not None:
            raised = f"{type(made.error).__name__}: {made.error}"
            raise RingwayError(f"the function `{self.name}` failed: {raised}") from made.error
        try:
            return self._result(made.value)
        except ValueError as wrong:
            raise RingwayError(f"the function `{self.name}` gave what it does not promise: {wrong}") from None

    def _given(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        takes: list[Callable[[Any], Any]] = self._in_order[: len(arguments)]
        if self._repeated is not None:
            takes = takes + [self._repeated] * (len(arguments) - len(takes))
        return tuple(take(value) for take, value in zip(takes, arguments, strict=True))
