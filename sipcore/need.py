"""Waiting without tasks: a route handler awaits a Need, and the Runner steps it by hand.

A handler that meets no slow call runs to its end at once and costs no task. One that meets a `Need` parks; whoever
performs the call (the network layer, or sync code through a `Pending`) resumes it with `done(result, error)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

from sipcore.errors import RingwayError, Unavailable
from sipcore.timers import Timer, Timers

Result = TypeVar("Result")
Done = Callable[[Any, BaseException | None], None]
"""Called once, in the stack's thread, with the result or the error of a slow call."""
Answer = tuple[Any, BaseException | None]
"""The result or the error of a slow call."""


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

    Finishing before anyone waits is fine. `on_cancel` is called when nobody waits any more: the waiting handler was
    stopped, or `timeout` seconds have passed and it gets `Unavailable`. Without one, whoever finishes has a clock.
    """

    __slots__ = ("_error", "_finished", "_result", "_resume", "on_cancel", "timeout")

    def __init__(self, on_cancel: Callable[[], object] | None = None, timeout: float = 0.0) -> None:
        self._finished = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._resume: Done | None = None
        self.on_cancel = on_cancel
        self.timeout = timeout

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
    """One running handler; `stop()` ends it and cancels the slow call it waits for.

    The owner usually holds its handle, so a handler that has finished lets go of its owner.
    """

    __slots__ = ("_cancel", "_coroutine", "_runner", "_waiting", "finished", "owner")

    def __init__(self, runner: Runner, coroutine: Coroutine[Any, Any, object], owner: object) -> None:
        self._runner = runner
        self._coroutine = coroutine
        self._cancel: Callable[[], object] | None = None
        self._waiting: Resume | None = None
        self.owner = owner
        self.finished = False

    def stop(self) -> None:
        """End the handler: it gets GeneratorExit at the place it waits; a late answer is dropped.

        A handler that stops itself runs on to the next place where it would wait.
        """
        if self.finished:
            return
        self.finished = True
        self._forget()
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
        if not getattr(self._coroutine, "cr_running", False):
            self._close()

    def _close(self) -> None:
        owner, self.owner = self.owner, None
        try:
            self._coroutine.close()
        except Exception as failure:  # raised by a handler's clean-up: reported like any other fault of it
            self._runner.on_error(failure, owner)

    def _forget(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.handle = None
            self._runner.parked -= waiting.counted
            if waiting.timer is not None:
                waiting.timer.cancel()
                waiting.timer = None

    def step(self, result: object, error: BaseException | None) -> None:
        """Run the handler until it ends or waits for something that is not there yet."""
        while True:
            try:
                if error is not None:
                    waited: object = self._coroutine.throw(error)
                else:
                    waited = self._coroutine.send(result)
            except StopIteration:
                self.finished = True
                self.owner = None
                return
            except Exception as failure:  # the one place a fault of a handler ends up; it is reported, never dropped
                self.finished = True
                owner, self.owner = self.owner, None
                self._runner.on_error(failure, owner)
                return
            if self.finished:
                self._close()
                return
            answer = self._park(waited)
            if answer is None:
                return
            result, error = answer

    def _park(self, waited: object) -> Answer | None:
        """Wait for `waited`; an answer that is there already is returned, so that a loop of them stays a loop."""
        runner = self._runner
        if isinstance(waited, Pending):
            self._waiting = waiting = Resume(self, 0)
            self._cancel = waited.on_cancel
            waited.subscribe(waiting)
            if waited.timeout and runner.timers is not None:
                waiting.timer = runner.timers.after(waited.timeout, self._give_up, waited.timeout)
            return None
        if not isinstance(waited, Need):
            return None, RingwayError("a handler may await only a Need")
        if runner.parked >= runner.limit:
            return None, Unavailable("too many requests wait for slow calls")
        runner.parked += 1
        self._waiting = waiting = Resume(self, 1)
        waiting.starting = True
        cancel = runner.perform(waited, waiting)
        waiting.starting = False
        if waiting.answer is not None:
            self._forget()
            return waiting.answer
        if self.finished:  # starting the call stopped the handler
            cancel()
        else:
            self._cancel = cancel
        return None

    def _give_up(self, seconds: float) -> None:
        """Wait no longer."""
        cancel = self._cancel
        if cancel is not None:
            cancel()
        self.resume(None, Unavailable(f"no answer within {seconds:g} s"))

    def resume(self, result: object, error: BaseException | None) -> None:
        """Go on with the answer of the slow call it waits for."""
        self._forget()
        self._cancel = None
        self.step(result, error)


class Resume:
    """The `done` of one wait: works once, and not after the handler was stopped."""

    __slots__ = ("answer", "counted", "handle", "starting", "timer")

    def __init__(self, handle: Handle, counted: int) -> None:
        self.handle: Handle | None = handle
        self.counted = counted
        self.starting = False
        """True while the call is being started: an answer is kept then, for the handler is not waiting yet."""
        self.answer: Answer | None = None
        self.timer: Timer | None = None

    def __call__(self, result: object, error: BaseException | None) -> None:
        if self.handle is None:
            return
        if self.starting:
            self.answer = self.answer or (result, error)
        else:
            self.handle.resume(result, error)


class Runner:
    """Steps handlers. At most `limit` wait for slow calls at a time: the next one gets `Unavailable` (503).

    `on_error(failure, owner)` hears of every handler that raised; `owner` is what `run` was given. `timers` are those
    of the stack, for waits with a time-out of their own.
    """

    __slots__ = ("limit", "on_error", "parked", "perform", "timers")

    def __init__(self, perform: Performer, on_error: Callable[[Exception, Any], None], limit: int = 10_000) -> None:
        self.perform = perform
        self.on_error = on_error
        self.limit = limit
        self.parked = 0
        self.timers: Timers | None = None

    def run(self, coroutine: Coroutine[Any, Any, object], owner: object = None) -> Handle:
        """Run a handler to its end, or to the first slow call; a fault goes to `on_error`."""
        handle = Handle(self, coroutine, owner)
        handle.step(None, None)
        return handle
