"""Says whether a server is well: an OPTIONS that must be answered within a second, and a log of whole lines."""

from __future__ import annotations

import itertools
import re
import time
from typing import Protocol

from tests.loopback import Arrival

PATIENCE = 1.0
_numbers = itertools.count(1)
_RECORD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (debug|info|warning|error|critical) ringway[.\w]* .*")
LONGEST_RECORD = 4_200
"""Characters: what a record is cut to, and a little for what says so."""


class Way(Protocol):
    """A way to the server: datagrams or a stream."""

    host: str
    port: int

    def send(self, data: bytes, server: tuple[str, int]) -> None: ...
    def receive(self, wait: float) -> Arrival | None: ...


def ping(way: Way, server: tuple[str, int], transport: str) -> list[Arrival]:
    """Ask whether the server is there; returns what else came before its answer. No answer in time is a failure."""
    token = f"ping{next(_numbers)}"
    lines = [
        f"OPTIONS sip:{server[0]}:{server[1]} SIP/2.0",
        f"Via: SIP/2.0/{transport.upper()} {way.host}:{way.port};branch=z9hG4bK{token};rport",
        "Max-Forwards: 70",
        f"From: <sip:ping@{way.host}>;tag={token}",
        f"To: <sip:{server[0]}:{server[1]}>",
        f"Call-ID: {token}@{way.host}:{way.port}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    ]
    way.send("\r\n".join([*lines, "", ""]).encode(), server)
    before: list[Arrival] = []
    deadline = time.monotonic() + PATIENCE
    while (arrival := way.receive(deadline - time.monotonic())) is not None:
        if arrival.raw.first(b"call-id").startswith(token.encode() + b"@"):
            assert arrival.raw.status == 200, arrival.data
            return before
        before.append(arrival)
    raise AssertionError(f"no answer to OPTIONS by {transport} within {PATIENCE} s")


def bad_records(log: str) -> list[str]:
    """Lines of a log that are no whole record, hold what is not printable, or are too long."""
    return [
        line
        for line in log.splitlines()
        if not _RECORD.fullmatch(line) or not line.isprintable() or len(line) > LONGEST_RECORD
    ]
