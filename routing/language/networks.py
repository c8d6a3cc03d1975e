"""IP addresses and networks, compared by value and never by spelling."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache

_Number = tuple[int, int]
"""Width in bits (32 or 128) and the address as an integer."""


@lru_cache(maxsize=16_384)
def address_number(text: str) -> _Number | None:
    """An address in text as (width, integer), the same for every spelling; None when it is no address.

    An IPv4 address mapped into IPv6 (RFC 4291 section 2.5.5.2) is the IPv4 address, so that a list can't be passed
    by on a dual-stack socket; a zone id does not count.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0].strip("[]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return address.max_prefixlen, int(address)


def same_address(left: str, right: str) -> bool:
    """Whether two texts are the same IP address; false when one of them is none."""
    number = address_number(left)
    return number is not None and number == address_number(right)


class Networks:
    """A set of networks and single addresses; asking takes the same time however many there are.

    `has(text)` and `text in networks` are the same; the first remembers recent answers. Raises ValueError for a text
    that is no network, or one with bits set behind its prefix.
    """

    __slots__ = ("_by_width", "has", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        found: dict[int, dict[int, set[int]]] = {}
        for text in self.texts:
            network = ipaddress.ip_network(text)
            width = network.max_prefixlen
            shift = width - network.prefixlen
            found.setdefault(width, {}).setdefault(shift, set()).add(int(network.network_address) >> shift)
        self._by_width = {width: tuple(shifts.items()) for width, shifts in found.items()}
        self.has: Callable[[str], bool] = lru_cache(maxsize=4096)(self._has)

    def _has(self, address: str) -> bool:
        number = address_number(address)
        if number is None:
            return False
        width, value = number
        return any(value >> shift in prefixes for shift, prefixes in self._by_width.get(width, ()))

    def __contains__(self, address: object) -> bool:
        return isinstance(address, str) and self.has(address)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Networks) and self.texts == other.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"Networks({', '.join(self.texts)})"
