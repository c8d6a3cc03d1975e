"""Addresses that are kept out for a time, compared by value and not by spelling."""

from __future__ import annotations

from collections.abc import Callable

from routing.runtime import address_number
from sipcore.errors import RingwayError


class Bans:
    """`address in bans`; `now()` is the stack's time. At most `most` are kept: the oldest ban gives way."""

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self.most = most
        self._now = now
        self._until: dict[tuple[int, int], float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def __contains__(self, address: object) -> bool:
        if not self._until:
            return False  # the usual case, for every request
        number = address_number(address) if isinstance(address, str) else None
        if number is None:
            return False
        until = self._until.get(number)
        if until is None:
            return False
        if until > self._now():
            return True
        del self._until[number]
        return False

    def add(self, address: str, seconds: float) -> None:
        """Keep an address out; a ban that is in force is never shortened."""
        number = address_number(address)
        if number is None:
            raise RingwayError(f"ban: {address!r} is no IP address")
        now = self._now()
        until = max(self._until.pop(number, 0.0), now + seconds)
        self._until[number] = until
        if len(self._until) > self.most:
            self._until = {key: end for key, end in self._until.items() if end > now}
            if len(self._until) > self.most:
                del self._until[next(iter(self._until))]

    def remove(self, address: str) -> None:
        """Let an address in again."""
        number = address_number(address)
        if number is not None:
            self._until.pop(number, None)
