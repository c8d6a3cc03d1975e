"""Messages out of a byte stream: TCP, TLS, and whatever else keeps no message borders (RFC 3261 section 18.3).

Rule 1: where a message ends must be certain; when it is not, the stream ends there and nothing behind is ever parsed,
for whoever makes two elements disagree about a border smuggles requests. Rule 2: nothing is set aside for a length
that was only declared. Rule 3: each byte is searched once, however the stream is cut.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from sipcore.errors import Malformed
from sipcore.message.limits import DEFAULT_LIMITS, Limits
from sipcore.message.message import Message
from sipcore.message.parser import PLAIN, content_length, parse_head, parse_length, unfold


class Ping(NamedTuple):
    """A double CRLF between messages: answer one CRLF (RFC 5626 section 4.4.1)."""


class BadMessage(NamedTuple):
    """A message that can't be parsed but whose end is certain: answer it if possible, the stream goes on."""

    malformed: Malformed
    head: bytes


class Broken(NamedTuple):
    """The stream can't be trusted any more: answer `head` if possible, then close. No frame follows."""

    malformed: Malformed
    head: bytes


Frame: TypeAlias = Message | Ping | BadMessage | Broken


class _NoBorder(Malformed):
    """Where this message ends is unknown; `head` is what can still be answered."""

    def __init__(self, reason: str, status: int, head: bytes) -> None:
        super().__init__(reason, status)
        self.head = head


_VISIBLE = frozenset(range(0x21, 0x7F))
"""What a request line may begin with, be it right or wrong; TLS and other binary protocols begin with none of these."""


class StreamFraming:
    """Cuts the bytes of one connection into frames."""

    __slots__ = ("_awaited", "_buffer", "_empty_lines", "_length", "_searched", "_start_seen", "closed", "limits")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.closed = False
        """True behind a `Broken`: what is fed now is thrown away."""
        self._buffer = bytearray()  # what is left over, from the beginning of a message or of a body
        self._searched = 0  # no end of the header section begins before this place in the buffer
        self._start_seen = False  # the start line in the buffer was looked at
        self._empty_lines = 0  # in a row, between messages
        self._awaited: Message | BadMessage | None = None  # its head is read, its body is not
        self._length = 0  # of that body

    @property
    def longest(self) -> int:
        """Among so many bytes at least one message ends."""
        return self.limits.head + self.limits.message

    @property
    def partial(self) -> bool:
        """Whether the beginning of a message is held: the rest must come within the limit of time."""
        return bool(self._buffer) or self._awaited is not None

    def feed(self, data: bytes) -> list[Frame]:
        """Take the bytes that arrived and return what is complete, in order."""
        frames: list[Frame] = []
        if self.closed:
            return frames
        buffer = self._buffer
        try:
            if buffer:
                buffer += data
                del buffer[: self._cut(buffer, frames)]
            else:
                buffer += data[self._cut(data, frames) :]
        except _NoBorder as broken:
            # Its traceback holds this call with `frames` in it: a cycle.
            frames.append(Broken(broken.with_traceback(None), broken.head))
            self.closed = True
            self._awaited = None
            buffer.clear()
        return frames

    def _cut(self, source: bytes | bytearray, frames: list[Frame]) -> int:
        """Take all complete frames from `source` and return where the incomplete rest begins."""
        at = 0
        while True:
            if self._awaited is None:
                if not self._searched:
                    at = self._skip_empty_lines(source, at, frames)
                body = self._take_head(source, at)
                if not body:
                    return at
                at = body
            end = at + self._length
            if end > len(source):
                return at
            if isinstance(self._awaited, Message):
                self._awaited.body = bytes(source[at:end])
            if self._awaited is not None:
                frames.append(self._awaited)
            self._awaited = None
            at = end

    def _skip_empty_lines(self, source: bytes | bytearray, at: int, frames: list[Frame]) -> int:
        """Pass over CRLFs in front of a start line (RFC 3261 section 7.5)."""
        while source.startswith(b"\r\n", at):
            at += 2
            self._empty_lines += 1
            if self._empty_lines == 2:
                frames.append(Ping())
                self._empty_lines = 0
        if not _may_be_empty_line(source, at):
            self._empty_lines = 0
        return at

    def _take_head(self, source: bytes | bytearray, at: int) -> int:
        """Read a header section and return where its body begins, or 0 when its end has not come."""
        end = source.find(b"\r\n\r\n", at + self._searched)
        if end < 0:
            self._wait_for_end(source, at)
            return 0
        self._searched = 0
        self._start_seen = False
        head = bytes(source[at:end])
        if len(head) > self.limits.head:
            raise _NoBorder("Header section too large", 513, head)
        self._awaited = self._parse(head)
        if self._length > self.limits.message - len(head):
            raise _NoBorder("Message too large", 513, head)
        if self._length > self.limits.body and isinstance(self._awaited, Message):
            self._awaited = BadMessage(Malformed("Body too large", 413), head)
        return end + 4

    def _parse(self, head: bytes) -> Message | BadMessage:
        try:
            message = parse_head(head, self.limits)
            length = content_length(message)
            if length is not None:
                self._length = length
                return message
            malformed = Malformed("No Content-Length on a stream")  # section 18.3
        except Malformed as error:
            malformed = error.with_traceback(None)
        _look_at_start(head.partition(b"\r\n")[0])
        length = _certain_length(head)
        if length is None:
            raise _NoBorder(malformed.reason, malformed.status, head)
        self._length = length
        return BadMessage(malformed, head)

    def _wait_for_end(self, source: bytes | bytearray, at: int) -> None:
        """Remember where to search on, unless it is clear already that no SIP message will come of this."""
        held = len(source) - at
        if held > self.limits.head + 3:
            raise _NoBorder("Header section too large", 513, bytes(source[at : at + self.limits.head]))
        if not self._start_seen:
            end = source.find(b"\r\n", at + self._searched)
            if end >= 0:
                _look_at_start(bytes(source[at:end]))
                self._start_seen = True
            elif not _may_be_empty_line(source, at) and source[at] not in _VISIBLE:
                raise _NoBorder("Not a SIP message", 400, b"")
        self._searched = max(held - 3, 0)


