"""One at a time for each key, in the order of arrival."""

from __future__ import annotations

from collections import deque
from functools import partial

from sipcore.errors import Unavailable
from sipcore.need import Pending

LONGEST_WAIT = 30.0
"""Seconds that a REGISTER waits for its turn, and for the store: its sender gives up after 32 (RFC 3261 17.1.2.2)."""


class Turns:
    """Keeps REGISTERs for the same address of record apart; at most `limit` wait for one."""

    __slots__ = ("_waiting", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: dict[str, deque[Pending[None]]] = {}

    async def take(self, key: str) -> None:
        """Wait for a turn; give it back with `leave`. `Unavailable` when too many wait."""
        queue = self._waiting.get(key)
        if queue is None:
            self._waiting[key] = deque()
            return
        if len(queue) >= self.limit:
            raise Unavailable("too many REGISTERs for one address of record")
        pending: Pending[None] = Pending(timeout=LONGEST_WAIT)
        pending.on_cancel = partial(queue.remove, pending)
        queue.append(pending)
        await pending

    def leave(self, key: str) -> None:
        """Let the next one begin."""
        queue = self._waiting[key]
        if queue:
            queue.popleft().done(None)
        else:
            del self._waiting[key]

    def __len__(self) -> int:
        """How many keys are taken."""
        return len(self._waiting)
