"""Where a space stands between two words, and that every text in its layout is read as the same words."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from routing.language.grammar import grammar
from routing.language.spacing import spaced

ROOT = Path(__file__).resolve().parents[2]


def together(text: str) -> str:
    """A row of tokens in one line, as the formatter writes it."""
    tokens = list(grammar().lex(text))
    shown = str(tokens[0])
    for left, right in pairwise(tokens):
        shown += (" " if spaced(left.type, str(left), right.type, str(right)) else "") + str(right)
    return shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("reply ( 404 , retry_after : 60s )", "reply(404, retry_after: 60s)"),
        ("request . uri . parameter [ \"x\" ] [ 1 ]", "request.uri.parameter[\"x\"][1]"),
        ("if ( a ) and not ( b )", "if (a) and not (b)"),
        ("x in [ 1 , 600 .. 699 ]", "x in [1, 600..699]"),
        ("f ( [ 1 ] , ( a ) , g ( ) )", "f([1], (a), g())"),
        ("a=1", "a = 1"),
        ("a+b*2-1", "a + b * 2 - 1"),
        ("x matches/a/i", "x matches /a/i"),
        ("call r ( )", "call r()"),
        ("route r ( a : list of text )", "route r(a: list of text)"),
        ("branch b ( branch )", "branch b(branch)"),
        ("remove ( branch . header [ \"X\" ] )", "remove(branch.header[\"X\"])"),
        ("1 , 2 => [ 3 ]", "1, 2 => [3]"),
        ("return_value ( )", "return_value()"),
        ("match [ 1 ]", "match [1]"),
        ("shared . a [ b ]", "shared.a[b]"),
        ("in 10.0.0.0/8", "in 10.0.0.0/8"),
        ("f ( for : :: 1 )", "f(for: :: 1)"),
    ],
)  # fmt: skip
def test_a_row_of_words(text: str, shown: str) -> None:
    assert together(text) == shown


def test_no_space_is_missing_between_two_words() -> None:
    for file in sorted(ROOT.joinpath("etc").rglob("*.route")):
        for line in file.read_text("utf-8").splitlines():
            tokens = [(token.type, str(token)) for token in grammar().lex(line)]
            if tokens:
                assert [(token.type, str(token)) for token in grammar().lex(together(line))] == tokens, line
