"""What is said about the word under the pointer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.editor.analysis import Analysis
from routing.language.editor.described import KEYWORDS
from routing.language.editor.hover import hover, table_at
from routing.language.editor.mending import item_words
from routing.language.grammar import grammar

At = Callable[[str], tuple[Analysis, int]]


def said(at: At, text: str) -> str:
    found = hover(*at(text))
    return found.text if found is not None else ""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("on request { ri|ng(to) }", ["ring(to: ", "Ring all targets", "- `to`: whom to ring", "may end the route"]),
        ("on request { |reply(404) }", ["reply(code: ", "An outcome: nothing after it runs."]),
        ("on request { let x = look|up(to.uri) }", ["lookup(uri: uri) -> list of destination"]),
        ("on reply { dr|op() }", ["drop()", "Let a provisional response go no further."]),
        ("on request { ring(to, f|or: 20s) }", ["for: duration?"]),
        ("on request { if request.|method == 1 { } }", ["request.method: text", "The method, in upper case."]),
        ("on request { request.uri.us|er = 1 }", ["request.uri.user: text", "Can be set."]),
        ("on request { |source.ip }", ["source: source", "Where the request really came from."]),
        ("on request { if x in |domains { } }", ["... in domains", "A table of the configuration."]),
        ("on request { if x in lists.tr|unks { } }", ["... in lists.trunks"]),
        ("on request { if now in hours.off|ice { } }", ["now in hours.office"]),
        ("on request { let |phones = lookup(to.uri) }", ["phones: list of destination", "Declared in line 1."]),
        ("on request {\n let n = 1\n log(|n) }", ["n: number", "Declared in line 2."]),
        ("route r(|time: duration) { }", ["time: duration"]),
        ("on request { call.who = from.user log(call.|who) }", ["call.who: text", "First stored in line 1."]),
        ("on request { log(call.|who) }", ["call.who", "Nothing is ever stored in it."]),
        ("shared seen: number for 10m\non request { log(shared.se|en[to.user]) }", ["shared seen: number for 10m"]),
        ("# Rings,\n# or not.\nroute |user(time: duration) { }", ["route user(time: duration)", "Rings,\nor not."]),
        ("on request { call us|er() }\nroute user() { }", ["route user()"]),
        ("on request { call nobo|dy() }", ["There is no `nobody` in this file."]),
        ("on request { ring(to, edit: ti|dy) }\n# why\nbranch tidy(branch) { }", ["branch tidy(branch)", "why"]),
        ("reply cle|an(reply) { }", ["reply clean(reply)"]),
        ("on request { ring(to, for: 2|0s) }", ["A duration."]),
        ("on request { limit(2|0/s, per: to.user) else { } }", ["A rate."]),
        ("on request { if source.ip in 10.|0.0.0/8 { } }", ["A network."]),
        ("on request { if to.user matches /|x/ { } }", ["A pattern"]),
        ("on re|quest { }", ["`on request { ... }`"]),
        ("on request { i|f a { } }", ["if condition"]),
        ("on request { mat|ch a { } }", ["the first line that fits"]),
    ],
)  # fmt: skip
def test_each_kind_of_word(at: At, text: str, parts: list[str]) -> None:
    shown = said(at, text)
    for part in parts:
        assert part in shown, shown


@pytest.mark.parametrize(
    "text",
    [
        "|", "# if| so\non request { drop() }", 'on request { log("if| so") }', "on request { unkn|own() }",
        "on request { } |",
        "on request { source.no|ne() }", "on request { ring(to, no|ne: 1) }", "on request { log(1|x) }",
        "on request { nob|ody.x = 1 }",
    ],
)  # fmt: skip
def test_nothing_is_said_about_other_things(at: At, text: str) -> None:
    assert hover(*at(text)) is None


def test_what_it_is_about_is_marked(at: At) -> None:
    analysis, offset = at("on request { request.uri.us|er = 1 }")
    found = hover(analysis, offset)
    assert found is not None and analysis.source.text[slice(*found.range)] == "user"


def test_every_word_of_the_language_is_explained() -> None:
    words = {str(one.pattern.value) for one in grammar().terminals if str(one.pattern.value).isalpha()}
    assert set(KEYWORDS) == words
    assert set(item_words()) <= words


def test_the_table_that_is_named(at: At) -> None:
    assert table_at(*at("on request { if source.ip in lists.tr|unks { } }")) == "lists.trunks"
    assert table_at(*at("on request { if from.domain in dom|ains { } }")) == "domains"
    assert table_at(*at("on request { if from.do|main in domains { } }")) == ""
