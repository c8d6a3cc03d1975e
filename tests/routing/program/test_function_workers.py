"""Where functions of [functions] run: in time, too late, hanging, raising what would end a program."""

from __future__ import annotations

import logging
import math
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing

from routing.program.function_workers import TaskFunction, ThreadCall, ThreadFunction, Workers, place_of
from routing.runtime.python_function import Made
from sipcore.errors import Unavailable

Logged = pytest.LogCaptureFixture
HERE = __file__
PATIENCE = 10.0


@pytest.fixture
def jumping_clock() -> trio.testing.MockClock:
    """Time that passes at once when nothing else can happen; a thread that is at work is given a moment."""
    return trio.testing.MockClock(autojump_threshold=0.05)


@pytest.fixture
def gate() -> AsyncIterator[threading.Event]:
    """What hanging functions wait for; it is opened at the end, so that no thread is left."""
    event = threading.Event()
    yield event  # type: ignore[misc]
    event.set()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    with trio.fail_after(PATIENCE):
        while not condition():
            await trio.lowlevel.checkpoint()


def called(function: Any, *arguments: Any, **named: Any) -> Awaitable[Made]:
    made: Awaitable[Made] = function(arguments, named)
    return made


# -- plain functions --------------------------------------------------------------------------------------------------


async def test_a_plain_function_runs_in_another_thread() -> None:
    workers = Workers("find", 2)
    function = ThreadFunction(workers, lambda a, b=0: (a, b, threading.get_ident()), 2.0)
    made = await called(function, 1, b=2)
    assert made.value[:2] == (1, 2) and made.value[2] != threading.get_ident()
    assert (workers.statistics().calls, workers.statistics().failed) == (1, 0)


