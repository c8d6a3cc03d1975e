"""A new name for something, everywhere it is named; only when the file is as right as it was."""

from __future__ import annotations

import re
from typing import NamedTuple

from routing.language.editor.analysis import Analysis
from routing.language.editor.names import Occurrence
from routing.language.editor.source import Edit, Range
from routing.language.grammar import grammar
from routing.language.problem import Problem, Severity

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Refused(Exception):
    """It can't be renamed; the message is one sentence for a person."""


class Renamable(NamedTuple):
    """A name that can be renamed: where it stands, and what it is now."""

    range: Range
    name: str


def renamable(analysis: Analysis, offset: int) -> Renamable:
    """The name at an offset; raises `Refused` for what has no name of this file."""
    occurrence = _occurrence(analysis, offset)
    return Renamable(analysis.source.range(occurrence.span), occurrence.symbol.name)


def rename(analysis: Analysis, offset: int, name: str) -> list[Edit]:
    """The edits that give something another name; raises `Refused` when that would not be right."""
    occurrence = _occurrence(analysis, offset)
    if not _NAME.fullmatch(name):
        raise Refused(f"`{name}` is no name: one consists of letters, digits and `_`")
    if _is_reserved(name):
        raise Refused(f"`{name}` is a word of the language")
    edits = [Edit(analysis.source.range(one.span), name) for one in analysis.names.of(occurrence.symbol)]
    after = Analysis(analysis.source.changed(edits), analysis.environment, analysis.name)
    before = {_kind(one) for one in _errors(analysis)}
    for problem in _errors(after):
        if _kind(problem) not in before:
            raise Refused(f"line {problem.line} would be wrong: {problem.message}")
    if len(after.names.occurrences) != len(analysis.names.occurrences) or len(_named(after, edits, name)) != len(edits):
        raise Refused(f"`{name}` is the name of something else here")
    return edits


def _occurrence(analysis: Analysis, offset: int) -> Occurrence:
    occurrence = analysis.occurrence(offset)
    if occurrence is None:
        raise Refused("only names of this file can be renamed: routes, functions, tables, variables")
    if not analysis.parses:
        line = next((one.line for one in analysis.problems), 1)
        raise Refused(f"correct the mistake in line {line} first: what is named there can't be told")
    if occurrence.symbol.declared is not None and _names_a_subject(analysis, occurrence):
        raise Refused("`reply` is what `on reply` is about; it has no other name")
    return occurrence


def _names_a_subject(analysis: Analysis, occurrence: Occurrence) -> bool:
    """Whether it is the word behind `on`, which is no name that somebody chose."""
    declared = occurrence.symbol.declared
    line = analysis.source.line(declared.line) if declared is not None else ""
    return declared is not None and re.search(r"\bon\s+$", line[: declared.column - 1]) is not None


def _is_reserved(name: str) -> bool:
    return next(iter(grammar().lex(name))).type != "NAME"


def _errors(analysis: Analysis) -> list[Problem]:
    return [one for one in analysis.problems if one.severity is Severity.ERROR]


def _kind(problem: Problem) -> tuple[int, str]:
    """What stays the same of a problem when a name in it changes."""
    return problem.line, re.sub(r"`[^`]*`", "``", problem.message)


def _named(after: Analysis, edits: list[Edit], name: str) -> list[Occurrence]:
    """Where the new name is found by what is at the first edit's place now."""
    first = min(edits).range.start
    occurrence = after.occurrence(first)
    return after.names.of(occurrence.symbol) if occurrence is not None and occurrence.symbol.name == name else []
