"""The Via header field: where a request has been, and the way its responses take (RFC 3261 section 20.42)."""

from __future__ import annotations

import re
from functools import lru_cache

from sipcore.errors import Malformed
from sipcore.host import parse_host
from sipcore.message.parameters import Parameters, parameter, parse_parameters

# Protocol name and version may be any token: the version is judged by the start line (RFC 3261 section 25.1).
_VIA = re.compile(
    rb"[A-Za-z0-9\-.!%*_+`'~]+[ \t]*/[ \t]*[A-Za-z0-9\-.!%*_+`'~]+[ \t]*/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+"
    rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-_]+)(?:[ \t]*:[ \t]*([0-9]{1,5}))?[ \t]*(;.*)?",
    re.DOTALL,
)
_TOKEN = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]+").fullmatch
_SHORT = 256
"""Only shorter values are remembered, so that the count bounds the memory of the cache."""


class Via:
    """One Via value, immutable.

    `transport` is in upper case; `host` is in lower case, IPv6 without brackets; `port` is 0 when absent; `branch` is
    "" when absent. `received` is an address without brackets, or "". `rport` is None when absent, "" when it asks for
    a port (RFC 3581), else the port as text. `value` is as received.
    """

    __slots__ = ("branch", "host", "port", "received", "rport", "transport", "value")

    def __init__(
        self, transport: str, host: str, port: int, received: str, rport: str | None, branch: str, value: bytes
    ) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.received = received
        self.rport = rport
        self.branch = branch
        self.value = value

    @property
    def parameters(self) -> Parameters:
        """All parameters, in order."""
        return _parameters(self.value[self.value.index(b";") :]) if b";" in self.value else ()


_Shape = tuple[str, str, int, str, str | None]


def parse_via(value: bytes) -> Via:
    """Parse one Via value (no commas at top level)."""
    head, mark, rest = value.partition(b";branch=")
    if mark:
        end = rest.find(b";")
        branch, tail = (rest, b"") if end < 0 else (rest[:end], rest[end:])
        if len(value) < _SHORT and _TOKEN(branch):
            shape = _shape(head, tail)
            if shape is not None:
                return Via(*shape, branch.decode(), value)
    transport, host, port, parameters = _parse(value)
    received, rport = _source(parameters)
    return Via(transport, host, port, received, rport, parameter(parameters, "branch") or "", value)


@lru_cache(maxsize=4096)
def _shape(head: bytes, tail: bytes) -> _Shape | None:
    """What a Via says apart from its branch: a peer sends the same again and again. None: look at it as a whole."""
    try:
        transport, host, port, parameters = _parse(head)
        parameters += _parameters(tail)
    except Malformed:
        return None
    names = {name for name, _ in parameters}
    if len(names) < len(parameters) or "branch" in names:
        return None
    return transport, host, port, *_source(parameters)


def _parse(value: bytes) -> tuple[str, str, int, Parameters]:
    match = _VIA.fullmatch(value)
    if match is None:
        raise Malformed("Malformed Via")
    transport, host, port_text, tail = match.groups(b"")
    port = int(port_text) if port_text else 0
    if port_text and not 0 < port < 65536:
        raise Malformed("Malformed Via port")
    return transport.upper().decode(), parse_host(host.decode()), port, _parameters(tail)


def _parameters(tail: bytes) -> Parameters:
    parameters = parse_parameters(tail.decode("utf-8", "surrogateescape"))
    if len({name for name, _ in parameters}) < len(parameters):
        # Two elements could take one response two ways (RFC 3261 section 7.3.1 allows a parameter once).
        raise Malformed("Via parameter given twice")
    return parameters


def _source(parameters: Parameters) -> tuple[str, str | None]:
    return (parameter(parameters, "received") or "").strip("[]"), parameter(parameters, "rport")
