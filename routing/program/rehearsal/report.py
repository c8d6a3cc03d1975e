"""How tests are shown: what failed, where and what happened there; what was never reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routing.language.problem import Span, render
from routing.program.check import problems_as_json
from routing.program.config import read_text
from routing.program.rehearsal.coverage import Coverage
from routing.program.rehearsal.ladder import Ladder, as_documents
from routing.program.rehearsal.performance import Told

if TYPE_CHECKING:
    from routing.program.rehearsal.command import Performed

_NARROW = 100


def failed(told: Told, text: str, route_line: Callable[[int], str]) -> list[str]:
    """A test that failed: `text` is that of its file, `route_line` gives the lines of the routes."""
    assert told.failure is not None
    lines = [f'FAILED  {told.file}:{told.story.span.line}  "{told.story.name}"', render(told.failure, text)]
    ladder = Ladder(told.ladder)
    if ladder.rungs:
        lines += ["what happened, by seconds, with the lines of the routes that ran:", *ladder.lines(route_line)]
    return [*lines, ""]


def counted(told: Sequence[Told]) -> str:
    """How many tests there were, and how they ended."""
    failures = sum(1 for one in told if one.failure is not None)
    noun = "test" if len(told) == 1 else "tests"
    return (
        f"{len(told)} {noun}: {len(told) - failures} passed, {failures} failed"
        if failures
        else f"{len(told)} {noun} passed"
    )


def covered(file: Path, coverage: Coverage) -> list[str]:
    """How much of a route file ran, and what did not."""
    never = coverage.never_ran()
    end = "; these never ran:" if never else ""
    lines = [f"{file}: {coverage.percent:.0f} %, {coverage.ran} of {len(coverage.runs)} statements{end}"]
    text = read_text(file).split("\n") if never else []
    return lines + [f"{span.line:>6}  {statement(span, text)}" for span in never]


def statement(span: Span, lines: Sequence[str]) -> str:
    """The text of a statement, as far as it stands on its first line."""
    line = lines[span.line - 1]
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    text = line[span.column - 1 : end].strip()
    return text if len(text) <= _NARROW else text[: _NARROW - 3] + "..."


# -- for programs -----------------------------------------------------------------------------------------------------


def document(performed: Iterable[Performed], good: bool, coverage: bool) -> dict[str, Any]:
    """All of it as plain values."""
    performed = list(performed)
    found: dict[str, Any] = {
        "good": good,
        "tests": [_test(told) for each in performed for told in each.told],
        "mistakes": [text for each in performed for text in each.mistakes],
        "problems": [
            problem
            for each in performed
            for source in each.suite.sources
            for problem in problems_as_json(source.problems)
        ],
    }
    if coverage:
        found["coverage"] = [_coverage(each.suite.route_file, each.coverage) for each in performed if each.told]
    return found


def _test(told: Told) -> dict[str, Any]:
    failure = None if told.failure is None else problems_as_json([told.failure])[0]
    return {
        "file": told.file,
        "line": told.story.span.line,
        "name": told.story.name,
        "passed": failure is None,
        "seconds": round(told.seconds, 6),
        "failure": failure,
        "ladder": as_documents(told.ladder),
    }


def _coverage(file: Path, coverage: Coverage) -> dict[str, Any]:
    lines = read_text(file).split("\n")
    never = [
        {"line": span.line, "column": span.column, "statement": statement(span, lines)} for span in coverage.never_ran()
    ]
    return {
        "file": str(file),
        "percent": round(coverage.percent, 1),
        "statements": len(coverage.runs),
        "ran": coverage.ran,
        "never_ran": never,
    }
