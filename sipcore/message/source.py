"""Where a request came from, written into its topmost Via, and where a response goes by it (RFC 3261 18.2, 3581)."""

from __future__ import annotations

import re

from sipcore.host import plain_address
from sipcore.message.message import Request
from sipcore.message.via import Via

_DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "sctp": 5060, "tls": 5061, "ws": 80, "wss": 443}
_ASKED = re.compile(rb";rport(?=;|$)")
# A parameter up to the next semicolon, quoted strings kept together.
_PARAMETER = re.compile(rb';[^;"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^;"]*)*', re.DOTALL)


def mark_source(request: Request, remote: tuple[str, int]) -> None:
    """Write the source address and port of a request into its topmost Via.

    `received` is set when the sent-by is not the source address or when `rport` was asked for, `rport` is filled in,
    and what a client forged of both is overwritten. `remote` is what the socket says: (IP address, port).
    """
    via = request.via
    if via.rport is None and via.host == remote[0] and not via.received:
        return
    address = plain_address(remote[0]) or remote[0]
    if via.rport is None and not via.received and plain_address(via.host) == address:
        return
    request.replace_via(marked_via(via, address, remote[1]))


def marked_via(via: Via, address: str, port: int) -> Via:
    """The same Via with the source it came from; `address` is in plain form."""
    value = via.value
    asked = via.rport is not None
    received = address if asked or plain_address(via.host) != address else ""
    source = b";received=" + received.encode() if received else b""
    if asked:
        source += b";rport=%d" % port  # RFC 3581 section 4 wants both, also when the address is no news
    if via.rport == "" and not via.received and b'"' not in value:
        value, count = _ASKED.subn(source, value, count=1)
    else:
        count = 0
    if not count:
        value = _without_source(value) + source
    return Via(via.transport, via.host, via.port, received, str(port) if asked else None, via.branch, value)


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
    return value[:start] + b"".join(kept)


def response_target(via: Via, transport: str) -> tuple[str, int]:
    """Where a response goes that has lost its connection, or never had one: (host, port) by its topmost Via.

    `transport` is the one the request came by, in lower case. `maddr` is never obeyed: it would let a client choose
    whom we send to.
    """
    host = via.received or via.host
    host = plain_address(host) or host
    if transport == "udp" and via.rport and via.rport.isdecimal() and via.rport.isascii():
        port = int(via.rport[:6])
        if 0 < port < 65536:
            return host, port  # RFC 3581 section 4
    return host, via.port or _DEFAULT_PORTS.get(transport, 5060)  # RFC 3261 section 18.2.2
