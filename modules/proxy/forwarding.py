"""The copy of a request that a branch sends (RFC 3261 section 16.6)."""

from __future__ import annotations

from modules.proxy.route_set import apply_strict_router, first_route
from routing.runtime import Destination
from sipcore.errors import Refused
from sipcore.message import Request
from sipcore.uri import Uri, parse_uri

_MAX_FORWARDS = [b"Max-Forwards: %d" % number for number in range(256)]
DIALOG_METHODS = frozenset({"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"})
"""Requests that can begin a dialog: we stay in its path."""


def check_hops(request: Request) -> None:
    """Refuse a request that may go no further with 483 (section 16.3 step 3)."""
    value = request.get("max-forwards")
    if value is not None and int(value) == 0:
        raise Refused(483)


def copy_for(request: Request, destination: Destination | None) -> Request:
    """The copy for one branch with the next Request-URI, Max-Forwards and preloaded Routes (steps 1 to 3, 6)."""
    copy = request.copy()
    if destination is not None:
        uri = destination.uri
        # A header component of a Contact never becomes a header of the request (RFC 4475 section 3.3.14).
        copy.uri = uri.replace(headers="") if uri.headers else uri
        for route in reversed(destination.route):
            copy.prepend("route", f"<{route}>".encode("utf-8", "surrogateescape"))
    count_hop(copy)
    return copy


def count_hop(request: Request) -> None:
    """Take one from Max-Forwards, or begin at 70 (step 3)."""
    names = request.names
    try:
        at = names.index("max-forwards")
    except ValueError:
        request.append("max-forwards", b"70")
    else:
        request.lines[at] = _MAX_FORWARDS[int(request.lines[at].split(b":", 1)[1]) - 1]


def next_hop(request: Request, destination: Destination | None) -> Uri:
    """The URI whose address the request goes to (steps 6 and 7); turns it round for a strict router."""
    route = first_route(request)
    if route is None:
        if destination is not None and destination.received:
            return parse_uri(destination.received)
        return request.uri
    if route.uri.parameter("lr") is None:
        apply_strict_router(request, route)
    return route.uri
