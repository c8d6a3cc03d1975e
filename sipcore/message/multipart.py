"""Bodies of several parts (RFC 2046 section 5.1, RFC 5621 section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sipcore.errors import Malformed
from sipcore.message.content_type import ContentType
from sipcore.message.names import key_of
from sipcore.message.parameters import parameter, unquote

MOST_PARTS = 64
"""Parts of one multipart body."""
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n(?![ \t])")
_FOLD = re.compile(rb"\r?\n[ \t]+")


class Part(NamedTuple):
    """One part: its header fields by key, and its content."""

    headers: Mapping[str, bytes]
    content: bytes


def split_parts(content_type: ContentType, body: bytes) -> list[Part]:
    """The parts of a multipart body, in order; `Malformed` without a boundary, or when a part does not end."""
    boundary = unquote(parameter(content_type.parameters, "boundary") or "")
    if not _BOUNDARY.fullmatch(boundary):
        raise Malformed("No boundary of a multipart body")
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*+(?=\r?\n|\Z)")
    return [_part(body[start:end]) for start, end in _ranges(delimiter, body)]


def _ranges(delimiter: re.Pattern[bytes], body: bytes) -> Iterator[tuple[int, int]]:
    """Where the parts begin (at the end of the delimiter's line) and end."""
    start = -1
    for count, match in enumerate(delimiter.finditer(body)):
        if count > MOST_PARTS:
            raise Malformed("Too many parts in a multipart body")
        if start >= 0:
            yield start, match.start()
        start = match.end()
        if match[1]:
            return  # what stands behind the last delimiter is of no meaning
    raise Malformed("A multipart body without its end")


def _part(text: bytes) -> Part:
    blank = _BLANK_LINE.search(text)
    if blank is None:
        raise Malformed("A part of a multipart body without its blank line")
    headers: dict[str, bytes] = {}
    for line in _LINE_END.split(text[: blank.start()]):
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(key_of(name), _FOLD.sub(b" ", value).strip(b" \t"))
        elif line:
            raise Malformed("Malformed header of a part")
    return Part(headers, text[blank.end() :])
