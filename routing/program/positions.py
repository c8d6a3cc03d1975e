"""Places in a text as editors count them: lines from 0, and columns in units of the encoding that was agreed on."""

from __future__ import annotations

from routing.language.editor.source import Source

_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def units(text: str, encoding: str) -> int:
    """How many units of an encoding a text takes."""
    if encoding == "utf-32" or (encoding == "utf-16" and text.isascii()):
        return len(text)
    coded = text.encode("utf-16-le" if encoding == "utf-16" else encoding, "surrogatepass")
    return len(coded) // _BYTES[encoding]


def offset_of(source: Source, line: int, column: int, encoding: str) -> int:
    """The offset of an editor's line and column; what is behind the end of a line is its end."""
    start = source.offset(line + 1, 1)
    end = source.text.find("\n", start)
    text = source.text[start : end if end >= 0 else len(source.text)]
    if text.isascii():
        return start + min(column, len(text))
    for place, mark in enumerate(text):
        if column <= 0:
            return start + place
        column -= units(mark, encoding)
    return start + len(text)


def place_of(source: Source, offset: int, encoding: str) -> tuple[int, int]:
    """An editor's line and column of an offset."""
    line, column = source.place(offset)
    return line - 1, units(source.text[offset - column + 1 : offset], encoding)
