"""From text to tree: shapes, and where each part stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.language import tree
from routing.language.parser import parse
from routing.language.problem import Report, Span


def file_of(text: str) -> tree.File:
    report = Report("main.route", text)
    file = parse(text, report)
    assert report.problems == []
    return file


def body_of(text: str) -> tuple[tree.Statement, ...]:
    (item,) = file_of(f"on request {{ {text} }}").items
    return item.body.statements


def statement(text: str) -> tree.Statement:
    (found,) = body_of(text)
    return found


def value(text: str) -> tree.Expression:
    found = statement(f"let x = {text}")
    assert isinstance(found, tree.Let)
    return found.value


def shown(node: object) -> str:
    """An expression with every grouping made visible."""
    match node:
        case tree.Logic(operator, left, right) | tree.Comparison(operator, left, right, False):
            return f"({shown(left)} {operator} {shown(right)})"
        case tree.Comparison(operator, left, right, True):
            return f"({shown(left)} not {operator} {shown(right)})"
        case tree.Not(operand):
            return f"(not {shown(operand)})"
        case tree.Attribute(owner, name):
            return f"{shown(owner)}.{name.text}"
        case tree.Index(owner, key):
            return f"{shown(owner)}[{shown(key)}]"
        case tree.Name(text) | tree.Quantity(text):
            return text
        case tree.CallVariable(name):
            return f"call.{name}"
        case tree.Text(raw):
            return f'"{raw}"'
        case tree.Pattern(text, ignore_case):
            return f"/{text}/{'i' if ignore_case else ''}"
        case tree.Truth(truth):
            return str(truth).lower()
        case tree.Range(low, high):
            return f"{shown(low)}..{shown(high)}"
        case tree.ListOf(items):
            return f"[{', '.join(map(shown, items))}]"
        case tree.Call(name, arguments):
            return f"{name.text}({', '.join(map(shown, arguments))})"
        case tree.Argument(None, inner):
            return shown(inner)
        case tree.Argument(label, inner):
            return f"{label.text}: {shown(inner)}"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a or b and c", "(a or (b and c))"),
        ("(a or b) and c", "((a or b) and c)"),
        ("not a and b", "((not a) and b)"),
        ("not a == b", "(not (a == b))"),
        ("not not a", "(not (not a))"),
        ("a or b or c", "((a or b) or c)"),
        ("a == b and c in d or e not in f", "(((a == b) and (c in d)) or (e not in f))"),
        ("a matches /x/", "(a matches /x/)"),
        ("a <= 3", "(a <= 3)"),
        ("a >= 3.5", "(a >= 3.5)"),
        ("a < 3", "(a < 3)"),
        ("a > 3", "(a > 3)"),
        ("a != 3", "(a != 3)"),
        ("request.uri.user", "request.uri.user"),
        ('request.header["X-A"]', 'request.header["X-A"]'),
        ('branch.header["X"]', 'branch.header["X"]'),
        ("call.attempts", "call.attempts"),
        ("[1, 2, 600..699]", "[1, 2, 600..699]"),
        ("[1, 2,]", "[1, 2]"),
        ("[]", "[]"),
        ("1 .. 5", "1..5"),
        ("true", "true"),
        ("false", "false"),
        ("f()", "f()"),
        ("f(1, g(2), a: 3)", "f(1, g(2), a: 3)"),
        ("f(for: 20s, in: 3, as: from, not: 1, if: 2)", "f(for: 20s, in: 3, as: from, not: 1, if: 2)"),
        ("f(a, )", "f(a)"),
        (r"/^00(\d+)$/", r"/^00(\d+)$/"),
        (r"/a\/b/i", r"/a\/b/i"),
        (r'"a \"b\" \\"', r'"a \"b\" \\"'),
        ('"# no comment"', '"# no comment"'),
    ],
)
def test_expressions_group_as_they_read(text: str, meaning: str) -> None:
    assert shown(value(text)) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "0", "20", "1.5", "20s", "500ms", "1.5h", "20/s", "100/m", "192.0.2.1", "10.0.0.0/8", "::", "::1", "fe80::/10",
        "2001:db8::/32", "2001:db8:0:1:2:3:4:5", "::ffff:192.0.2.1", "10sec", "1.2.3",
    ],
)  # fmt: skip
def test_a_quantity_is_one_word_whatever_it_is(text: str) -> None:
    assert value(text) == tree.Quantity(text, Span(1, 22, 1, 22 + len(text)))
    assert shown(value(f"[{text}, {text}]")) == f"[{text}, {text}]"
    assert shown(value(f"f({text}, x: {text})")) == f"f({text}, x: {text})"


@pytest.mark.parametrize("word", ["a in", "a not in", "not", "a ==", "a and"])
def test_a_network_that_begins_with_colons_makes_no_label_of_the_word_before_it(word: str) -> None:
    assert shown(value(f"{word} ::1")) == shown(value(f"{word} 1::1")).replace("1::1", "::1")
    assert shown(value("f(for: ::1, to : ::1)")) == "f(for: ::1, to: ::1)"


def test_a_file_holds_blocks_of_three_kinds() -> None:
    entry, route, branch = file_of(
        "on request { }\nroute hunt(to: list of destination, time: duration) { }\nbranch out(branch) { }\n"
    ).items
    assert isinstance(entry, tree.On) and entry.event.text == "request"
    assert isinstance(route, tree.Route) and route.name.text == "hunt"
    assert [(one.name.text, one.type.text) for one in route.parameters] == [
        ("to", "list of destination"),
        ("time", "duration"),
    ]
    assert isinstance(branch, tree.Branch) and (branch.name.text, branch.subject.text) == ("out", "branch")


def test_statements_need_nothing_between_them() -> None:
    found = body_of('let a = b c = d call.x = f() g(1) call r() request.header["X"] = "y" drop()')
    kinds = [type(one).__name__ for one in found]
    assert kinds == ["Let", "Assign", "Assign", "Act", "Invoke", "Assign", "Act"]


def test_else_if_nests_in_else() -> None:
    found = statement("if a { f() } else if b { g() } else { h() }")
    assert isinstance(found, tree.If) and found.otherwise is not None
    (inner,) = found.otherwise.statements
    assert isinstance(inner, tree.If) and shown(inner.condition) == "b"
    assert inner.otherwise is not None and len(inner.otherwise.statements) == 1


def test_a_function_may_have_an_else_block() -> None:
    found = statement("limit(3/s) else { drop() }")
    assert isinstance(found, tree.Act) and found.otherwise is not None
    assert found.call.name.text == "limit"


def test_a_match_takes_literals_lists_tables_and_else() -> None:
    found = statement('match n { /x/ => f() 1, 2..3, [4] => { g() } in t => call r() "a" => h() else => i() }')
    assert isinstance(found, tree.Match)
    assert [tuple(map(shown, arm.cases)) for arm in found.arms] == [("/x/",), ("1", "2..3", "[4]"), (), ('"a"',), ()]
    assert [arm.within is not None for arm in found.arms] == [False, False, True, False, False]
    assert [type(arm.body.statements[0]).__name__ for arm in found.arms] == ["Act", "Act", "Invoke", "Act", "Act"]


def test_a_loop_names_its_variable() -> None:
    found = statement("for gateway in gateways.carrier { ring(gateway) }")
    assert isinstance(found, tree.For)
    assert (found.name.text, shown(found.items)) == ("gateway", "gateways.carrier")


def test_each_part_knows_where_it_stands() -> None:
    text = "on request {\n    if a {\n        reply(404)\n    }\n}\n"
    (entry,) = file_of(text).items
    (choice,) = entry.body.statements
    assert isinstance(choice, tree.If)
    (act,) = choice.then.statements
    assert isinstance(act, tree.Act)
    assert entry.span == Span(1, 1, 5, 2)
    assert entry.body.end == Span(5, 1, 5, 2)
    assert choice.span == Span(2, 5, 4, 6)
    assert choice.then.end == Span(4, 5, 4, 6)
    assert act.call.name.span == Span(3, 9, 3, 14)
    assert act.call.arguments[0].span == Span(3, 15, 3, 18)


def test_the_grammar_stays_small() -> None:
    grammar = Path(tree.__file__).with_name("grammar.lark").read_text("utf-8")
    assert len(grammar.splitlines()) <= 90
    assert "relay" not in grammar and "drop" not in grammar
