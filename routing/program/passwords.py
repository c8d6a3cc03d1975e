"""Passwords that a person can read from a screen and type into a phone."""

from __future__ import annotations

import secrets

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike: i, l, o, 0, 1."""
_GROUPS, _GROUP_LENGTH = 3, 4


def generate() -> str:
    """Three groups of four letters and digits, 59 bits of chance: `kz4m-p7qw-3xha`."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)
