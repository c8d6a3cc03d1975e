"""Turns: one at a time for a key, first come first served."""

from __future__ import annotations

import pytest

from modules.registrar.turns import LONGEST_WAIT, Turns
from sipcore.errors import Unavailable
from sipcore.need import Handle
from tests.platforms import Bench


class Queue:
    def __init__(self, limit: int = 10) -> None:
        self.turns = Turns(limit)
        self.bench = Bench()
        self.runner = self.bench.platform.runner
        self.began: list[str] = []
        self.refused: list[str] = []

    def arrive(self, name: str, key: str = "k") -> Handle:
        async def visit() -> None:
            try:
                await self.turns.take(key)
            except Unavailable:
                self.refused.append(name)
            else:
                self.began.append(name)

        return self.runner.run(visit())


def test_the_next_one_begins_when_the_first_leaves() -> None:
    queue = Queue()
    for name in "abc":
        queue.arrive(name)
    assert queue.began == ["a"]
    queue.turns.leave("k")
    assert queue.began == ["a", "b"]
    queue.turns.leave("k")
    queue.turns.leave("k")
    assert queue.began == ["a", "b", "c"] and len(queue.turns) == 0


def test_keys_do_not_wait_for_each_other() -> None:
    queue = Queue()
    queue.arrive("a", "x")
    queue.arrive("b", "y")
    assert queue.began == ["a", "b"] and len(queue.turns) == 2


def test_the_queue_is_bounded() -> None:
    queue = Queue(limit=1)
    for name in "abc":
        queue.arrive(name)
    assert queue.refused == ["c"]


def test_who_is_stopped_is_passed_over() -> None:
    queue = Queue()
    queue.arrive("a")
    queue.arrive("b").stop()
    queue.arrive("c")
    queue.turns.leave("k")
    assert queue.began == ["a", "c"]


def test_leaving_without_a_turn_is_a_fault() -> None:
    with pytest.raises(KeyError):
        Turns(1).leave("k")


@pytest.mark.row("E08")
def test_who_waits_too_long_is_refused_and_passed_over() -> None:
    queue = Queue()
    for name in "ab":
        queue.arrive(name)
    queue.bench.pass_time(LONGEST_WAIT - 1)
    queue.arrive("c")
    queue.bench.pass_time(1)
    assert queue.refused == ["b"]
    queue.turns.leave("k")
    assert queue.began == ["a", "c"]
