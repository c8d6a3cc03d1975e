"""Text to tree: the grammar read once, syntax errors into problems."""

from __future__ import annotations

import re

from lark import UnexpectedInput

from routing.language import tree
from routing.language.grammar import grammar
from routing.language.lexer import BeyondBounds
from routing.language.mistakes import explain, span_of
from routing.language.problem import Report

_ITEM = re.compile(r'^(?:(?:on|route|branch|reply|shared)[ \t]+\w|test[ \t]*["{])', re.MULTILINE)


def parse(text: str, report: Report) -> tree.File:
    """Parse a route file; syntax errors go into the report, the first one of each top-level block."""
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    try:
        return _file(text)
    except (UnexpectedInput, BeyondBounds) as error:
        # A block with a missing brace swallows its neighbours: each is parsed alone, which also finds more mistakes.
        # A file is a row of blocks and no token goes over a line end, so a wrong file has a wrong part.
        blocks = _blocks(text)
        if len(blocks) == 1 or isinstance(error, BeyondBounds):
            _report(error, text, report)
        else:
            _parse_each(text, blocks, report)
        return tree.File(())


def _parse_each(text: str, blocks: list[tuple[int, int]], report: Report) -> None:
    line, counted = 0, 0
    for start, end in blocks:
        line, counted = line + text.count("\n", counted, start), start
        block = "\n" * line + text[start:end]  # so that its places are those of the file
        try:
            _file(block)
        except (UnexpectedInput, BeyondBounds) as error:
            _report(error, block, report)
        if report.full:
            return


def _report(error: UnexpectedInput | BeyondBounds, text: str, report: Report) -> None:
    if isinstance(error, BeyondBounds):
        report.error(span_of(error.token), error.message, error.hint)
    else:
        explain(error, text, report)


def _blocks(text: str) -> list[tuple[int, int]]:
    """Where top-level blocks seem to start and end: at `on`, `route`, ... in the first column."""
    starts = [0, *(match.start() for match in _ITEM.finditer(text) if match.start())]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _file(text: str) -> tree.File:
    file: tree.File = grammar().parse(text)  # type: ignore[assignment]  # the builder makes it
    return file
