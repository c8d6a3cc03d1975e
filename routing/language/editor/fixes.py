"""Quick fixes: what the hint of a mistake says, as an edit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from routing.language.editor.source import Edit, Range, Source
from routing.language.problem import Problem, Span

_INSTEAD = (
    re.compile(r"did you mean `([^`]+)`\?"),
    re.compile(r"a duration has a unit: (\S+)"),
    re.compile(r"write `([\w.]+|else if)`"),
    re.compile(r"write `(==)` to compare"),
    re.compile(r"write (\S+) without quotes"),
    re.compile(r"write (\d+\.\.\d+)"),
    re.compile(r"write ([0-9A-Fa-f.:]+/\d+)"),
)
"""Hints that say what stands in place of what is marked."""
_DOUBLED = ("&", "|")


class Fix(NamedTuple):
    """One way to mend a mistake."""

    title: str
    edits: tuple[Edit, ...]


def fixes(source: Source, problems: Sequence[Problem], wanted: Range) -> list[tuple[Problem, Fix]]:
    """The fixes for mistakes that touch a part of the text."""
    found: list[tuple[Problem, Fix]] = []
    for problem in problems:
        range_ = range_of(source, problem)
        if range_.start <= wanted.end and wanted.start <= range_.end:
            fix = fix_of(source, problem)
            if fix is not None:
                found.append((problem, fix))
    return found


def range_of(source: Source, problem: Problem) -> Range:
    """Where a mistake is."""
    end = problem.column + problem.length
    return source.range(Span(problem.line, problem.column, problem.line, end))


def fix_of(source: Source, problem: Problem) -> Fix | None:
    """What the hint says to write, when it says so exactly."""
    start, end = range_of(source, problem)
    written = source.text[start:end]
    if problem.hint == "leave the `;` out":
        return Fix("Leave the `;` out", (Edit(Range(start, end), ""),))
    for pattern in _INSTEAD:
        match = pattern.fullmatch(problem.hint)
        if match is None:
            match = pattern.fullmatch(problem.message)
        if match is None:
            continue
        if written in _DOUBLED and source.text[end : end + 1] == written:
            end += 1
        apart = " " if written == "!" and source.text[end : end + 1].isalnum() else ""
        return Fix(f"Write `{match[1]}`", (Edit(Range(start, end), match[1] + apart),))
    return None
