"""Route and Record-Route: taking ours off (RFC 3261 section 16.4) and putting ours on (section 16.6 step 4)."""

from __future__ import annotations

from collections.abc import Callable

from sipcore.errors import Malformed
from sipcore.flow import Flow
from sipcore.message import NameAddr, Request, parse_name_addr
from sipcore.tokens import Tokens

OwnEndpoint = Callable[[str, int], bool]


class OwnRoutes:
    """Tells our Routes from those of others, and remembers how our own addresses are written.

    A Route is ours by its address; the token in its user part proves that we let this dialog begin. The token alone
    would not do: a neighbour of the same cluster shares our secret, and its Route must stay.
    """

    __slots__ = ("_is_own_endpoint", "_known", "_tokens")

    def __init__(self, tokens: Tokens, is_own_endpoint: OwnEndpoint) -> None:
        self._tokens = tokens
        self._is_own_endpoint = is_own_endpoint
        self._known: set[bytes] = set()

    def is_ours(self, value: bytes) -> bool:
        """Whether a Route value leads to us; `Malformed` when it is no SIP URI."""
        # Looked at as bytes first: this runs for every ACK and BYE, and a parsed URI would be thrown away.
        host_port = value.partition(b"@")[2].partition(b";")[0]
        if host_port in self._known:
            return True
        uri = parse_name_addr(value).uri
        if uri.scheme not in ("sip", "sips"):
            raise Malformed("Route is no SIP URI")
        ours = self._is_own_endpoint(uri.host, uri.port)
        if ours and host_port and len(self._known) < _KNOWN:
            self._known.add(host_port)
        return ours

    def is_authentic(self, value: bytes, call_id: bytes) -> bool:
        """Whether a Route value bears our token for this Call-ID."""
        start = value.find(b"<sip:") + 5
        end = value.find(b"@", start)
        return 5 <= start < end and self._tokens.is_stamp(value[start:end].decode("utf-8", "surrogateescape"), call_id)


_KNOWN = 256


def strip_own_routes(request: Request, own: OwnRoutes) -> bool:
    """Take the topmost Route values that are ours off a request; True when one bears our token for this Call-ID.

    Two of them stand there when the dialog crosses transports. A previous hop that is a strict router has put our
    Record-Route URI into the Request-URI: the real one is then restored from the last Route (section 16.4).
    """
    if "route" not in request.names:
        return False
    authentic = _undo_strict_routing(request, own)
    routes = request.elements("route")
    if len(routes) == 1 and own.is_ours(routes[0]):  # the usual case
        request.remove("route")
        return authentic or own.is_authentic(routes[0], request.call_id)
    ours = 0
    for value in routes:
        if not own.is_ours(value):
            break
        authentic = authentic or own.is_authentic(value, request.call_id)
        ours += 1
    if ours:
        _replace_routes(request, routes[ours:])
    return authentic


def _undo_strict_routing(request: Request, own: OwnRoutes) -> bool:
    uri_text = request.uri_text
    if "-" not in uri_text or "@" not in uri_text:
        return False
    as_route = f"<{uri_text}>".encode("utf-8", "surrogateescape")
    if not own.is_authentic(as_route, request.call_id) or not own.is_ours(as_route):
        return False
    routes = request.elements("route")
    request.uri = parse_name_addr(routes[-1]).uri
    _replace_routes(request, routes[:-1])
    return True


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
