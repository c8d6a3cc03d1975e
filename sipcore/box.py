"""A short text in a token that strangers carry for us: they can neither read it nor change it.

The MAC of the text is the seed of the key stream that hides it (a synthetic IV, as in RFC 5297, made with BLAKE2), so
no chance is needed and equal texts of one subject look alike, which tells nobody anything.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from hashlib import blake2b, blake2s

MOST = 1_024
"""Bytes of text that a box holds: whoever sends us one must not make us work for long."""
_MAC_BYTES = 8
_BLOCK = 64
_LONGEST = (_MAC_BYTES + MOST) * 4 // 3 + 4
_ALPHABET = b"._"
"""What stands for `+` and `/`: marks that a user part needs not escape and that separate nothing in our tokens."""


class Box:
    """Closes and opens with one secret."""

    __slots__ = ("_mac", "_stream")

    def __init__(self, secret: bytes) -> None:
        self._mac = blake2s(key=secret[:32], digest_size=_MAC_BYTES, person=b"boxed")
        self._stream = blake2b(key=secret[:32], digest_size=_BLOCK, person=b"boxes")

    def close(self, text: bytes, subject: bytes, holder: bytes) -> str:
        """Hide a text of up to `MOST` bytes; it opens for the same subject and holder only. There is no dash in it."""
        if len(text) > MOST:
            raise ValueError(f"a box holds {MOST} bytes, not {len(text)}")
        mac = self._authenticated(text, subject, holder)
        return _written(mac + self._hidden(text, subject, mac))

    def open(self, box: str, subject: bytes, holders: tuple[bytes, ...]) -> tuple[bytes, bytes] | None:
        """The text, and which of the holders it was closed for; None when it was changed or is of another subject."""
        if len(box) > _LONGEST:
            return None
        try:
            data = b64decode(box + "=" * (-len(box) % 4), _ALPHABET, validate=True)
        except (Error, ValueError):
            return None
        if _written(data) != box:
            return None  # the same bytes in another spelling
        mac, hidden = data[:_MAC_BYTES], data[_MAC_BYTES:]
        text = self._hidden(hidden, subject, mac)
        for holder in holders:
            if hmac.compare_digest(self._authenticated(text, subject, holder), mac):
                return text, holder
        return None

    def _authenticated(self, text: bytes, subject: bytes, holder: bytes) -> bytes:
        keyed = self._mac.copy()
        # Lengths go in front: no other subject and holder make the same bytes.
        keyed.update(b"%d %d " % (len(subject), len(holder)) + subject + holder + text)
        return keyed.digest()

    def _hidden(self, text: bytes, subject: bytes, mac: bytes) -> bytes:
        """The text under the key stream of its subject and MAC; the same again gives it back."""
        stream = b""
        while len(stream) < len(text):
            keyed = self._stream.copy()
            keyed.update(mac + len(stream).to_bytes(4, "big") + subject)
            stream += keyed.digest()
        mixed = int.from_bytes(text, "big") ^ int.from_bytes(stream[: len(text)], "big")
        return mixed.to_bytes(len(text), "big")


def _written(data: bytes) -> str:
    return b64encode(data, _ALPHABET).rstrip(b"=").decode()
