"""The frames of one WebSocket connection as its server sees them (RFC 6455 section 5): bytes in, whole messages out.

Rule 1: a message is held only while it stays within its bound, and so are the pieces it may come in; a length that was
declared beyond it ends the connection at once. Rule 2: of pings that came together the last one is answered, which
section 5.5.3 allows, so that nobody makes us say much. Rule 3: what follows a fault or a farewell is never looked at.

Of wsproto this takes the decoder of frames alone: what stands above it keeps itself alive in a circle, tells of a
length only when its bytes are there, and takes 16 us for a frame of 500 bytes where this takes 11.
"""

from __future__ import annotations

import struct

from wsproto.frame_protocol import Frame, FrameDecoder, Opcode, ParseFailed

GOING_AWAY, PROTOCOL_ERROR, BAD_TEXT, POLICY, TOO_BIG = 1001, 1002, 1007, 1008, 1009
"""Why a connection is closed (RFC 6455 section 7.4.1)."""
_NO_CODE = 0
_FINAL = 0x80
_MOST_PIECES = 2_048
"""Frames of one message: a whole message in pieces of 32 bytes."""


class _Fault(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class WebSocketFrames:
    """Takes the client's frames apart and makes ours; `longest` bounds a message in bytes."""

    __slots__ = ("_binary", "_decoder", "_owed", "_pieces", "_pong", "_size", "_started", "ended", "longest")

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.ended = False
        """True when nothing is taken any more: the peer has said farewell or has made a mistake."""
        self._decoder = FrameDecoder(client=False)  # that it has no extensions refuses every RSV bit (section 5.2)
        self._pieces: list[bytes] = []
        self._started = self._binary = False
        self._size = 0
        self._pong = self._owed = b""

    @property
    def partial(self) -> bool:
        """Whether a part of a message or of a frame is held: the rest must come within the limit of time."""
        return self._started or self._decoder.header is not None or len(self._decoder.buffer) > 0

    # -- receiving --------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes that arrived and return the messages that are complete; what we must answer is `owed` then."""
        messages: list[bytes] = []
        if self.ended:
            return messages
        decoder = self._decoder
        decoder.receive_bytes(data)
        try:
            while not self.ended:
                frame = decoder.process_buffer()
                if decoder.header is not None:
                    self._check_length(decoder.header.payload_len)  # without waiting for the bytes
                if frame is None:
                    break
                self._take(frame, messages)
        except ParseFailed:
            self._end(TOO_BIG if self._declares_too_much() else PROTOCOL_ERROR)
        except _Fault as fault:
            self._end(fault.code)
        return messages

    def _check_length(self, size: int) -> None:
        if size > self.longest:
            raise _Fault(TOO_BIG)

    def _declares_too_much(self) -> bool:
        """Whether the frame that can't be read declares 2^63 bytes or more, which no 64 bits may (section 5.2)."""
        head = self._decoder.buffer.buffer[:3]
        return len(head) == 3 and head[0] & 0x78 == 0 and head[1] & 0x7F == 127 and head[2] >= 0x80

    def _take(self, frame: Frame, messages: list[bytes]) -> None:
        payload = frame.payload
        assert isinstance(payload, bytes)  # only a `FrameProtocol` makes something else of it
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            if self._started:
                raise _Fault(PROTOCOL_ERROR)  # section 5.4: messages don't interleave
            self._started = True
            self._binary = frame.opcode is Opcode.BINARY
        elif frame.opcode is not Opcode.CONTINUATION:
            self._take_control(frame.opcode, payload)
            return
        elif not self._started:
            raise _Fault(PROTOCOL_ERROR)
        if frame.frame_finished and frame.message_finished and not self._pieces:  # the usual case
            self._started = False
            self._complete(payload, messages)
            return
        self._join(frame, payload, messages)

    def _join(self, frame: Frame, payload: bytes, messages: list[bytes]) -> None:
        self._size += len(payload)
        self._pieces.append(payload)
        if self._size > self.longest or len(self._pieces) > _MOST_PIECES:
            raise _Fault(TOO_BIG)
        if frame.frame_finished and frame.message_finished:
            whole = b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            self._started = False
            self._complete(whole, messages)

    def _complete(self, whole: bytes, messages: list[bytes]) -> None:
        self._check_length(len(whole))
        if not self._binary and not _is_text(whole):
            raise _Fault(BAD_TEXT)  # section 8.1
        messages.append(whole)

    def _take_control(self, opcode: Opcode, payload: bytes) -> None:
        # The decoder gives control frames whole, and refuses long ones and pieces (section 5.5).
        if opcode is Opcode.PING:
            self._pong = frame_of(Opcode.PONG, payload)
        elif opcode is Opcode.CLOSE:
            self._end(_code_of(payload))

    # -- sending ----------------------------------------------------------------------------------------------------

    @property
    def owes(self) -> bool:
        """Whether a pong, a ping or a farewell waits to be sent."""
        return bool(self._pong or self._owed)

    def take_owed(self) -> bytes:
        """The control frames that wait: a pong, a ping, a farewell when this is the end."""
        owed = self._pong + self._owed
        self._pong = self._owed = b""
        return owed

    def ping(self) -> None:
        """Owe a ping, unless this is the end."""
        if not self.ended:
            self._owed = frame_of(Opcode.PING, b"")

    def farewell(self, code: int) -> bytes:
        """Our close frame, or nothing when it was made before; nothing is taken any more."""
        if not self.ended:
            self._end(code)
        return self.take_owed()

    def _end(self, code: int) -> None:
        self.ended = True
        self._pieces.clear()
        self._started = False
        self._owed = frame_of(Opcode.CLOSE, b"" if code == _NO_CODE else code.to_bytes(2, "big"))


def frame_of(opcode: Opcode, payload: bytes) -> bytes:
    """One whole frame of a server, which masks nothing (RFC 6455 section 5.1)."""
    size = len(payload)
    if size < 126:
        return bytes((_FINAL | opcode, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", _FINAL | opcode, 126, size) + payload
    return struct.pack("!BBQ", _FINAL | opcode, 127, size) + payload


def message_frame(message: bytes) -> bytes:
    """A SIP message in a text frame, or in a binary one when it is no UTF-8 throughout (RFC 7118 section 4.2)."""
    return frame_of(Opcode.TEXT if _is_text(message) else Opcode.BINARY, message)


def _is_text(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _code_of(payload: bytes) -> int:
    """The code to answer a close frame with: its own (section 5.5.1), or what is wrong with it."""
    if not payload:
        return _NO_CODE
    code = int.from_bytes(payload[:2], "big")
    # Section 7.4: what may stand there; 1012 to 1014 were registered later, 3000 to 4999 belong to libraries and users.
    known = 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
    if len(payload) < 2 or not known:
        return PROTOCOL_ERROR
    return code if _is_text(payload[2:]) else BAD_TEXT
