"""The order of SRV records: every draw by hand, and the shares of many draws (RFC 2782)."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sipcore.locate import Srv
from sipcore.locate.srv import by_priority, drawn


def record(name: str, weight: int = 0, priority: int = 0) -> Srv:
    return Srv(priority, weight, 5060, name)


def order(weights: list[int], *numbers: int) -> list[int]:
    """The weights in the order that these random numbers give."""
    left = iter(numbers)
    records = [record(str(at), weight) for at, weight in enumerate(weights)]
    return [one.weight for one in drawn(records, lambda size: next(left).to_bytes(size, "big"))]


@pytest.mark.conformance("RFC 3263 4.3")
@pytest.mark.parametrize(
    ("weights", "numbers", "expected"),
    [
        ([3], [], [3]),
        ([1, 3], [0], [1, 3]),  # running sums 1 and 4
        ([1, 3], [1], [1, 3]),
        ([1, 3], [2], [3, 1]),
        ([1, 3], [4], [3, 1]),
        ([3, 0], [0], [0, 3]),  # weight 0 stands first, and has a small chance
        ([3, 0], [1], [3, 0]),
        ([2, 5, 1], [8, 3], [5, 2, 1]),
        ([2, 5, 1], [1, 7], [1, 5, 2]),
        ([0, 0, 0], [], [0, 0, 0]),
    ],
)
def test_each_draw(weights: list[int], numbers: list[int], expected: list[int]) -> None:
    assert order(weights, *numbers) == expected


@pytest.mark.conformance("RFC 3263 4.3")
def test_many_draws_share_by_weight() -> None:
    records = [record("a", 60), record("b", 30), record("c", 10), record("d", 0)]
    chance = random.Random(1)
    first = Counter(drawn(records, chance.randbytes)[0].target for _ in range(20_000))
    assert first["a"] / 20_000 == pytest.approx(0.6, abs=0.015)
    assert first["b"] / 20_000 == pytest.approx(0.3, abs=0.015)
    assert first["c"] / 20_000 == pytest.approx(0.1, abs=0.015)
    assert 0 < first["d"] < 600  # one in 101


def test_a_draw_loses_and_repeats_nothing() -> None:
    chance = random.Random(2)
    for size in range(12):
        records = [record(str(at), chance.choice([0, 0, 1, 5, 65_535])) for at in range(size)]
        assert sorted(drawn(records, chance.randbytes)) == sorted(records)


def test_priorities_are_kept_apart_and_repeated_records_count_once() -> None:
    a, b, c = record("a", 5, 10), record("b", 5, 20), record("c", 9, 10)
    assert by_priority([b, a, c, a]) == [[a, c], [b]]
    assert by_priority([]) == []
