"""One canonical layout of route files: every comment stays, and so does what the file says.

Four spaces for each block; one statement a line, except in a block that was written in one line, holds nothing but
calls and stores, and fits; at most one empty line. What does not fit into 100 columns goes one argument, list item or
condition a line, and so does a list or call whose last item is followed by a comma. In neighbouring lines the one-line
blocks begin in one column, and so do `=>` and comments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import TypeAlias

from routing.language.building import GOES_ON
from routing.language.page import INDENT, WIDTH, Page
from routing.language.parser import parse
from routing.language.problem import Report, Span
from routing.language.spacing import spaced
from routing.language.written import Comment, Node, Written
from sipcore.errors import RingwayError

Part: TypeAlias = Node | int
"""A node, or a token by its number."""

_SIMPLE = frozenset({"let", "assign", "act", "invoke"})
_CHAINS = frozenset({"either", "both", "calculate", "compare", "member", "not_member", "matches"})
_LOGIC = frozenset({"either", "both"})
_ROWS = {"arguments": ",", "elements": ",", "parameters": ""}
"""What stands between brackets, and what ends its last row."""
_BRACKETED = frozenset({"call", "list", "operand"})


def format_routes(text: str, report: Report) -> str | None:
    """The text in its canonical layout; None when it has mistakes, which are in the report then."""
    try:
        before = parse(text, report)
        if report.failed:
            return None
        shown = Formatter(Written(text)).rendered()
        check = Report(report.file, shown)
        if not same(before, parse(shown, check)) or check.failed:
            raise LayoutFault(report.file)
    except RecursionError:
        report.error(Span(1, 1, 1, 2), "this file nests blocks or conditions too deeply")
        return None
    return shown


class LayoutFault(RingwayError):
    """A new layout would say something else: the formatter is wrong, and nothing was changed."""

    def __init__(self, file: str) -> None:
        super().__init__(f"{file}: left as it is: a fault of `ringway fmt`, please report it with this file")


def same(one: object, other: object) -> bool:
    """Whether two trees say the same, wherever in their texts it stands."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Span):
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return one == other


