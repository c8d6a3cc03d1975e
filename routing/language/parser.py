"""Text to tree: the grammar read once, its parse trees turned into nodes, syntax errors into problems."""

from __future__ import annotations

import re
from typing import Any

from lark import Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError
from lark.tree import Meta

from routing.language import tree
from routing.language.grammar import grammar
from routing.language.mistakes import explain
from routing.language.problem import Report, Span

_ITEM = re.compile(r"^(?:on|route|branch)[ \t]+\w", re.MULTILINE)


def parse(text: str, report: Report) -> tree.File:
    """Parse a route file; syntax errors go into the report, the first one of each top-level block."""
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    try:
        return _file(text)
    except UnexpectedInput:
        # A block with a missing brace swallows its neighbours: each is parsed alone, which also finds more mistakes.
        # A file is a row of blocks and no token goes over a line end, so a wrong file has a wrong part.
        for start, end in _blocks(text):
            try:
                _file("\n" * text.count("\n", 0, start) + text[start:end])
            except UnexpectedInput as error:
                explain(error, text[:end], report)
        return tree.File(())


def _blocks(text: str) -> list[tuple[int, int]]:
    """Where top-level blocks seem to start and end: at `on`, `route` and `branch` in the first column."""
    starts = [0, *(match.start() for match in _ITEM.finditer(text) if match.start())]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _file(text: str) -> tree.File:
    parsed = grammar().parse(text)
    try:
        file: tree.File = _Builder().transform(parsed)
    except VisitError as error:
        raise error.orig_exc from None  # nesting too deep for Python's own stack: RecursionError
    return file


def _span(place: Meta | Token) -> Span:
    return Span(place.line or 1, place.column or 1, place.end_line or 1, place.end_column or 1)


def _word(token: Token) -> tree.Word:
    return tree.Word(str(token), _span(token))


def _end(span: Span) -> Span:
    """The last character of a span: the closing brace of a block."""
    return Span(span.end_line, span.end_column - 1, span.end_line, span.end_column)


def _as_block(node: Any) -> tree.Block:
    """A block, or a single statement that stands where a block could."""
    if isinstance(node, tree.Block):
        return node
    statement = tree.Act(node, None, node.span) if isinstance(node, tree.Call) else node
    return tree.Block((statement,), _end(statement.span), statement.span)


