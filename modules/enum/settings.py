"""What an operator may set about ENUM."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EnumSettings:
    """Times in seconds."""

    suffix: str = "e164.arpa"
    """The domain that numbers stand under; carriers have private ones."""
    timeout: float = 5.0
    """Longest time that one `enum(...)` may take, with all its questions."""
