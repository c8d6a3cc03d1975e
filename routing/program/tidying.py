"""Memory that only Python's cyclic collector can free, collected while nobody is kept waiting by it."""

from __future__ import annotations

import gc
from collections.abc import Callable

import trio

EVERY = 600.0
"""Seconds between two looks."""
QUIET = 1_000
"""With fewer transactions open the collector is done within milliseconds."""


async def tidy(open_transactions: Callable[[], int], collect: Callable[[], object] = gc.collect) -> None:
    """Collect now and then for ever.

    Our own calls and connections leave no cycles, but libraries do where something fails: a time-out of dnspython
    holds the sockets it waited at. So the whole heap is walked after all, unless it is full of calls.
    """
    while True:
        await trio.sleep(EVERY)
        if open_transactions() < QUIET:
            collect()
