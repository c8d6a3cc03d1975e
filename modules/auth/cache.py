"""Accounts in memory for a short time, so that a REGISTER need not wait for the database."""

from __future__ import annotations

from routing.runtime.stores import Account


class AccountCache:
    """At most `limit` answers of the backend, each for `seconds`; also that there is no such account.

    Two generations stand in for a list by age: the older one is dropped whole.
    """

    __slots__ = ("_earlier", "_half", "_recent", "_seconds")

    def __init__(self, seconds: float, limit: int) -> None:
        self._seconds = seconds
        self._half = max(limit // 2, 1)
        self._recent: dict[tuple[str, str], tuple[float, Account | None]] = {}
        self._earlier: dict[tuple[str, str], tuple[float, Account | None]] = {}

    def resize(self, seconds: float, limit: int) -> None:
        """Other bounds from now on, for what is remembered already too."""
        self._seconds = seconds
        self._half = max(limit // 2, 1)
        self.clear()

    def get(self, key: tuple[str, str], now: float) -> tuple[float, Account | None] | None:
        """When the answer goes stale and the answer, or None when there is none that may still be used."""
        entry = self._recent.get(key) or self._earlier.get(key)
        return entry if entry is not None and entry[0] > now else None

    def put(self, key: tuple[str, str], account: Account | None, now: float) -> None:
        """Remember an answer."""
        if len(self._recent) >= self._half:
            self._earlier, self._recent = self._recent, {}
        self._recent[key] = (now + self._seconds, account)

    def clear(self) -> None:
        """Forget everything: somebody changed accounts."""
        self._recent.clear()
        self._earlier.clear()

    def __len__(self) -> int:
        return len(self._recent) + len(self._earlier)
