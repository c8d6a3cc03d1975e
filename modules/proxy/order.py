"""In which order targets are rung: all at once, one by one, or those of the same q together (RFC 3261 16.6)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from routing.runtime import Destination
from routing.runtime.values import Order


def in_order(targets: Sequence[Destination], order: Order) -> list[list[Destination]]:
    """The targets in groups that are rung one after the other; higher q first, else as they came."""
    if order == "at once":
        return [list(targets)]
    ranked = sorted(targets, key=lambda target: -target.q)
    if order == "one by one":
        return [[target] for target in ranked]
    return [list(group) for _, group in groupby(ranked, lambda target: target.q)]
