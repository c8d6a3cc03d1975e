"""A route file as it was written: every token and comment, for whoever writes it again in another layout."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate

from lark import Lark, Token

_CLOSING = frozenset({"RPAR", "RSQB"})
_GAP = re.compile(r"#[^\n]*|\n")


class Node:
    """What a grammar rule made of tokens `first` to `last`; children are nodes, and tokens by their number.

    A node is made before its tokens have numbers; `number` gives them.
    """

    __slots__ = ("children", "data", "first", "last")

    def __init__(self, data: str, children: list[Node | Token]) -> None:
        self.data = str(data)
        self.children: list[Node | int] = children  # type: ignore[assignment]  # `number` makes it so
        self.first = self.last = -1

    def nodes(self, *rules: str) -> list[Node]:
        """The children that are nodes, of these rules if any are named."""
        return [one for one in self.children if isinstance(one, Node) and (not rules or one.data in rules)]

    def number(self, numbers: dict[int, int]) -> None:
        """Put the numbers of tokens, by where they start, in place of the tokens."""
        for place, child in enumerate(self.children):
            if isinstance(child, Node):
                child.number(numbers)
            else:
                self.children[place] = numbers[child.start_pos]  # type: ignore[attr-defined]  # still a Token
        if self.children:
            first, last = self.children[0], self.children[-1]
            self.first = first.first if isinstance(first, Node) else first
            self.last = last.last if isinstance(last, Node) else last


@dataclass(slots=True)
class Comment:
    """A comment with its `#`; `blank` when an empty line stands before it."""

    text: str
    blank: bool = False


@dataclass(slots=True)
class Surroundings:
    """What stands around one token: comments in lines of their own before it, and one behind it in its line."""

    before: list[Comment] = field(default_factory=list)
    behind: Comment | None = None
    blank: bool = False
    """Whether an empty line stands directly before it."""


class Written:
    """The tokens of a text with what surrounds them; a last, empty token stands for the end of the text."""

    def __init__(self, text: str) -> None:
        text = text.removeprefix("\N{BYTE ORDER MARK}")
        self.root: Node = _lossless().parse(text)  # type: ignore[assignment]  # made of Node
        tokens = _tokens(self.root)
        self.texts = [str(token) for token in tokens]
        self.types = [token.type for token in tokens]
        self.lines = [token.line or 1 for token in tokens]
        self.around = _surroundings(text, tokens)
        self.root.number({token.start_pos or 0: number for number, token in enumerate(tokens)})
        self._comments = self._count_comments()
        self._commas = self._count_commas()

    def _count_commas(self) -> list[int]:
        """How many commas before a closing bracket stand before each token."""
        pairs = zip(["", *self.types], self.types, strict=False)
        return list(accumulate(left == "COMMA" and right in _CLOSING for left, right in pairs))

    def _count_comments(self) -> list[int]:
        """How many comments stand before the end of each token, those behind it left out."""
        counts, seen = [], 0
        for around in self.around:
            seen += len(around.before)
            counts.append(seen)
            seen += around.behind is not None
        return counts

    def has_comments(self, first: int, last: int) -> bool:
        """Whether comments stand between these tokens."""
        return self._comments[last] > self._comments[first]

    def held_apart(self, first: int, last: int) -> bool:
        """Whether a comma stands before a closing bracket among these tokens."""
        return self._commas[last] > self._commas[first]


@lru_cache(maxsize=1)
def _lossless() -> Lark:
    """A second parser of the same grammar, which keeps all tokens."""
    source = (files(__package__) / "grammar.lark").read_text("utf-8")
    return Lark(source, parser="lalr", lexer="basic", keep_all_tokens=True, maybe_placeholders=False, tree_class=Node)


def _tokens(node: Node) -> list[Token]:
    found: list[Token] = []
    waiting: list[Node | Token] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Node):
            waiting.extend(reversed(one.children))  # type: ignore[arg-type]  # not numbered yet
        else:
            found.append(one)
    return found


def _surroundings(text: str, tokens: list[Token]) -> list[Surroundings]:
    """Everything between the tokens; there is one more than there are tokens, for the end."""
    found: list[Surroundings] = []
    end, previous = 0, None
    for token in [*tokens, None]:
        start = len(text) if token is None else token.start_pos or 0
        around = Surroundings()
        _read_gap(text[end:start], previous, around)
        found.append(around)
        if token is not None:
            end, previous = token.end_pos or 0, around
    for number, token in enumerate(tokens):
        if token.type == "COMMA" and found[number].before:
            # A comma stays behind what it follows: comments before it belong to what it leads to.
            found[number + 1].before[:0] = found[number].before
            found[number].before = []
    return found


def _read_gap(gap: str, previous: Surroundings | None, around: Surroundings) -> None:
    breaks = 0
    for mark in _GAP.findall(gap):
        if mark == "\n":
            breaks += 1
        elif breaks == 0 and previous is not None:
            previous.behind = Comment(mark.rstrip())
        else:
            around.before.append(Comment(mark.rstrip(), breaks > 1))
            breaks = 0
    around.blank = breaks > 1
