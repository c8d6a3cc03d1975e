"""Every token we mint: Via branches, tags, Call-IDs, Record-Route and flow tokens.

A token starts with the id of the node and worker that owns it and ends with a short HMAC, so that any worker can tell
whose it is and that nobody forged it. Randomness is handed in: tests get the same tokens every time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2s

from sipcore.box import Box

BRANCH_COOKIE = "z9hG4bK"
"""What every RFC 3261 branch starts with (section 8.1.1.7)."""
_MAC_BYTES = 6
_LEAST_SECRET = 16


class Tokens:
    """Mints and verifies tokens of one worker.

    `owner` is two to eight characters of [A-Za-z0-9] that name node and worker; `secret` is shared by all workers;
    `random_bytes(n)` is the one source of randomness.
    """

    __slots__ = (
        "_box",
        "_counter",
        "_flows",
        "_minted",
        "_prefix",
        "_sealed",
        "_stamped",
        "_tagged",
        "owner",
        "random_bytes",
        "secret",
    )

    def __init__(self, owner: str, secret: bytes, random_bytes: Callable[[int], bytes]) -> None:
        if len(secret) < _LEAST_SECRET:
            raise ValueError(f"the secret of tokens needs at least {_LEAST_SECRET} bytes")
        self.owner = owner
        self.secret = secret
        self.random_bytes = random_bytes
        # One key for each use: everybody is handed minted tokens, tags and stamps, and none may pass as another.
        self._minted, self._sealed, self._stamped, self._tagged, self._flows = (
            blake2s(key=secret[:32], digest_size=_MAC_BYTES, person=use)
            for use in (b"minted", b"sealed", b"stamped", b"tagged", b"flows")
        )
        self._box = Box(secret)
        # A random start keeps tokens of two runs of the same worker apart.
        self._counter = int.from_bytes(random_bytes(6), "big")
        self._prefix = owner + "-"

    def token(self) -> str:
        """A new unguessable token, unique for this worker: `owner-counter-mac`, fit for a tag or a branch."""
        self._counter += 1
        text = f"{self._prefix}{self._counter:x}-"
        keyed = self._minted.copy()
        keyed.update(text.encode())
        return text + keyed.hexdigest()

    def tag(self, subject: bytes) -> str:
        """A tag that nobody can guess and that is the same each time: `owner-mac` (RFC 3261 section 8.2.7)."""
        keyed = self._tagged.copy()
        keyed.update(subject)
        return self._prefix + keyed.hexdigest()

    def branch(self) -> str:
        """A new Via branch parameter value with the RFC 3261 cookie."""
        return BRANCH_COOKIE + self.token()

    def call_id(self) -> str:
        """A new Call-ID for a dialog of our own: a token that no other run of this worker has made either."""
        self._counter += 1
        text = f"{self._prefix}{self._counter:x}{self.random_bytes(4).hex()}-"
        return text + _mac(self._minted, text)

    def seal(self, text: str) -> str:
        """Append an HMAC to `text`, with our owner id in front: `owner-text-mac`."""
        text = f"{self._prefix}{text}-"
        return text + _mac(self._sealed, text)

    def unseal(self, token: str) -> str | None:
        """The text inside a sealed token (of any worker that shares our secret), or None when it was forged."""
        text = _authentic(self._sealed, token)
        return None if text is None else text.partition("-")[2]

    def stamp(self, subject: bytes) -> str:
        """A token that proves we saw `subject` (a Call-ID, say): `owner-mac`, the same each time."""
        keyed = self._stamped.copy()
        keyed.update(self._prefix.encode() + subject)
        return self._prefix + keyed.hexdigest()

    def is_stamp(self, token: str, subject: bytes) -> bool:
        """Whether `token` is the stamp of `subject` made by any worker that shares our secret."""
        owner, dash, mac = token.partition("-")
        keyed = self._stamped.copy()
        keyed.update(_bytes(owner + dash) + subject)
        return hmac.compare_digest(keyed.hexdigest().encode(), _bytes(mac))

    def stamp_flow(self, subject: bytes, name: str) -> str:
        """A stamp of `subject` that carries the name of a flow (no dash in it): `owner-name-mac`.

        The name counts for this subject only: whoever sees one stamp can't lead another call to that flow.
        """
        keyed = self._flows.copy()
        keyed.update(f"{self._prefix}{name}-".encode() + subject)
        return f"{self._prefix}{name}-{keyed.hexdigest()}"

    def flow_of(self, token: str, subject: bytes) -> str | None:
        """The name of the flow in a stamp of `subject` made by any worker that shares our secret, or None."""
        owner, _, rest = token.partition("-")
        name, dash, mac = rest.partition("-")
        keyed = self._flows.copy()
        keyed.update(_bytes(f"{owner}-{name}{dash}") + subject)
        return name if name and hmac.compare_digest(keyed.hexdigest().encode(), _bytes(mac)) else None

    def stamp_text(self, subject: bytes, holder: bytes, name: str, text: bytes) -> str:
        """A stamp of `subject` that carries a flow's name, or "", and a text only we can read: `owner-name-box`.

        Whose stamp it is stands in it too, by the `holder`: see `text_of`.
        """
        return f"{self._prefix}{name}-{self._box.close(text, _named(self._prefix, name, subject), holder)}"

    def text_of(self, token: str, subject: bytes, holders: tuple[bytes, ...]) -> tuple[str, bytes, bytes] | None:
        """Flow name, text and holder of a stamp of `subject` that carries a text.

        None when no worker that shares our secret has made it for one of these holders.
        """
        owner, _, rest = token.partition("-")
        name, dash, box = rest.partition("-")
        opened = self._box.open(box, _named(owner + "-", name, subject), holders) if dash else None
        return None if opened is None else (name, *opened)

    def owner_of(self, token: str) -> str | None:
        """The owner id of a token, branch or Call-ID that we minted, or None when it is not one of ours.

        What follows a dot is not looked at: a branch may carry more than our token.
        """
        text = _authentic(self._minted, token.removeprefix(BRANCH_COOKIE).partition(".")[0])
        return None if text is None else text.partition("-")[0]


def _named(prefix: str, name: str, subject: bytes) -> bytes:
    return _bytes(f"{prefix}{name}-") + subject


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # as the parser decoded it


def _mac(key: blake2s, text: str) -> str:
    keyed = key.copy()
    keyed.update(_bytes(text))
    return keyed.hexdigest()


def _authentic(key: blake2s, token: str) -> str | None:
    """What stands before the MAC of a token, without the dash; None when the MAC is not that of the text."""
    text, dash, mac = token.rpartition("-")
    if not dash or not hmac.compare_digest(_mac(key, text + dash).encode(), _bytes(mac)):
        return None
    return text
