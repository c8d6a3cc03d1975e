"""REGISTERs that reached us twice by different ways (RFC 3261 section 8.2.2.2)."""

from __future__ import annotations

from sipcore.message import Request
from sipcore.timers import T1

_REMEMBERED = 64 * T1
"""How long the transaction of the first one is there at most after its answer."""
_MOST = 100_000
"""Entries of a half; when they are more, the older ones go away earlier."""


class Merged:
    """Remembers which REGISTERs came lately, each for one to two times `_REMEMBERED` seconds.

    Hashes are kept, not requests: a client that sends a thousand a second costs a few megabytes. When the younger half
    has got its time it becomes the older half, whose entries go away.
    """

    __slots__ = ("_began", "_older", "_recent")

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._older: dict[int, int] = {}
        self._began = 0.0

    def is_copy(self, request: Request, now: float) -> bool:
        """Whether the same request came by another way; else it is remembered."""
        if request.to.tag:
            return False
        if now - self._began > _REMEMBERED or len(self._recent) >= _MOST:
            self._older = self._recent if now - self._began <= 2 * _REMEMBERED else {}
            self._recent = {}
            self._began = now
        key = hash((request.call_id, request.from_.tag, request.cseq.number))
        way = hash(request.via.branch)
        known = self._recent.get(key) or self._older.get(key)
        if known is None:
            self._recent[key] = way
        return known is not None and known != way
