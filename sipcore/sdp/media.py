"""One `m=` section of a session description (RFC 8866 section 5.14)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sipcore.errors import Malformed
from sipcore.sdp.connection import connection_address
from sipcore.sdp.line import Line, attribute, check_bandwidth, direction
from sipcore.sdp.payload_types import STATIC

_TOKEN = rb"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+"
_MEDIA = re.compile(
    rb"(?P<media>%(token)s) (?P<port>[0-9]{1,5})(?:/(?P<ports>[1-9][0-9]{0,4}))? (?P<protocol>%(token)s(?:/%(token)s)*)"
    rb" (?P<formats>[!-~]+(?: [!-~]+)*) ?" % {b"token": _TOKEN}
)
_ENCODING = re.compile(r"([0-9]{1,3}) +([^\s/]+)(?:/.*)?", re.ASCII)
_NO_ADDRESS = frozenset({"0.0.0.0", "::"})


class MediaDescription:
    """One medium: what it is, where it goes, which way it flows, and how it is encoded.

    `port` is 0 for a medium that is refused or switched off (RFC 3264 section 6). `codecs` are the names of its
    encodings in lower case, most wanted first; for what is no RTP its formats. `address` is its own, or the session's.
    """

    __slots__ = ("address", "codecs", "direction", "lines", "media", "port", "protocol")

    def __init__(self, lines: Sequence[Line], session_address: str, session_direction: str) -> None:
        self.lines = tuple(lines)
        match = _MEDIA.fullmatch(self.lines[0].value)
        if match is None or int(match["port"]) > 65535:
            raise Malformed("Malformed m= in SDP")
        self.media = match["media"].decode().lower()
        self.port = int(match["port"])
        self.protocol = match["protocol"].decode()
        attributes = _attributes(self.lines)
        self.address = _address(self.lines) or session_address
        if not self.address and self.port:
            raise Malformed("No c= in SDP")  # RFC 8866 section 5.7; a stream that is off needs none
        self.direction = direction(attributes, session_direction)
        self.codecs = _codecs(match["formats"].decode().split(" "), self.protocol, attributes)

    @property
    def held(self) -> bool:
        """Whether its sender wants to hear nothing: the two ways to put a stream on hold of RFC 3264 section 8.4."""
        return self.direction in ("sendonly", "inactive") or self.address in _NO_ADDRESS

    def __str__(self) -> str:
        return self.lines[0].value.decode("utf-8", "surrogateescape")


def _attributes(lines: Sequence[Line]) -> list[tuple[str, str]]:
    for line in lines:
        if line.kind == "b":
            check_bandwidth(line.value)
    return [attribute(line.value) for line in lines if line.kind == "a"]


def _address(lines: Sequence[Line]) -> str:
    found = [connection_address(line.value) for line in lines if line.kind == "c"]
    return found[0] if found else ""  # several are the layers of one multicast group


def _codecs(formats: Sequence[str], protocol: str, attributes: Sequence[tuple[str, str]]) -> list[str]:
    if not protocol.upper().startswith(("RTP/", "UDP/TLS/RTP/", "TCP/RTP/", "TCP/TLS/RTP/", "TCP/DTLS/RTP/")):
        return list(dict.fromkeys(one.lower() for one in formats))
    names = dict(STATIC)
    for name, value in attributes:
        if name == "rtpmap":
            match = _ENCODING.fullmatch(value)
            if match is None:
                raise Malformed("Malformed rtpmap in SDP")
            names[match[1]] = match[2].lower()
    # A number of the dynamic range that nothing explains says nothing about its encoding (RFC 3551 section 3).
    return list(dict.fromkeys(names[one] for one in formats if one in names))
