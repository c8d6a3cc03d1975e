"""A tree of any text: where it is wrong, words are put in or left out until it parses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lark import Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.lexer import PatternStr
from lark.parsers.lalr_interactive_parser import InteractiveParser

from routing.language import tree
from routing.language.grammar import grammar
from routing.language.lexer import BeyondBounds, bounded

MISSING = "\N{HORIZONTAL ELLIPSIS}"
"""Stands for a name that was not written yet."""
_FILLING = (
    "RBRACE", "RPAR", "RSQB", "LBRACE", "__ANON_0", "EQUAL", "FOR", "IN", "COLON", "NAME", "QUANTITY", "LABEL", "LPAR",
    "DOT",
)  # fmt: skip
"""What may be put in, the best first: an end before a beginning, a name before other values."""
_BEGINNINGS = frozenset({"NAME", "REPLY", "BRANCH", "CALL", "SHARED", "LET", "IF", "FOR", "MATCH"})
"""What a statement begins with; in a line of its own it most likely begins one."""
_OPENING = frozenset({"LPAR", "LSQB", "LBRACE"})
_WORDS = {"NAME": MISSING, "LABEL": MISSING, "QUANTITY": "0"}
_LONGEST_FILLING = 4
_MOST_REPAIRS = 30
_MOST_CLOSING = 300


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file that begins with a word for a top-level block: where, and how many lines stand above it."""

    start: int
    text: str
    line: int

    def holds(self, line: int) -> bool:
        """Whether a line, counted from 1, belongs to it."""
        after = self.line + self.text.count("\n") + (not self.text.endswith("\n"))
        return self.line < line <= after


@dataclass(frozen=True, slots=True)
class MendedBlock:
    """The items of a block; `broken` when it had to be mended."""

    items: tuple[tree.Item, ...]
    broken: bool


@lru_cache(maxsize=1)
def item_words() -> tuple[str, ...]:
    """The words that a top-level block begins with."""
    accepted = _accepts(grammar().parse_interactive(""))
    return tuple(
        one.pattern.value
        for one in grammar().terminals
        if one.name in accepted and isinstance(one.pattern, PatternStr) and one.pattern.value.isalpha()
    )


def _accepts(parser: InteractiveParser) -> set[str]:
    accepted: set[str] = parser.accepts()  # type: ignore[no-untyped-call]  # lark's
    return accepted


@lru_cache(maxsize=1)
def _beginning() -> re.Pattern[str]:
    return re.compile(rf"^(?:{'|'.join(item_words())})\b", re.MULTILINE)


def blocks(text: str) -> list[Block]:
    """The parts of a text: each begins where a line begins with a word for a top-level block."""
    starts = [0, *(match.start() for match in _beginning().finditer(text) if match.start())]
    found: list[Block] = []
    line = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        found.append(Block(start, text[start:end], line))
        line += text.count("\n", start, end)
    return found


@lru_cache(maxsize=2048)
def mended(text: str, line: int) -> MendedBlock:
    """The items of one block whose text stands below so many lines."""
    try:
        file: tree.File = grammar().parse("\n" * line + text)  # type: ignore[assignment]  # the builder makes it
        return MendedBlock(file.items, False)
    except (UnexpectedInput, BeyondBounds):
        repair = Repair()
        repair.feed(tokens(text, line))
        return MendedBlock(repair.closed().items, True)


def tokens(text: str, line: int) -> list[Token]:
    """The tokens of a text; what is none is left out, and a text without its closing quote ends with its line.

    Where brackets nest too deeply, or words are too many, the text ends.
    """
    text = "\n" * line + text
    found: list[Token] = []
    while True:
        found.clear()
        try:
            found.extend(bounded(grammar().lex(text)))
            return found
        except BeyondBounds:
            return found
        except UnexpectedCharacters as error:
            at = error.pos_in_stream or 0
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            if text[at] == '"' and end - at > 1:
                inner = text[at + 1 : end - 1].replace('"', " ").replace("\\", " ")
                text = f'{text[:at]}"{inner}"{text[end:]}'
            else:
                text = f"{text[:at]} {text[at + 1 :]}"


class Repair:
    """Takes tokens in any order and makes something of them that parses."""

    def __init__(self) -> None:
        self._parser: InteractiveParser = grammar().parse_interactive("")
        self._last: Token | None = None
        self._repairs = 0

    def feed(self, given: Iterable[Token]) -> None:
        """Take tokens; where one can't stand others are put in before it, or it is left out."""
        for token in given:
            behind_dot = self._last is not None and self._last.type == "DOT"
            if behind_dot and self._last is not None and token.line != self._last.line:
                self._try(self._made("NAME"))  # a name behind a dot stands in its line
            if self._try(token):
                continue
            filling = None
            if self._repairs < _MOST_REPAIRS:
                begins = self._last is not None and token.line != self._last.line and token.type in _BEGINNINGS
                filling = (self._filling(token, "LET") if begins else None) or self._filling(token)
            self._repairs += 1
            if filling is not None:
                self._put(filling)
                self._try(token)

    def accepts(self) -> set[str]:
        """The terminals that could come next."""
        return _accepts(self._parser)

    def closed(self) -> tree.File:
        """What was fed as a file, ended by whatever it lacks."""
        for _ in range(_MOST_CLOSING):
            accepted = self.accepts()
            if "$END" in accepted:
                file: tree.File = self._parser.feed_eof()  # type: ignore[no-untyped-call]  # lark's
                return file
            best = next((name for name in _FILLING if name in accepted), None)
            if best is None:
                break
            self._put([best])
        return tree.File(())

    def _try(self, token: Token) -> bool:
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:
            return False
        self._last = token
        return True

    def _put(self, names: Sequence[str]) -> None:
        for name in names:
            self._parser.feed_token(self._made(name))

    def _made(self, name: str) -> Token:
        """A token that nobody wrote, behind the last one that somebody did."""
        last = self._last
        line, column = (last.end_line or 1, last.end_column or 1) if last is not None else (1, 1)
        position = (last.end_pos or 0) if last is not None else 0
        text = _WORDS.get(name, "") or _spelling(name)
        return Token(name, text, position, line, column, line, column, position)

    def _filling(self, token: Token, beside: str = "") -> list[str] | None:
        """The shortest row of tokens that lets this one, and `beside` as well, stand behind it."""
        waiting: list[tuple[list[str], InteractiveParser]] = [([], self._parser)]
        for _ in range(_LONGEST_FILLING):
            deeper: list[tuple[list[str], InteractiveParser]] = []
            for names, parser in waiting:
                accepted = _accepts(parser)
                if names and token.type in accepted and (not beside or beside in accepted):
                    return names
                for name in _FILLING:
                    opens = name in _OPENING and token.type in ("RPAR", "RSQB")  # it closes nothing: leave it out
                    if name in accepted and name != token.type and not opens:
                        other = parser.copy(deepcopy_values=False)  # type: ignore[no-untyped-call]  # lark's
                        other.feed_token(self._made(name))
                        deeper.append(([*names, name], other))
            waiting = deeper[:_MOST_REPAIRS]
        return None


@lru_cache(maxsize=64)
def _spelling(name: str) -> str:
    """How a terminal that is always the same is written."""
    return next(str(one.pattern.value) for one in grammar().terminals if one.name == name)
