"""Nonces that need no memory until they are used, and the counts that keep each use from being repeated.

Rule 1: a challenge stores nothing: the nonce itself says when and for which realm it was made, and an HMAC proves it.
Rule 2: only the right password makes an entry here, so that a flood of requests can't fill the table. Rule 3: where
we can't know whether a nonce was used before (it is older than this process, or its entry was dropped to make room),
it is stale, and the client comes back with a new one.
"""

from __future__ import annotations

import enum
import hmac
import re
from hashlib import blake2s

_MAC_BYTES = 8
_HEAD = 16
_NONCE = re.compile(rf"[0-9a-f]{{{_HEAD + 2 * _MAC_BYTES}}}")
_WINDOW = 64
"""How far behind the highest count a late one may be (RFC 7616 section 3.3 leaves it to the server)."""
_MASK = (1 << _WINDOW) - 1


class Age(enum.Enum):
    """What a nonce proves to be."""

    FRESH = "fresh"
    STALE = "stale"
    """Ours, but too old: a right response is answered with `stale=true` (RFC 7616 section 3.3)."""
    FORGED = "forged"
    """Not ours, or made for another realm."""


class Nonces:
    """Makes and examines nonces; `limit` bounds how many used nonces are remembered.

    Times are Unix seconds of a clock that is never set back while the process runs.

    A nonce is eight hexadecimal digits of time, eight of a counter, and a 64-bit HMAC over both and the realm.
    `secret` is shared by all workers; `first` is where the counter starts, best at random.
    """

    __slots__ = ("_counter", "_earlier", "_horizon", "_keyed", "_limit", "_recent", "_turned", "lifetime")

    def __init__(
        self, secret: bytes, *, now: float, lifetime: float = 300.0, limit: int = 100_000, first: int = 0
    ) -> None:
        self.lifetime = lifetime
        self._keyed = blake2s(key=secret[:32], digest_size=_MAC_BYTES, person=b"sipnonce")
        self._counter = first
        self._limit = limit
        # Packed counts of nonces in use, in two generations: the older one is dropped whole.
        self._recent: dict[int, int] = {}
        self._earlier: dict[int, int] = {}
        self._turned = now
        self._horizon = int(now)

    def resize(self, lifetime: float, limit: int) -> None:
        """Other bounds from now on, for the nonces that are out already too."""
        self.lifetime = lifetime
        self._limit = limit

    def make(self, realm: str, now: float) -> str:
        """A new nonce for this realm."""
        self._counter = (self._counter + 1) & 0xFFFFFFFF
        head = f"{int(now) & 0xFFFFFFFF:08x}{self._counter:08x}"
        return head + self._mac(head, realm)

    def _mac(self, head: str, realm: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(f"{head}{realm}".encode())
        return keyed.hexdigest()

    def examine(self, nonce: str, realm: str, now: float) -> Age:
        """Whether we made this nonce for this realm, and whether it may still be used."""
        if not _NONCE.fullmatch(nonce) or not hmac.compare_digest(self._mac(nonce[:_HEAD], realm), nonce[_HEAD:]):
            return Age.FORGED
        made = int(nonce[:8], 16)
        # One second of grace into the future: the clocks of two workers are not read at the same moment.
        if not now - self.lifetime <= made <= now + 1:
            return Age.STALE
        if made < self._horizon:
            key = int(nonce[:_HEAD], 16)
            if key not in self._recent and key not in self._earlier:
                return Age.STALE
        return Age.FRESH

    def spend(self, nonce: str, count: int, now: float) -> bool:
        """Use a fresh nonce with this nonce count; False when it was used with it before, or is far behind.

        Counts may come out of order within a window, since requests may overtake each other.
        """
        key = int(nonce[:_HEAD], 16)
        counts = self._recent
        used = counts.get(key)
        if used is None:
            counts = self._earlier
            used = counts.get(key)
        if used is None:
            self._make_room(now)
            self._recent[key] = count << _WINDOW | 1
            return True
        behind = (used >> _WINDOW) - count
        if behind < 0:
            counts[key] = count << _WINDOW | ((used << min(-behind, _WINDOW) | 1) & _MASK)
            return True
        bit = 1 << behind if behind < _WINDOW else 0
        if not bit or used & bit:
            return False
        counts[key] = used | bit
        return True

    def _make_room(self, now: float) -> None:
        """Start a new generation when this one is full or as old as a nonce may become, and drop the earlier one."""
        if len(self._recent) * 2 < self._limit and now - self._turned <= self.lifetime:
            return
        if self._earlier:
            # What is dropped was made before the last turn: from now on, an unknown nonce of that time is stale.
            self._horizon = int(self._turned) + 1
        self._earlier, self._recent = self._recent, {}
        self._turned = now

    def __len__(self) -> int:
        return len(self._recent) + len(self._earlier)
