"""Handlers are stepped by hand: no event loop anywhere in this file."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from sipcore.errors import RingwayError, Unavailable
from sipcore.need import Done, Need, Pending, Runner
from sipcore.timers import Timers


async def fetch(user: str) -> str:
    """What a backend would do; the performer of these tests never runs it."""
    raise AssertionError(user)


class Performer:
    """Keeps every call that was started; a test answers it when it likes."""

    def __init__(self) -> None:
        self.started: list[tuple[Need[Any], Done]] = []
        self.cancelled: list[Need[Any]] = []
        self.at_once: Callable[[Need[Any], Done], None] | None = None

    def __call__(self, need: Need[Any], done: Done) -> Callable[[], None]:
        self.started.append((need, done))
        if self.at_once is not None:
            self.at_once(need, done)
        return lambda: self.cancelled.append(need)

    def answer(self, result: object, error: BaseException | None = None, which: int = -1) -> None:
        self.started[which][1](result, error)


class Bench:
    """A runner, what it performed, and what went wrong in its handlers."""

    def __init__(self, limit: int = 10) -> None:
        self.perform = Performer()
        self.errors: list[tuple[Exception, object]] = []
        self.runner = Runner(self.perform, lambda error, owner: self.errors.append((error, owner)), limit)
        self.seen: list[object] = []

    def run(self, handler: Coroutine[Any, Any, object], owner: object = "owner") -> Any:
        return self.runner.run(handler, owner)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def fetch_and_note(seen: list[object]) -> None:
    seen.append("before")
    seen.append(await Need(fetch, "alice"))


def test_a_handler_without_slow_calls_runs_to_its_end_at_once(bench: Bench) -> None:
    async def handler() -> None:
        bench.seen.append(1)

    assert bench.run(handler()).finished
    assert (bench.seen, bench.perform.started, bench.runner.parked) == ([1], [], 0)


def test_a_handler_parks_at_a_need_and_goes_on_with_its_answer(bench: Bench) -> None:
    handle = bench.run(fetch_and_note(bench.seen))
    need, _ = bench.perform.started[0]
    assert (need.call, need.arguments, need.timeout) == (fetch, ("alice",), 5.0)
    assert (bench.seen, handle.finished, bench.runner.parked) == (["before"], False, 1)
    bench.perform.answer("secret")
    assert (bench.seen, handle.finished, bench.runner.parked) == (["before", "secret"], True, 0)
    assert bench.errors == []


def test_the_error_of_a_slow_call_is_raised_inside_the_handler(bench: Bench) -> None:
    async def handler() -> None:
        try:
            await Need(fetch, "alice")
        except Unavailable as error:
            bench.seen.append(str(error))

    bench.run(handler())
    bench.perform.answer(None, Unavailable("no database"))
    assert (bench.seen, bench.errors) == (["no database"], [])


@pytest.mark.parametrize("waits", [False, True])
def test_a_fault_of_a_handler_is_reported_with_its_owner(bench: Bench, waits: bool) -> None:
    async def handler() -> None:
        if waits:
            await Need(fetch, "alice")
        raise ZeroDivisionError

    handle = bench.run(handler(), "INVITE 1")
    if waits:
        bench.perform.answer(None)
    assert handle.finished
    assert [(type(error), owner) for error, owner in bench.errors] == [(ZeroDivisionError, "INVITE 1")]
    assert bench.runner.parked == 0


def test_a_second_answer_is_ignored(bench: Bench) -> None:
    async def handler() -> None:
        bench.seen.append(await Need(fetch, "a"))
        bench.seen.append(await Need(fetch, "b"))

    bench.run(handler())
    bench.perform.answer("first")
    bench.perform.answer("again", which=0)
    assert bench.seen == ["first"]
    bench.perform.answer("second")
    assert bench.seen == ["first", "second"]


def test_stop_cancels_the_slow_call_and_drops_a_late_answer(bench: Bench) -> None:
    async def handler() -> None:
        try:
            await Need(fetch, "alice")
        finally:
            bench.seen.append("cleaned up")

    handle = bench.run(handler())
    handle.stop()
    assert bench.perform.cancelled == [bench.perform.started[0][0]]
    assert (bench.seen, handle.finished, bench.runner.parked) == (["cleaned up"], True, 0)
    bench.perform.answer("too late")
    handle.stop()
    assert (bench.seen, len(bench.perform.cancelled), bench.errors) == (["cleaned up"], 1, [])


def test_stop_behind_the_end_does_nothing(bench: Bench) -> None:
    handle = bench.run(fetch_and_note(bench.seen))
    bench.perform.answer("x")
    handle.stop()
    assert (bench.perform.cancelled, bench.errors) == ([], [])


def test_a_fault_in_the_clean_up_of_a_stopped_handler_is_reported(bench: Bench) -> None:
    async def handler() -> None:
        try:
            await Need(fetch, "alice")
        finally:
            raise ZeroDivisionError

    bench.run(handler()).stop()
    assert [type(error) for error, _ in bench.errors] == [ZeroDivisionError]


def test_a_handler_that_stops_itself_ends_where_it_would_wait(bench: Bench) -> None:
    handles: list[Any] = []

    async def handler() -> None:
        await Need(fetch, "first")
        handles[0].stop()
        bench.seen.append("runs on")
        try:
            await Need(fetch, "second")
        finally:
            bench.seen.append("ends here")

    handles.append(bench.run(handler()))
    bench.perform.answer("x")
    assert bench.seen == ["runs on", "ends here"]
    assert (len(bench.perform.started), bench.runner.parked, bench.errors) == (1, 0, [])


def test_over_the_limit_a_handler_gets_unavailable_and_others_wait_on(bench: Bench) -> None:
    small = Bench(limit=1)
    small.run(fetch_and_note(small.seen))

    async def second() -> None:
        with pytest.raises(Unavailable):
            await Need(fetch, "bob")
        small.seen.append("refused")

    assert small.run(second()).finished
    assert (len(small.perform.started), small.runner.parked) == (1, 1)
    small.perform.answer("secret")
    assert small.seen == ["before", "refused", "secret"]
    small.run(fetch_and_note(small.seen))
    assert (len(small.perform.started), small.runner.parked) == (2, 1)


class Foreign:
    """An awaitable of some event loop."""

    def __await__(self) -> Any:
        yield "a trap of Trio"


def test_awaiting_anything_else_fails_at_once_inside_the_handler(bench: Bench) -> None:
    async def handler() -> None:
        await Foreign()

    assert bench.run(handler()).finished
    assert [(type(error), str(error)) for error, _ in bench.errors] == [
        (RingwayError, "a handler may await only a Need")
    ]


def test_an_answer_given_while_the_call_is_started_needs_no_parking(bench: Bench) -> None:
    bench.perform.at_once = lambda need, done: done(f"row of {need.arguments[0]}", None)
    handle = bench.run(fetch_and_note(bench.seen))
    assert (bench.seen, handle.finished, bench.runner.parked) == (["before", "row of alice"], True, 0)
    handle.stop()
    assert bench.perform.cancelled == []


def test_an_error_given_while_the_call_is_started_is_raised_in_the_handler(bench: Bench) -> None:
    bench.perform.at_once = lambda need, done: done(None, Unavailable("down"))
    bench.run(fetch_and_note(bench.seen))
    assert [(type(error), bench.runner.parked) for error, _ in bench.errors] == [(Unavailable, 0)]


def test_only_the_first_of_two_answers_at_the_start_counts(bench: Bench) -> None:
    def twice(need: Need[Any], done: Done) -> None:
        done("first", None)
        done("second", None)

    bench.perform.at_once = twice
    bench.run(fetch_and_note(bench.seen))
    assert bench.seen == ["before", "first"]


@pytest.mark.parametrize("refused", [False, True])
def test_many_answers_in_a_row_do_not_pile_up_frames(refused: bool) -> None:
    bench = Bench(limit=0 if refused else 10)
    bench.perform.at_once = lambda need, done: done(1, None)

    async def handler() -> None:
        for _ in range(5000):
            try:
                bench.seen.append(await Need(fetch, "x"))
            except Unavailable:
                bench.seen.append(1)

    bench.run(handler())
    assert (len(bench.seen), bench.errors, bench.runner.parked) == (5000, [], 0)


def test_a_call_whose_start_stops_the_handler_is_cancelled(bench: Bench) -> None:
    handles: list[Any] = []

    async def handler() -> None:
        await Need(fetch, "first")
        await Need(fetch, "second")

    handles.append(bench.run(handler()))
    bench.perform.at_once = lambda need, done: handles[0].stop()
    bench.perform.answer("x")
    second = bench.perform.started[1][0]
    assert (bench.perform.cancelled, bench.runner.parked, bench.errors) == ([second], 0, [])


def test_a_handler_may_start_another_one(bench: Bench) -> None:
    async def outer() -> None:
        bench.run(fetch_and_note(bench.seen))
        bench.seen.append("outer")

    bench.run(outer())
    assert (bench.seen, bench.runner.parked) == (["before", "outer"], 1)


def test_a_pending_is_finished_by_sync_code(bench: Bench) -> None:
    pending: Pending[int] = Pending()

    async def handler() -> None:
        bench.seen.append(await pending)

    bench.run(handler())
    assert (bench.seen, bench.runner.parked, bench.perform.started) == ([], 0, [])
    pending.done(7)
    pending.done(8)
    assert bench.seen == [7]


def test_a_pending_that_is_finished_already_does_not_wait(bench: Bench) -> None:
    pending: Pending[int] = Pending()
    pending.done(7)

    async def handler() -> None:
        bench.seen.append(await pending)
        bench.seen.append(await pending)

    assert bench.run(handler()).finished
    assert bench.seen == [7, 7]


@pytest.mark.parametrize("before", [False, True])
def test_the_error_of_a_pending_is_raised_in_the_handler(bench: Bench, before: bool) -> None:
    pending: Pending[int] = Pending()

    async def handler() -> None:
        with pytest.raises(Unavailable):
            await pending
        bench.seen.append("raised")

    if before:
        pending.done(None, Unavailable("x"))
    bench.run(handler())
    if not before:
        pending.done(None, Unavailable("x"))
    assert (bench.seen, bench.errors) == (["raised"], [])


def test_stopping_a_handler_tells_the_pending_it_waits_for(bench: Bench) -> None:
    pending: Pending[int] = Pending(on_cancel=lambda: bench.seen.append("cancelled"))

    async def handler() -> None:
        await pending

    handle = bench.run(handler())
    handle.stop()
    pending.done(1)
    assert (bench.seen, handle.finished, bench.errors) == (["cancelled"], True, [])


def test_pendings_do_not_count_against_the_limit() -> None:
    bench = Bench(limit=1)
    pendings: list[Pending[int]] = [Pending() for _ in range(3)]

    async def handler(pending: Pending[int]) -> None:
        bench.seen.append(await pending)

    for pending in pendings:
        bench.run(handler(pending))
    assert bench.runner.parked == 0
    for number, pending in enumerate(pendings):
        pending.done(number)
    assert bench.seen == [0, 1, 2]


def test_a_pending_that_nobody_finishes_is_given_up(bench: Bench) -> None:
    bench.runner.timers = timers = Timers(100.0)
    pending: Pending[int] = Pending(on_cancel=lambda: bench.seen.append("let go"), timeout=8.0)

    async def handler() -> None:
        try:
            await pending
        except Unavailable as error:
            bench.seen.append(str(error))

    handle = bench.run(handler())
    timers.expire(107.9)
    assert bench.seen == []
    timers.expire(108.0)
    assert bench.seen == ["let go", "no answer within 8 s"] and handle.finished
    pending.done(7)
    assert len(bench.seen) == 2 and bench.errors == []


def test_a_pending_that_is_finished_in_time_leaves_no_timer(bench: Bench) -> None:
    bench.runner.timers = timers = Timers(100.0)

    async def handler(pending: Pending[int]) -> None:
        bench.seen.append(await pending)

    for stop in (False, True):
        pending: Pending[int] = Pending(timeout=8.0)
        handle = bench.run(handler(pending))
        assert timers.pending() == 1
        if stop:
            handle.stop()
        pending.done(7)
        assert timers.pending() == 0
    timers.expire(200.0)
    assert (bench.seen, bench.errors) == ([7], [])


def test_a_pending_without_a_time_out_waits_as_long_as_it_takes(bench: Bench) -> None:
    bench.runner.timers = timers = Timers(100.0)
    pending: Pending[int] = Pending()

    async def handler() -> None:
        bench.seen.append(await pending)

    bench.run(handler())
    assert timers.pending() == 0
