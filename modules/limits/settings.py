"""How many keys and addresses are remembered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CountingSettings:
    """Part of [limits]."""

    rates: int = 100_000
    bans: int = 100_000
