"""Where Python functions of the operator run: plain ones in threads of their own, `async` ones beside the server.

Rule 1: each function has its own workers, so that one that never comes back takes none from the others. Rule 2: a
call that is late is left behind and counted until it ends; when all workers of a function are left behind it is
refused at once, and the log says so once. Rule 3: nothing that a function raises ends anything but its own call.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from types import FrameType, coroutine
from typing import Any

import trio

from routing.runtime.python_function import Made
from sipcore.errors import Unavailable

_log = logging.getLogger("ringway.functions")
_BLOCKED = 0.1
"""Seconds that an `async` function may keep the whole server without a pause."""


@dataclass(frozen=True, slots=True)
class FunctionStatistics:
    """What one function has done; `hanging` are calls that were left behind and have not ended yet."""

    calls: int
    failed: int
    late: int
    refused: int
    hanging: int


class Workers:
    """The workers of one function; they stay when it is loaded again, as does what hangs in them."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.threads = trio.CapacityLimiter(most)
        self.hanging = 0
        self._refusing = False
        self._calls = self._failed = self._late = self._refused = 0

    @property
    def most(self) -> int:
        """How many calls may hang, and how many threads there are."""
        return int(self.threads.total_tokens)

    def statistics(self) -> FunctionStatistics:
        """The counters."""
        return FunctionStatistics(self._calls, self._failed, self._late, self._refused, self.hanging)

    def begin(self) -> None:
        """A call begins; `Unavailable` at once when all workers hang."""
        self._calls += 1
        if self.hanging >= self.most:
            self._refused += 1
            raise Unavailable(f"the function `{self.name}` is not called: all its {self.most} workers hang")

    def ended(self, made: Made) -> Made:
        """A call ended in time."""
        self._failed += made.error is not None
        return made

    def leave(self, where: str) -> None:
        """A call is left behind."""
        self.hanging += 1
        if self.hanging >= self.most and not self._refusing:
            self._refusing = True
            _log.error(
                "the function `%s` hangs in all its %d workers and is refused until one comes back; the last is at %s",
                self.name, self.most, where,
            )  # fmt: skip

    def came_back(self) -> None:
        """A call that was left behind has ended."""
        self.hanging -= 1
        if self._refusing:
            self._refusing = False
            _log.warning("the function `%s` has come back and is called again", self.name)

    def too_late(self, timeout: float, where: str) -> Unavailable:
        """What a call that took too long is answered with."""
        self._late += 1
        return Unavailable(f"the function `{self.name}` gave no answer within {timeout:g} s: {where}")


class ThreadCall:
    """One call of a plain function, in a thread."""

    def __init__(self, workers: Workers, call: Callable[[], Any], token: trio.lowlevel.TrioToken) -> None:
        self._workers = workers
        self._call = call
        self._token = token
        self._lock = threading.Lock()
        self._thread = 0
        self._ended = self._left = False

    def __call__(self) -> Made:
        """Make it, in the thread."""
        with self._lock:
            if self._left:
                return Made()  # nobody waits for it any more
            self._thread = threading.get_ident()
        try:
            return Made(self._call())
        except BaseException as error:  # SystemExit too: it ends the call, not the server
            return Made(None, error)
        finally:
            with self._lock:
                self._ended = True
            if self._left:
                try:
                    self._token.run_sync_soon(self._workers.came_back)
                except trio.RunFinishedError:
                    pass  # the server has stopped

    def leave(self) -> str:
        """Leave it behind, unless it has ended just now; says where it is."""
        with self._lock:
            if self._ended:
                return "it has just ended"
            self._left = True
        if not self._thread:
            return "no worker was free"
        where = place_of(sys._current_frames().get(self._thread))
        self._workers.leave(where)
        return where


def place_of(frame: FrameType | None) -> str:
    """Where a function stands still: its own line, and the line it is at when that is another."""
    rows = list(traceback.extract_stack(frame)) if frame is not None else []
    ours = max((number for number, row in enumerate(rows) if row.filename == __file__), default=-1)
    own = rows[ours + 1 :]
    shown = [f"{row.filename}:{row.lineno} ({row.name})" for row in own[:1] + own[1:][-1:]]
    return " in ".join(reversed(shown)) or "it has just ended"


class ThreadFunction:
    """A plain function, made to be awaited."""

    def __init__(self, workers: Workers, function: Callable[..., Any], timeout: float) -> None:
        self._workers = workers
        self._function = function
        self._timeout = timeout
        self.__qualname__ = workers.name

    async def __call__(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Made:
        """Make the call in a thread, and wait for it until the deadline."""
        workers = self._workers
        workers.begin()
        call = ThreadCall(workers, lambda: self._function(*arguments, **named), trio.lowlevel.current_trio_token())
        where, made = "", None
        with trio.move_on_after(self._timeout):
            try:
                made = await trio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=workers.threads)
            except trio.Cancelled:
                where = call.leave()
                raise
        if made is None:
            raise workers.too_late(self._timeout, where)
        return workers.ended(made)


class TaskFunction:
    """An `async` function: it runs in a task beside the server's own."""

    def __init__(self, workers: Workers, function: Callable[..., Coroutine[Any, Any, Any]], timeout: float) -> None:
        self._workers = workers
        self._function = function
        self._timeout = timeout
        self.__qualname__ = workers.name

    async def __call__(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Made:
        """Start the call, and wait for it until the deadline; it is cancelled then, and left when it minds that not."""
        self._workers.begin()
        call = _TaskCall(self._workers)
        trio.lowlevel.spawn_system_task(call.run, lambda: self._function(*arguments, **named), name=self.__qualname__)
        with trio.move_on_after(self._timeout):
            try:
                await call.ended.wait()
            finally:
                call.leave()
        if call.made is None:
            raise self._workers.too_late(self._timeout, "it still waited")
        return self._workers.ended(call.made)


class _TaskCall:
    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._scope = trio.CancelScope()
        self._left = False
        self.ended = trio.Event()
        self.made: Made | None = None

    async def run(self, begin: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        try:
            with self._scope:
                self.made = Made(await _watched(begin(), self._workers.name))
        except trio.Cancelled:
            raise  # the server stops
        except BaseException as error:
            if isinstance(error, BaseExceptionGroup) and error.subgroup(trio.Cancelled) is not None:
                raise
            self.made = Made(None, error)
        finally:
            self.ended.set()
            if self._left:
                self._workers.came_back()

    def leave(self) -> None:
        """End it, when it has not ended."""
        if not self.ended.is_set():
            self._left = True
            self._scope.cancel()
            self._workers.leave("an `async` function that does not mind to be cancelled")


@coroutine
def _watched(call: Coroutine[Any, Any, Any], name: str) -> Generator[Any, Any, Any]:
    """Step a coroutine, and say when it kept the server from everything else."""
    step: Callable[[Any], Any] = call.send
    given: Any = None
    while True:
        begin = time.perf_counter()
        try:
            waits_for = step(given)
        except StopIteration as end:
            return end.value
        finally:
            seconds = time.perf_counter() - begin
            if seconds > _BLOCKED:
                _log.warning("the `async` function `%s` kept the whole server waiting for %.2f s", name, seconds)
        try:
            given = yield waits_for
            step = call.send
        except BaseException as error:  # handed on to where it belongs
            given, step = error, call.throw
