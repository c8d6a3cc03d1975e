"""What stands at a cursor in a text that is being typed: the tree as it would be if a name stood there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lark import Token

from routing.language import tree
from routing.language.editor.analysis import Analysis
from routing.language.editor.mending import Repair, tokens
from routing.language.editor.names import Local, names_of
from routing.language.editor.source import Range
from routing.language.editor.walking import children, place_of, span_of
from routing.language.notes import Notes
from routing.language.problem import Span
from routing.language.signature import Place
from routing.language.types import UNKNOWN, Type

MARK = "\N{WHITE VERTICAL RECTANGLE}"
"""The name that is put where the cursor is."""
_WORD = re.compile(r"[A-Za-z_]\w*")
_INSIDE = re.compile(r'#.*|"(?:\\.|[^"\\])*"?|(?<![\w)\]])/(?![/*])(?:\\.|[^/\\])*/?i?')


@dataclass(slots=True)
class Cursor:
    """A place in a text. `typed` is the word or text before it that is being written, and `range` where that stands.

    `chain` are the nodes from the top down to the mark; `accepts` what the grammar takes there.
    """

    typed: str
    range: Range
    quoted: bool = False
    accepts: set[str] = field(default_factory=set)
    before: list[Token] = field(default_factory=list)
    chain: list[Any] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    locals: list[Local] = field(default_factory=list)
    routes: dict[str, tree.Route] = field(default_factory=dict)

    @property
    def last(self) -> str:
        """The terminal before the cursor."""
        return self.before[-1].type if self.before else ""

    @property
    def place(self) -> Place:
        """What kind of block it stands in."""
        return place_of(self.chain)

    def wanted(self) -> Type:
        """The type of what is to be written here."""
        return self.notes.wanted.get(span_of(self.chain[-1]), UNKNOWN) if self.chain else UNKNOWN

    def held(self, node: Any) -> Type:
        """What a path holds."""
        return self.notes.held.get(span_of(node), UNKNOWN)


def cursor_at(analysis: Analysis, offset: int) -> Cursor | None:
    """Look at a place; None inside a comment, a pattern or a number."""
    source = analysis.source
    start = source.text.rfind("\n", 0, offset) + 1
    inside = _inside(source.text[start:offset])
    if inside in ("#", "/"):
        return None
    block = next(one for one in reversed(analysis.blocks) if one.start <= offset or one.start == 0)
    end = offset if not inside else start + _text_start(source.text[start:offset])
    before = tokens(source.text[block.start : end], block.line)
    if inside:
        cursor = Cursor(source.text[end + 1 : offset], Range(end, _text_end(source.text, offset)), quoted=True)
    else:
        typed = _typed(source.text[block.start : offset], before)
        if typed is None:
            return None
        cursor = Cursor(typed, Range(offset - len(typed), offset + len(_rest(source.text, offset))))
    cursor.before = before
    _look(cursor, analysis, block.start)
    return cursor


def _inside(line: str) -> str:
    """What the end of a line's beginning is in: `"`, `#`, `/` or nothing."""
    for match in _INSIDE.finditer(line):
        found = match[0]
        if match.end() == len(line) and (found[0] == "#" or len(found) == 1 or not _closed(found)):
            return found[0]
    return ""


def _closed(literal: str) -> bool:
    return re.fullmatch(r'"(?:\\.|[^"\\])*"|/(?:\\.|[^/\\])*/i?', literal) is not None


def _text_start(line: str) -> int:
    """Where the text begins that the end of a line is in."""
    return [match.start() for match in _INSIDE.finditer(line)][-1]


def _text_end(text: str, offset: int) -> int:
    """Where a text ends that the offset is in: behind its quote, or at the offset when it has none in its line."""
    match = re.compile(r'(?:\\.|[^"\\\n])*"').match(text, offset)
    return match.end() if match else offset


def _typed(text: str, before: list[Token]) -> str | None:
    """The word that ends here, which is taken off the tokens; None behind a number."""
    if not before or text[-1:].isspace():
        return ""
    last = before[-1]
    if not text.endswith(str(last)):
        return ""
    if last.type in ("QUANTITY", "TEXT", "PATTERN"):
        return None
    if _WORD.fullmatch(last):
        before.pop()
        return str(last)
    return ""


def _rest(text: str, offset: int) -> str:
    """What of a word stands behind the cursor."""
    match = re.compile(r"\w*").match(text, offset)
    return match[0] if match else ""


def _look(cursor: Cursor, analysis: Analysis, block: int) -> None:
    """Put the mark in, end what is not ended, and have the checker tell what it knows of it."""
    repair = Repair()
    repair.feed(cursor.before)
    cursor.accepts = repair.accepts()
    name = "TEXT" if cursor.quoted else "NAME"
    items: tuple[tree.Item, ...] = ()
    if name in cursor.accepts:
        line, column = analysis.source.place(cursor.range.start)
        text = f'"{MARK}"' if cursor.quoted else MARK
        end = column + len(text)
        repair.feed([Token(name, text, 0, line, column, line, end, len(text))])
        items = repair.closed().items
    others = tuple(item for other, parts in analysis.parts if other.start != block for item in parts.items)
    file = tree.File((*others, *items))
    cursor.chain = _chain(items)
    cursor.routes = {item.name.text: item for item in file.items if isinstance(item, tree.Route)}
    analysis.examine(file, cursor.notes)
    if cursor.chain:
        place: Span = span_of(cursor.chain[-1])
        cursor.locals = names_of(tree.File(items)).known_at(*place[:2])


def _chain(items: tuple[tree.Item, ...]) -> list[Any]:
    """The nodes down to the mark."""
    waiting: list[list[Any]] = [[item] for item in items]
    while waiting:
        chain = waiting.pop()
        node = chain[-1]
        name = getattr(node, "raw", None) if isinstance(node, tree.Text) else getattr(node, "text", None)
        if (name is not None and name.endswith(MARK)) or getattr(node, "name", None) == MARK:
            return chain
        waiting += [[*chain, child] for child in children(node)]
    return []
