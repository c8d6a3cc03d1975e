"""The top-level blocks of a file, for the list beside it, and to find a block by its name."""

from __future__ import annotations

from typing import NamedTuple

from routing.language import tree
from routing.language.editor.analysis import Analysis
from routing.language.editor.described import route_line
from routing.language.editor.source import Range
from routing.language.problem import Span


class Entry(NamedTuple):
    """One block: what is shown of it, where it is, and where its name is."""

    name: str
    word: str
    detail: str
    range: Range
    name_range: Range


def outline(analysis: Analysis) -> list[Entry]:
    """All blocks in the order of the text."""
    source = analysis.source
    found: list[Entry] = []
    for item in analysis.file.items:
        word = type(item).__name__.lower()
        name, name_span, detail = word, Span(*item.span[:2], item.span.line, item.span.column + len(word)), ""
        if isinstance(item, tree.Test):
            if item.name is not None:
                name, name_span = f'{word} "{item.name.raw}"', item.name.span
        elif isinstance(item, tree.On):
            name, name_span = f"{word} {item.event.text}", item.event.span
        else:
            name, name_span = item.name.text, item.name.span
            detail = _detail(item)
        found.append(Entry(name, word, detail, source.range(item.span), source.range(name_span)))
    return found


def _detail(item: tree.Item) -> str:
    """What stands beside a name."""
    if isinstance(item, tree.Route):
        return route_line(item).removeprefix(f"route {item.name.text}")
    return f"{item.type.text} for {item.lifetime.text}" if isinstance(item, tree.Shared) else ""
