"""The lexer of route files: lark's own, which also counts, so that no file takes long or goes too deep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lark import Token
from lark.lexer import BasicLexer, LexerState

DEEPEST = 64
"""How many brackets may be open at a time: blocks, calls, lists and parentheses together."""
MOST_WORDS = 100_000
"""Words and signs of a file; one of 10,000 lines has about as many."""
_OPENING = frozenset({"LBRACE", "LPAR", "LSQB"})
_CLOSING = frozenset({"RBRACE", "RPAR", "RSQB"})


class BeyondBounds(Exception):
    """There is more than anybody means; `token` is the first one too many, `hint` says what to do."""

    def __init__(self, token: Token, message: str, hint: str) -> None:
        super().__init__(message)
        self.token = token
        self.message = message
        self.hint = hint


def bounded(tokens: Iterable[Token]) -> Iterator[Token]:
    """Give tokens until there are too many, or too many brackets are open: then raise `BeyondBounds`."""
    depth = 0
    for count, token in enumerate(tokens):
        if token.type in _OPENING:
            depth += 1
            if depth > DEEPEST:
                message = f"this nests too deeply: up to {DEEPEST} brackets may be open"
                raise BeyondBounds(token, message, "give the inner part a `route` of its own, and `call` it")
        elif token.type in _CLOSING:
            depth -= 1
        elif count >= MOST_WORDS:
            message = f"this file is too long: it has more than {MOST_WORDS:,} words and signs"
            raise BeyondBounds(token, message, "keep long lists in [lists] of the configuration")
        yield token


class NestingLexer(BasicLexer):
    """Lark's lexer, which gives bounded tokens."""

    __future_interface__ = 2  # the interface of lark's own lexers

    def lex(self, state: LexerState, parser_state: Any) -> Iterator[Token]:
        """All tokens of a text; raises `BeyondBounds`."""
        return bounded(super().lex(state, parser_state))
