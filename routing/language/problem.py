"""A mistake in a route file, and how it is shown: place, sentence, the line itself, a caret, what to do."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from routing.language.notes import Notes

MOST_SHOWN = 100
"""Mistakes of one file that a person is shown; how many there are further is said."""
_WIDEST = 200
"""Characters of a line that are shown: of a longer one those around the place."""


class Span(NamedTuple):
    """Where something stands: first character and the one behind the last; lines and columns count from 1."""

    line: int
    column: int
    end_line: int
    end_column: int

    def part(self, offset: int, length: int) -> Span:
        """Some characters inside a span of one line."""
        start = self.column + offset
        return Span(self.line, start, self.line, start + length)


class Severity(enum.Enum):
    """Whether a file with this problem may run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: `length` characters from `line` and `column` (both from 1), all of them on that line.

    Line 0 stands for a whole file, or for what is no file.
    """

    file: str
    line: int
    column: int
    length: int
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR


class BadLiteral(Exception):
    """A literal can't be read; `offset` and `length` say which of its characters are wrong."""

    def __init__(self, message: str, offset: int, length: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.hint = hint


class Report:
    """Collects the problems of one route file."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = text.split("\n")
        self.notes: Notes | None = None
        """Where the checker writes down what it learns, when an editor wants to know."""
        self._found: list[Problem] = []

    def beside(self) -> Report:
        """An empty report about the same file, for a check that may have to be repeated."""
        report = Report(self.file, "")
        report.lines = self.lines
        report.notes = self.notes
        return report

    def take(self, other: Report) -> None:
        """Take over what another report found."""
        self._found += other._found

    def error(self, span: Span, message: str, hint: str = "") -> None:
        """Note something that keeps the file from running."""
        self._add(span, message, hint, Severity.ERROR)

    def warning(self, span: Span, message: str, hint: str = "") -> None:
        """Note something that is probably not meant."""
        self._add(span, message, hint, Severity.WARNING)

    def _add(self, span: Span, message: str, hint: str, severity: Severity) -> None:
        # What covers several lines is underlined to the end of its first one.
        end = span.end_column if span.end_line == span.line else len(self.lines[span.line - 1].rstrip()) + 1
        self._found.append(
            Problem(self.file, span.line, span.column, max(1, end - span.column), message, hint, severity)
        )

    @property
    def problems(self) -> list[Problem]:
        """All problems in the order of the file, each once."""
        return sorted(set(self._found), key=lambda problem: (problem.line, problem.column, problem.message))

    @property
    def failed(self) -> bool:
        """Whether the file can't run."""
        return any(problem.severity is Severity.ERROR for problem in self._found)

    @property
    def full(self) -> bool:
        """Whether more was found than anybody reads."""
        return len(self._found) >= MOST_SHOWN

    def nearest(self, name: str, known: Iterable[str]) -> str:
        """A hint with the nearest known name, or ""; a file that is wrong all over gets none behind its first ones."""
        return "" if self.full else nearest(name, known)


def render_all(problems: Sequence[Problem], text: str, most: int = MOST_SHOWN) -> list[str]:
    """Show problems as `render` does, and behind the first `most` how many there are further."""
    lines = text.split("\n")
    shown = [_rendered(problem, lines) for problem in problems[:most]]
    if len(problems) > most:
        shown.append(f"... and {len(problems) - most} more")
    return shown


def render(problem: Problem, text: str) -> str:
    """Show a problem with its line of `text`, a caret under the place, and a hint when there is one.

    One without a line (of a whole file, of a variable) has no text to show.
    """
    return _rendered(problem, text.split("\n"))


def _rendered(problem: Problem, lines: Sequence[str]) -> str:
    if not problem.line:
        shown = f"{problem.severity.value}: {problem.file}: {problem.message}"
        return f"{shown}\n  hint: {problem.hint}" if problem.hint else shown
    line = lines[problem.line - 1].rstrip() if problem.line <= len(lines) else ""
    column = problem.column - 1
    first = max(0, column - _WIDEST // 2) if len(line) > _WIDEST else 0
    before, behind = "..." * (first > 0), "..." * (len(line) > first + _WIDEST)
    source = before + _visible(line[first : first + _WIDEST]) + behind
    at = column - first + len(before)
    # Tabs are kept in the margin, so that the caret stands under its place at any tab width.
    margin = re.sub(r"[^\t]", " ", source[:at].ljust(at))
    carets = "^" * min(problem.length, max(1, len(source) - at))
    shown = f"{problem.severity.value}: {problem.file}:{problem.line}:{problem.column}: {problem.message}"
    shown += f"\n    {source}\n    {margin}{carets}"
    return f"{shown}\n  hint: {problem.hint}" if problem.hint else shown


def _visible(line: str) -> str:
    return "".join(mark if mark == "\t" or mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in line)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name that looks most like `name`, or ""."""
    close = difflib.get_close_matches(name, sorted(set(known)), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""
