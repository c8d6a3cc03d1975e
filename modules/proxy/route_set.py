"""Route and Record-Route: taking ours off (RFC 3261 section 16.4) and putting ours on (section 16.6 step 4)."""

from __future__ import annotations

from collections.abc import Callable

from sipcore.errors import Malformed
from sipcore.flow import Flow
from sipcore.message import NameAddr, Request, parse_name_addr
from sipcore.tokens import Tokens

OwnEndpoint = Callable[[str, int], bool]


def strip_own_routes(request: Request, tokens: Tokens, is_own_endpoint: OwnEndpoint) -> bool:
    """Take the topmost Route values that are ours off a request; True when one bears our token for this Call-ID.

    Two of them stand there when the dialog crosses transports. A previous hop that is a strict router has put our
    Record-Route URI into the Request-URI: the real one is then restored from the last Route (section 16.4).
    """
    if "route" not in request.names:
        return False
    authentic = _undo_strict_routing(request, tokens)
    routes = request.elements("route")
    own = 0
    for value in routes:
        if _bears_token(value, request, tokens):
            authentic = True
        elif not _is_plainly_ours(value, is_own_endpoint):
            break
        own += 1
    if own:
        _replace_routes(request, routes[own:])
    return authentic


def _undo_strict_routing(request: Request, tokens: Tokens) -> bool:
    user, at, _ = request.uri_text.partition("@")
    if not at or "-" not in user or not tokens.is_stamp(user.partition(":")[2], request.call_id):
        return False
    routes = request.elements("route")
    request.uri = parse_name_addr(routes[-1]).uri
    _replace_routes(request, routes[:-1])
    return True


def _bears_token(value: bytes, request: Request, tokens: Tokens) -> bool:
    # Looked at as bytes: this runs for every ACK and BYE, and a parsed URI would be thrown away.
    start = value.find(b"<sip:")
    end = value.find(b"@", start)
    if start < 0 or end < 0:
        return False
    return tokens.is_stamp(value[start + 5 : end].decode("utf-8", "surrogateescape"), request.call_id)


def _is_plainly_ours(value: bytes, is_own_endpoint: OwnEndpoint) -> bool:
    uri = parse_name_addr(value).uri
    if uri.scheme not in ("sip", "sips"):
        raise Malformed("Route is no SIP URI")
    # A Route that phones are configured with (their "outbound proxy") names us without a token.
    return is_own_endpoint(uri.host, uri.port)


def _replace_routes(request: Request, routes: list[bytes]) -> None:
    request.remove("route")
    for value in reversed(routes):
        request.prepend("route", value)


def record_route(request: Request, upstream: Flow, downstream: Flow, stamp: str) -> None:
    """Put our Record-Route on a request that can begin a dialog, twice when the two sides differ."""
    request.prepend("record-route", _value(upstream, stamp))
    if upstream.sent_by != downstream.sent_by or upstream.transport != downstream.transport:
        request.prepend("record-route", _value(downstream, stamp))


def _value(flow: Flow, stamp: str) -> bytes:
    transport = "" if flow.transport == "udp" else f";transport={flow.transport}"
    return f"<sip:{stamp}@{flow.sent_by}{transport};lr>".encode()


def first_route(request: Request) -> NameAddr | None:
    """The topmost Route, or None."""
    if "route" not in request.names:
        return None
    routes = request.elements("route")
    return parse_name_addr(routes[0]) if routes else None


def apply_strict_router(request: Request, route: NameAddr) -> None:
    """The next hop is a strict router: its URI goes into the Request-URI (RFC 3261 section 16.6 step 6)."""
    routes = request.elements("route")
    _replace_routes(request, [*routes[1:], f"<{request.uri_text}>".encode("utf-8", "surrogateescape")])
    request.uri = route.uri
