"""Where a space stands between two words of a route file."""

from __future__ import annotations

_TIGHT_BEFORE = frozenset({"COMMA", "RPAR", "RSQB", "COLON", "DOT"})
_TIGHT_BEHIND = frozenset({"LPAR", "LSQB", "DOT"})
_NAMES = frozenset({"NAME", "BRANCH", "REPLY", "LABEL"})
_RANGE = ".."


def spaced(left: str, left_text: str, right: str, right_text: str) -> bool:
    """Whether a space stands between two tokens, given by their types and texts."""
    if right in _TIGHT_BEFORE or left in _TIGHT_BEHIND or _RANGE in (left_text, right_text):
        return False
    if right == "LPAR":  # of a call, or around a condition
        return left not in _NAMES
    if right == "LSQB":  # of an index, or of a list
        return left not in _NAMES and left != "RSQB"
    return True
