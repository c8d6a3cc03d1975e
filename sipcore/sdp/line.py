"""The lines of a session description: `<type>=<value>`, ended by CRLF, or by LF alone (RFC 8866 section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from sipcore.errors import Malformed

MOST_LINES = 10_000
"""Lines of one description."""
_LINE = re.compile(rb"([a-z])=([^\x00\r\n]*)(\r?)")
_BANDWIDTH = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+:[0-9]+")
_ATTRIBUTE = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`{|}~]+)(?::(.*))?")


class Line(NamedTuple):
    """One line as received: its letter, what stands behind `=`, and how it ends."""

    kind: str
    value: bytes
    end: bytes

    def write(self) -> bytes:
        """The line for the wire."""
        return self.kind.encode() + b"=" + self.value + self.end if self.kind else self.end


def split_lines(body: bytes) -> list[Line]:
    """The lines of a body; empty ones at its very end are kept, and forgiven."""
    if body.count(b"\n") > MOST_LINES:
        raise Malformed("Too many lines in SDP")
    pieces = body.split(b"\n")
    lines = [_line(piece, b"\n") for piece in pieces[:-1]]
    if pieces[-1]:
        lines.append(_line(pieces[-1], b""))
    seen_end = False
    for line in lines:
        if seen_end and line.kind:
            raise Malformed("Empty line in SDP")
        seen_end = seen_end or not line.kind
    return lines


def _line(piece: bytes, end: bytes) -> Line:
    if piece in (b"", b"\r"):
        return Line("", b"", piece + end)
    match = _LINE.fullmatch(piece)
    if match is None or (match[3] and not end):
        raise Malformed("Malformed line in SDP")
    return Line(match[1].decode(), match[2], match[3] + end)


def check_bandwidth(value: bytes) -> None:
    """`b=<type>:<number>` (RFC 8866 section 5.8); it is not used here, but a wrong one is no SDP."""
    if not _BANDWIDTH.fullmatch(value):
        raise Malformed("Malformed b= in SDP")


def attribute(value: bytes) -> tuple[str, str]:
    """Name and value of an `a=` line, "" for one without a value (RFC 8866 section 5.13)."""
    match = _ATTRIBUTE.fullmatch(value)
    if match is None:
        raise Malformed("Malformed a= in SDP")
    return match[1].decode(), (match[2] or b"").decode("utf-8", "surrogateescape")


DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
"""Which way media flows, seen from who wrote the description (RFC 8866 section 6.7)."""


def direction(attributes: Iterable[tuple[str, str]], default: str) -> str:
    """The direction that attributes name, or the one that counts without them."""
    return next((name for name, _ in attributes if name in DIRECTIONS), default)
