"""The parser that lark makes from `grammar.lark`, built once."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from lark import Lark
from lark.lexer import PatternStr

from routing.language.building import Builder
from routing.language.lexer import NestingLexer


@lru_cache(maxsize=1)
def grammar() -> Lark:
    """The parser of route files; what it returns is a `tree.File`."""
    source = (files(__package__) / "grammar.lark").read_text("utf-8")
    # A basic lexer, so that a word of the language is one everywhere, and a mistake is named by what it is.
    return Lark(source, parser="lalr", lexer=NestingLexer, transformer=Builder())


@lru_cache(maxsize=1)
def reserved_words() -> frozenset[str]:
    """The words of the language, which can't be names."""
    patterns = (terminal.pattern for terminal in grammar().terminals)
    return frozenset(one.value for one in patterns if isinstance(one, PatternStr) and one.value.isalpha())
