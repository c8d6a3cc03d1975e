"""A thread that performs jobs in groups: all that wait share one commit, and one wake-up of the stack's thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sipcore.errors import Unavailable
from sipcore.need import Done

log = logging.getLogger("ringway.database")

Job = TypeVar("Job")
Taken = TypeVar("Taken", contravariant=True)
_LARGEST_GROUP = 512


class Outcome(NamedTuple):
    """How one job ended."""

    result: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class WorkerCounters:
    """What a worker has done."""

    jobs: int
    groups: int
    failed: int
    waiting: int


class Performer(Protocol[Taken]):
    """Who does the work of a thread, in that thread."""

    def perform(self, jobs: Sequence[Taken]) -> list[Outcome]:
        """Do the jobs of a group in order; an outcome for each."""

    def look_around(self) -> None:
        """Called now and then, also when there is no work."""

    def close(self) -> None:
        """The thread ends."""


class Worker(Generic[Job]):
    """One thread and its bounded queue.

    `post` brings a call into the stack's thread. A group waits `window` seconds for more jobs; the performer may look
    around every `poll` seconds.
    """

    def __init__(
        self,
        name: str,
        performer: Performer[Job],
        post: Callable[[Callable[[], None]], None],
        *,
        limit: int,
        window: float = 0.0,
        poll: float = 1.0,
    ) -> None:
        self._performer = performer
        self._post = post
        self._limit = limit
        self._window = window
        self._poll = poll
        self._queue: SimpleQueue[tuple[Job, Done] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"ringway-{name}", daemon=True)
        self._open = False
        self._jobs = self._groups = self._failed = 0

    def start(self) -> None:
        """Take jobs from now on."""
        self._open = True
        self._thread.start()

    def stop(self) -> None:
        """Finish what waits, and end the thread."""
        if self._open:
            self._open = False
            self._queue.put(None)
            self._thread.join()

    def submit(self, job: Job, done: Done) -> None:
        """Queue a job; `done` hears of its end in the stack's thread. `Unavailable` when too many wait."""
        if not self._open:
            raise Unavailable("the database is closed")
        if self._queue.qsize() >= self._limit:
            raise Unavailable("the database is too slow: its queue is full")
        self._queue.put((job, done))

    def counters(self) -> WorkerCounters:
        """What happened so far."""
        return WorkerCounters(self._jobs, self._groups, self._failed, self._queue.qsize())

    def _run(self) -> None:
        looked = time.monotonic()
        going_on = True
        while going_on:
            group, going_on = self._next_group()
            if group:
                self._finish(group)
            if time.monotonic() - looked >= self._poll:
                looked = time.monotonic()
                _guarded(self._performer.look_around)
        _guarded(self._performer.close)

    def _next_group(self) -> tuple[list[tuple[Job, Done]], bool]:
        """The jobs that wait (none after an idle time), and whether the thread goes on."""
        try:
            entry = self._queue.get(timeout=self._poll)
        except Empty:
            return [], True
        group: list[tuple[Job, Done]] = []
        if self._window and entry is not None:
            time.sleep(self._window)
        while entry is not None:
            group.append(entry)
            if len(group) == _LARGEST_GROUP:
                return group, True
            try:
                entry = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _finish(self, group: list[tuple[Job, Done]]) -> None:
        try:
            outcomes = self._performer.perform([job for job, _ in group])
        except Exception as failure:  # a fault of ours: the requests that wait must hear of it, and so must the log
            log.exception("database thread %s", self._thread.name)
            outcomes = [Outcome(None, Unavailable(f"internal error: {failure}"))] * len(group)
        self._groups += 1
        self._jobs += len(group)
        self._failed += sum(outcome.error is not None for outcome in outcomes)
        self._post(partial(_tell, group, outcomes))


def _tell(group: list[tuple[Any, Done]], outcomes: list[Outcome]) -> None:
    for (_, done), (result, error) in zip(group, outcomes, strict=True):
        _guarded(partial(done, result, error))


def _guarded(call: Callable[[], None]) -> None:
    """Run what one request caused: its fault must neither end the thread nor leave the rest of a group waiting."""
    try:
        call()
    except Exception:
        log.exception("after a database operation")
