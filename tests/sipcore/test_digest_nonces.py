"""Nonces: signed, bound to a realm, of limited age; and counts that may come late but not twice (rows D12-D14)."""

from __future__ import annotations

import random

import pytest

from sipcore.digest_nonces import Age, Nonces

REALM = "example.com"
START = 1_800_000_000.0


def new(**options: float) -> Nonces:
    return Nonces(b"a secret of the tests", now=START, **options)  # type: ignore[arg-type]


@pytest.mark.row("D12")
@pytest.mark.conformance("RFC 7616 3.3")
def test_a_new_nonce_is_fresh_until_its_life_is_over() -> None:
    nonces = new(lifetime=300)
    nonce = nonces.make(REALM, START + 1)
    assert nonces.examine(nonce, REALM, START + 1) is Age.FRESH
    assert nonces.examine(nonce, REALM, START + 301) is Age.FRESH
    assert nonces.examine(nonce, REALM, START + 302) is Age.STALE


def test_each_nonce_is_another() -> None:
    nonces = new()
    assert len({nonces.make(REALM, START) for _ in range(1000)}) == 1000


@pytest.mark.row("E03")
def test_making_one_keeps_nothing() -> None:
    nonces = new()
    for _ in range(1000):
        nonces.examine(nonces.make(REALM, START), REALM, START)
    assert len(nonces) == 0


@pytest.mark.row("D13")
@pytest.mark.parametrize("change", range(0, 32, 3))
def test_a_changed_nonce_is_forged(change: int) -> None:
    nonces = new()
    nonce = nonces.make(REALM, START)
    digit = "0" if nonce[change] != "0" else "1"
    assert nonces.examine(nonce[:change] + digit + nonce[change + 1 :], REALM, START) is Age.FORGED


@pytest.mark.row("D13")
@pytest.mark.parametrize("nonce", ["", "0", "z" * 32, "A" * 32, "\u0661" * 32, "0" * 32, "0" * 33, "\udcff" * 32])
def test_invented_nonces_are_forged(nonce: str) -> None:
    assert new().examine(nonce, REALM, START) is Age.FORGED


@pytest.mark.row("D13")
def test_a_nonce_of_another_realm_or_secret_is_forged() -> None:
    nonces = new()
    nonce = nonces.make(REALM, START)
    assert nonces.examine(nonce, "example.net", START) is Age.FORGED
    assert Nonces(b"another secret 1", now=START).examine(nonce, REALM, START) is Age.FORGED


def test_a_worker_with_the_same_secret_accepts_it() -> None:
    nonce = new(first=7).make(REALM, START + 1)
    assert new(first=9).examine(nonce, REALM, START + 2) is Age.FRESH


@pytest.mark.row("D14")
def test_a_nonce_from_before_the_start_is_stale_since_its_counts_are_unknown() -> None:
    nonce = new().make(REALM, START + 1)
    restarted = Nonces(b"a secret of the tests", now=START + 10)
    assert restarted.examine(nonce, REALM, START + 11) is Age.STALE


def test_a_nonce_from_the_future_is_stale() -> None:
    nonces = new()
    assert nonces.examine(nonces.make(REALM, START + 60), REALM, START) is Age.STALE


@pytest.mark.row("D14")
@pytest.mark.conformance("RFC 7616 5.5")
def test_a_count_can_be_used_once() -> None:
    nonces = new()
    nonce = nonces.make(REALM, START)
    assert nonces.spend(nonce, 1, START)
    assert not nonces.spend(nonce, 1, START)
    assert nonces.spend(nonce, 2, START)
    assert not nonces.spend(nonce, 2, START) and not nonces.spend(nonce, 1, START)


def test_counts_of_two_nonces_have_nothing_to_do_with_each_other() -> None:
    nonces = new()
    a, b = nonces.make(REALM, START), nonces.make(REALM, START)
    assert nonces.spend(a, 1, START) and nonces.spend(b, 1, START)


def test_counts_may_come_late_but_not_too_late() -> None:
    nonces = new()
    nonce = nonces.make(REALM, START)
    assert nonces.spend(nonce, 100, START)
    assert nonces.spend(nonce, 99, START) and nonces.spend(nonce, 37, START)
    assert not nonces.spend(nonce, 36, START)
    assert not nonces.spend(nonce, 99, START)


@pytest.mark.row("D14")
def test_any_order_is_accepted_once_within_the_window() -> None:
    nonces, chance = new(), random.Random(1)
    nonce = nonces.make(REALM, START)
    seen: set[int] = set()
    highest = 0
    for _ in range(5000):
        count = max(1, highest + chance.randint(-80, 8))
        fresh = count not in seen and count > highest - 64
        assert nonces.spend(nonce, count, START) is fresh
        if fresh:
            seen.add(count)
            highest = max(highest, count)


def test_a_great_leap_forgets_what_is_far_behind() -> None:
    nonces = new()
    nonce = nonces.make(REALM, START)
    assert nonces.spend(nonce, 1, START) and nonces.spend(nonce, 0xFFFFFFFF, START)
    assert not nonces.spend(nonce, 1, START) and nonces.spend(nonce, 0xFFFFFFFE, START)


@pytest.mark.row("D14")
def test_the_table_is_bounded_and_what_was_dropped_can_not_be_replayed() -> None:
    nonces = new(limit=100)
    used = []
    for at in range(1000):
        now = START + at * 0.2
        nonce = nonces.make(REALM, now)
        assert nonces.examine(nonce, REALM, now) is not Age.FORGED
        if nonces.examine(nonce, REALM, now) is Age.FRESH:
            assert nonces.spend(nonce, 1, now)
            used.append(nonce)
        assert len(nonces) <= 100
    assert len(used) > 800
    now = START + 200
    for nonce in used:
        replayed = nonces.examine(nonce, REALM, now) is Age.FRESH and nonces.spend(nonce, 1, now)
        assert not replayed


def test_old_entries_leave_with_time() -> None:
    nonces = new(lifetime=300)
    for minute in range(60):
        now = START + minute * 60
        nonces.spend(nonces.make(REALM, now), 1, now)
    assert len(nonces) < 14
