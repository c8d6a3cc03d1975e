"""What stands at a cursor: the word that is typed, the nodes around it, what the grammar and the checker know there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from routing.language import tree
from routing.language.editor.analysis import Analysis
from routing.language.editor.cursor import Cursor, cursor_at
from routing.language.editor.walking import nodes_at, place_of, span_of
from routing.language.signature import Place

At = Callable[[str], tuple[Analysis, int]]


def cursor(at: At, text: str) -> Cursor:
    found = cursor_at(*at(text))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "typed", "covered"),
    [
        ("on request { re|", "re", "re"),
        ("on request { re|ply(404) }", "re", "reply"),
        ("on request { |reply(404) }", "", "reply"),
        ("on request { reply| (404) }", "reply", "reply"),
        ("on request { request.ur|i }", "ur", "uri"),
        ("on request { request.| }", "", ""),
        ("on request { x =| 1 }", "", ""),
        ('on request { log("a|b") }', "a", '"ab"'),
        ('on request { log("ab|', "ab", '"ab'),
        ('on request { log("a\\"b|c", 1) }', 'a\\"b', '"a\\"bc"'),
        ("|", "", ""),
        ("on re|quest", "re", "request"),
    ],
)
def test_the_word_that_is_typed(at: At, text: str, typed: str, covered: str) -> None:
    found = cursor(at, text)
    assert found.typed == typed
    assert at(text)[0].source.text[slice(*found.range)] == covered
    assert found.quoted == covered.startswith('"')


@pytest.mark.parametrize(
    "text",
    ["# a|", "on request { # a|\n}", "on request { x = 20|", "on request { x = 20|s }",
     "on request { if a matches /b|/i }",
     "on request { if a matches /b|",
     'on request { log("a")  # "|"\n}', 'on request { x = "a"| }'],
)  # fmt: skip
def test_where_nothing_is_to_be_written(at: At, text: str) -> None:
    assert cursor_at(*at(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        'on request { log("# no comment", |',
        "on request { x = 10.0.0.0/8 y = |",
        'on request { if a matches /"#/ { | } }',
    ],
)
def test_signs_in_texts_and_numbers_begin_nothing(at: At, text: str) -> None:
    assert not cursor(at, text).quoted


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("on request { |", [tree.On, tree.Block, tree.Assign, tree.Name]),
        ("on request { call |", [tree.On, tree.Block, tree.Invoke, tree.Word]),
        ("on request { if |", [tree.On, tree.Block, tree.If, tree.Name]),
        ("on request { ring(for: |", [tree.On, tree.Block, tree.Act, tree.Call, tree.Argument, tree.Name]),
        ("on request { x.|", [tree.On, tree.Block, tree.Assign, tree.Attribute, tree.Word]),
        ("on request { log(call.|", [tree.On, tree.Block, tree.Act, tree.Call, tree.Argument, tree.CallVariable]),
        ("on request { log(shared.|", [tree.On, tree.Block, tree.Act, tree.Call, tree.Argument, tree.SharedTable]),
        ("route r(a: |", [tree.Route, tree.Parameter, tree.Word]),
        ("shared a: |", [tree.Shared, tree.Word]),
        ("on |", [tree.On, tree.Word]),
        ('on request { match a { "|', [tree.On, tree.Block, tree.Match, tree.Arm, tree.Text]),
    ],
)
def test_the_nodes_around_it(at: At, text: str, kinds: list[type]) -> None:
    assert [type(one) for one in cursor(at, text).chain] == kinds


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("on request { |", Place.REQUEST),
        ("route r() { |", Place.REQUEST),
        ("on dialog { |", Place.DIALOG),
        ("on reply { |", Place.REPLY),
        ("reply r(reply) { |", Place.REPLY),
        ("branch b(branch) { |", Place.BRANCH),
    ],
)
def test_the_kind_of_block(at: At, text: str, place: Place) -> None:
    found = cursor(at, text)
    assert found.place is place and place_of(found.chain) is place


def test_what_is_wanted_and_what_the_grammar_takes(at: At) -> None:
    found = cursor(at, "on request { ring(to, for: |")
    assert str(found.wanted()) == "duration"
    assert {"NAME", "QUANTITY", "TEXT"} <= found.accepts and "LET" not in found.accepts
    assert "LET" in cursor(at, "on request { |").accepts
    assert found.last == "COLON"


def test_blocks_below_are_known_too(at: At) -> None:
    found = cursor(at, "on request { call |\nroute one() { drop() }\nroute two(a: text) { drop(\n")
    assert set(found.routes) == {"one", "two"}


def test_locals_are_those_of_the_blocks_around_it(at: At) -> None:
    found = cursor(at, "route r(a: text) { let b = 1 if a == a { let c = 2 } | let d = 3 }")
    assert [one.symbol.name for one in found.locals] == ["a", "b"]
    assert [one.changes for one in found.locals] == [False, True]


# -- nodes at a place -------------------------------------------------------------------------------------------------


def test_nodes_at_a_place_are_given_from_the_top_down(at: At) -> None:
    analysis, offset = at("on request {\n    if a { re|ply(404) }\n}\n")
    found = nodes_at(analysis.file, *analysis.source.place(offset))
    assert [type(one) for one in found] == [tree.On, tree.Block, tree.If, tree.Block, tree.Act, tree.Call, tree.Word]
    for outer, inner in pairwise(found):
        assert span_of(outer)[:2] <= span_of(inner)[:2] and span_of(inner)[2:] <= span_of(outer)[2:]


def test_where_two_nodes_touch_the_one_that_begins_there_is_meant(at: At) -> None:
    analysis, offset = at("on request { f(a)|g(b) }")
    found = nodes_at(analysis.file, *analysis.source.place(offset))
    assert isinstance(found[-1], tree.Word) and found[-1].text == "g"


def test_outside_of_all_blocks_there_is_nothing(at: At) -> None:
    analysis, offset = at("on request { drop() }\n|\nroute r() { drop() }\n")
    assert nodes_at(analysis.file, *analysis.source.place(offset)) == []


def test_parameters_and_arms_have_places_too(at: At) -> None:
    analysis, offset = at('route r(a: te|xt) { match a { "x" => drop() } }')
    assert isinstance(nodes_at(analysis.file, *analysis.source.place(offset))[1], tree.Parameter)
    analysis, offset = at('route r(a: text) { match a { "x" => dr|op() } }')
    kinds = [type(one) for one in nodes_at(analysis.file, *analysis.source.place(offset))]
    assert tree.Arm in kinds and kinds[-1] is tree.Word
