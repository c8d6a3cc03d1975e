"""The two works every server does, and the search for the highest rate it can do the first one at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from contestants import Contestant
from load import Measured, Phones

CALLED_USERS = 100
_STEP = 1.25


def user_names(count: int) -> list[str]:
    return [f"u{number:06}" for number in range(count)]


@dataclass(frozen=True, slots=True)
class Calls:
    """Proxied calls: INVITE, 180, 200, ACK, BYE, 200 through a record-routing, stateful relay over UDP."""

    calls: int
    rate: float

    @property
    def users(self) -> list[str]:
        return user_names(CALLED_USERS)

    def measure(self, server: Contestant, folder: Path) -> Measured:
        """After a tenth of the calls to warm up."""
        phones = registered(server, folder, self.users)
        phones.call(max(100, self.calls // 10), self.rate, self._limit())
        return phones.call(self.calls, self.rate, self._limit())

    def highest_rate(self, server: Contestant, folder: Path, say: Callable[[str], None]) -> float:
        """Raise the rate by a quarter until calls are lost; the last that went right, in calls a second."""
        phones = registered(server, folder, self.users)
        best, rate = 0.0, self.rate
        while True:
            measured = phones.call(round(rate * 4), rate, 40)
            lost = measured.failed + measured.counts.retransmissions
            say(f"  {server.name:<28}{rate:>8.0f}/s: {lost} lost, SIPp {measured.load_share:.0%} of its core")
            if measured.disturbed:
                return best
            best, rate = measured.rate, rate * _STEP

    def _limit(self) -> float:
        return self.calls / self.rate * 2 + 40


def registered(server: Contestant, folder: Path, users: Sequence[str]) -> Phones:
    phones = Phones(server, folder, users)
    done = phones.register(len(users), 20, 60)
    if done.failed:
        raise RuntimeError(f"{server.name}: {done.failed} of {len(users)} registrations failed; see {folder}")
    return phones


@dataclass(frozen=True, slots=True)
class Registrations:
    """REGISTER, 401, REGISTER with a digest answer, 200: each of many users refreshes its binding."""

    count: int
    in_flight: int

    @property
    def users(self) -> list[str]:
        return user_names(self.count)

    def measure(self, server: Contestant, folder: Path) -> Measured:
        """After every user has registered once: what a registrar does all day is refresh."""
        phones = Phones(server, folder, self.users)
        phones.register(self.count, self.in_flight, self._limit())
        return phones.register(self.count, self.in_flight, self._limit())

    def _limit(self) -> float:
        return self.count / 50 + 30
