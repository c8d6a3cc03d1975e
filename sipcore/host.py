"""The host of a URI or a Via: a name, an IPv4 address or an IPv6 reference (RFC 3261 section 25.1, RFC 5118)."""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

from sipcore.errors import Malformed

_NAME = re.compile(r"[A-Za-z0-9_\-]{1,63}(?:\.[A-Za-z0-9_\-]{1,63})*\.?")
_LONGEST_NAME = 253
"""RFC 1035 section 2.3.4, counted as text."""
_LONGEST_ADDRESS = 64
"""An IPv6 address with brackets and a zone; only so much is remembered of what a peer may have written."""


@lru_cache(maxsize=4096)
def parse_host(text: str) -> str:
    """The comparable form of a host: lower case, no final dot, no brackets, IPv6 in its shortest spelling.

    Raises `Malformed` for anything that is neither a name with labels of DNS length nor an address. A last label of
    digits alone is no name: a resolver would take "127.1" for an address that the access lists never saw.
    """
    if text.startswith("["):
        if not text.endswith("]"):
            raise Malformed("Unterminated IPv6 reference")
        return _ipv6(text[1:-1])
    if len(text) > _LONGEST_NAME + 1 or not _NAME.fullmatch(text):
        raise Malformed("Malformed host")
    name = text.rstrip(".").lower()
    if len(name) > _LONGEST_NAME:
        raise Malformed("Host name too long")
    if name[name.rfind(".") + 1 :].isdigit():
        try:
            IPv4Address(name)
        except AddressValueError:
            raise Malformed("Malformed IPv4 address") from None
    return name


def _ipv6(text: str) -> str:
    if "%" in text:
        raise Malformed("Zone in an IPv6 reference")  # means nothing on another machine
    try:
        # Three colons come from an error in RFC 3261's grammar that elements must tolerate (RFC 5118 section 4.10).
        address = IPv6Address(text.replace(":::", "::"))
    except AddressValueError:
        raise Malformed("Malformed IPv6 address") from None
    mapped = address.ipv4_mapped
    return f"::ffff:{mapped}" if mapped is not None else address.compressed


def plain_address(text: str) -> str:
    """The comparable form of an address that a socket reports or a header names; a host name stays as it is.

    Brackets and zone are cut, and an IPv4 address that came through an IPv6 socket is an IPv4 address.
    """
    return _plain_ipv6(text) if ":" in text and len(text) <= _LONGEST_ADDRESS else text


@lru_cache(maxsize=4096)
def _plain_ipv6(text: str) -> str:
    try:
        address = _ipv6(text.strip("[]").partition("%")[0])
    except Malformed:
        return text
    return address.removeprefix("::ffff:") if "." in address else address


class Kind(enum.Enum):
    """What a host is, as far as it can be told without asking the DNS."""

    NAME = "name"
    NOWHERE = "nowhere"
    """A name that never resolves: WebSocket clients know no better (RFC 7118 section 5)."""
    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    UNUSABLE = "unusable"
    """Unspecified, broadcast or multicast: nobody can be called there."""


_PRIVATE = [
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
]
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_BROADCAST = IPv4Network("255.255.255.255/32")


@lru_cache(maxsize=8192)
def kind_of(host: str) -> Kind:
    """The kind of a host as URIs hold it: lower case, IPv6 without brackets."""
    try:
        address = ip_address(plain_address(host))
    except ValueError:
        return Kind.NOWHERE if host.endswith(".invalid") else Kind.NAME
    if address.is_loopback:
        return Kind.LOOPBACK
    if address.is_multicast or address.is_unspecified or address in _THIS_NETWORK or address in _BROADCAST:
        return Kind.UNUSABLE
    return Kind.PRIVATE if any(address in network for network in _PRIVATE) else Kind.PUBLIC
