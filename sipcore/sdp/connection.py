"""Where media goes: the address of a `c=` line (RFC 8866 section 5.7)."""

from __future__ import annotations

from sipcore.errors import Malformed
from sipcore.host import parse_host


def connection_address(value: bytes) -> str:
    """The address of `c=<nettype> <addrtype> <address>[/...]`, in its one spelling; a host name in lower case."""
    fields = value.decode("utf-8", "surrogateescape").split(" ")
    if len(fields) != 3 or not all(fields):
        raise Malformed("Malformed c= in SDP")
    network, kind, address = fields
    if network != "IN":
        return address  # another network: its addresses are none of ours to judge
    address = address.partition("/")[0]  # behind it stand TTL and number of a multicast group
    try:
        return parse_host(f"[{address}]" if ":" in address and kind == "IP6" else address)
    except Malformed:
        raise Malformed("Malformed address in SDP") from None
