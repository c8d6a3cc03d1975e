"""Where a request came from, written into its topmost Via, and where a response goes by it (RFC 3261 18.2, 3581)."""

from __future__ import annotations

import re
from functools import lru_cache

from sipcore.flow import Flow
from sipcore.host import Kind, kind_of, plain_address
from sipcore.message.message import Request
from sipcore.message.via import Via

_DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "sctp": 5060, "tls": 5061, "ws": 80, "wss": 443}
# A parameter up to the next semicolon, quoted strings kept together.
_PARAMETER = re.compile(rb';[^;"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^;"]*)*', re.DOTALL)


def mark_source(request: Request, remote: tuple[str, int]) -> None:
    """Write the source address and port of a request into its topmost Via.

    `received` is set when the sent-by is not the source address or when `rport` was asked for, `rport` is filled in,
    and what a client forged of both is overwritten. `remote` is what the socket says: (IP address, port).
    """
    via = request.via
    if (
        via.rport is None
        and not via.received
        and (via.host == remote[0] or plain_address(via.host) == plain_address(remote[0]))
    ):
        return
    request.replace_via(marked_via(via, remote))


def is_direct(request: Request) -> bool:
    """Whether nobody stands between whoever made a request and us: it has one Via."""
    return request.names.count("via") == 1 and b"," not in request.lines[request.names.index("via")]


def marked_via(via: Via, remote: tuple[str, int]) -> Via:
    """The same Via with the source it came from."""
    address, port, source = _source(remote)
    value = via.value
    if via.rport == "" and not via.received and b'"' not in value:
        before, found, behind = value.partition(b";rport")
        if found and behind[:1] in b";":
            marked = before + source + behind
            return Via(via.transport, via.host, via.port, address, port, via.branch, marked)
    if via.rport is not None:
        marked = _without_source(value) + source
        return Via(via.transport, via.host, via.port, address, port, via.branch, marked)
    if plain_address(via.host) == address:
        return Via(via.transport, via.host, via.port, "", None, via.branch, _without_source(value))
    marked = _without_source(value) + b";received=" + address.encode()
    return Via(via.transport, via.host, via.port, address, None, via.branch, marked)


@lru_cache(maxsize=4096)
def _source(remote: tuple[str, int]) -> tuple[str, str, bytes]:
    """Address and port as text, and both as parameters: RFC 3581 section 4 wants `received` also when it is no news."""
    address = plain_address(remote[0])
    return address, str(remote[1]), f";received={address};rport={remote[1]}".encode()


def _without_source(value: bytes) -> bytes:
    """A Via value with its `received` and `rport` parameters cut out."""
    start = value.find(b";")
    if start < 0:
        return value
    kept = [
        text
        for text in _PARAMETER.findall(value, start)
        if text[1:].partition(b"=")[0].strip(b" \t").lower() not in (b"received", b"rport")
    ]
    return (value[:start] + b"".join(kept)).rstrip(b" \t")


def way_back(via: Via, flow: Flow) -> Flow:
    """The flow that responses to a request take, by its topmost Via: RFC 3261 section 18.2.2, RFC 3581 section 4.

    Without `rport` they go to the port that the sender named, 5060 when it named none, at the address it sent from.
    A sender with a private address that comes from a public one is behind a NAT, and only its source port leads there.
    """
    if flow.reliable or via.rport is not None:
        return flow
    port = via.port or 5060
    behind_nat = kind_of(via.host) is Kind.PRIVATE and kind_of(flow.remote[0]) is Kind.PUBLIC
    if port == flow.remote[1] or behind_nat:
        return flow
    return flow.at_port(port)


def response_target(via: Via, transport: str) -> tuple[str, int]:
    """Where a response goes that has lost its connection, or never had one: (host, port) by its topmost Via.

    `transport` is the one the request came by, in lower case. `maddr` is never obeyed: it would let a client choose
    whom we send to.
    """
    host = plain_address(via.received or via.host)
    if transport == "udp" and via.rport and via.rport.isdecimal() and via.rport.isascii():
        port = int(via.rport[:6])
        if 0 < port < 65536:
            return host, port  # RFC 3581 section 4
    return host, via.port or _DEFAULT_PORTS.get(transport, 5060)  # RFC 3261 section 18.2.2
