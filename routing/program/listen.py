"""One entry of `listen`: `udp:192.0.2.1:5060`, `tcp:[2001:db8::1]:5060`, or a table with `uri` and `advertise`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

from routing.language.problem import nearest
from routing.program.expect import Spot, dotted
from sipcore.locate import DEFAULT_PORTS

SIP_PORT = 5060
"""The default port of SIP over UDP and TCP (RFC 3261 section 19.1.2)."""
TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")
ENCRYPTED = frozenset({"tls", "wss"})
"""Those that need a certificate."""
_LATER = ("sctp",)
_SERVED = "udp:, tcp:, tls:, ws: or wss:"
_URI = re.compile(r"([a-z]+):(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]+))?", re.ASCII)
_ADVERTISE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?", re.ASCII)
_EXAMPLE = 'an address like "udp:192.0.2.1:5060" or "tcp:[2001:db8::1]:5060"'


@dataclass(frozen=True, slots=True)
class Listen:
    """One listening socket. `host` is an IP address without brackets; port 0 lets the system choose.

    `advertise` is what Via, Record-Route and Contact carry instead of the address: `host` or `host:port`.
    """

    transport: str
    host: str
    port: int
    advertise: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"


def listen(value: object, spot: Spot) -> Listen:
    """The check of one entry."""
    if isinstance(value, dict):
        return _table(value, spot)
    return _uri(value, spot)


def _table(table: dict[str, object], spot: Spot) -> Listen:
    for key in table:
        if key not in ("uri", "advertise"):
            message = f"unknown key `{key}` in {dotted(spot.path)}"
            hint = nearest(key, ("uri", "advertise")) or "known here: uri, advertise"
            spot.document.report((*spot.path, key), message, hint, at_value=False)
    if "uri" not in table:
        raise spot.expected('a table with "uri"', table)
    found = _uri(table["uri"], spot.inside("uri"))
    advertise = table.get("advertise", "")
    if advertise != "" and not _valid_advertise(advertise):
        raise spot.inside("advertise").expected('a host, with ":PORT" when it is another one', advertise)
    return Listen(found.transport, found.host, found.port, str(advertise))


def _valid_advertise(value: object) -> bool:
    match = _ADVERTISE.fullmatch(value) if isinstance(value, str) else None
    return match is not None and (match[1] is None or _is_address(match[1])) and 0 < int(match[3] or 5060) < 65536


def _uri(value: object, spot: Spot) -> Listen:
    match = _URI.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise spot.expected(_EXAMPLE, value)
    transport, host, port_text = match.groups()
    if transport in _LATER:
        raise spot.expected(_SERVED, value, f"{transport} is not in this version")
    if transport not in TRANSPORTS:
        raise spot.expected(_SERVED, value, nearest(transport, TRANSPORTS))
    bare = host.removeprefix("[").removesuffix("]")
    if not _is_address(bare) or (":" in bare) != host.startswith("["):
        raise spot.expected(_EXAMPLE, value, "listening needs an IP address; IPv6 stands in brackets")
    port = int(port_text) if port_text and len(port_text) < 6 else DEFAULT_PORTS[transport]
    if port_text is not None and (len(port_text) > 5 or port > 65535):
        raise spot.expected("a port from 1 to 65535, or 0 for any free one", value)
    return Listen(transport, bare, port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
