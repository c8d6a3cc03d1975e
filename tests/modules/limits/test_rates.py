"""Rates: how many pass in which time, for whom, and how much is remembered."""

from __future__ import annotations

import pytest

from modules.limits.rates import Rates
from routing.runtime import Rate


def passing(rates: Rates, rate: Rate, *times: float, key: str = "a") -> list[bool]:
    return [rates.take(key, rate, now) for now in times]


def test_an_allowance_may_be_used_at_once() -> None:
    rates = Rates(10)
    assert passing(rates, Rate(3, 1.0), *[0.0] * 5) == [True, True, True, False, False]


def test_it_comes_back_evenly() -> None:
    rates = Rates(10)
    passing(rates, Rate(2, 10.0), 0.0, 0.0)
    assert passing(rates, Rate(2, 10.0), 4.9, 5.0, 5.0, 9.9, 10.0) == [False, True, False, False, True]


def test_after_its_time_it_is_whole_again() -> None:
    rates = Rates(10)
    passing(rates, Rate(2, 10.0), 0.0, 0.0)
    assert passing(rates, Rate(2, 10.0), 100.0, 100.0, 100.0) == [True, True, False]


def test_what_is_refused_does_not_count() -> None:
    rates = Rates(10)
    passing(rates, Rate(1, 10.0), *[0.0] * 100)
    assert passing(rates, Rate(1, 10.0), 9.9, 10.0) == [False, True]


@pytest.mark.parametrize("rate", [Rate(100, 1.0), Rate(7, 60.0), Rate(1, 0.5), Rate(3, 86400.0)])
def test_no_more_than_the_rate_pass_in_the_long_run(rate: Rate) -> None:
    rates = Rates(10)
    step = rate.seconds / rate.times / 3
    passed = sum(passing(rates, rate, *[1e6 + number * step for number in range(30 * rate.times)]))
    assert rate.times * 10 <= passed <= rate.times * 11 + 1


def test_exactly_the_rate_passes_at_its_own_pace() -> None:
    rates = Rates(10)
    times = [1e6 + number / 100 for number in range(1000)]
    assert all(passing(rates, Rate(100, 1.0), *times))


def test_a_rate_of_nothing_lets_nothing_pass() -> None:
    assert passing(Rates(10), Rate(0, 1.0), 0.0, 1e9) == [False, False]


def test_each_key_has_an_allowance_of_its_own() -> None:
    rates = Rates(10)
    assert passing(rates, Rate(1, 1.0), 0.0, 0.0, key="a") == [True, False]
    assert passing(rates, Rate(1, 1.0), 0.0, key="b") == [True]


def test_keys_that_are_whole_again_are_forgotten_first() -> None:
    rates = Rates(3)
    rates.take("slow", Rate(1, 1000.0), 0.0)
    for number in range(100):
        rates.take(number, Rate(1, 1.0), number * 10.0)
        assert len(rates) <= 3
    assert not rates.take("slow", Rate(1, 1000.0), 995.0)


def test_when_all_are_in_use_the_one_used_longest_ago_goes() -> None:
    rates = Rates(3)
    for key in ("a", "b", "c"):
        rates.take(key, Rate(1, 1000.0), 0.0)
    rates.take("a", Rate(1, 1000.0), 1.0)
    rates.take("d", Rate(1, 1000.0), 2.0)
    assert [rates.take(key, Rate(1, 1000.0), 3.0) for key in ("a", "c", "d")] == [False] * 3
    assert len(rates) == 3


def test_a_flood_of_keys_costs_a_constant_each() -> None:
    rates = Rates(1000)
    for number in range(20_000):
        rates.take(number, Rate(1, 0.001), number * 0.01)
    assert len(rates) <= 1001
