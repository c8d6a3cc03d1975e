"""How the DNS is asked, as an operator says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sipcore.locate.address import canonical_address

_SERVER = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+|[0-9A-Fa-f:.]+:[0-9A-Fa-f:.]+))(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """How names are asked for and remembered. Times in seconds."""

    servers: tuple[str, ...] = ()
    """DNS servers, asked in turn: an IP address, or `192.0.2.53:5353`, `[2001:db8::53]:5353`. None: the system's."""
    cache: float = 3_600.0
    """Longest time that an answer is remembered, however long it may live."""
    timeout: float = 5.0
    """Longest time that finding the servers of a name may take, with all questions after one another."""
    negative: float = 30.0
    """Longest time it is remembered that there is no such record."""
    stale: float = 3_600.0
    """How long an old answer is used while nobody answers (RFC 8767)."""
    at_least: float = 1.0
    """An answer is remembered at least so long, however short it may live."""
    entries: int = 8_192
    """Answers remembered."""
    questions: int = 128
    """Questions under way at the same time; further ones wait."""

    def __post_init__(self) -> None:
        for server in self.servers:
            server_address(server)


def server_address(text: str) -> tuple[str, int]:
    """Address and port of a DNS server as an operator writes it; raises ValueError."""
    match = _SERVER.fullmatch(text)
    address = canonical_address(match[1] or match[2]) if match else None
    port = (match[3] if match else None) or "53"
    if address is None or not 0 < int(port) < 65536:
        raise ValueError(f'a DNS server is an IP address, with ":PORT" if need be, not "{text}"')
    return address, int(port)
