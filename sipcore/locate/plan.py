"""What the DNS said about a hop: candidates by rank, from which each request draws its own order."""

from __future__ import annotations

from typing import NamedTuple

from sipcore.flow import Target
from sipcore.locate.srv import RandomBytes, drawn


class Candidate(NamedTuple):
    """A target, and how it was found."""

    target: Target
    origin: str


class Skipped(NamedTuple):
    """Something that was found and is not used, and why."""

    what: str
    why: str


class Choice(NamedTuple):
    """One server, with its addresses in order; `weight` is that of its SRV record."""

    weight: int
    candidates: tuple[Candidate, ...]


class Explanation(NamedTuple):
    """All about one URI: what would be tried, in this order, and what not."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]


class Plan:
    """The candidates of a hop until `expires`. Choices of one rank have the same priority."""

    __slots__ = ("_fixed", "_ranks", "expires", "skipped")

    def __init__(self, ranks: list[list[Choice]], skipped: list[Skipped], expires: float) -> None:
        self._ranks = ranks
        self.skipped = tuple(skipped)
        self.expires = expires
        # Most domains leave nothing to chance: their order is made once.
        self._fixed = None if any(len(rank) > 1 for rank in ranks) else _targets(self.drawn(_no_chance))

    def drawn(self, random_bytes: RandomBytes) -> list[Candidate]:
        """The candidates in an order for one request."""
        return [
            candidate for rank in self._ranks for choice in drawn(rank, random_bytes) for candidate in choice.candidates
        ]

    def targets(self, random_bytes: RandomBytes) -> tuple[Target, ...]:
        """The targets in an order for one request, each once."""
        return self._fixed or _targets(self.drawn(random_bytes))


def _targets(candidates: list[Candidate]) -> tuple[Target, ...]:
    return tuple(dict.fromkeys(candidate.target for candidate in candidates))


def _no_chance(size: int) -> bytes:
    return bytes(size)
