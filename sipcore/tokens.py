"""Every token we mint: Via branches, tags, Call-IDs, Record-Route and flow tokens.

A token starts with the id of the node and worker that owns it and ends with a short HMAC, so that any worker can tell
whose it is and that nobody forged it. Randomness is handed in: tests get the same tokens every time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2s

BRANCH_COOKIE = "z9hG4bK"
"""What every RFC 3261 branch starts with (section 8.1.1.7)."""
_MAC_BYTES = 6


class Tokens:
    """Mints and verifies tokens of one worker.

    `owner` is two to eight characters of [A-Za-z0-9] that name node and worker; `secret` is shared by all workers;
    `random_bytes(n)` is the one source of randomness.
    """

    __slots__ = ("_counter", "_keyed", "_prefix", "owner", "random_bytes", "secret")

    def __init__(self, owner: str, secret: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self.owner = owner
        self.secret = secret
        self.random_bytes = random_bytes
        self._keyed = blake2s(key=secret[:32], digest_size=_MAC_BYTES)
        # A random start keeps tokens of two runs of the same worker apart.
        self._counter = int.from_bytes(random_bytes(6), "big")
        self._prefix = owner + "-"

    def _mac(self, text: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(text.encode())
        return keyed.hexdigest()

    def token(self) -> str:
        """A new unguessable token, unique for this worker: `owner-counter-mac`, fit for a tag or a branch."""
        self._counter += 1
        text = f"{self._prefix}{self._counter:x}-"
        keyed = self._keyed.copy()
        keyed.update(text.encode())
        return text + keyed.hexdigest()

    def branch(self) -> str:
        """A new Via branch parameter value with the RFC 3261 cookie."""
        return BRANCH_COOKIE + self.token()

    def call_id(self) -> str:
        """A new Call-ID for a dialog of our own."""
        return self.token() + self.random_bytes(4).hex()

    def seal(self, text: str) -> str:
        """Append an HMAC to `text` (token characters without '-'), with our owner id in front: `owner-text-mac`."""
        text = f"{self._prefix}{text}-"
        return text + self._mac(text)

    def unseal(self, token: str) -> str | None:
        """The text inside a sealed token (of any worker that shares our secret), or None when it was forged."""
        head, _, mac = token.rpartition("-")
        if not head or not hmac.compare_digest(self._mac(head + "-").encode(), mac.encode("utf-8", "replace")):
            return None
        return head.partition("-")[2]

    def stamp(self, subject: bytes) -> str:
        """A token that proves we saw `subject` (a Call-ID, say): `owner-mac`, the same each time."""
        keyed = self._keyed.copy()
        keyed.update(self._prefix.encode() + subject)
        return self._prefix + keyed.hexdigest()

    def is_stamp(self, token: str, subject: bytes) -> bool:
        """Whether `token` is the stamp of `subject` made by any worker that shares our secret."""
        owner, dash, mac = token.partition("-")
        keyed = self._keyed.copy()
        keyed.update(f"{owner}{dash}".encode("utf-8", "surrogateescape") + subject)
        return hmac.compare_digest(keyed.hexdigest().encode(), mac.encode("utf-8", "surrogateescape"))

    def owner_of(self, token: str) -> str | None:
        """The owner id of an authentic token or branch, or None when it is not one of ours."""
        token = token.removeprefix(BRANCH_COOKIE).partition(".")[0]
        return None if self.unseal(token) is None else token.partition("-")[0]