class Formatter:
    """Writes the items of a file onto a page."""

    def __init__(self, written: Written) -> None:
        self._page = Page()
        self._written = written
        self._texts: dict[tuple[int, int], str] = {}
        self._said: set[int] = set()
        """Tokens whose comments before them are written."""

    def rendered(self) -> str:
        """The whole file."""
        previous: Node | None = None
        for item in self._written.root.nodes():
            several = previous is not None and (self._broken(previous) or self._broken(item))
            self._row(item.first, blank=several)
            self._statement(item)
            previous = item
        self._comment_rows(len(self._written.around) - 1)
        return self._page.rendered()

    def _broken(self, item: Node) -> bool:
        """Whether a top-level block takes several lines."""
        blocks, stories = item.nodes("block"), item.nodes("story")
        if stories:
            return not self._one_sentence(item.first, stories[0])
        return bool(blocks) and not self._stays(item.first, blocks[0])

    # -- tokens and comments --------------------------------------------------------------------------------------

    def _row(self, token: int, *, blank: bool = False, first: bool = False) -> None:
        """Begin a line with this token, behind the comments before it, with the empty lines that were written.

        `blank`: with one in any case; `first`: none above all this.
        """
        around = self._written.around[token]
        needed = blank and not around.blank and not any(comment.blank for comment in around.before)
        self._comment_rows(token, blank=needed, first=first)
        above = first and not around.before
        self._page.row(blank=(around.blank or (needed and not around.before)) and not above)

    def _comment_rows(self, token: int, *, blank: bool = False, first: bool = False) -> None:
        """The comments before a token, each in a line of its own."""
        for number, comment in enumerate(self._unsaid(token)):
            empty = comment.blank or (blank and number == 0)
            self._page.row(blank=empty and not (first and number == 0))
            self._page.comment(comment.text)

    def _unsaid(self, token: int) -> Sequence[Comment]:
        if token in self._said:
            return ()
        self._said.add(token)
        return self._written.around[token].before

    def _before(self, token: int) -> None:
        """The comments before a token that stands inside a statement."""
        for comment in self._unsaid(token):
            self._page.row(deeper=1)
            self._page.comment(comment.text)

    def _behind(self, token: int) -> None:
        behind = self._written.around[token].behind
        if behind is not None:
            self._page.comment(behind.text)

    def _token(self, token: int, *, space: bool = False) -> None:
        """Write one token with its comments."""
        self._before(token)
        self._page.put(self._written.texts[token], space=space)
        self._behind(token)

    def _spaced(self, token: int) -> bool:
        """Whether a space stands before a token."""
        if token == 0:
            return False
        types, texts = self._written.types, self._written.texts
        return spaced(types[token - 1], texts[token - 1], types[token], texts[token])

    def _text(self, first: int, last: int) -> str:
        """Tokens in one line."""
        found = self._texts.get((first, last))
        if found is None:
            texts = self._written.texts
            rest = ((" " if self._spaced(token) else "") + texts[token] for token in range(first + 1, last + 1))
            found = self._texts[first, last] = texts[first] + "".join(rest)
        return found

    def _whole(self, first: int, last: int) -> bool:
        """Whether tokens can stand in one line: no comment between them, and no comma that holds rows apart."""
        return not self._written.has_comments(first, last) and not self._written.held_apart(first, last)

    # -- statements -----------------------------------------------------------------------------------------------

    def _statement(self, node: Node) -> None:
        """A statement, an item of the file or an arm of `match`, from the beginning of a line."""
        if node.data == "condition":
            self._clauses(_clauses(node))
        elif node.data == "match":
            self._match(node)
        elif node.data == "arm":
            self._arm(node)
        elif node.nodes("story"):
            self._test(node, node.nodes("story")[0])
        elif node.nodes("block"):
            self._clauses([node.children])
        else:
            self._node(node)

    def _clauses(self, clauses: list[list[Part]]) -> None:
        """Heads with their blocks, `if`, `else if` and `else` or one alone: all in one line each, or none."""
        page = self._page
        flat = all(self._stays(_first(parts[0]), _block_of(parts)) for parts in clauses)
        for number, parts in enumerate(clauses):
            first, block = _first(parts[0]), _block_of(parts)
            if number and (flat or page.line.comment or self._written.around[first].before):
                self._comment_rows(first, first=True)
                page.row()
            if flat:
                page.put(self._text(first, block.first - 1))
                page.mark("{")
                page.put(self._block_text(block))
                self._behind(block.last)
            else:
                self._head(parts[:-1], space=bool(number))
                self._block(block)

    def _stays(self, head: int, block: Node) -> bool:
        """Whether a block stays in the line of what leads to it: it was written so, is simple, and fits."""
        statements = block.nodes()
        if statements and self._written.lines[block.first] != self._written.lines[block.last]:
            return False
        if any(one.data not in _SIMPLE or one.nodes("block") for one in statements):
            return False
        if not self._whole(head, block.last):
            return False
        width = len(self._text(head, block.first - 1)) + 1 + len(self._block_text(block))
        return self._page.depth * INDENT + width <= WIDTH

    def _block_text(self, block: Node) -> str:
        inner = "  ".join(self._text(one.first, one.last) for one in block.nodes())
        return f"{{ {inner} }}" if inner else "{ }"

    def _head(self, parts: Sequence[Part], *, space: bool = False) -> None:
        """What leads to a brace, which stands in a line of its own behind a condition of several lines."""
        begun = self._page.line
        if not self._one_line(_first(parts[0]), _last(parts[-1]), 2, space):
            self._parts(parts, tail=2, space=space)
        line = self._page.line
        closes = line.text[:1] in (")", "]") and line.indent == self._page.depth * INDENT
        if line is not begun and not closes:
            self._page.row()

    def _block(self, block: Node) -> None:
        self._braces(block.first, block.nodes(), block.last)

    def _braces(self, opening: int, nodes: Sequence[Node], closing: int) -> None:
        """Rows between braces; the opening one follows in the line that is written."""
        self._token(opening, space=True)
        self._page.depth += 1
        for number, node in enumerate(nodes):
            self._row(node.first, first=number == 0)
            self._statement(node)
        self._comment_rows(closing, first=not nodes)
        self._page.depth -= 1
        self._page.row()
        self._token(closing)

    def _match(self, node: Node) -> None:
        head, arms = node.children[:2], node.nodes("arm")
        self._head(head)
        self._braces(_last(head[-1]) + 1, arms, node.last)

    def _arm(self, arm: Node) -> None:
        case, arrow, body = arm.children
        assert isinstance(case, Node) and isinstance(arrow, int) and isinstance(body, Node)
        block = body.data == "block"
        if block and self._stays(arm.first, body):
            self._page.put(self._text(case.first, case.last))
            self._page.mark("=>")
            self._page.put(f"=> {self._block_text(body)}")
            self._behind(body.last)
            return
        self._node(case, tail=3)
        self._before(arrow)
        self._page.mark("=>")
        self._token(arrow)
        if block:
            self._block(body)
        else:
            self._node(body, space=True)

    # -- tests ----------------------------------------------------------------------------------------------------

    def _one_sentence(self, head: int, story: Node) -> bool:
        """Whether a test stays in one line: it was written so, and fits."""
        lines = self._written.lines
        fits = self._page.depth * INDENT + len(self._text(head, story.last)) <= WIDTH
        return lines[story.first] == lines[story.last] and self._whole(head, story.last) and fits

    def _test(self, node: Node, story: Node) -> None:
        """A test is told in lines, so each stays the line that it is; those that go on with another stand deeper."""
        opening, *told, closing = story.children
        assert isinstance(opening, int) and isinstance(closing, int)
        if self._one_sentence(node.first, story):
            self._page.put(self._text(node.first, opening - 1))
            self._page.mark("{")
            self._token(opening)
            for part in told:
                self._part(part)
            self._token(closing, space=True)
            return
        self._tokens(node.first, opening)
        self._page.depth += 1
        for number, part in enumerate(told):
            first, before = _first(part), _first(part) - 1
            same_line = self._written.lines[first] == self._written.lines[before]
            if number and (self._written.texts[first] == "," or (same_line and not self._written.around[first].before)):
                self._part(part)  # a comma stays behind what it follows
                continue
            goes_on = number > 0 and (self._written.types[before] == "COMMA" or self._written.texts[first] in GOES_ON)
            self._row(first, first=number == 0 or goes_on)
            if goes_on:
                self._page.row(deeper=1)
            self._part(part)
        self._comment_rows(closing, first=not told)
        self._page.depth -= 1
        self._page.row()
        self._token(closing)

    def _part(self, part: Part) -> None:
        """A word, a value or a comma of a sentence."""
        if isinstance(part, int):
            self._token(part)
        else:
            self._node(part, space=True)

    def _tokens(self, first: int, last: int) -> None:
        for token in range(first, last + 1):
            self._token(token, space=token > first)

    # -- inside a statement ---------------------------------------------------------------------------------------

    def _one_line(self, first: int, last: int, tail: int, space: bool) -> bool:
        """Write tokens into the rest of the line, when they and the `tail` behind them fit."""
        self._before(first)
        if not self._whole(first, last):
            return False
        text = self._text(first, last)
        if self._page.column + space + len(text) + tail > WIDTH:
            return False
        self._page.put(text, space=space)
        self._behind(last)
        return True

    def _parts(self, parts: Sequence[Part], *, tail: int = 0, space: bool = False) -> None:
        """Tokens and nodes in a row; `tail` characters follow in the line, `space`: behind a space."""
        for number, part in enumerate(parts):
            apart = self._spaced(_first(part)) if number else space
            if isinstance(part, int):
                self._token(part, space=apart)
            elif part.data in _ROWS:
                self._rows(part)
            else:
                self._node(part, tail=self._tail(parts[number + 1 :], tail), space=apart)

    def _tail(self, parts: Sequence[Part], tail: int) -> int:
        """How much must follow in the same line: the tokens up to the next node, or all and `tail`."""
        width = 0
        for part in parts:
            if isinstance(part, Node):
                return width
            width += len(self._written.texts[part]) + self._spaced(part)
        return width + tail

    def _node(self, node: Node, *, tail: int = 0, space: bool = False) -> None:
        """An expression or a part of one: in the rest of the line when it fits, else in several."""
        if self._one_line(node.first, node.last, tail, space):
            return
        if node.data in _CHAINS:
            self._chain(node, tail, space)
        elif node.data == "operand":
            self._parenthesis(node, space)
        elif node.data == "cases":
            self._cases(node, tail)
        else:
            self._parts(node.children, tail=tail, space=space)

    def _chain(self, node: Node, tail: int, space: bool) -> None:
        """Operands joined by operators: one a line, its operator before it, unless brackets can take the break."""
        operands = _operands(node)
        last = operands[-1][-1]
        if node.data not in _LOGIC and len(operands) == 2 and isinstance(last, Node) and last.data in _BRACKETED:
            self._parts([*operands[0], *operands[1]], tail=tail, space=space)
            return
        self._parts(operands[0], space=space)
        self._page.depth += 1
        for number, parts in enumerate(operands[1:], 2):
            self._comment_rows(_first(parts[0]), first=True)
            self._page.row()
            self._parts(parts, tail=tail if number == len(operands) else 0)
        self._page.depth -= 1

    def _parenthesis(self, node: Node, space: bool) -> None:
        opening, inner, closing = node.children
        assert isinstance(opening, int) and isinstance(inner, Node) and isinstance(closing, int)
        self._token(opening, space=space)
        self._between(closing, lambda: self._entry(inner))
        self._token(closing)

    def _entry(self, inner: Node) -> None:
        self._row(inner.first, first=True)
        self._node(inner)

    def _rows(self, node: Node) -> None:
        """What stands between brackets, one item a line."""
        closing = node.last + 1
        self._between(closing, lambda: self._items(node))

    def _between(self, closing: int, write: Callable[[], None]) -> None:
        """Rows between two brackets, and the comments before the closing one; that is written by whoever opened."""
        self._page.depth += 1
        write()
        self._comment_rows(closing, first=True)
        self._page.depth -= 1
        self._page.row()

    def _items(self, node: Node) -> None:
        commas = [part for part in node.children if isinstance(part, int)]
        for number, item in enumerate(node.nodes()):
            self._row(item.first, first=True)
            self._node(item, tail=1)
            if number < len(commas):
                self._token(commas[number])
            elif _ROWS[node.data]:
                self._page.put(_ROWS[node.data])

    def _cases(self, node: Node, tail: int) -> None:
        for number, part in enumerate(node.children):
            if isinstance(part, int):
                self._token(part)
            else:
                if number:
                    self._row(part.first, first=True)
                self._node(part, tail=tail)


def _first(part: Part) -> int:
    return part.first if isinstance(part, Node) else part


def _last(part: Part) -> int:
    return part.last if isinstance(part, Node) else part


def _block_of(parts: Sequence[Part]) -> Node:
    """The block that a clause ends with."""
    block = parts[-1]
    assert isinstance(block, Node)
    return block


def _clauses(node: Node) -> list[list[Part]]:
    """`if`, each `else if`, and `else`: what leads to a block, and the block."""
    found: list[list[Part]] = []
    before: list[Part] = []
    while True:
        found.append([*before, *node.children[:3]])
        if len(node.children) == 3:
            return found
        before, rest = [node.children[3]], node.children[4]
        assert isinstance(rest, Node)
        if rest.data != "condition":
            return [*found, [*before, rest]]
        node = rest


def _operands(node: Node) -> list[list[Part]]:
    """What a chain of one operator joins: the first operand, then each operator with what follows it."""
    found: list[list[Part]] = []
    rule = node.data
    while True:
        first, *rest = node.children
        found.append(rest)
        if not isinstance(first, Node) or first.data != rule:
            return [[first], *reversed(found)]
        node = first
