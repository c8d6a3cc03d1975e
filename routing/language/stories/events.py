"""What the log calls the things that happen, and the fields that each of them has."""

from __future__ import annotations

_SOURCE = ("src", "transport")
_REFUSED = (*_SOURCE, "user", "method", "target", "code", "why")

EVENTS: dict[str, tuple[str, ...]] = {
    "registered": (*_SOURCE, "user", "contact", "expires", "user_agent"),
    "unregistered": (*_SOURCE, "user", "contact", "expires", "user_agent"),
    "challenged": (*_SOURCE, "user", "method"),
    "auth_failed": _REFUSED,
    "rejected": _REFUSED,
    "call": (*_SOURCE, "call_id", "caller", "callee", "code", "reason"),
    "call_ended": ("call_id", "by"),
    "dropped": (*_SOURCE, "size", "why"),
}
"""By name; a test holds them against what is really written."""