def whole_message(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Frame | None:
    """What stands alone in one message of a transport that keeps messages apart (RFC 7118 section 5); None for nothing.

    Unlike in a datagram, nothing may follow the body: somebody else would see a second request there.
    """
    start = data.lstrip(b"\r\n") if data[:1] in b"\r\n" else data
    if not start:
        return Ping() if data == b"\r\n\r\n" else None  # RFC 5626 section 4.4.1; RFC 7118 section 6 keeps it
    head, blank, body = start.partition(b"\r\n\r\n")
    if not blank:
        return Broken(Malformed("No end of the header section"), head[: limits.head])
    if len(data) > limits.message:
        return BadMessage(Malformed("Message too large", 513), head)
    try:
        message = parse_head(head, limits)
    except Malformed as error:
        return BadMessage(error.with_traceback(None), head)
    try:
        length = content_length(message)
    except Malformed as error:
        return Broken(error.with_traceback(None), head)
    if length is None:
        # A second message looks like this; RFC 3261 section 20.15 wants to know what a body is.
        if body and "content-type" not in message.names:
            return Broken(Malformed("A body without Content-Type, or a second message"), head)
    elif length != len(body):
        return Broken(Malformed("Content-Length is not that of the body"), head)
    if len(body) > limits.body:
        return BadMessage(Malformed("Body too large", 413), head)
    message.body = body
    return message


def _may_be_empty_line(source: bytes | bytearray, at: int) -> bool:
    """Whether nothing is left, or half a CRLF."""
    return at == len(source) or (source[at] == 0x0D and at + 1 == len(source))


def _look_at_start(line: bytes) -> None:
    """HTTP, RTSP, TLS, SSH and noise are known by their first line, long before any limit."""
    words = line.upper().replace(b"\t", b" ")
    if not line or line[0] not in _VISIBLE or (b" SIP/" not in words and words[:4] != b"SIP/"):
        raise _NoBorder("Not a SIP message", 400, b"")


def _certain_length(head: bytes) -> int | None:
    """The Content-Length of a header section that can't be parsed; None when two elements could read it differently."""
    if head.replace(b"\r\n", b"").translate(None, PLAIN):
        return None
    found: list[bytes] = []
    for line in unfold(head).split(b"\r\n")[1:]:
        name = line.partition(b":")[0].strip(b" \t").lower()
        if name == b"l" or b"content-length" in name:
            found.append(line)
    if len(found) != 1:
        return None
    name, _, value = found[0].partition(b":")
    if name.rstrip(b" \t").lower() not in (b"l", b"content-length"):
        return None
    try:
        return parse_length(value.strip(b" \t"))
    except Malformed:
        return None
