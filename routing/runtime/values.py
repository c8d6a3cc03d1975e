"""Values that routes hold and that functions take: the Python side of the language's types."""

from __future__ import annotations

from typing import NamedTuple, NewType

from sipcore.flow import Flow
from sipcore.uri import Uri

Duration = NewType("Duration", float)
"""Seconds; written `20s`, `5m`, `500ms`, `2h`, `1d` in a route."""


class Destination(NamedTuple):
    """One place to send a request to: what `lookup` finds and `ring` and `relay` take.

    `route` holds URIs to preload as Route (the Path of a binding, RFC 3327), outermost first; `flow` is the way the
    binding came by, to be preferred while it is open; `q` orders destinations.
    """

    uri: Uri
    q: float = 1.0
    route: tuple[str, ...] = ()
    flow: Flow | None = None
    received: str = ""
    """Source address as a URI (`sip:192.0.2.1:5062;transport=tcp`) when the Contact can't be reached as written."""
