"""Parameters behind a semicolon, and values between commas, without being fooled by quotes or angle brackets."""

from __future__ import annotations

import re

from sipcore.errors import Malformed

Parameters = tuple[tuple[str, str | None], ...]
"""Name in lower case and value as received (quotes kept), None for a parameter without "="; in order."""

_PARAMETER = re.compile(
    r"""[ \t]*;[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)(?:[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s;,"<>=?]+(?:[^\s;,"<>]*)))?""",
    re.ASCII | re.DOTALL,
)
_UNQUOTE = re.compile(r"\\(.)", re.DOTALL)


def parse_parameters(text: str) -> Parameters:
    """Parse `;name=value;flag` from its first semicolon to its end; `Malformed` when anything else is there."""
    found: list[tuple[str, str | None]] = []
    at, end = 0, len(text.rstrip(" \t"))
    while at < end:
        match = _PARAMETER.match(text, at, end)
        if match is None:
            raise Malformed("Malformed parameter")
        found.append((match[1].lower(), match[2]))
        at = match.end()
    return tuple(found)


def parameter(parameters: Parameters, name: str) -> str | None:
    """The value of the first parameter of this name; "" when it has no value, None when it is absent."""
    for key, value in parameters:
        if key == name:
            return value or ""
    return None


def unquote(text: str) -> str:
    """The content of a quoted string, or the text itself when it is not quoted (RFC 3261 section 25.1)."""
    if len(text) >= 2 and text[0] == '"' == text[-1]:
        return _UNQUOTE.sub(r"\1", text[1:-1])
    return text


def quote(text: str) -> str:
    """Write a quoted string; backslash and quote are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split_commas(value: bytes) -> list[bytes]:
    """Split a comma list (RFC 3261 section 7.3.1) outside quotes and angle brackets; white space is trimmed.

    Raises `Malformed` on an unterminated quote or bracket. Empty elements are kept as b"".
    """
    if b"," not in value:
        return [value.strip(b" \t")]
    if b'"' not in value and b"<" not in value:
        return [part.strip(b" \t") for part in value.split(b",")]
    parts: list[bytes] = []
    start = at = 0
    end = len(value)
    while at < end:
        at = end_of_element(value, at)
        if at < end:
            parts.append(value[start:at].strip(b" \t"))
            at = start = at + 1
            if at == end:
                parts.append(b"")
                return parts
    parts.append(value[start:].strip(b" \t"))
    return parts


_STOP = re.compile(rb'[",<]')
_QUOTED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def end_of_element(value: bytes, at: int = 0) -> int:
    """The place of the next top-level comma from `at`, or the end; `Malformed` as in `split_commas`."""
    while True:
        stop = _STOP.search(value, at)
        if stop is None:
            return len(value)
        at = stop.start()
        if value[at] == 0x2C:
            return at
        if value[at] == 0x3C:
            at = value.find(b">", at) + 1
            if not at:
                raise Malformed("Unterminated angle bracket")
        else:
            quoted = _QUOTED.match(value, at)
            if quoted is None:
                raise Malformed("Unterminated quoted string")
            at = quoted.end()
