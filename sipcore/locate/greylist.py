"""Targets that failed lately: other ones go first for a while, for all requests."""

from __future__ import annotations

import re
from typing import NamedTuple

from sipcore.flow import Flow, Target

GREY_SECONDS = 30.0
"""How long a target that failed is tried last."""
_LONGEST_RETRY_AFTER = 3_600.0
_MOST = 4_096
_SECONDS = re.compile(rb"[0-9]{1,9}")

_Key = tuple[str, str, int]


class _Entry(NamedTuple):
    until: float
    overloaded: bool


class Greylist:
    """Targets by transport, address and port.

    One that failed is tried last, so that a wrong entry costs time and not calls. One that asked for a pause with
    503 and Retry-After is left alone while there is any other (RFC 3261 section 21.5.4).
    """

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[_Key, _Entry] = {}

    def failed(self, flow: Flow, now: float) -> None:
        """A target refused, was lost, answered 503, or nothing came from it in time."""
        self._add(flow, _Entry(now + GREY_SECONDS, False))

    def overloaded(self, flow: Flow, retry_after: bytes, now: float) -> None:
        """A target answered 503 with this Retry-After."""
        seconds = _SECONDS.match(retry_after)
        if seconds is None:
            self.failed(flow, now)
        else:
            self._add(flow, _Entry(now + min(float(seconds[0]), _LONGEST_RETRY_AFTER), True))

    def _add(self, flow: Flow, entry: _Entry) -> None:
        key = (flow.transport, *flow.remote)
        self._entries.pop(key, None)
        self._entries[key] = entry
        if len(self._entries) > _MOST:
            del self._entries[next(iter(self._entries))]

    def __len__(self) -> int:
        return len(self._entries)

    def why(self, target: Target, now: float) -> str:
        """What there is against a target, or "" when nothing is."""
        entry = self._entries.get(target[:3])
        if entry is None or entry.until <= now:
            return ""
        what = "it asked for a pause" if entry.overloaded else "it failed lately"
        return f"{what}: for another {entry.until - now:.0f} s others go before it"

    def arranged(self, targets: tuple[Target, ...], now: float) -> tuple[Target, ...]:
        """The targets of one request with those that failed at the end."""
        good: list[Target] = []
        failed: list[Target] = []
        overloaded: list[Target] = []
        for target in targets:
            key = target[:3]
            entry = self._entries.get(key)
            if entry is not None and entry.until <= now:
                del self._entries[key]
                entry = None
            (good if entry is None else overloaded if entry.overloaded else failed).append(target)
        return tuple(good + failed or overloaded)
