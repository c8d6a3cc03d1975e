"""What an operator may set about authentication."""

from __future__ import annotations

from dataclasses import dataclass

from sipcore.digest import algorithms_named


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Times in seconds."""

    algorithms: tuple[str, ...] = ("MD5",)
    """Digest algorithms to offer: SHA-512-256, SHA-256, MD5; one challenge each, strongest first (RFC 8760).

    MD5 alone is the default because many clients give up when they see another: baresip 1.0 does wherever it stands,
    SIPp 3.6 and sipsak 0.9.8 when it comes first.
    """
    nonce_lifetime: float = 300.0
    """How old a nonce may be; after it the client is asked again, without asking its user."""
    nonces: int = 100_000
    """Nonces in use whose counts are remembered against replays; more than that makes older ones stale."""
    cache_seconds: float = 30.0
    """How long an account is used without looking at it again. A wrong password always looks again."""
    cache_entries: int = 20_000
    """Accounts, known and unknown, that are remembered."""

    def __post_init__(self) -> None:
        if not algorithms_named(self.algorithms):
            raise ValueError("auth: at least one digest algorithm is needed")
