"""Text to tree: the grammar read once, syntax errors into problems."""

from __future__ import annotations

import re

from lark import UnexpectedInput

from routing.language import tree
from routing.language.grammar import grammar
from routing.language.mistakes import explain
from routing.language.problem import Report

_ITEM = re.compile(r'^(?:(?:on|route|branch|reply|shared)[ \t]+\w|test[ \t]*["{])', re.MULTILINE)


def parse(text: str, report: Report) -> tree.File:
    """Parse a route file; syntax errors go into the report, the first one of each top-level block."""
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    try:
        return _file(text)
    except UnexpectedInput:
        # A block with a missing brace swallows its neighbours: each is parsed alone, which also finds more mistakes.
        # A file is a row of blocks and no token goes over a line end, so a wrong file has a wrong part.
        for start, end in _blocks(text):
            block = "\n" * text.count("\n", 0, start) + text[start:end]  # so that its places are those of the file
            try:
                _file(block)
            except UnexpectedInput as error:
                explain(error, block, report)
        return tree.File(())


def _blocks(text: str) -> list[tuple[int, int]]:
    """Where top-level blocks seem to start and end: at `on`, `route`, ... in the first column."""
    starts = [0, *(match.start() for match in _ITEM.finditer(text) if match.start())]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _file(text: str) -> tree.File:
    file: tree.File = grammar().parse(text)  # type: ignore[assignment]  # the builder makes it
    return file
