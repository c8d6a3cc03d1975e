"""A whole session description: the lines of the session, then its media (RFC 8866 section 5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sipcore.errors import Malformed
from sipcore.sdp.connection import connection_address
from sipcore.sdp.line import Line, attribute, check_bandwidth, direction, split_lines
from sipcore.sdp.media import MediaDescription

MOST_MEDIA = 256
"""Media of one description."""
_ORIGIN = re.compile(rb"[^ ]+ ([0-9]{1,19}) ([0-9]{1,19}) [^ ]+ [^ ]+ [^ ]+")
_LARGEST_ID = 2**63 - 1


class SessionDescription:
    """What a body of type application/sdp says; `lines` are those in front of the first `m=`."""

    __slots__ = ("lines", "media", "session_address", "session_direction")

    def __init__(self, lines: Sequence[Line]) -> None:
        starts = [at for at, line in enumerate(lines) if line.kind == "m"]
        if len(starts) > MOST_MEDIA:
            raise Malformed("Too many media in SDP")
        self.lines = tuple(lines[: starts[0]] if starts else lines)
        self.session_address = _check_session(self.lines)
        attributes = [attribute(line.value) for line in self.lines if line.kind == "a"]
        self.session_direction = direction(attributes, "sendrecv")
        ends = [*starts[1:], len(lines)]
        self.media = [
            MediaDescription(lines[start:end], self.session_address, self.session_direction)
            for start, end in zip(starts, ends, strict=False)
        ]

    @property
    def main(self) -> MediaDescription | None:
        """The medium that stands for all where one is asked for: the first audio, else the first there is."""
        return next((one for one in self.media if one.media == "audio"), self.media[0] if self.media else None)

    @property
    def codecs(self) -> list[str]:
        """The encodings of all media, each once, in order and in lower case."""
        return list(dict.fromkeys(name for medium in self.media for name in medium.codecs))

    @property
    def direction(self) -> str:
        """Which way the main medium flows."""
        return self.main.direction if self.main is not None else self.session_direction

    @property
    def address(self) -> str:
        """Where the main medium goes."""
        return self.main.address if self.main is not None else self.session_address

    @property
    def held(self) -> bool:
        """Whether every medium that is in use is on hold: RFC 3264 section 8.4's held SDP."""
        used = [medium for medium in self.media if medium.port]
        return bool(used) and all(medium.held for medium in used)

    def write(self) -> bytes:
        """The bytes it was read from."""
        lines = (*self.lines, *(line for medium in self.media for line in medium.lines))
        return b"".join([line.write() for line in lines])


def parse_sdp(body: bytes) -> SessionDescription:
    """Parse a session description; `Malformed` when it is none."""
    return SessionDescription(split_lines(body))


def _check_session(lines: Sequence[Line]) -> str:
    """Judge the lines of the session; returns the address of its `c=`, "" without one."""
    if not lines or lines[0][:2] != ("v", b"0"):
        raise Malformed("SDP does not begin with v=0")  # RFC 8866 section 5.1
    address = ""
    for line in lines[1:]:
        if line.kind == "o":
            _check_origin(line.value)
        elif line.kind == "b":
            check_bandwidth(line.value)
        elif line.kind == "c":
            address = address or connection_address(line.value)
        elif line.kind == "v":
            raise Malformed("Two descriptions in one SDP")
    return address


def _check_origin(value: bytes) -> None:
    """Identifier and version fit a signed integer of 64 bits (RFC 3264 section 5)."""
    match = _ORIGIN.fullmatch(value)
    if match is None or int(match[1]) > _LARGEST_ID or int(match[2]) > _LARGEST_ID:
        raise Malformed("Malformed o= in SDP")
