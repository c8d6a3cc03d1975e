"""Drives one stack: sends what it wants sent, and wakes it when a timer is due."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from sipcore.flow import Flow, Packet
from sipcore.timers import Timers

GRAIN = 0.008
"""Timers run up to so many seconds late, so that many share one waking."""

_log = logging.getLogger("ringway.net")


class DrivenStack(Protocol):
    """What the edge needs of `sipcore.stack.Stack`."""

    outbox: deque[Packet]
    timers: Timers
    overloaded: bool

    def receive(self, data: bytes, flow: Flow, now: float) -> None: ...
    def receive_stream(self, data: bytes, flow: Flow, now: float) -> None: ...
    def receive_message(self, data: bytes, flow: Flow, now: float) -> None: ...
    def flow_opened(self, flow: Flow, now: float) -> None: ...
    def flow_lost(self, flow: Flow, now: float) -> None: ...
    def tick(self, now: float) -> None: ...
    def next_deadline(self) -> float: ...


OnError = Callable[[Exception, str], None]
"""Hears of a fault: the exception, and what was being done."""


def log_error(failure: Exception, doing: str) -> None:
    """Write a fault with its traceback to the log."""
    _log.error("fault while %s", doing, exc_info=failure)


class Driver:
    """Every entry into the stack goes through here or ends in `settle`; all methods run in the loop's thread."""

    __slots__ = ("_armed", "_nursery", "_scope", "_stack", "on_error")

    def __init__(self, on_error: OnError = log_error) -> None:
        self.on_error = on_error
        self._stack: DrivenStack | None = None
        self._nursery: trio.Nursery | None = None
        self._scope: trio.CancelScope | None = None
        self._armed = math.inf

    @property
    def stack(self) -> DrivenStack:
        """The stack that is driven."""
        assert self._stack is not None, "the edge does not run yet"
        return self._stack

    def begin(self, stack: DrivenStack, nursery: trio.Nursery) -> None:
        """Drive `stack` from now on; tasks are started in `nursery`."""
        self._stack = stack
        self._nursery = nursery
        nursery.start_soon(self._wake)

    def end(self) -> None:
        """Start no more tasks and enter the stack no more."""
        self._nursery = None

    @property
    def running(self) -> bool:
        """Whether the stack may be entered."""
        return self._nursery is not None

    def spawn(self, task: Callable[..., Awaitable[object]], *arguments: object) -> None:
        """Start a task whose faults are reported and end nothing else; nothing is started while closing down."""
        if self._nursery is not None:
            self._nursery.start_soon(self._guarded, task, *arguments)

    async def _guarded(self, task: Callable[..., Awaitable[object]], *arguments: object) -> None:
        try:
            await task(*arguments)
        except Exception as failure:
            self.on_error(failure, f"running {task!r}")

    def enter(self, call: Callable[..., object], *arguments: object) -> None:
        """Run a call that acts on the stack: the answer of a slow call, something another thread posted."""
        now = trio.current_time()
        self.stack.timers.now = now
        try:
            call(*arguments)
        except Exception as failure:
            self.on_error(failure, f"running {call!r}")
        self.settle(now)

    def lost(self, flow: Flow) -> None:
        """Tell the stack that a flow is lost; the caller settles. Closing down loses no flow: nobody must act on it."""
        if self._nursery is None:
            return
        try:
            self.stack.flow_lost(flow, trio.current_time())
        except Exception as failure:
            self.on_error(failure, f"losing {flow!r}")

    def settle(self, now: float) -> None:
        """Send the outbox, run timers that are due, and wake earlier if one became due earlier."""
        stack = self.stack
        if stack.outbox:
            self._flush(stack.outbox)
        deadline = stack.next_deadline()
        if deadline <= now:
            self._tick(stack, now)
            deadline = stack.next_deadline()
        if deadline + GRAIN < self._armed:
            self._armed = deadline + GRAIN
            if self._scope is not None:
                self._scope.deadline = self._armed

    def _flush(self, outbox: deque[Packet]) -> None:
        while outbox:
            flow, data = outbox.popleft()
            flow.edge.send(flow, data)  # type: ignore[attr-defined]  # a UdpSocket or a Connection

    def _tick(self, stack: DrivenStack, now: float) -> None:
        try:
            stack.tick(now)
        except Exception as failure:
            self.on_error(failure, "running timers")
        self._flush(stack.outbox)

    async def _wake(self) -> None:
        """The one task that sleeps for timers; `settle` moves its deadline when an earlier one appears."""
        while True:
            with trio.CancelScope() as scope:
                self._scope = scope
                self._armed = scope.deadline = self.stack.next_deadline() + GRAIN
                await trio.sleep_forever()
            self.settle(trio.current_time())
