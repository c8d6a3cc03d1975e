"""Trees of texts that are wrong: what was meant is there, and what is right stays as it is."""

from __future__ import annotations

import pytest
from lark import Token

from routing.language import tree
from routing.language.editor.mending import MISSING, Repair, blocks, item_words, mended, tokens
from routing.language.formatter import same
from routing.language.lexer import DEEPEST, MOST_WORDS
from routing.language.parser import parse
from routing.language.problem import Report


def items(text: str) -> tuple[tree.Item, ...]:
    return tuple(item for block in blocks(text) for item in mended(block.text, block.line).items)


def like(wrong: str, right: str) -> None:
    """A mended text says the same as a right one."""
    report = Report("", right)
    wanted = parse(right, report)
    assert not report.failed, report.problems
    assert same(tree.File(items(wrong)), wanted), items(wrong)


def test_a_right_text_is_what_the_parser_says() -> None:
    text = "# a\non request {\n    if a { reply(404) }\n}\n\nroute r() { drop() }\n"
    assert tree.File(items(text)) == parse(text, Report("", text))
    assert not any(mended(block.text, block.line).broken for block in blocks(text))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("on request {", "on request { }"),
        ("on request { if a", "on request { if a { } }"),
        ("on request { if a { drop()", "on request { if a { drop() } }"),
        ("on request { ring(lookup(a), for: 20s\n drop()\n}", "on request { ring(lookup(a), for: 20s) drop() }"),
        ("on request { ring([1, 2\n drop()\n}", "on request { ring([1, 2]) drop() }"),
        ("on request { drop() } }", "on request { drop() }"),
        ("on request { drop()) }", "on request { drop() }"),
        ("on request { drop(); reply(404) }", "on request { drop() reply(404) }"),
        ('on request { reply(404, "x\n}', 'on request { reply(404, "") }'),
        ("on request { match a { 1 => ", "on request { match a { 1 => { } } }"),
        ("on request { match a { 1 => drop() ", "on request { match a { 1 => drop() } }"),
        ("on request { if a { drop() } else", "on request { if a { drop() } else { } }"),
        ("on request { drop()\nroute r() { drop() }", "on request { drop() }\nroute r() { drop() }"),
        ("route r(a: text", "route r(a: text) { }"),
        ("route r(", "route r() { }"),
        ("on request { call r", "on request { call r() }"),
        ("on request { $x = 1 }", "on request { x = 1 }"),
        ("hello on request { drop() }", "on request { drop() }"),
    ],
)
def test_what_was_meant_is_found(wrong: str, right: str) -> None:
    like(wrong, right)


def only_statements(text: str) -> tuple[tree.Statement, ...]:
    (item,) = items(text)
    assert isinstance(item, tree.On)
    return item.body.statements


def test_what_is_missing_has_a_name_of_its_own() -> None:
    (let,) = only_statements("on request { let x = ")
    assert isinstance(let, tree.Let) and isinstance(let.value, tree.Name) and let.value.text == MISSING
    (loop,) = only_statements("on request { for")
    assert isinstance(loop, tree.For) and loop.name.text == MISSING


def test_a_dot_at_the_end_of_a_line_takes_nothing_from_the_next() -> None:
    assign, act, invoke = only_statements("on request {\n    request.uri.\n    reply(404)\n    call user()\n}\n")
    assert isinstance(assign, tree.Assign) and isinstance(assign.target, tree.Attribute)
    assert assign.target.name.text == MISSING
    assert isinstance(act, tree.Act) and isinstance(invoke, tree.Invoke)


def test_places_are_those_of_the_text() -> None:
    text = "on request {\n    drop(\n}\n\nroute r() { drop() }\n"
    first, second = items(text)
    assert first.span[:2] == (1, 1) and second.span[:2] == (5, 1)


def test_a_file_falls_into_blocks() -> None:
    text = "# top\non request {\n on x\n}\nroute r() {}\nroutes\nshared a: text for 1h"
    found = blocks(text)
    assert [block.text.split(" ", 1)[0] for block in found] == ["#", "on", "route", "shared"]
    assert [block.line for block in found] == [0, 1, 4, 6]
    assert "".join(block.text for block in found) == text
    assert [[block.holds(line) for block in found].index(True) for line in range(1, 8)] == [0, 1, 1, 1, 2, 2, 3]


def test_the_words_of_top_level_blocks_come_from_the_grammar() -> None:
    assert {"on", "route", "branch", "reply", "shared", "test"} <= set(item_words())
    assert "let" not in item_words()


def test_what_is_no_token_is_left_out() -> None:
    assert [str(token) for token in tokens("a § b ' c", 0)] == ["a", "b", "c"]
    (text,) = tokens('"abc', 3)
    assert (text.type, text.line) == ("TEXT", 4)


def test_a_text_that_is_nothing_at_all_gives_an_empty_file() -> None:
    repair = Repair()
    repair.feed([Token("RBRACE", "}"), Token("COMMA", ",")])
    assert repair.closed() == tree.File(())


def test_a_long_row_of_mistakes_comes_to_an_end() -> None:
    repair = Repair()
    repair.feed(tokens("on request { " + ") = ] " * 500, 0))
    assert len(repair.closed().items) == 1


def test_a_name_is_put_behind_a_dot_once() -> None:
    repair = Repair()
    repair.feed(tokens("on request { log(request.\n] ] user) }", 0))
    (item,) = repair.closed().items
    assert isinstance(item, tree.On)


def test_a_text_ends_where_nobody_means_it_any_more() -> None:
    assert len(tokens("[" * 1000, 0)) == DEEPEST
    assert len(tokens("a " * (MOST_WORDS + 10), 0)) == MOST_WORDS
    (item,) = mended("on request { drop() }\nlog(" + "[" * 1000, 0).items
    assert isinstance(item, tree.On)
