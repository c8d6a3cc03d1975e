"""Nodes of the tree from what the parser reduces: called while it parses, so that no tree is built twice.

One method a grammar rule, with its name; children come as arguments, punctuation included where the grammar keeps it.
A node reaches from its first child to its last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from lark import Token, Transformer, v_args

from routing.language import tree
from routing.language.problem import Span

Child: TypeAlias = Token | tree.Expression | tree.Block


def _span(token: Token) -> Span:
    return Span(token.line or 1, token.column or 1, token.end_line or 1, token.end_column or 1)


def _over(first: Any, last: Any) -> Span:
    """From the beginning of one child to the end of another."""
    start = (first.line, first.column) if isinstance(first, Token) else first.span[:2]
    end = (last.end_line, last.end_column) if isinstance(last, Token) else last.span[2:]
    return Span._make((*start, *end))


def _word(token: Token) -> tree.Word:
    return tree.Word(str(token), _span(token))


def _as_block(node: Any) -> tree.Block:
    """A block, or a single statement that stands where a block could."""
    if isinstance(node, tree.Block):
        return node
    statement = tree.Act(node, None, node.span) if isinstance(node, tree.Call) else node
    span = statement.span
    end = Span(span.end_line, span.end_column - 1, span.end_line, span.end_column)
    return tree.Block((statement,), end, span)


def _arguments(rest: tuple[Any, ...]) -> tuple[tree.Argument, ...]:
    """The arguments of a call, when it has any: what stands before the closing bracket."""
    return rest[0] if len(rest) > 1 else ()


GOES_ON = frozenset({",", "then", "with", "without", "and"})
"""No sentence begins with these."""


def _sentences(parts: Sequence[tree.Part]) -> Iterator[tree.Sentence]:
    """Each line is a sentence; one that ends in a comma, or the next one before `then`, `with` or `and`, goes on."""
    found: list[tree.Part] = []
    for part in parts:
        before = found[-1] if found else None
        if before is not None and part.span.line > before.span.end_line:
            goes_on = isinstance(before, tree.Word) and before.text == ","
            if not goes_on and not (isinstance(part, tree.Word) and part.text in GOES_ON):
                yield tree.Sentence(tuple(found), _over(found[0], before))
                found = []
        found.append(part)
    if found:
        yield tree.Sentence(tuple(found), _over(found[0], found[-1]))


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """Makes the nodes of a route file."""

    def start(self, *items: tree.Item) -> tree.File:
        return tree.File(items)

    def on(self, on: Token, event: Token, body: tree.Block) -> tree.On:
        return tree.On(_word(event), body, _over(on, body))

    def route(self, route: Token, name: Token, _open: Token, *rest: Any) -> tree.Route:
        parameters, body = rest[0] if len(rest) > 2 else (), rest[-1]
        return tree.Route(_word(name), parameters, body, _over(route, body))

    def branch(
        self, branch: Token, name: Token, _open: Token, subject: Token, _close: Token, body: tree.Block
    ) -> tree.Branch:
        return tree.Branch(_word(name), _word(subject), body, _over(branch, body))

    def reply(
        self, reply: Token, name: Token, _open: Token, subject: Token, _close: Token, body: tree.Block
    ) -> tree.Reply:
        return tree.Reply(_word(name), _word(subject), body, _over(reply, body))

    def shared(
        self, shared: Token, name: Token, _colon: Token, type_name: tree.Word, _for: Token, lifetime: Token
    ) -> tree.Shared:
        return tree.Shared(_word(name), type_name, self.quantity(lifetime), _over(shared, lifetime))

    def test(self, test: Token, *rest: Any) -> tree.Test:
        name = self.text(rest[0]) if len(rest) > 1 else None
        sentences, closing = rest[-1]
        return tree.Test(name, sentences, _span(closing), _over(test, closing))

    def story(self, _open: Token, *rest: Any) -> tuple[tuple[tree.Sentence, ...], Token]:
        parts = [_word(part) if isinstance(part, Token) else part for part in rest[:-1]]
        return tuple(_sentences(parts)), rest[-1]

    def words(self, *words: Token) -> tree.Word:
        return tree.Word(".".join(words), _over(words[0], words[-1]))

    def word(self, word: Token) -> Token:
        return word

    def parameters(self, *found: tree.Parameter) -> tuple[tree.Parameter, ...]:
        return found

    def parameter(self, name: Token, type_name: tree.Word) -> tree.Parameter:
        return tree.Parameter(_word(name), type_name)

    def type(self, *words: Token) -> tree.Word:
        return tree.Word(" ".join(words), _over(words[0], words[-1]))

    def subject(self, name: Token) -> Token:
        return name

    # -- statements -----------------------------------------------------------------------------------------------

    def block(self, opening: Token, *rest: Any) -> tree.Block:
        closing = rest[-1]
        return tree.Block(rest[:-1], _span(closing), _over(opening, closing))

    def let(self, let: Token, name: Token, _equal: Token, value: tree.Expression) -> tree.Let:
        return tree.Let(_word(name), value, _over(let, value))

    def assign(self, target: tree.Path, _equal: Token, value: tree.Expression) -> tree.Assign:
        return tree.Assign(target, value, _over(target, value))

    def act(self, call: tree.Call, *otherwise: Any) -> tree.Act:
        if not otherwise:
            return tree.Act(call, None, call.span)
        return tree.Act(call, otherwise[1], _over(call, otherwise[1]))

    def invoke(self, call: Token, name: Token, _open: Token, *rest: Any) -> tree.Invoke:
        return tree.Invoke(_word(name), _arguments(rest), _over(call, rest[-1]))

    def condition(self, if_: Token, condition: tree.Expression, then: tree.Block, *otherwise: Any) -> tree.If:
        last = _as_block(otherwise[1]) if otherwise else None
        return tree.If(condition, then, last, _over(if_, last or then))

    def match(self, match: Token, subject: tree.Expression, _open: Token, *rest: Any) -> tree.Match:
        return tree.Match(subject, rest[:-1], _span(rest[-1]), _over(match, rest[-1]))

    def for_each(self, for_: Token, name: Token, _in: Token, items: tree.Expression, body: tree.Block) -> tree.For:
        return tree.For(_word(name), items, body, _over(for_, body))

    def arm(self, case: tree.Arm, body: Any) -> tree.Arm:
        return tree.Arm(case.cases, case.within, _as_block(body), case.span)

    def one_of(self, cases: tuple[tree.Literal, ...]) -> tree.Arm:
        return tree.Arm(cases, None, _NOTHING, _over(cases[0], cases[-1]))

    def within(self, in_: Token, items: tree.Expression) -> tree.Arm:
        return tree.Arm((), items, _NOTHING, _over(in_, items))

    def otherwise(self, word: Token) -> tree.Arm:
        return tree.Arm((), None, _NOTHING, _span(word))

    def cases(self, *found: tree.Literal) -> tuple[tree.Literal, ...]:
        return found

    # -- expressions ----------------------------------------------------------------------------------------------

    def either(self, left: tree.Expression, right: tree.Expression) -> tree.Logic:
        return tree.Logic("or", left, right, _over(left, right))

    def both(self, left: tree.Expression, right: tree.Expression) -> tree.Logic:
        return tree.Logic("and", left, right, _over(left, right))

    def negate(self, word: Token, operand: tree.Expression) -> tree.Not:
        return tree.Not(operand, _over(word, operand))

    def compare(self, left: tree.Expression, operator: Token, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison(str(operator), left, right, False, _over(left, right))

    def member(self, left: tree.Expression, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison("in", left, right, False, _over(left, right))

    def not_member(self, left: tree.Expression, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison("in", left, right, True, _over(left, right))

    def matches(self, left: tree.Expression, right: tree.Expression) -> tree.Comparison:
        return tree.Comparison("matches", left, right, False, _over(left, right))

    def calculate(self, left: tree.Expression, operator: Token, right: tree.Expression) -> tree.Calculation:
        return tree.Calculation(str(operator), left, right, _over(left, right))

    def name(self, name: Token) -> tree.Name:
        return tree.Name(str(name), _span(name))

    def call_variable(self, call: Token, _dot: Token, name: Token) -> tree.CallVariable:
        return tree.CallVariable(str(name), _over(call, name))

    def shared_table(self, shared: Token, _dot: Token, name: Token) -> tree.SharedTable:
        return tree.SharedTable(str(name), _over(shared, name))

    def attribute(self, owner: tree.Path, _dot: Token, name: Token) -> tree.Attribute:
        return tree.Attribute(owner, _word(name), _over(owner, name))

    def index(self, owner: tree.Path, _open: Token, key: tree.Expression, close: Token) -> tree.Index:
        return tree.Index(owner, key, _over(owner, close))

    def call(self, name: Token, _open: Token, *rest: Any) -> tree.Call:
        return tree.Call(_word(name), _arguments(rest), _over(name, rest[-1]))

    def arguments(self, *found: tree.Argument) -> tuple[tree.Argument, ...]:
        return found

    def argument(self, label: Token | None, value: tree.Expression) -> tree.Argument:
        if label is None:
            return tree.Argument(None, value, value.span)
        return tree.Argument(_word(label), value, _over(label, value))

    def text(self, token: Token) -> tree.Text:
        return tree.Text(token[1:-1], _span(token))

    def quantity(self, token: Token) -> tree.Quantity:
        return tree.Quantity(str(token), _span(token))

    def pattern(self, token: Token) -> tree.Pattern:
        ignore_case = token.endswith("i")
        return tree.Pattern(token[1 : -2 if ignore_case else -1], ignore_case, _span(token))

    def truth(self, token: Token) -> tree.Truth:
        return tree.Truth(token == "true", _span(token))

    def range(self, low: Token, _dots: Token, high: Token) -> tree.Range:
        return tree.Range(self.quantity(low), self.quantity(high), _over(low, high))

    def list(self, opening: Token, *rest: Any) -> tree.ListOf:
        return tree.ListOf(rest[0] if len(rest) > 1 else (), _over(opening, rest[-1]))

    def elements(self, *found: tree.Expression) -> tuple[tree.Expression, ...]:
        return found


_NOTHING = tree.Block((), Span(1, 1, 1, 1), Span(1, 1, 1, 1))
