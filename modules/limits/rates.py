"""Rates: so many in so long, for each key, as a leaky bucket in one number (the GCRA of ITU-T I.371).

A key may use its whole allowance at once; then it comes back evenly, one by one. What is refused does not count, so
whoever goes on trying is let through again as soon as there is room.
"""

from __future__ import annotations

from collections.abc import Hashable

from routing.runtime import Rate


class Rates:
    """The theoretical arrival time of each key: now, when its allowance is whole. `most` keys are remembered."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._arrivals: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._arrivals)

    def take(self, key: Hashable, rate: Rate, now: float) -> bool:
        """Whether one more is within the rate; it is counted then."""
        if rate.times <= 0:
            return False
        arrivals = self._arrivals
        interval = rate.seconds / rate.times
        arrival = max(arrivals.pop(key, now), now) + interval
        # A little is forgiven, so that rounding takes nothing from an allowance.
        within = arrival - now <= rate.seconds + interval * 1e-6
        arrivals[key] = arrival if within else arrival - interval
        if len(arrivals) > self.most:
            self._forget(now)
        return within

    def _forget(self, now: float) -> None:
        """Drop what has its whole allowance again; when all are in use, the one that was used longest ago."""
        kept = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
        if len(kept) > self.most:
            del kept[next(iter(kept))]
        self._arrivals = kept
