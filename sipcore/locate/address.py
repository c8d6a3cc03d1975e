"""Hosts as the locator sees them: addresses in one spelling, names that a DNS can hold, addresses fit to send to."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, ip_address

from sipcore.errors import Malformed, Unresolvable
from sipcore.host import parse_host

_SHOWN = 80
"""Characters of a strange host name that an error message repeats."""
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
"""RFC 1122 section 3.2.1.3: never a destination; some kernels take it for this machine."""


def canonical_address(host: str) -> str | None:
    """An IP address (without brackets) as the kernel writes it, an IPv4-mapped one as IPv4; None for a name."""
    try:
        text = parse_host(f"[{host}]" if ":" in host else host)
    except Malformed:
        return None
    if ":" in text:
        return text.removeprefix("::ffff:") if "." in text else text
    return text if text[text.rfind(".") + 1 :].isdecimal() else None


def host_name(host: str) -> str:
    """A host name in the form it is asked for; raises `Unresolvable` for what no DNS can hold."""
    try:
        name = parse_host(host)
    except Malformed as malformed:
        raise Unresolvable(f"can't reach {host[:_SHOWN]}: {malformed.reason}") from None
    # What WebSocket clients call themselves (RFC 7118 section 5); nobody is asked for it (RFC 6761 section 6.4).
    if name.endswith(".invalid") or name == "invalid":
        raise Unresolvable(f"can't reach {name[:_SHOWN]}: it is a name for nowhere")
    return name


@lru_cache(maxsize=4096)
def unfit(address: str, loopback: bool) -> str:
    """Why nothing is sent to an address that the DNS gave, or ""; `loopback` lets addresses of this machine pass.

    Whoever owns a domain could otherwise lead our requests to services that only this machine should reach.
    """
    parsed = ip_address(address)
    if parsed.is_loopback:
        return "" if loopback else "an address of this machine itself"
    if parsed.is_multicast or address == "255.255.255.255":
        return "an address of many"
    if parsed.is_link_local:
        return "an address of one link"
    if parsed.is_unspecified or parsed in _THIS_NETWORK or (parsed.version == 4 and parsed.is_reserved):
        return "an address of nobody"
    return ""
