"""Deadlines without a clock: the caller says what time it is.

Rule 1: nothing here or above reads a clock; `now` is set once per entry into the stack. Rule 2: cancelling is
setting a field, because SIP cancels nearly every timer it sets. Rule 3: timers of the same delay expire in the order
they were set, so each delay has a first-in-first-out lane and setting a timer is one append; a rare delay (one that a
route chose) goes to a heap.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Any

T1 = 0.5
"""Round-trip time estimate, in seconds (RFC 3261 section 17.1.1.1)."""
T2 = 4.0
"""Longest interval between retransmissions of a non-INVITE request or INVITE response."""
T4 = 5.0
"""Longest time a message stays in the network."""
TIMER_C = 180.0 + 1.0
"""A proxy's limit on an INVITE without a final response: more than three minutes (RFC 3261 section 16.6 step 11)."""

_LANES = frozenset({0.2, T1, 2 * T1, 4 * T1, 7 * T1, T2, T4, 16 * T1, 32 * T1, 64 * T1, TIMER_C})

_LEAST_ROOM = 1024


class Timer:
    """One pending deadline; `call(argument)` runs when it is reached, unless cancelled."""

    __slots__ = ("argument", "call", "deadline")

    def __init__(self, deadline: float, call: Callable[[Any], object], argument: object) -> None:
        self.deadline = deadline
        self.call: Callable[[Any], object] | None = call
        self.argument: object = argument

    def cancel(self) -> None:
        """Forget the call; harmless when the timer has already run."""
        self.call = None
        self.argument = None


_DEADLINE = attrgetter("deadline")


class Timers:
    """All pending timers of one stack."""

    __slots__ = ("_earliest", "_heap", "_lanes", "_numbers", "_room", "now")

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._lanes: dict[float, deque[Timer]] = {delay: deque() for delay in _LANES}
        self._heap: list[tuple[float, int, Timer]] = []  # the number keeps timers of the same moment in order
        self._numbers = itertools.count()
        self._earliest = math.inf
        """No timer is due before this; the timer that set it may have been cancelled since."""
        self._room = _LEAST_ROOM
        """How many timers may be set before the cancelled ones are looked for: as many as lived at the last time, so
        that they never outnumber the live ones by far and the search costs each timer a constant."""

    def after(self, delay: float, call: Callable[[Any], object], argument: object = None) -> Timer:
        """Run `call(argument)` `delay` seconds from now; cancel through the timer that is returned."""
        self._room -= 1
        if self._room < 0:
            self.prune()
        deadline = self.now + delay
        timer = Timer(deadline, call, argument)
        if deadline < self._earliest:
            self._earliest = deadline
        lane = self._lanes.get(delay)
        if lane is None:
            heapq.heappush(self._heap, (deadline, next(self._numbers), timer))
        else:
            lane.append(timer)
        return timer

    def next_deadline(self) -> float:
        """When `expire` should be called next, or infinity; now and then too early, never too late."""
        return self._earliest

    def expire(self, now: float) -> int:
        """Run everything whose deadline has come, earliest first, and return how many ran."""
        self.now = now
        ran = 0
        while now >= self._earliest:
            for timer in self._take_due(now):
                call, argument = timer.call, timer.argument
                if call is not None:  # not cancelled by one that ran before it
                    timer.call = timer.argument = None
                    call(argument)
                    ran += 1
        return ran

    def _take_due(self, now: float) -> list[Timer]:
        """Take out what is due, in order, and learn what is the earliest of the rest."""
        due: list[Timer] = []
        earliest = math.inf
        for lane in self._lanes.values():
            while lane:
                timer = lane[0]
                if timer.call is not None:
                    if timer.deadline > now:
                        if timer.deadline < earliest:
                            earliest = timer.deadline
                        break
                    due.append(timer)
                lane.popleft()
        heap = self._heap
        while heap and (heap[0][2].call is None or heap[0][0] <= now):
            timer = heapq.heappop(heap)[2]
            if timer.call is not None:
                due.append(timer)
        self._earliest = min(earliest, heap[0][0]) if heap else earliest
        due.sort(key=_DEADLINE)
        return due

    def pending(self) -> int:
        """How many timers are set and not cancelled."""
        lanes = sum(1 for lane in self._lanes.values() for timer in lane if timer.call is not None)
        return lanes + sum(1 for _, _, timer in self._heap if timer.call is not None)

    def prune(self) -> None:
        """Drop cancelled timers that are buried behind live ones."""
        kept = 0
        for lane in self._lanes.values():
            live = [timer for timer in lane if timer.call is not None]
            kept += len(live)
            if len(live) < len(lane):
                lane.clear()
                lane.extend(live)
        self._heap = [entry for entry in self._heap if entry[2].call is not None]
        heapq.heapify(self._heap)
        self._room = max(kept + len(self._heap), _LEAST_ROOM)
