"""SIP messages as bytes, read by a few lines that know nothing of Ringway's own parser."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONG = {b"v": b"via", b"f": b"from", b"t": b"to", b"i": b"call-id", b"l": b"content-length", b"m": b"contact"}


@dataclass(frozen=True)
class Raw:
    """A start line, unfolded header lines as (name in lower case, value), and a body."""

    start: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return int(self.start.split(b" ")[1]) if self.start.startswith(b"SIP/") else 0

    @property
    def method(self) -> bytes:
        """The method: of the request itself, or the one a response answers."""
        return (self.first(b"cseq").split() or [b""])[-1] if self.status else self.start.split(b" ")[0]

    def all(self, name: bytes) -> list[bytes]:
        """The values of all lines of a header."""
        return [value for each, value in self.headers if each == name]

    def first(self, name: bytes) -> bytes:
        """The value of the first line of a header, or nothing."""
        return next(iter(self.all(name)), b"")


def read(data: bytes) -> Raw:
    """Read one message; what is behind Content-Length is part of the body too."""
    head, _, body = data.partition(b"\r\n\r\n")
    start, _, rest = re.sub(rb"(?:\r\n[ \t]+)+", b" ", head).partition(b"\r\n")
    lines = [line.partition(b":") for line in rest.split(b"\r\n") if line]
    names = [name.strip(b" \t").lower() for name, _, _ in lines]
    values = [value.strip(b" \t") for _, _, value in lines]
    return Raw(start, tuple((_LONG.get(name, name), value) for name, value in zip(names, values, strict=True)), body)


def cut(stream: bytes) -> tuple[list[bytes], bytes]:
    """The complete messages at the beginning of a stream, and what is left over."""
    messages: list[bytes] = []
    while b"\r\n\r\n" in stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        length = int(read(head + b"\r\n\r\n").first(b"content-length") or b"0")
        if len(rest) < length:
            break
        messages.append(head + b"\r\n\r\n" + rest[:length])
        stream = rest[length:]
    return messages, stream


def answer(request: bytes, status: bytes, *more: bytes) -> bytes:
    """What a next hop says to a request: Via, From, To, Call-ID and CSeq as they came, and further header lines."""
    message = read(request)
    copied = [
        name.title() + b": " + value + (b";tag=next-hop" if name == b"to" and b";tag=" not in value else b"")
        for name, value in message.headers
        if name in (b"via", b"from", b"to", b"call-id", b"cseq")
    ]
    return b"\r\n".join([b"SIP/2.0 " + status, *copied, *more, b"Content-Length: 0", b"", b""])


def acknowledgement(request: bytes, response: bytes) -> bytes:
    """The ACK to a final response that is no 2xx, in the transaction of its INVITE (RFC 3261 section 17.1.1.3)."""
    asked, answered = read(request), read(response)
    number = asked.first(b"cseq").split()[0]
    lines = [
        b"ACK " + asked.start.split(b" ")[1] + b" SIP/2.0",
        b"Via: " + asked.first(b"via"),
        b"Max-Forwards: 70",
        b"From: " + asked.first(b"from"),
        b"To: " + answered.first(b"to"),
        b"Call-ID: " + asked.first(b"call-id"),
        b"CSeq: " + number + b" ACK",
        b"Content-Length: 0",
    ]
    return b"\r\n".join([*lines, b"", b""])
