"""The copy of a request that a branch sends (RFC 3261 section 16.6)."""

from __future__ import annotations

from collections.abc import Sequence

from modules.proxy.route_set import apply_strict_router, first_route
from routing.runtime import Destination
from sipcore.errors import Malformed, Refused
from sipcore.message import Request
from sipcore.uri import Uri, parse_uri

_MAX_FORWARDS = [b"Max-Forwards: %d" % number for number in range(256)]
MOST_BREADTH = 60
"""How many branches one request may have at a time in the whole network (RFC 5393 section 5.3.3)."""
_MAX_BREADTH = [b"Max-Breadth: %d" % number for number in range(MOST_BREADTH + 1)]
DIALOG_METHODS = frozenset({"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"})
"""Requests that can begin a dialog: we stay in its path."""


def breadth_of(request: Request) -> int:
    """How many branches a request may still have at a time (RFC 5393 section 5.3.3)."""
    value = request.get("max-breadth")
    if value is None:
        return MOST_BREADTH
    if not value.isdigit() or len(value) > 9 or value == b"0" or request.names.count("max-breadth") > 1:
        raise Malformed("Malformed Max-Breadth")
    return min(int(value), MOST_BREADTH)


def copy_for(request: Request, destination: Destination | None, breadth: int) -> Request:
    """The copy for one branch: Request-URI, Max-Forwards, Max-Breadth and preloaded Routes (steps 1 to 3, 5, 6)."""
    copy = request.copy()
    if "max-breadth" in copy.names:
        copy.remove("max-breadth")
    copy.names.append("max-breadth")
    copy.lines.append(_MAX_BREADTH[breadth])
    if destination is not None:
        uri = destination.uri
        if uri.scheme == "sips" and request.uri.scheme == "sip":
            # RFC 5630 section 5.3: it goes by TLS, but must not pretend that it came so all the way.
            uri = uri.replace(scheme="sip")
        # A header component of a Contact never becomes a header of the request (RFC 4475 section 3.3.14).
        copy.uri = uri.replace(headers="") if uri.headers else uri
        for route in reversed(destination.route):
            copy.prepend("route", f"<{route}>".encode("utf-8", "surrogateescape"))
    count_hop(copy)
    return copy


def only_secure(destinations: Sequence[Destination | None]) -> Sequence[Destination | None]:
    """Where a request with a sips URI may go: to sips URIs only; `Refused` when none is left (RFC 5630 section 5.3)."""
    kept = [one for one in destinations if one is None or one.uri.scheme == "sips"]
    if not kept:
        raise Refused(480, "", (b'Warning: 380 ringway "SIPS Not Allowed"',))
    return kept


def count_hop(request: Request) -> None:
    """Take one from Max-Forwards, or begin at 70 (step 3); `Refused` when none is left (section 16.3 step 3)."""
    names = request.names
    try:
        at = names.index("max-forwards")
    except ValueError:
        request.append("max-forwards", b"70")
    else:
        left = int(request.lines[at].split(b":", 1)[1])
        if not left:
            raise Refused(483)
        request.lines[at] = _MAX_FORWARDS[left - 1]


def next_hop(request: Request, destination: Destination | None) -> Uri:
    """The URI whose address the request goes to (steps 6 and 7); turns it round for a strict router.

    `Refused` when it is a telephone number, which nobody has turned into an address.
    """
    route = first_route(request)
    if route is None:
        if destination is not None:
            if destination.received:
                return parse_uri(destination.received)
            if destination.uri.scheme == "sips":
                return destination.uri
        uri = request.uri
        if uri.scheme == "tel":
            raise Refused(404, "No Way To Telephone Numbers")  # section 16.5: it has no target
        return uri
    if route.uri.parameter("lr") is None:
        apply_strict_router(request, route)
    return route.uri
