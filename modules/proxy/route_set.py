"""Route and Record-Route: taking ours off (RFC 3261 section 16.4) and putting ours on (section 16.6 step 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from modules.proxy.sides import Views, unpacked
from sipcore.errors import Malformed
from sipcore.flow import Flow
from sipcore.locate import DEFAULT_PORTS
from sipcore.message import NameAddr, Request, parse_name_addr
from sipcore.tokens import Tokens
from sipcore.uri import Uri

OwnEndpoint = Callable[[str, int], bool]


class Passage(NamedTuple):
    """What our tokens prove of a request inside a dialog.

    `flow_name` is that of the connection that its side has made, or "". `views` are From and To as the sides know them.
    """

    flow_name: str = ""
    views: Views = ()


_PROVED = Passage()


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
        ours = self._is_own_endpoint(uri.host, uri.port or _implied_port(uri))
        if ours and host_port and len(self._known) < _KNOWN:
            self._known.add(host_port)
        return ours

    def proof(self, value: bytes, request: Request) -> Passage | None:
        """What our token in a Route value says, when it was made for the Call-ID of this request; else None."""
        start = value.find(b":") + 1
        end = value.find(b"@", start)
        if not 0 < start < end:
            return None
        token = value[start:end].decode("utf-8", "surrogateescape")
        call_id = request.call_id
        if self._tokens.is_stamp(token, call_id):
            return _PROVED
        name = self._tokens.flow_of(token, call_id)
        return self._with_sides(token, request) if name is None else Passage(name)

    def _with_sides(self, token: str, request: Request) -> Passage | None:
        # It was made for the tag of the caller: where that stands now tells who is asking.
        caller, callee = (as_holder(address.tag) for address in (request.from_, request.to))
        found = self._tokens.text_of(token, request.call_id, (caller, callee))
        if found is None:
            return None
        name, text, holder = found
        known = unpacked(text)
        return None if known is None else Passage(name, ((known, holder == caller),))


def as_holder(tag: str) -> bytes:
    """The tag of a caller, as the holder of a token that carries From and To."""
    return tag.encode("utf-8", "surrogateescape")


_KNOWN = 256


def _implied_port(uri: Uri) -> int:
    """The port of a URI that names none, when its transport has another one than UDP; else 0."""
    transport = "tls" if uri.scheme == "sips" else uri.parameter("transport") or "udp"
    port = DEFAULT_PORTS.get(transport.lower(), 0)
    return 0 if port == DEFAULT_PORTS["udp"] else port


def strip_own_routes(request: Request, own: OwnRoutes) -> Passage | None:
    """Take the topmost Route values that are ours off a request; None when none bears our token for this Call-ID.

    Two of them stand there when the dialog crosses transports: each names the connection of its side, if there is one,
    and the last one that of the side the request goes to. A previous hop that is a
    strict router has put our Record-Route URI into the Request-URI: the real one is then restored from the last Route
    (section 16.4).
    """
    if "route" not in request.names:
        return None
    proof = _undo_strict_routing(request, own)
    routes = request.elements("route")
    if len(routes) == 1 and own.is_ours(routes[0]):  # the usual case
        request.remove("route")
        found = own.proof(routes[0], request)
        return found if proof is None else _further(proof, found)
    ours = 0
    for value in routes:
        if not own.is_ours(value):
            break
        proof = _further(proof, own.proof(value, request))
        ours += 1
    if ours:
        _replace_routes(request, routes[ours:])
    return proof


def _further(proof: Passage | None, found: Passage | None) -> Passage | None:
    """What is proved with one more value: a dialog stays proved, but only the last value says where it leads."""
    if proof is None:
        return found
    name = "" if found is None else found.flow_name
    return Passage(name, proof.views if found is None else proof.views + found.views)


def _undo_strict_routing(request: Request, own: OwnRoutes) -> Passage | None:
    uri_text = request.uri_text
    if "-" not in uri_text or "@" not in uri_text:
        return None
    as_route = f"<{uri_text}>".encode("utf-8", "surrogateescape")
    proof = own.proof(as_route, request)
    if proof is None or not own.is_ours(as_route):
        return None
    routes = request.elements("route")
    request.uri = parse_name_addr(routes[-1]).uri
    _replace_routes(request, routes[:-1])
    return proof


def _replace_routes(request: Request, routes: list[bytes]) -> None:
    request.remove("route")
    for value in reversed(routes):
        request.prepend("route", value)


def record_route(
    request: Request, upstream: Flow, upstream_stamp: str, downstream: Flow, downstream_stamp: str, sides: str = ""
) -> None:
    """Put our Record-Route on a request that can begin a dialog, twice when the two sides differ.

    `sides` is a token that carries From and To as both sides know them, in place of the upstream one.
    """
    # RFC 3261 section 16.6 step 4: who is called by sips is called back by sips.
    secure = request.uri_text[:5] == "sips:"
    request.prepend("record-route", _value(upstream, sides or upstream_stamp, secure))
    if (
        upstream_stamp != downstream_stamp
        or upstream.sent_by != downstream.sent_by
        or upstream.transport != downstream.transport
    ):
        request.prepend("record-route", _value(downstream, downstream_stamp, secure))


def _value(flow: Flow, stamp: str, secure: bool) -> bytes:
    if not secure:
        return b"<sip:" + stamp.encode() + flow.route_suffix
    transport = ";transport=ws" if flow.transport == "wss" else ""  # TLS is in the scheme
    return f"<sips:{stamp}@{flow.sent_by}{transport};lr>".encode()


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
