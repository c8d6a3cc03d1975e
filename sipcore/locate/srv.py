"""The order of SRV records: priorities as they are, weights by chance (RFC 2782)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Protocol, TypeVar

from sipcore.locate.records import Srv

RandomBytes = Callable[[int], bytes]
"""Gives so many random bytes."""


class _Weighted(Protocol):
    @property
    def weight(self) -> int: ...


Item = TypeVar("Item", bound=_Weighted)


def by_priority(records: Iterable[Srv]) -> list[list[Srv]]:
    """Records of each priority, the most wanted first, and each of them once."""
    priority = attrgetter("priority")
    return [list(group) for _, group in groupby(sorted(set(records)), priority)]


def drawn(items: Sequence[Item], random_bytes: RandomBytes) -> list[Item]:
    """Records of one priority in the order to try: the greater a weight, the more often its record is first.

    RFC 2782: those with weight 0 stand first, a number from 0 to the sum of all weights is drawn, and the record at
    which the running sum reaches it is next. So weight 0 has a small chance beside others.
    """
    left = sorted(items, key=attrgetter("weight"))
    order: list[Item] = []
    while len(left) > 1:
        total = sum(item.weight for item in left)
        number = int.from_bytes(random_bytes(6), "big") % (total + 1) if total else 0
        running = 0
        for at, item in enumerate(left):
            running += item.weight
            if running >= number:
                order.append(left.pop(at))
                break
    return order + left
