"""A text with its lines: offsets to lines and columns and back."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from routing.language.problem import Span


class Range(NamedTuple):
    """Part of a text: the offset of its first character, and of the one behind its last."""

    start: int
    end: int

    def holds(self, offset: int) -> bool:
        """Whether an offset is in it or at one of its ends."""
        return self.start <= offset <= self.end


class Edit(NamedTuple):
    """New text in place of part of the old one."""

    range: Range
    text: str


class Source:
    """A text; lines end with LF, as in the language's own messages."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        self._starts += [place + 1 for place, mark in enumerate(text) if mark == "\n"]

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, both from 1; what is behind the end of a line is its end."""
        if line > len(self._starts):
            return len(self.text)
        start = self._starts[line - 1]
        end = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        return min(start + column - 1, end)

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def range(self, span: Span) -> Range:
        """Where a span stands."""
        return Range(self.offset(span.line, span.column), self.offset(span.end_line, span.end_column))

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def changed(self, edits: list[Edit]) -> str:
        """The text after some edits, which don't overlap."""
        text = self.text
        for (start, end), new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text
