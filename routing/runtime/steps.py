"""The step limit: a request's loops come to an end even when lists in lists multiply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from routing.runtime.context import Context
from sipcore.errors import RingwayError

Item = TypeVar("Item")

MOST_STEPS = 10_000
"""How many turns all loops of one request may take together."""


def steps(context: Context, items: Iterable[Item]) -> Iterator[Item]:
    """Go through a list, counting each turn; raises when the request took too many."""
    for item in items:
        context.steps += 1
        if context.steps > MOST_STEPS:
            raise RingwayError(f"the loops of this route took more than {MOST_STEPS} turns")
        yield item
