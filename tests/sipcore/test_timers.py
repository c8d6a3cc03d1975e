"""Timers with a chosen time."""

from __future__ import annotations

import math
import random

import pytest

from sipcore.timers import T1, T4, TIMER_C, Timers

LANE = 64 * T1
RARE = 1.2345


class Bench:
    def __init__(self, now: float = 100.0) -> None:
        self.timers = Timers(now)
        self.ran: list[object] = []

    def after(self, delay: float, name: object) -> object:
        return self.timers.after(delay, self.ran.append, name)

    def held(self) -> int:
        """Timers in memory, wanted or not."""
        return sum(map(len, self.timers._lanes.values())) + len(self.timers._heap)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_nothing_is_due_without_timers(bench: Bench) -> None:
    assert bench.timers.next_deadline() == math.inf
    assert (bench.timers.expire(1e9), bench.timers.now) == (0, 1e9)


@pytest.mark.parametrize("delay", [T1, LANE, TIMER_C, RARE])
def test_a_timer_runs_when_its_deadline_has_come_and_only_once(bench: Bench, delay: float) -> None:
    bench.after(delay, "x")
    assert bench.timers.next_deadline() == 100.0 + delay
    assert bench.timers.expire(100.0 + delay - 0.001) == 0
    assert bench.timers.expire(100.0 + delay) == 1
    assert bench.timers.expire(100.0 + delay) == 0
    assert (bench.ran, bench.timers.next_deadline(), bench.timers.pending()) == (["x"], math.inf, 0)


@pytest.mark.parametrize("delay", [LANE, RARE])
def test_a_cancelled_timer_does_not_run_and_lets_go_of_its_argument(bench: Bench, delay: float) -> None:
    timer = bench.timers.after(delay, bench.ran.append, "x")
    timer.cancel()
    assert (timer.call, timer.argument, bench.timers.pending()) == (None, None, 0)
    assert (bench.timers.expire(1e9), bench.ran) == (0, [])
    timer.cancel()


def test_a_timer_that_ran_lets_go_of_its_argument(bench: Bench) -> None:
    timer = bench.timers.after(T1, bench.ran.append, "x")
    bench.timers.expire(200.0)
    timer.cancel()
    assert (timer.call, timer.argument, bench.ran) == (None, None, ["x"])


def test_timers_of_all_lanes_and_the_heap_run_in_the_order_of_their_deadlines(bench: Bench) -> None:
    delays = [LANE, RARE, T1, T4, 0.7, 2 * T1, 33.0, RARE]
    for place, delay in enumerate(delays):
        bench.after(delay, (delay, place))
    assert bench.timers.expire(200.0) == len(delays)
    assert bench.ran == sorted(bench.ran)  # type: ignore[type-var]


@pytest.mark.parametrize("delay", [T1, RARE])
def test_timers_of_one_delay_run_in_the_order_they_were_set(bench: Bench, delay: float) -> None:
    for name in range(10):
        bench.timers.now = 100.0 + (name // 5) / 1000
        bench.after(delay, name)
    bench.timers.expire(200.0)
    assert bench.ran == list(range(10))


def test_the_next_deadline_is_never_too_late(bench: Bench) -> None:
    late = bench.timers.after(LANE, bench.ran.append, "late")
    bench.timers.after(RARE, bench.ran.append, "early").cancel()
    assert bench.timers.next_deadline() <= late.deadline
    bench.timers.expire(bench.timers.next_deadline())
    assert bench.timers.next_deadline() == late.deadline


def test_a_call_may_set_timers_that_are_due_at_once(bench: Bench) -> None:
    def again(left: int) -> None:
        bench.ran.append(left)
        if left:
            bench.timers.after(0.0, again, left - 1)

    bench.timers.after(T1, again, 3)
    assert (bench.timers.expire(200.0), bench.ran) == (4, [3, 2, 1, 0])


def test_a_call_may_cancel_a_timer_that_is_due_with_it(bench: Bench) -> None:
    other: list[object] = []
    bench.timers.after(T1, lambda _: second.cancel())
    second = bench.timers.after(T1, other.append, "x")
    assert (bench.timers.expire(200.0), other) == (1, [])


def test_a_call_sets_its_timers_from_the_time_of_the_expiry(bench: Bench) -> None:
    bench.timers.after(T1, lambda _: bench.after(T1, "next"))
    bench.timers.expire(150.0)
    assert bench.timers.next_deadline() == 150.0 + T1


def test_pending_counts_what_is_still_wanted(bench: Bench) -> None:
    timers = [bench.timers.after(delay, print) for delay in (T1, LANE, RARE)]
    assert bench.timers.pending() == 3
    timers[1].cancel()
    assert bench.timers.pending() == 2


def test_prune_keeps_order_and_everything_that_is_wanted(bench: Bench) -> None:
    timers = [bench.timers.after(delay, bench.ran.append, (delay, n)) for n in range(50) for delay in (LANE, RARE, T1)]
    for timer in timers[::2]:
        timer.cancel()
    bench.timers.prune()
    assert bench.held() == bench.timers.pending() == len(timers) // 2
    bench.timers.expire(200.0)
    assert len(bench.ran) == len(timers) // 2
    assert bench.ran == sorted(bench.ran)  # type: ignore[type-var]


@pytest.mark.parametrize("delay", [LANE, TIMER_C, 300.0])
def test_cancelled_timers_behind_a_live_one_are_not_held(bench: Bench, delay: float) -> None:
    """One ringing call at the head of a lane, and a flood of quick ones behind it."""
    bench.after(delay, "ringing")
    most = 0
    for _ in range(20_000):
        bench.timers.after(delay, bench.ran.append).cancel()
        most = max(most, bench.held())
    assert most <= 1026
    assert bench.timers.pending() == 1


def test_the_cancelled_never_outnumber_the_live_by_far_and_the_search_for_them_is_paid_off() -> None:
    visits = 0

    class Counting(Timers):
        def prune(self) -> None:
            nonlocal visits
            visits += sum(map(len, self._lanes.values())) + len(self._heap)
            super().prune()

    timers = Counting(0.0)
    live = [timers.after(LANE, print) for _ in range(5_000)]
    total = 100_000
    for _ in range(total):
        timers.after(LANE, print).cancel()
        assert len(timers._lanes[LANE]) <= 2 * len(live) + 1024
    assert timers.pending() == len(live)
    assert visits <= 4 * (total + len(live))


def test_against_a_model(bench: Bench) -> None:
    """Random sets, cancels, prunes and steps of time do what a sorted list would do."""
    chance = random.Random(7)
    now = 100.0
    model: dict[int, tuple[float, int]] = {}
    timers = {}
    for number in range(3_000):
        action = chance.random()
        if action < 0.55:
            delay = chance.choice([0.2, T1, 2 * T1, T4, LANE, RARE, chance.uniform(0, 50)])
            model[number] = (now + delay, number)
            timers[number] = bench.timers.after(delay, bench.ran.append, number)
        elif action < 0.8 and model:
            victim = chance.choice([*model])
            del model[victim]
            timers[victim].cancel()
        elif action < 0.82:
            bench.timers.prune()
        else:
            now += chance.uniform(0, 3)
            due = sorted(entry for entry in model.values() if entry[0] <= now)
            bench.ran.clear()
            assert bench.timers.next_deadline() <= min((entry[0] for entry in model.values()), default=math.inf)
            assert bench.timers.expire(now) == len(due)
            assert [model.pop(name)[0] for name in bench.ran] == [entry[0] for entry in due]  # type: ignore[call-overload]
        assert bench.timers.pending() == len(model)
