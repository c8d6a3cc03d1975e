"""Locating SIP servers: which addresses a URI stands for, in the order to try (RFC 3263 section 4).

IP literals and host names with A and AAAA records. Section 4.1 (NAPTR) and the SRV part of 4.2 have their place in
`Locator._locate`: it alone decides what is asked for a host name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sipcore.errors import Malformed, Unresolvable
from sipcore.flow import Target
from sipcore.host import parse_host
from sipcore.need import Need
from sipcore.uri import Uri

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "sctp": 5060, "tls": 5061, "ws": 80, "wss": 443}
"""Ports when a URI names none (RFC 3261 section 19.1.2, RFC 7118 section 5.2.1)."""
_SECURE = {"": "tls", "tcp": "tls", "tls": "tls", "ws": "wss", "wss": "wss"}
"""What the transport parameter of a sips URI means: TLS on every hop (RFC 3261 section 26.2.2)."""
_REMEMBERED = 8_192
_SHOWN = 80
"""Characters of a strange host name that an error message repeats."""


class Resolver(Protocol):
    """Asks the DNS for addresses (text without brackets). Host names are in lower case, without a trailing dot."""

    def cached(self, host: str) -> tuple[str, ...] | None:
        """Addresses that are known, () when it is known that there are none, or None when it must be asked."""

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Ask; raises `Unresolvable` when there are none and `Unavailable` when nobody answers."""


class Locator:
    """Turns URIs into targets.

    `transports` maps each transport that can be used to the IP versions it can be used on, preferred first:
    `{"udp": (4, 6), "tcp": (4,)}`.
    """

    def __init__(self, resolver: Resolver, transports: Mapping[str, tuple[int, ...]]) -> None:
        self._resolver = resolver
        self._transports = transports
        self._literals: dict[str, tuple[Target, ...]] = {}

    def immediately(self, uri: Uri) -> tuple[Target, ...] | None:
        """The targets when nobody must be asked, else None; raises `Unresolvable`."""
        return self._literals.get(uri.text) or self._look_up(uri)

    def need(self, uri: Uri) -> Need[tuple[Target, ...]]:
        """What a handler awaits to get the targets; raises `Unresolvable` or `Unavailable` there."""
        return Need(self._locate, uri)

    def _look_up(self, uri: Uri) -> tuple[Target, ...] | None:
        transport, port = self._transport_and_port(uri)
        address = canonical_address(uri.host)
        if address is not None:
            found = self._targets(uri.host, transport, port, (address,))
            if len(self._literals) >= _REMEMBERED:
                self._literals.clear()
            self._literals[uri.text] = found
            return found
        name = _host_name(uri.host)
        addresses = self._resolver.cached(name)
        return None if addresses is None else self._targets(name, transport, port, addresses)

    async def _locate(self, uri: Uri) -> tuple[Target, ...]:
        found = self.immediately(uri)
        if found is not None:
            return found
        transport, port = self._transport_and_port(uri)
        name = _host_name(uri.host)
        return self._targets(name, transport, port, await self._resolver.addresses(name))

    def _transport_and_port(self, uri: Uri) -> tuple[str, int]:
        """RFC 3263 section 4.1 without NAPTR: the transport parameter, or UDP for sip."""
        if uri.scheme not in ("sip", "sips"):
            raise Unresolvable(f"a {uri.scheme} URI has no address")
        transport = (uri.parameter("transport") or "").lower()
        if uri.scheme == "sip":
            transport = transport or "udp"
        elif transport in _SECURE:
            transport = _SECURE[transport]
        else:
            raise Unresolvable(f"can't reach {uri.host}: sips goes by TLS, not by {transport}")
        if transport not in self._transports:
            raise Unresolvable(f"can't reach {uri.host}: no {transport} here")
        return transport, uri.port or DEFAULT_PORTS[transport]

    def _targets(self, host: str, transport: str, port: int, addresses: tuple[str, ...]) -> tuple[Target, ...]:
        versions = self._transports[transport]
        found = [
            Target(transport, address, port)
            for version in versions
            for address in addresses
            if (":" in address) == (version == 6)
        ]
        if not found:
            why = "its addresses are of an IP version that is not served" if addresses else "it has no address"
            raise Unresolvable(f"can't reach {host} by {transport}: {why}")
        return tuple(found)


def canonical_address(host: str) -> str | None:
    """An IP address (without brackets) as the kernel writes it, an IPv4-mapped one as IPv4; None for a name."""
    try:
        text = parse_host(f"[{host}]" if ":" in host else host)
    except Malformed:
        return None
    if ":" in text:
        return text.removeprefix("::ffff:") if "." in text else text
    return text if text[text.rfind(".") + 1 :].isdecimal() else None


def _host_name(host: str) -> str:
    """A host name in the form it is asked for; raises `Unresolvable` for what no DNS can hold."""
    try:
        return parse_host(host)
    except Malformed as malformed:
        raise Unresolvable(f"can't reach {host[:_SHOWN]}: {malformed.reason}") from None
