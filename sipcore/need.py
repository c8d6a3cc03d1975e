"""Waiting without tasks: a route handler awaits a Need, and the Runner steps it by hand.

A handler that meets no slow call runs to its end at once and costs no task. One that meets a `Need` parks; whoever
performs the call (the network layer, or sync code through a `Pending`) resumes it with `done(result, error)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

from sipcore.errors import RingwayError, Unavailable

Result = TypeVar("Result")
Done = Callable[[Any, BaseException | None], None]
"""Called once, in the stack's thread, with the result or the error of a slow call."""


class Performer(Protocol):
    """How slow calls are made: starts `need.call(*need.arguments)` and returns a function that cancels it."""

    def __call__(self, need: Need[Any], done: Done) -> Callable[[], None]:
        """Start the call; `done` is called once unless the returned cancel function was called before."""


class Need(Generic[Result]):
    """A slow asynchronous call a handler waits for: `row = await Need(store.fetch, user)`.

    `timeout` is in seconds; when it passes the handler gets `Unavailable`.
    """

    __slots__ = ("arguments", "call", "timeout")

    def __init__(self, call: Callable[..., Awaitable[Result]], *arguments: object, timeout: float = 5.0) -> None:
        self.call = call
        self.arguments = arguments
        self.timeout = timeout

    def __await__(self) -> Generator[Need[Result], Result, Result]:
        return (yield self)


class Pending(Generic[Result]):
    """Something that sync code will finish: `pending = Pending(); submit(pending.done); value = await pending`.

    Finishing before anyone waits is fine. `on_cancel` is called when the waiting handler is stopped.
    """

    __slots__ = ("_error", "_finished", "_result", "_resume", "on_cancel")

    def __init__(self, on_cancel: Callable[[], object] | None = None) -> None:
        self._finished = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._resume: Done | None = None
        self.on_cancel = on_cancel

    def done(self, result: Result | None, error: BaseException | None = None) -> None:
        """Finish; a second call is ignored."""
        if self._finished:
            return
        self._finished = True
        self._result, self._error = result, error
        if self._resume is not None:
            self._resume(result, error)

    def subscribe(self, resume: Done) -> None:
        """Let `resume` be called at the end (the Runner's side)."""
        self._resume = resume

    def __await__(self) -> Generator[Pending[Result], Result, Result]:
        if self._finished:
            if self._error is not None:
                raise self._error
            result: Result = self._result
            return result
        return (yield self)


class Handle:
    """One running handler; `stop()` ends it and cancels the slow call it waits for."""

    __slots__ = ("_cancel", "_coroutine", "_runner", "_waiting", "finished", "owner")

    def __init__(self, runner: Runner, coroutine: Coroutine[Any, Any, object], owner: object) -> None:
        self._runner = runner
        self._coroutine = coroutine
        self._cancel: Callable[[], object] | None = None
        self._waiting: Resume | None = None
        self.owner = owner
        self.finished = False

    def stop(self) -> None:
        """End the handler: it gets GeneratorExit at the place it waits; a late answer is dropped."""
        if self.finished:
            return
        self.finished = True
        self._forget()
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
        self._coroutine.close()

    def _forget(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.handle = None
            self._runner.parked -= waiting.counted

    def step(self, result: object, error: BaseException | None) -> None:
        """Run the handler until it ends or waits again."""
        try:
            if error is not None:
                waited: object = self._coroutine.throw(error)
            else:
                waited = self._coroutine.send(result)
        except StopIteration:
            self.finished = True
        except Exception as failure:  # the one place a fault of a handler ends up; it is reported, never dropped
            self.finished = True
            self._runner.on_error(failure, self.owner)
        else:
            self._park(waited)

    def _park(self, waited: object) -> None:
        runner = self._runner
        if isinstance(waited, Pending):
            self._waiting = Resume(self, 0)
            self._cancel = waited.on_cancel
            waited.subscribe(self._waiting)
        elif not isinstance(waited, Need):
            self.step(None, RingwayError("a handler may await only a Need"))
        elif runner.parked >= runner.limit:
            self.step(None, Unavailable("too many requests wait for slow calls"))
        else:
            runner.parked += 1
            self._waiting = waiting = Resume(self, 1)
            cancel = runner.perform(waited, waiting)
            if waiting.handle is not None:  # not answered within perform itself
                self._cancel = cancel

    def resume(self, waiting: Resume, result: object, error: BaseException | None) -> None:
        """Go on with the answer of the slow call that `waiting` stands for."""
        self._forget()
        self._cancel = None
        self.step(result, error)


class Resume:
    """The `done` of one wait: works once, and not after the handler was stopped."""

    __slots__ = ("counted", "handle")

    def __init__(self, handle: Handle, counted: int) -> None:
        self.handle: Handle | None = handle
        self.counted = counted

    def __call__(self, result: object, error: BaseException | None) -> None:
        handle = self.handle
        if handle is not None:
            handle.resume(self, result, error)


class Runner:
    """Steps handlers. At most `limit` wait for slow calls at a time: the next one gets `Unavailable` (503).

    `on_error(failure, owner)` hears of every handler that raised; `owner` is what `run` was given.
    """

    __slots__ = ("limit", "on_error", "parked", "perform")

    def __init__(self, perform: Performer, on_error: Callable[[Exception, Any], None], limit: int = 10_000) -> None:
        self.perform = perform
        self.on_error = on_error
        self.limit = limit
        self.parked = 0

    def run(self, coroutine: Coroutine[Any, Any, object], owner: object = None) -> Handle:
        """Run a handler to its end, or to the first slow call; a fault goes to `on_error`."""
        handle = Handle(self, coroutine, owner)
        handle.step(None, None)
        return handle
