"""Bytes to messages: the start line and the header lines, checked for smuggling; typed values come later.

Network bytes may raise `Malformed` only. Line ends are CRLF and nothing else; white space is SP and HTAB and nothing
else (RFC 3261 section 7 and 25.1): whoever is lenient here lets one stack see a header that the next one does not.
"""

from __future__ import annotations

import re

from sipcore.errors import Malformed
from sipcore.message.limits import DEFAULT_LIMITS, Limits
from sipcore.message.message import Message, Request, Response
from sipcore.message.names import KNOWN, key_of

PLAIN = bytes(code for code in range(256) if code == 0x09 or (code >= 0x20 and code != 0x7F))
_FOLD = re.compile(rb"(?:\r\n[ \t]+)+")
_METHOD = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]{1,64}")
_STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2}) ([^\r\n]*)", re.IGNORECASE)
# A quoted pair may hold any ASCII character but CR and LF, also NUL (RFC 3261 section 25.1, RFC 4475 section 3.1.1.2).
_QUOTED_PAIR = re.compile(rb"\\[\x00-\x09\x0b\x0c\x0e-\x7f]")
_USUAL = "INVITE ACK BYE CANCEL REGISTER OPTIONS INFO PRACK UPDATE SUBSCRIBE NOTIFY MESSAGE REFER PUBLISH"
_METHODS = {name.encode(): name for name in _USUAL.split()}


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Parse one datagram; the body ends at Content-Length, or at the end of the datagram (RFC 3261 section 18.3)."""
    if len(data) > limits.message:
        raise Malformed("Message too large", 513)
    if data.startswith(b"\r\n"):
        data = data.lstrip(b"\r\n")  # empty lines before the start line are ignored (RFC 3261 section 7.5)
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        raise Malformed("No end of the header section")
    message = parse_head(head, limits)
    length = content_length(message)
    if length is not None and length != len(body):
        if length > len(body):
            raise Malformed("Content-Length is larger than the body")
        body = body[:length]  # what follows is no part of the message and is not forwarded (section 18.3)
    message.body = body
    return message


def parse_head(head: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Parse the start line and header lines (without the empty line behind them) into a message with no body."""
    if len(head) > limits.head:
        raise Malformed("Header section too large", 513)
    head = unfold(head)
    lines = head.split(b"\r\n")
    start = lines.pop(0)
    if head.translate(None, PLAIN) != b"\r\n" * len(lines):
        _check_controls(start, lines)
    if len(lines) > limits.headers:
        raise Malformed("Too many headers", 513)
    if len(head) > limits.line and len(max(lines, key=len, default=b"")) > limits.line:
        raise Malformed("Header line too long", 513)
    names: list[str] = []
    add = names.append
    known = KNOWN.get
    try:
        for line in lines:
            name, _ = line.split(b":", 1)
            add(known(name) or key_of(name))
    except ValueError:
        raise Malformed("Header line without a colon") from None
    return _start(start, names, lines, limits)


def unfold(head: bytes) -> bytes:
    """Put folded header lines on one line each (RFC 3261 section 7.3.1)."""
    return _FOLD.sub(b" ", head) if b"\r\n " in head or b"\r\n\t" in head else head


def _check_controls(start: bytes, lines: list[bytes]) -> None:
    if start.translate(None, PLAIN):
        raise Malformed("Control character in the start line")
    for line in lines:
        if line.translate(None, PLAIN) and _QUOTED_PAIR.sub(b"", line).translate(None, PLAIN):
            raise Malformed("Control character in a header")


def _start(start: bytes, names: list[str], lines: list[bytes], limits: Limits) -> Message:
    parts = start.split(b" ")
    if len(parts) == 3 and parts[2] == b"SIP/2.0":
        method = _METHODS.get(parts[0]) or _method(parts[0])
        if len(parts[1]) > limits.uri:
            raise Malformed("Request-URI too long", 414)
        return Request(method, parts[1].decode("utf-8", "surrogateescape"), names, lines)
    if start[:4].upper() == b"SIP/":
        match = _STATUS_LINE.fullmatch(start)
        if match is None:
            raise Malformed("Malformed status line")
        return Response(int(match[1]), match[2].decode("utf-8", "surrogateescape"), names, lines)
    return _odd_request(start, parts, names, lines, limits)


def _method(name: bytes) -> str:
    if not _METHOD.fullmatch(name):
        raise Malformed("Malformed method")
    return name.decode("ascii")


def _odd_request(start: bytes, parts: list[bytes], names: list[str], lines: list[bytes], limits: Limits) -> Message:
    """The request lines that are not quite usual: a lower-case version is legal, all others have their status."""
    version = parts[-1].upper()
    if len(parts) == 3 and version == b"SIP/2.0":
        return _start(start[: -len(version)] + version, names, lines, limits)
    if len(parts) == 3 and re.fullmatch(rb"SIP/[0-9]+\.[0-9]+", version):
        raise Malformed("Version not supported", 505)
    raise Malformed("Malformed request line")


def content_length(message: Message) -> int | None:
    """The Content-Length, or None when there is none; two of them are an attack, whatever their values."""
    count = message.names.count("content-length")
    if count == 0:
        return None
    if count > 1:
        raise Malformed("More than one Content-Length")
    return parse_length(message.get("content-length") or b"")


def parse_length(value: bytes) -> int:
    """A Content-Length value: up to ten digits and nothing else."""
    if not value.isdigit() or len(value) > 10:
        raise Malformed("Malformed Content-Length")
    return int(value)
