"""From lines to sentences: where one ends, what its parts are, and where each of them stands."""

from __future__ import annotations

import pytest

from routing.language import tree
from routing.language.grammar import grammar
from routing.language.parser import parse
from routing.language.problem import Report, Span


def parsed(text: str) -> tree.Test:
    """The one test of a text without syntax errors."""
    report = Report("main.route", text)
    (test,) = parse(text, report).items
    assert report.problems == []
    assert isinstance(test, tree.Test)
    return test


def words(sentence: tree.Sentence) -> list[str]:
    found = []
    for part in sentence.parts:
        if isinstance(part, tree.Text):
            found.append(f'"{part.raw}"')
        elif isinstance(part, tree.Range):
            found.append(f"{part.low.text}..{part.high.text}")
        else:
            found.append(getattr(part, "text", "?"))
    return found


def sentences(lines: str) -> list[str]:
    return [" ".join(words(sentence)) for sentence in parsed(f'test "it" {{\n{lines}\n}}').sentences]


def test_a_line_is_a_sentence() -> None:
    assert sentences("alice calls bob\n\n  # a comment\n  bob answers # another\n") == [
        "alice calls bob",
        "bob answers",
    ]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("given users alice,\n bob,\n carol\nalice calls bob", ["given users alice , bob , carol", "alice calls bob"]),
        ("bob rings 5s\n then answers\n then hangs up", ["bob rings 5s then answers then hangs up"]),
        ('alice calls bob\n with "A: 1"\n without "B"', ['alice calls bob with "A: 1" without "B"']),
        ("expect alice\n and bob talk", ["expect alice and bob talk"]),
        ("alice calls bob\n , carol", ["alice calls bob , carol"]),
    ],
)
def test_a_sentence_goes_on_over_the_end_of_a_line(lines: str, found: list[str]) -> None:
    assert sentences(lines) == found


def test_all_kinds_of_parts() -> None:
    (sentence,) = parsed(
        'test "it" { expect lists.a 486 5s 10.0.0.0/8 2001:db8::1 400..499 "a b" /x/i true , [1] }'
    ).sentences
    kinds = [type(part) for part in sentence.parts]
    quantities = [tree.Quantity] * 4
    assert kinds == [
        tree.Word, tree.Word, *quantities, tree.Range, tree.Text, tree.Pattern, tree.Truth, tree.Word, tree.ListOf,
    ]  # fmt: skip
    assert words(sentence)[:2] == ["expect", "lists.a"]


def test_every_part_knows_its_place() -> None:
    test = parsed('\n\ntest "a call" {\n    alice calls "sip:bob@example.com"\n}\n')
    assert test.span == Span(3, 1, 5, 2)
    assert test.end == Span(5, 1, 5, 2)
    assert test.name == tree.Text("a call", Span(3, 6, 3, 14))
    (sentence,) = test.sentences
    assert sentence.span == Span(4, 5, 4, 38)
    assert [part.span for part in sentence.parts] == [Span(4, 5, 4, 10), Span(4, 11, 4, 16), Span(4, 17, 4, 38)]


def test_a_name_with_dots_is_one_part() -> None:
    (sentence,) = parsed('test "it" { given registrar.min_expires 60 }').sentences
    assert sentence.parts[1] == tree.Word("registrar.min_expires", Span(1, 19, 1, 40))


def test_a_test_may_have_no_name() -> None:
    assert parsed("test { given users alice }").name is None


@pytest.mark.parametrize("empty", ['test "it" { }', 'test "it" {\n\n# nothing\n}', "test {}"])
def test_a_test_may_be_empty(empty: str) -> None:
    assert parsed(empty).sentences == ()


def keywords() -> list[str]:
    """The words of the language, as the grammar has them; what is true or false is a value."""
    plain = (terminal.pattern.value for terminal in grammar().terminals)
    return sorted(word for word in plain if word.isalpha() and word.islower() and word not in ("true", "false"))


@pytest.mark.parametrize("keyword", keywords())
def test_words_of_the_language_are_words_of_a_sentence_too(keyword: str) -> None:
    assert sentences(f"alice {keyword} bob") == [f"alice {keyword} bob"]


def test_there_are_keywords() -> None:
    assert {"on", "route", "for", "call", "test"} <= set(keywords())


def test_one_test_with_a_mistake_leaves_the_others() -> None:
    text = 'test "one" {\n  alice (calls)\n}\ntest "two" {\n  bob { }\n}\ntest {\n ] \n}\n'
    report = Report("main.route", text)
    parse(text, report)
    assert [(problem.line, problem.column) for problem in report.problems] == [(2, 9), (5, 7), (8, 2)]
