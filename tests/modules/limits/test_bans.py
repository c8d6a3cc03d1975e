"""Bans: who is kept out, for how long, however the address is written."""

from __future__ import annotations

import pytest

from modules.limits.bans import Bans
from sipcore.errors import RingwayError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bans(clock: Clock) -> Bans:
    return Bans(3, clock)


def test_a_ban_ends_after_its_time(bans: Bans, clock: Clock) -> None:
    bans.add("192.0.2.1", 60.0)
    assert "192.0.2.1" in bans and "192.0.2.2" not in bans
    clock.now = 59.9
    assert "192.0.2.1" in bans
    clock.now = 60.0
    assert "192.0.2.1" not in bans and len(bans) == 0


def test_a_ban_is_never_shortened(bans: Bans, clock: Clock) -> None:
    bans.add("192.0.2.1", 60.0)
    clock.now = 30.0
    bans.add("192.0.2.1", 5.0)
    clock.now = 59.0
    assert "192.0.2.1" in bans
    bans.add("192.0.2.1", 60.0)
    clock.now = 118.0
    assert "192.0.2.1" in bans


@pytest.mark.parametrize("spelling", ["2001:db8::1", "2001:DB8:0:0::1", "[2001:db8::1]", "2001:db8::1%eth0"])
def test_an_address_is_known_in_every_spelling(spelling: str, bans: Bans) -> None:
    bans.add("2001:db8:0::0:1", 60.0)
    assert spelling in bans


def test_a_mapped_address_is_the_address(bans: Bans) -> None:
    bans.add("::ffff:192.0.2.1", 60.0)
    assert "192.0.2.1" in bans


def test_it_can_be_taken_back(bans: Bans) -> None:
    bans.add("192.0.2.1", 60.0)
    bans.remove("192.0.2.1")
    bans.remove("192.0.2.9")
    bans.remove("nobody")
    assert "192.0.2.1" not in bans


def test_what_is_no_address_is_neither_banned_nor_in(bans: Bans) -> None:
    with pytest.raises(RingwayError, match="'nobody' is no IP address"):
        bans.add("nobody", 60.0)
    bans.add("192.0.2.1", 60.0)
    assert "nobody" not in bans and 3 not in bans


def test_they_are_bounded(bans: Bans, clock: Clock) -> None:
    for number in range(10):
        bans.add(f"192.0.2.{number}", 60.0)
    assert len(bans) == 3
    assert [f"192.0.2.{number}" in bans for number in (6, 7, 8, 9)] == [False, True, True, True]
    clock.now = 61.0
    bans.add("192.0.2.20", 60.0)
    assert len(bans) == 1, "those that have run out go first"
