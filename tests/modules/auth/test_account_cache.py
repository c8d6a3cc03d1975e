"""The cache of accounts: time, bound, and forgetting."""

from __future__ import annotations

from modules.auth.cache import AccountCache
from routing.runtime.stores import Account

ALICE = ("alice", "example.com")


def test_an_answer_is_remembered_for_its_time() -> None:
    cache = AccountCache(30, 10)
    assert cache.get(ALICE, 0) is None
    cache.put(ALICE, Account(*ALICE), 0)
    assert cache.get(ALICE, 29.9) == (30, Account(*ALICE))
    assert cache.get(ALICE, 30) is None


def test_that_there_is_no_such_account_is_an_answer_too() -> None:
    cache = AccountCache(30, 10)
    cache.put(ALICE, None, 0)
    assert cache.get(ALICE, 1) == (30, None)


def test_it_is_bounded_and_keeps_the_latest() -> None:
    cache = AccountCache(30, 100)
    for number in range(1000):
        cache.put((str(number), ""), None, 0)
        assert len(cache) <= 100
    assert all(cache.get((str(number), ""), 0) for number in range(950, 1000))
    assert cache.get(("1", ""), 0) is None


def test_a_newer_answer_goes_before_an_older_one() -> None:
    cache = AccountCache(30, 2)
    cache.put(ALICE, None, 0)
    cache.put(ALICE, Account(*ALICE), 1)
    assert cache.get(ALICE, 2) == (31, Account(*ALICE))


def test_everything_can_be_forgotten() -> None:
    cache = AccountCache(30, 2)
    for number in range(3):
        cache.put((str(number), ""), None, 0)
    cache.clear()
    assert len(cache) == 0 and cache.get(("2", ""), 0) is None