@pytest.mark.row("E08")
@pytest.mark.parametrize("raised", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_what_a_function_raises_ends_its_call_alone(raised: BaseException, kind: str) -> None:
    def fail() -> None:
        raise raised

    async def fail_later() -> None:
        await trio.lowlevel.checkpoint()
        raise raised

    workers = Workers("find", 2)
    plain, later = ThreadFunction(workers, fail, 2.0), TaskFunction(workers, fail_later, 2.0)
    made = await called(plain if kind == "plain" else later)
    assert made.error is raised
    assert workers.statistics().failed == 1 and workers.hanging == 0
    trace = made.error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    assert trace is not None and trace.tb_frame.f_code.co_name in ("fail", "fail_later")


@pytest.mark.row("E08")
async def test_sys_exit_in_a_function(caplog: Logged) -> None:
    made = await called(ThreadFunction(Workers("find", 1), sys.exit, 2.0), 3)
    assert isinstance(made.error, SystemExit) and made.error.code == 3


@pytest.mark.row("E08")
async def test_a_call_that_is_late_is_left_behind_and_counted(
    jumping_clock: trio.testing.MockClock, gate: threading.Event
) -> None:
    workers = Workers("find", 2)
    line = sys._getframe().f_lineno + 3

    def hang() -> str:
        gate.wait(PATIENCE)
        return "late"

    with pytest.raises(Unavailable) as caught:
        await called(ThreadFunction(workers, hang, 2.0))
    said = str(caught.value)
    assert said.startswith("the function `find` gave no answer within 2 s: ")
    assert f"in {HERE}:{line} (hang)" in said
    assert (workers.hanging, workers.threads.borrowed_tokens) == (1, 1)
    jumping_clock.autojump_threshold = math.inf
    gate.set()
    await until(lambda: not workers.hanging and not workers.threads.borrowed_tokens)
    assert (await called(ThreadFunction(workers, lambda: 3, 60.0))).value == 3
    assert (workers.statistics().late, workers.statistics().refused) == (1, 0)


@pytest.mark.row("E08")
async def test_when_all_workers_hang_calls_are_refused_at_once_and_the_log_says_so_once(
    jumping_clock: trio.testing.MockClock, gate: threading.Event, caplog: Logged
) -> None:
    workers = Workers("find", 3)
    function = ThreadFunction(workers, lambda: gate.wait(PATIENCE), 2.0)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(_expect_late, function)
    began = trio.current_time()
    for _ in range(5):
        with pytest.raises(Unavailable, match="`find` is not called: all its 3 workers hang"):
            await called(function)
    assert trio.current_time() - began < 0.1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "the function `find` hangs in all its 3 workers and is refused until one comes back" in record.getMessage()
    assert HERE in record.getMessage()
    jumping_clock.autojump_threshold = math.inf
    gate.set()
    await until(lambda: not workers.hanging)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "has come back and is called again" in caplog.text
    assert (await called(ThreadFunction(workers, lambda: 3, 60.0))).value == 3
    assert workers.statistics().refused == 5


async def _expect_late(function: ThreadFunction | TaskFunction) -> None:
    with pytest.raises(Unavailable, match="gave no answer within 2 s"):
        await called(function)


@pytest.mark.row("E08")
async def test_one_function_that_hangs_takes_no_worker_from_another(
    jumping_clock: trio.testing.MockClock, gate: threading.Event
) -> None:
    hanging = ThreadFunction(Workers("hang", 1), lambda: gate.wait(PATIENCE), 2.0)
    await _expect_late(hanging)
    jumping_clock.autojump_threshold = math.inf
    assert (await called(ThreadFunction(Workers("find", 1), lambda: 3, 60.0))).value == 3


async def test_a_call_waits_for_a_free_worker_until_its_deadline(
    jumping_clock: trio.testing.MockClock, gate: threading.Event
) -> None:
    workers = Workers("find", 1)
    ran: list[int] = []
    patient = ThreadFunction(workers, lambda: gate.wait(PATIENCE), 60.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(called_soon, patient)
        await until(lambda: workers.threads.borrowed_tokens == 1)
        with pytest.raises(Unavailable, match="gave no answer within 2 s: no worker was free"):
            await called(ThreadFunction(workers, lambda: ran.append(1), 2.0))
        jumping_clock.autojump_threshold = math.inf
        assert workers.hanging == 0
        gate.set()
    assert ran == []


async def called_soon(function: ThreadFunction) -> None:
    await called(function)


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_a_call_of_a_request_that_has_ended_is_left_behind_too(kind: str, gate: threading.Event) -> None:
    workers = Workers("find", 2)
    begun = threading.Event()
    ended = trio.Event()

    def hang() -> None:
        begun.set()
        gate.wait(PATIENCE)

    async def hang_shielded() -> None:
        begun.set()
        with trio.CancelScope(shield=True):
            await ended.wait()

    function: Any = (
        ThreadFunction(workers, hang, 60.0) if kind == "plain" else TaskFunction(workers, hang_shielded, 60.0)
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(called, function)
        await until(begun.is_set)
        nursery.cancel_scope.cancel()
    assert workers.hanging == 1
    gate.set()
    ended.set()
    await until(lambda: not workers.hanging)


def test_a_bound_can_change_while_calls_hang() -> None:
    workers = Workers("find", 2)
    workers.hanging = 2
    with pytest.raises(Unavailable):
        workers.begin()
    workers.threads.total_tokens = 3
    workers.begin()


def test_where_something_stands_is_said_in_short() -> None:
    def outer() -> str:
        return inner()

    def inner() -> str:
        return place_of(sys._getframe())

    said = outer()
    assert f"{HERE}:" in said and said.count(" in ") == 1
    assert place_of(None) == "it has just ended"


# -- async functions --------------------------------------------------------------------------------------------------


async def test_an_async_function_runs_in_the_server_s_own_thread() -> None:
    async def find(a: int, *, b: int) -> tuple[int, int, int]:
        await trio.lowlevel.checkpoint()
        return a, b, threading.get_ident()

    made = await called(TaskFunction(Workers("find", 1), find, 2.0), 1, b=2)
    assert made.value == (1, 2, threading.get_ident())


@pytest.mark.row("E08")
async def test_an_async_function_that_is_late_is_cancelled(autojump_clock: trio.testing.MockClock) -> None:
    heard: list[str] = []

    async def wait() -> None:
        try:
            await trio.sleep_forever()
        finally:
            heard.append("cancelled")

    workers = Workers("find", 1)
    for _ in range(3):
        with pytest.raises(Unavailable, match="gave no answer within 2 s: it still waited"):
            await called(TaskFunction(workers, wait, 2.0))
        await trio.testing.wait_all_tasks_blocked()
        assert workers.hanging == 0
    assert heard == ["cancelled"] * 3


@pytest.mark.row("E08")
async def test_an_async_function_that_minds_no_cancellation_is_refused_from_then_on(
    autojump_clock: trio.testing.MockClock, caplog: Logged
) -> None:
    end = trio.Event()

    async def wait() -> None:
        with trio.CancelScope(shield=True):
            await end.wait()

    workers = Workers("find", 2)
    for _ in range(2):
        await _expect_late(TaskFunction(workers, wait, 2.0))
    with pytest.raises(Unavailable, match="all its 2 workers hang"):
        await called(TaskFunction(workers, wait, 2.0))
    assert "does not mind to be cancelled" in caplog.text
    end.set()
    await trio.testing.wait_all_tasks_blocked()
    assert workers.hanging == 0


async def test_an_async_function_in_a_nursery_of_its_own_is_cancelled(autojump_clock: trio.testing.MockClock) -> None:
    async def wait() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)

    workers = Workers("find", 1)
    await _expect_late(TaskFunction(workers, wait, 2.0))
    await trio.testing.wait_all_tasks_blocked()
    assert workers.hanging == 0


async def test_an_exception_that_a_function_awaits_reaches_it() -> None:
    async def recover() -> str:
        try:
            with trio.fail_after(0):
                await trio.sleep_forever()
        except trio.TooSlowError:
            return "recovered"
        return "not reached"

    assert (await called(TaskFunction(Workers("find", 1), recover, 2.0))).value == "recovered"


async def test_an_async_function_that_keeps_the_server_waiting_is_named(
    caplog: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("routing.program.function_workers.time.perf_counter", lambda: clock[0])

    async def block(seconds: float) -> None:
        clock[0] += seconds
        await trio.lowlevel.checkpoint()

    function = TaskFunction(Workers("find", 1), block, 2.0)
    await called(function, 0.05)
    assert caplog.text == ""
    await called(function, 1.5)
    assert "the `async` function `find` kept the whole server waiting for 1.50 s" in caplog.text


def test_a_thread_that_comes_back_when_the_server_has_stopped_is_quiet() -> None:
    class Stopped:
        def run_sync_soon(self, call: Callable[[], None]) -> None:
            raise trio.RunFinishedError

    workers = Workers("find", 1)
    left: list[str] = []
    call = ThreadCall(workers, lambda: left.append(call.leave()), Stopped())  # type: ignore[arg-type]
    assert call().error is None
    assert left and workers.hanging == 1


def test_a_thread_that_begins_when_nobody_waits_any_more_does_nothing() -> None:
    ran: list[int] = []
    call = ThreadCall(Workers("find", 1), lambda: ran.append(1), None)  # type: ignore[arg-type]
    assert call.leave() == "no worker was free"
    assert call() == Made() and ran == []
    ended = ThreadCall(Workers("find", 1), lambda: 3, None)  # type: ignore[arg-type]
    assert ended().value == 3
    assert ended.leave() == "it has just ended"
