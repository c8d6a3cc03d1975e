"""Whoever types a good file is offered each of its words before it is written, whatever stands behind the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lark import Token

from routing.language.editor.analysis import Analysis
from routing.language.editor.completion import complete
from routing.language.environment import Environment
from routing.language.grammar import grammar
from routing.program.project import Projects
from tests.routing.editor.test_any_text import MORE

ROOT = Path(__file__).resolve().parents[3]
FILES = [file for file in sorted((ROOT / "etc" / "ringway" / "routes").glob("*.route")) if ".test." not in file.name]
GOOD = (
    MORE
    + """
route more2(time: duration) { drop() }
on request {
    let number = e164(request.uri.user, country: "GB")
    call.caller = number
    if source.ip in lists.trunks or now in hours.office { log("known", call.caller, shared.failures[number]) }
    for phone in lookup(request.uri) { ring(phone, for: 20s, order: "by q", edit: out, replies: tidy) }
    match number {
        /^00/ => reply(403, retry_after: 60s)
        in ["1"] => call more(20s, who: outcome.contacts)
        else => { request.header["X-A"] = number  relay() }
    }
}
"""
)


def words(text: str) -> Iterator[tuple[Token, Token | None]]:
    """Every word of a text that is not a name which is only made here, with the token before it."""
    before: Token | None = None
    second: Token | None = None
    depth = 0
    for token in grammar().lex(text):
        if token.isidentifier():
            declares = before is not None and str(before) in {"let", "for", "route", "branch", "reply", "shared"}
            subject = before == "(" and depth == 0  # of a branch or reply function, or the parameter of a route
            kept = before == "." and second == "call"
            if not (declares or subject or kept or (token.type == "LABEL" and depth == 0)):
                yield token, before
        depth += (token == "{") - (token == "}")
        second, before = before, token


def environment_for(file: Path | None, environment: Environment) -> Environment:
    return Projects({}).of(file).environment if file is not None else environment


def offered(text: str, offset: int, environment: Environment) -> set[str]:
    labels = [one.label.rstrip(":") for one in complete(Analysis(text, environment), offset).offers]
    return {*labels, *(label.split()[0] for label in labels)}  # a type has several words


def cut(text: str, at: int) -> str:
    """A text up to a place, and the blocks below the one that holds it."""
    below = re.compile(r"^(?=[a-z])", re.MULTILINE).search(text, at + 1)
    return text[:at] + ("\n" + text[below.start() :] if below else "")


def cases() -> list[tuple[str, Path | None]]:
    return [*((file.read_text("utf-8"), file) for file in FILES), (GOOD, None)]


@pytest.mark.parametrize(("text", "file"), cases(), ids=[*(file.stem for file in FILES), "everything"])
@pytest.mark.parametrize("behind", ["other blocks", "the rest", "the word itself"])
def test_each_word_is_offered(text: str, file: Path | None, behind: str, environment: Environment) -> None:
    known = environment_for(file, environment)
    missed: list[str] = []
    for token, before in words(text):
        start, end = token.start_pos or 0, token.end_pos or 0
        typed = {"other blocks": cut(text, start), "the rest": text[:start] + text[end:]}.get(behind, text)
        if str(token) not in offered(typed, start, known):
            missed.append(f"{token.line}:{token.column}: {token} behind {before}")
    assert not missed, "\n".join(missed)


def test_there_are_many_words() -> None:
    assert sum(1 for text, _ in cases() for _ in words(text)) > 250


def test_half_a_word_is_completed_to_the_same(environment: Environment) -> None:
    for token, _ in words(GOOD):
        start, half = token.start_pos or 0, (token.start_pos or 0) + len(token) // 2
        assert str(token) in offered(cut(GOOD, half), half, environment), (token, token.line)
        analysis = Analysis(GOOD, environment)
        found = complete(analysis, half)
        assert found.range == (start, token.end_pos), token
