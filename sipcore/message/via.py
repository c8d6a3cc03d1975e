"""The Via header field: where a request has been, and the way its responses take (RFC 3261 section 20.42)."""

from __future__ import annotations

import re
from functools import cached_property

from sipcore.errors import Malformed
from sipcore.message.parameters import Parameters, parameter, parse_parameters

_VIA = re.compile(
    rb"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+"
    rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-_]+)[ \t]*(?::[ \t]*([0-9]{1,5}))?[ \t]*(;.*)?",
    re.IGNORECASE | re.DOTALL,
)
_BRANCH = re.compile(rb";[ \t]*branch[ \t]*=[ \t]*([^ \t;,]+)", re.IGNORECASE)


class Via:
    """One Via value. `transport` is in upper case; `port` is 0 when absent; `branch` is "" when absent."""

    def __init__(self, transport: str, host: str, port: int, branch: str, tail: bytes) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.branch = branch
        self._tail = tail

    @cached_property
    def parameters(self) -> Parameters:
        """All parameters in order; `Malformed` when they can't be parsed."""
        return parse_parameters(self._tail.decode("utf-8", "surrogateescape"))

    @property
    def received(self) -> str:
        """Address in the `received` parameter without brackets, or ""."""
        return (parameter(self.parameters, "received") or "").strip("[]")

    @property
    def rport(self) -> str | None:
        """The `rport` parameter: None when absent, "" when it asks for a port (RFC 3581), else the port."""
        return parameter(self.parameters, "rport")


def parse_via(value: bytes) -> Via:
    """Parse one Via value (no commas at top level)."""
    match = _VIA.fullmatch(value)
    if match is None:
        raise Malformed("Malformed Via")
    transport, host, port_text, tail = match.groups(b"")
    port = int(port_text) if port_text else 0
    if port_text and not 0 < port < 65536:
        raise Malformed("Malformed Via port")
    branch = _BRANCH.search(tail)
    return Via(
        transport.upper().decode(),
        host.decode(),
        port,
        branch[1].decode("utf-8", "surrogateescape") if branch else "",
        tail,
    )
