"""Bytes to messages: the start line and the header lines, checked for smuggling; typed values come later.

Network bytes may raise `Malformed` only. Line ends are CRLF and nothing else; white space is SP and HTAB and nothing
else (RFC 3261 section 7 and 25.1): whoever is lenient here lets one stack see a header that the next one does not.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sipcore.errors import Malformed
from sipcore.message.limits import DEFAULT_LIMITS, Limits
from sipcore.message.message import Message, Request, Response
from sipcore.message.names import KNOWN
from sipcore.uri import Uri, parse_uri

PLAIN = bytes(code for code in range(256) if code == 0x09 or (code >= 0x20 and code != 0x7F))
"""Every byte that may stand anywhere in a header line."""
_LONGEST_METHOD = 64
_SHORT = 256
"""Only shorter lines are remembered, so that the count bounds the memory of a cache."""
_FOLD = re.compile(rb"(?:\r\n[ \t]+)+")
_METHOD = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]+")
_STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2}) ([^\r\n]*)", re.IGNORECASE)
_VERSION = re.compile(rb"SIP/[0-9]+\.[0-9]+")
# A quoted pair may hold any ASCII character but CR and LF, also NUL (RFC 3261 section 25.1, RFC 4475 section 3.1.1.2).
_QUOTED_PAIR = re.compile(rb"\\[\x00-\x09\x0b\x0c\x0e-\x7f]")
# Also one without an end, up to which it is searched once and not again from each quote in it.
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_METHODS = (
    "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "INFO", "PRACK", "UPDATE", "SUBSCRIBE", "NOTIFY",
    "MESSAGE", "REFER", "PUBLISH",
)  # fmt: skip
_USUAL_METHODS = {method.encode(): method for method in _METHODS}


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Request | Response:
    """Parse one datagram; the body ends at Content-Length, or at the end of the datagram (RFC 3261 section 18.3)."""
    large = len(data) > limits.unquestioned
    if large and len(data) > limits.message:
        raise Malformed("Message too large", 513)
    if data[:1] in b"\r":
        data = _without_empty_lines(data)
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        raise Malformed("No end of the header section")
    message = parse_head(head, limits)
    length = content_length(message)
    if length is not None and length != len(body):
        if length > len(body):
            raise Malformed("Content-Length is larger than the body")
        body = body[:length]  # what follows is no part of the message and is not forwarded (section 18.3)
    if large and len(body) > limits.body:
        raise Malformed("Body too large", 413)
    message.body = body
    return message


def _without_empty_lines(data: bytes) -> bytes:
    """Cut the CRLFs in front of the start line, which are ignored (RFC 3261 section 7.5)."""
    at = 0
    while data.startswith(b"\r\n", at):
        at += 2
    return data[at:]


def parse_head(head: bytes, limits: Limits = DEFAULT_LIMITS) -> Request | Response:
    """Parse the start line and header lines (without the empty line behind them) into a message with no body."""
    if len(head) > limits.head:
        _start_line(head[: limits.head].partition(b"\r\n")[0], limits)  # its own fault comes first: 400 or 414
        raise Malformed("Header section too large", 513)
    lines = head.split(b"\r\n")
    if len(head.translate(None, PLAIN)) != 2 * len(lines) - 2:  # only the CRLFs that were just split are left
        _check_controls(head)
    start = lines.pop(0)
    try:
        names = [KNOWN[name] for line in lines for name, _ in (line.split(b":", 1),)]
    except (KeyError, ValueError):
        return _parse_folded(head, limits)
    if len(names) > limits.headers:
        raise Malformed("Too many headers", 513)
    if len(head) > limits.line and max(map(len, lines)) > limits.line:
        raise Malformed("Header line too long", 513)
    usual = _usual_start(start) if len(start) < _SHORT <= limits.uri else None
    if usual is None:
        return _start(start, names, lines, limits)
    if len(usual) == 2:
        return Response(usual[0], usual[1], names, lines)
    return Request(usual[0], usual[1], names, lines, b"", usual[2])


def _parse_folded(head: bytes, limits: Limits) -> Request | Response:
    unfolded = unfold(head)
    if len(unfolded) == len(head):
        raise Malformed("Header line without a colon")
    return parse_head(unfolded, limits)


def unfold(head: bytes) -> bytes:
    """Put folded header lines on one line each (RFC 3261 section 7.3.1); the same length when none was folded."""
    return _FOLD.sub(b" ", head) if b"\r\n " in head or b"\r\n\t" in head else head


def _check_controls(head: bytes) -> None:
    """Allow control characters as quoted pairs in quoted strings and nowhere else."""
    start, *lines = unfold(head).split(b"\r\n")
    if start.translate(None, PLAIN):
        raise Malformed("Control character in the start line")
    for line in lines:
        if line.translate(None, PLAIN) and _QUOTED.sub(_without_pairs, line).translate(None, PLAIN):
            raise Malformed("Control character in a header")


def _without_pairs(quoted: re.Match[bytes]) -> bytes:
    return _QUOTED_PAIR.sub(b"", quoted[0]) if len(quoted[0]) > 1 and quoted[0].endswith(b'"') else quoted[0]


@lru_cache(maxsize=4096)
def _usual_start(start: bytes) -> tuple[str, str, Uri | None] | tuple[int, str] | None:
    """The parts of a request line (no URI when it is broken) or status line; None for one that is not quite usual."""
    parts = start.split(b" ")
    if len(parts) == 3 and parts[1] and parts[2] == b"SIP/2.0" and parts[0] in _USUAL_METHODS:
        uri_text = parts[1].decode("utf-8", "surrogateescape")
        try:
            uri = parse_uri(uri_text)
        except Malformed:
            uri = None
        return _USUAL_METHODS[parts[0]], uri_text, uri
    match = _STATUS_LINE.fullmatch(start)
    return (int(match[1]), match[2].decode("utf-8", "surrogateescape")) if match else None


def _start(start: bytes, names: list[str], lines: list[bytes], limits: Limits) -> Request | Response:
    if start[:4].upper() != b"SIP/":
        method, uri_text = _start_line(start, limits)
        return Request(method, uri_text, names, lines)
    match = _STATUS_LINE.fullmatch(start)
    if match is None:
        raise Malformed("Malformed status line")
    return Response(int(match[1]), match[2].decode("utf-8", "surrogateescape"), names, lines)


def _start_line(start: bytes, limits: Limits) -> tuple[str, str]:
    """Method and Request-URI; a version in lower case is legal (RFC 3261 section 7.1)."""
    method, *rest = start.split(b" ")
    if len(method) > _LONGEST_METHOD or not _METHOD.fullmatch(method):
        raise Malformed("Malformed method")
    if rest and len(rest[0]) > limits.uri:
        raise Malformed("Request-URI too long", 414)
    if len(rest) != 2 or not rest[0] or not _VERSION.fullmatch(rest[1].upper()):
        raise Malformed("Malformed request line")
    if rest[1].upper() != b"SIP/2.0":
        raise Malformed("Version not supported", 505)
    return method.decode("ascii"), rest[0].decode("utf-8", "surrogateescape")


def content_length(message: Message) -> int | None:
    """The Content-Length, or None when there is none; two of them are an attack, whatever their values."""
    names = message.names
    count = names.count("content-length")
    if count == 0:
        return None
    if count > 1:
        raise Malformed("More than one Content-Length")
    line = message.lines[names.index("content-length")]
    return _usual_length(line) if len(line) < _SHORT else _length_of_line(line)


def _length_of_line(line: bytes) -> int:
    return parse_length(line.partition(b":")[2].strip(b" \t"))


_usual_length = lru_cache(maxsize=2048)(_length_of_line)


def parse_length(value: bytes) -> int:
    """A Content-Length value: up to ten digits and nothing else."""
    if not value.isdigit() or len(value) > 10:
        raise Malformed("Malformed Content-Length")
    return int(value)