@v_args(inline=True, meta=True)
class _Builder(Transformer[Token, Any]):
    """One method a grammar rule, with its name; children come as arguments."""

    def start(self, meta: Meta, *items: tree.Item) -> tree.File:
        return tree.File(items)

    def on(self, meta: Meta, event: Token, body: tree.Block) -> tree.On:
        return tree.On(_word(event), body, _span(meta))

    def route(self, meta: Meta, name: Token, parameters: tuple[tree.Parameter, ...] | None, body: Any) -> tree.Route:
        return tree.Route(_word(name), parameters or (), body, _span(meta))

    def branch(self, meta: Meta, name: Token, subject: Token, body: tree.Block) -> tree.Branch:
        return tree.Branch(_word(name), _word(subject), body, _span(meta))

    def parameters(self, meta: Meta, *found: tree.Parameter) -> tuple[tree.Parameter, ...]:
        return found

    def parameter(self, meta: Meta, name: Token, type_name: tree.Word) -> tree.Parameter:
        return tree.Parameter(_word(name), type_name)

    def type(self, meta: Meta, *words: Token) -> tree.Word:
        return tree.Word(" ".join(words), _span(meta))

    def subject(self, meta: Meta, name: Token) -> Token:
        return name

    # -- statements -----------------------------------------------------------------------------------------------

    def block(self, meta: Meta, *statements: tree.Statement) -> tree.Block:
        return tree.Block(statements, _end(_span(meta)), _span(meta))

    def let(self, meta: Meta, name: Token, value: tree.Expression) -> tree.Let:
        return tree.Let(_word(name), value, _span(meta))

    def assign(self, meta: Meta, target: tree.Path, value: tree.Expression) -> tree.Assign:
        return tree.Assign(target, value, _span(meta))

    def act(self, meta: Meta, call: tree.Call, otherwise: tree.Block | None = None) -> tree.Act:
        return tree.Act(call, otherwise, _span(meta))

    def invoke(self, meta: Meta, name: Token, arguments: tuple[tree.Argument, ...] | None) -> tree.Invoke:
        return tree.Invoke(_word(name), arguments or (), _span(meta))

    def condition(self, meta: Meta, condition: tree.Expression, then: tree.Block, otherwise: Any) -> tree.If:
        return tree.If(condition, then, _as_block(otherwise) if otherwise else None, _span(meta))

    def match(self, meta: Meta, subject: tree.Expression, *arms: tree.Arm) -> tree.Match:
        return tree.Match(subject, arms, _end(_span(meta)), _span(meta))

    def for_each(self, meta: Meta, name: Token, items: tree.Expression, body: tree.Block) -> tree.For:
        return tree.For(_word(name), items, body, _span(meta))

    def arm(self, meta: Meta, case: tree.Arm, body: Any) -> tree.Arm:
        return tree.Arm(case.cases, case.within, _as_block(body), case.span)

    def one_of(self, meta: Meta, cases: tuple[tree.Literal, ...]) -> tree.Arm:
        return tree.Arm(cases, None, _NOTHING, _span(meta))

    def within(self, meta: Meta, items: tree.Expression) -> tree.Arm:
        return tree.Arm((), items, _NOTHING, _span(meta))

    def otherwise(self, meta: Meta) -> tree.Arm:
        return tree.Arm((), None, _NOTHING, _span(meta))

    def cases(self, meta: Meta, *found: tree.Literal) -> tuple[tree.Literal, ...]:
        return found

    # -- expressions ----------------------------------------------------------------------------------------------

    def either(self, meta: Meta, left: tree.Expression, right: tree.Expression) -> tree.Logic:
        return tree.Logic("or", left, right, _span(meta))

    def both(self, meta: Meta, left: tree.Expression, right: tree.Expression) -> tree.Logic:
        return tree.Logic("and", left, right, _span(meta))

    def negate(self, meta: Meta, operand: tree.Expression) -> tree.Not:
        return tree.Not(operand, _span(meta))

    def compare(self, meta: Meta, left: tree.Expression, operator: Token, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison(str(operator), left, right, False, _span(meta))

    def member(self, meta: Meta, left: tree.Expression, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison("in", left, right, False, _span(meta))

    def not_member(self, meta: Meta, left: tree.Expression, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison("in", left, right, True, _span(meta))

    def matches(self, meta: Meta, left: tree.Expression, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison("matches", left, right, False, _span(meta))

    def name(self, meta: Meta, name: Token) -> tree.Name:
        return tree.Name(str(name), _span(name))

    def call_variable(self, meta: Meta, name: Token) -> tree.CallVariable:
        return tree.CallVariable(str(name), _span(meta))

    def attribute(self, meta: Meta, owner: tree.Path, name: Token) -> tree.Attribute:
        return tree.Attribute(owner, _word(name), _span(meta))

    def index(self, meta: Meta, owner: tree.Path, key: tree.Expression) -> tree.Index:
        return tree.Index(owner, key, _span(meta))

    def call(self, meta: Meta, name: Token, arguments: tuple[tree.Argument, ...] | None) -> tree.Call:
        return tree.Call(_word(name), arguments or (), _span(meta))

    def arguments(self, meta: Meta, *found: tree.Argument) -> tuple[tree.Argument, ...]:
        return found

    def argument(self, meta: Meta, label: Token | None, value: tree.Expression) -> tree.Argument:
        return tree.Argument(_word(label) if label else None, value, _span(meta))

    def text(self, meta: Meta, token: Token) -> tree.Text:
        return tree.Text(token[1:-1], _span(token))

    def quantity(self, meta: Meta, token: Token) -> tree.Quantity:
        return tree.Quantity(str(token), _span(token))

    def pattern(self, meta: Meta, token: Token) -> tree.Pattern:
        ignore_case = token.endswith("i")
        return tree.Pattern(token[1 : -2 if ignore_case else -1], ignore_case, _span(token))

    def true(self, meta: Meta) -> tree.Truth:
        return tree.Truth(True, _span(meta))

    def false(self, meta: Meta) -> tree.Truth:
        return tree.Truth(False, _span(meta))

    def range(self, meta: Meta, low: Token, high: Token) -> tree.Range:
        ends = tree.Quantity(str(low), _span(low)), tree.Quantity(str(high), _span(high))
        return tree.Range(*ends, _span(meta))

    def list(self, meta: Meta, elements: tuple[tree.Expression, ...] | None) -> tree.ListOf:
        return tree.ListOf(elements or (), _span(meta))

    def elements(self, meta: Meta, *found: tree.Expression) -> tuple[tree.Expression, ...]:
        return found


_NOTHING = tree.Block((), Span(1, 1, 1, 1), Span(1, 1, 1, 1))
