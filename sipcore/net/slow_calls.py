"""Slow calls: what a parked handler waits for runs in a task here, with a time-out (the Performer of sipcore.need)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from sipcore.errors import RingwayError, Unavailable
from sipcore.need import Done, Need
from sipcore.net.driver import Driver


class SlowCalls:
    """Performs needs; `running` is how many are under way."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.running = 0

    def perform(self, need: Need[Any], done: Done) -> Callable[[], None]:
        """Start a need's call; the function that is returned cancels it, and `done` is then never called."""
        call = _SlowCall(need, done)
        self._driver.spawn(self._run, call)
        return call.cancel

    async def _run(self, call: _SlowCall) -> None:
        self.running += 1
        try:
            answer = await call.answer()
        finally:
            self.running -= 1
        if not call.cancelled:
            self._driver.enter(call.done, *answer)


class _SlowCall:
    __slots__ = ("_need", "_scope", "cancelled", "done")

    def __init__(self, need: Need[Any], done: Done) -> None:
        self._need = need
        self._scope = trio.CancelScope(deadline=trio.current_time() + need.timeout)
        self.done = done
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
        self._scope.cancel()

    async def answer(self) -> tuple[object, BaseException | None]:
        """The result or the error; any foreign exception becomes `Unavailable` with the cause kept."""
        need = self._need
        with self._scope:
            try:
                return await need.call(*need.arguments), None
            except RingwayError as failure:
                return None, failure
            except Exception as failure:
                wrapped = Unavailable(f"{_name(need)} failed: {type(failure).__name__}: {failure}")
                wrapped.__cause__ = failure
                return None, wrapped
        return None, Unavailable(f"{_name(need)} gave no answer within {need.timeout:g} s")


def _name(need: Need[Any]) -> str:
    return getattr(need.call, "__qualname__", repr(need.call))
