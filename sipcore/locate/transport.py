"""Transports by the rules of RFC 3263 section 4.1: what a URI demands, and what DNS services are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sipcore.errors import Unresolvable
from sipcore.uri import Uri

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "sctp": 5060, "tls": 5061, "ws": 80, "wss": 443}
"""Ports when a URI names none (RFC 3261 section 19.1.2, RFC 7118 section 5.2.1)."""
SECURE = frozenset({"tls"})
"""Transports whose target must know whom its certificate has to speak for (RFC 5922 section 7.3)."""
SRV_PREFIXES = {
    "udp": "_sip._udp.",
    "tcp": "_sip._tcp.",
    "sctp": "_sip._sctp.",
    "tls": "_sips._tcp.",
    "ws": "_sip._ws.",
    "wss": "_sips._ws.",
}
"""What stands before a domain to ask for its servers of a transport (section 4.2)."""
NAPTR_SERVICES = {
    "SIP+D2U": "udp",
    "SIP+D2T": "tcp",
    "SIP+D2S": "sctp",
    "SIPS+D2T": "tls",
    "SIP+D2W": "ws",
    "SIPS+D2W": "wss",
}
"""Transport of each NAPTR service (section 4.1, RFC 7118 section 10.2)."""
_OF_SIPS = {"tcp": "tls", "tls": "tls", "ws": "wss", "wss": "wss"}
"""What the transport parameter of a sips URI means: TLS on every hop (RFC 3261 section 26.2.2)."""
_PREFERRED = {False: ("udp", "tcp", "sctp"), True: ("tls",)}
"""Transports to ask for when the domain names none, by whether TLS is demanded."""


class Hop(NamedTuple):
    """What of a URI decides where it leads: its host, port (0: none), transport ("": none), and whether it is sips."""

    host: str
    port: int
    transport: str
    secure: bool


def hop_of(uri: Uri, numeric: bool, served: Mapping[str, tuple[int, ...]]) -> Hop:
    """The hop of a URI; raises `Unresolvable` when its scheme or transport can't be served.

    A transport is chosen here when no question needs to be asked for it: the host is `numeric` or there is a port.
    """
    if uri.scheme not in ("sip", "sips"):
        raise Unresolvable(f"a {uri.scheme} URI has no address")
    secure = uri.scheme == "sips"
    transport = (uri.parameter("transport") or "").lower()
    if transport and secure:
        if transport not in _OF_SIPS:
            raise Unresolvable(f"can't reach {uri.host}: sips goes by TLS, not by {transport}")
        transport = _OF_SIPS[transport]
    elif not transport and (numeric or uri.port):
        transport = preferred(secure, served)[0]
    if transport and not served.get(transport):
        raise Unresolvable(f"can't reach {uri.host}: no {transport} here")
    return Hop(uri.host, uri.port, transport, secure)


def preferred(secure: bool, served: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """Transports to try when nothing says which: UDP for sip, TLS for sips, then others that are served."""
    choices = _PREFERRED[secure]
    return tuple(transport for transport in choices if served.get(transport)) or choices[:1]
