"""Checked tree to Python code that carries the route file's own name and line numbers.

Each block becomes a Python function of the context: `on request` a coroutine function, a route one only when it may
wait. They return True when the request has its outcome. Functions and large constants are globals of the compiled
code, so nothing is looked up by name in a dict of ours while a request runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from routing.language import bound
from routing.language.bound import Bound, Chain, Constant, Expansion, Function, Items, Local, Program, Step, Way
from routing.language.checker import ENTRY, ON_DIALOG, ON_REPLY
from routing.language.environment import Environment
from routing.language.problem import Span
from routing.language.signature import Ends
from routing.language.templates import Place, fill, template

Entry = Callable[[Any], Coroutine[Any, Any, bool]]
"""`on request`: give it a Context; the coroutine returns True."""
OnReply = Callable[[Any, Any], bool]
"""`on reply` and reply functions: give them a Context and a Response; True when the response goes no further."""
OnDialog = Callable[[Any], bool]
"""`on dialog`: give it a Context; True when the request has its outcome."""
_PLAIN = (str, int, float, bool, type(None))
_LONGEST_ROW = 8
"""Ways that are compiled to a row of `elif`; Python nests each in the one before."""


class Watch(Protocol):
    """Hears which statements there are and, each time, that one is about to run: for tests, and not for a server."""

    def there_is(self, step: Span) -> None:
        """A statement stands here."""

    def runs(self, step: Span) -> None:
        """It is about to run."""


class Compiled(NamedTuple):
    """What a route file gives: `on request`, and `on reply` and `on dialog` when it has them."""

    entry: Entry
    on_reply: OnReply | None
    on_dialog: OnDialog | None


def compile_program(
    program: Program,
    environment: Environment,
    file: str,
    text: str,
    tables: Mapping[str, object],
    watch: Watch | None = None,
) -> Compiled:
    """Compile a program that was checked without errors; `file` and `text` are what tracebacks show.

    `tables` are its shared tables by name. With a `watch` each statement tells it that it runs.
    """
    compiler = _Compiler(environment, text.split("\n"), watch)
    compiler.globals.update({f"shared_{name}": table for name, table in tables.items()})
    module = ast.Module([compiler.function(one) for one in program.functions], [])
    exec(compile(module, file, "exec"), compiler.globals)
    made = compiler.globals
    return Compiled(made[ENTRY], made.get(ON_REPLY), made.get(ON_DIALOG))


class _Compiler:
    def __init__(self, environment: Environment, lines: Sequence[str], watch: Watch | None = None) -> None:
        self._lines = lines
        self._watch = watch
        self.globals: dict[str, Any] = dict(environment.names)
        self._constants = 0
        self._choices = 0
        self._place: Place = {}
        """Where the node that is made now stands, as Python wants it on each node."""

    # -- functions and statements ---------------------------------------------------------------------------------

    def function(self, function: Function) -> ast.stmt:
        with self._at(function.span):
            body = self._steps(function.steps)
            if function.ends is not Ends.ALWAYS:
                body.append(ast.Return(self._plain(False), **self._place))
            names = [ast.arg(name, **self._place) for name in ("context", *function.parameters)]
            arguments = ast.arguments([], names, None, [], [], None, [])
            kind = ast.AsyncFunctionDef if function.waits else ast.FunctionDef
            return kind(function.name, arguments, body, [], **self._place)

    def _steps(self, steps: Sequence[Step]) -> list[ast.stmt]:
        return [statement for step in steps for statement in self._step(step)]

    def _step(self, step: Step) -> list[ast.stmt]:
        if isinstance(step, bound.Choose):
            return self._choose(step)
        with self._at(step.span):
            if self._watch is None:
                return self._plain_step(step)
            return [ast.Expr(self._watched(step.span), **self._place), *self._plain_step(step)]

    def _watched(self, span: Span) -> ast.expr:
        """The call that tells the watch; it gives nothing, which is false."""
        assert self._watch is not None
        self._watch.there_is(span)
        self.globals["watch_runs"] = self._watch.runs
        return ast.Call(self._name("watch_runs"), [self._constant(span)], [], **self._place)

    def _plain_step(self, step: Step) -> list[ast.stmt]:
        if isinstance(step, bound.Act):
            call = self._expression(step.invocation)
            if step.otherwise is None:
                return self._ending(call, step.invocation.signature.ends)
            refused = ast.UnaryOp(ast.Not(), call, **self._place)
            return [ast.If(refused, self._steps(step.otherwise) or [ast.Pass(**self._place)], [], **self._place)]
        if isinstance(step, bound.SetLocal):
            return [ast.Assign([self._stored(step.name)], self._expression(step.value), **self._place)]
        if isinstance(step, bound.Store):
            return [self._filled(template(step.template, "exec"), step.parts)]
        if isinstance(step, bound.Go):
            arguments = [self._name("context"), *map(self._expression, step.arguments)]
            call = ast.Call(self._name(step.route), arguments, [], **self._place)
            return self._ending(ast.Await(call, **self._place) if step.waits else call, step.ends)
        assert isinstance(step, bound.Repeat)
        items = [self._name("context"), self._expression(step.items)]
        turns = ast.Call(self._name("steps"), items, [], **self._place)
        body = self._steps(step.body) or [ast.Pass(**self._place)]
        return [ast.For(self._stored(step.name), turns, body, [], **self._place)]

    def _ending(self, call: ast.expr, ends: Ends) -> list[ast.stmt]:
        """A call, and what its outcome does to the route it stands in."""
        ended = ast.Return(self._plain(True), **self._place)
        if ends is Ends.MAY:
            return [ast.If(call, [ended], [], **self._place)]
        statement = ast.Expr(call, **self._place)
        return [statement, ended] if ends is Ends.ALWAYS else [statement]

    def _choose(self, step: bound.Choose) -> list[ast.stmt]:
        otherwise = self._steps(step.otherwise)
        if len(step.ways) > _LONGEST_ROW:
            return self._choose_by_number(step.ways, otherwise)
        for way in reversed(step.ways):
            with self._at(way.span):
                body = self._steps(way.steps) or [ast.Pass(**self._place)]
                otherwise = [ast.If(self._condition(way), body, otherwise, **self._place)]
        return otherwise

    def _condition(self, way: Way) -> ast.expr:
        condition = self._expression(way.condition)
        if self._watch is None:
            return condition
        return ast.BoolOp(ast.Or(), [self._watched(way.span), condition], **self._place)

    def _choose_by_number(self, ways: Sequence[Way], otherwise: list[ast.stmt]) -> list[ast.stmt]:
        """Many ways: first the number of the one to take, then that one, found by halves.

        A row of `elif` would nest each way in the one before, deeper than Python goes.
        """
        self._choices += 1
        name = f"way{self._choices}"
        numbers: list[ast.expr] = []
        bodies: list[list[ast.stmt]] = [otherwise]
        for number, way in enumerate(ways, 1):
            with self._at(way.span):
                condition = self._condition(way)
                numbers.append(ast.BoolOp(ast.And(), [condition, self._plain(number)], **self._place))
                bodies.append(self._steps(way.steps))
        with self._at(ways[0].span):
            first_true = ast.BoolOp(ast.Or(), [*numbers, self._plain(0)], **self._place)
            return [
                ast.Assign([self._stored(name)], first_true, **self._place),
                *self._by_halves(name, bodies, 0, len(bodies)),
            ]

    def _by_halves(self, name: str, bodies: Sequence[list[ast.stmt]], first: int, end: int) -> list[ast.stmt]:
        if end - first == 1:
            return bodies[first]
        middle = (first + end) // 2
        low = self._by_halves(name, bodies, first, middle) or [ast.Pass(**self._place)]
        high = self._by_halves(name, bodies, middle, end)
        test = ast.Compare(self._name(name), [ast.Lt()], [self._plain(middle)], **self._place)
        return [ast.If(test, low, high, **self._place)]

    # -- expressions ----------------------------------------------------------------------------------------------

    def _expression(self, value: Bound) -> ast.expr:
        if isinstance(value, Constant):
            return self._constant(value.value)
        if isinstance(value, Local):
            return self._name(value.name)
        if isinstance(value, Expansion):
            expression: ast.expr = self._filled(template(value.template, "eval"), value.parts)
            return expression
        if isinstance(value, Chain):
            operator = ast.And() if value.operator == "and" else ast.Or()
            return ast.BoolOp(operator, [self._expression(item) for item in value.items], **self._place)
        if isinstance(value, Items):
            return ast.List([self._expression(item) for item in value.items], ast.Load(), **self._place)
        signature = value.signature
        name = f"f_{signature.name}"
        if self.globals.setdefault(name, signature.target) != signature.target:
            name += "_elsewhere"  # two functions share this name, each with places of its own
            self.globals[name] = signature.target
        with self._at(value.span):
            arguments = [self._name("context"), *map(self._expression, value.positional)]
            keywords = [ast.keyword(word, self._expression(one), **self._place) for word, one in value.labelled.items()]
            call: ast.expr = ast.Call(self._name(name), arguments, keywords, **self._place)
            return ast.Await(call, **self._place) if signature.waits else call

    def _constant(self, value: Any) -> ast.expr:
        if type(value) in _PLAIN or (type(value) is frozenset and all(type(one) in _PLAIN for one in value)):
            return self._plain(value)
        self._constants += 1
        name = f"k{self._constants}"
        self.globals[name] = value
        return self._name(name)

    def _filled(self, node: ast.AST, parts: Mapping[str, Bound]) -> Any:
        return fill(node, {name: self._expression(part) for name, part in parts.items()}, self._place)

    # -- nodes ----------------------------------------------------------------------------------------------------

    def _plain(self, value: Any) -> ast.expr:
        return ast.Constant(value, **self._place)

    def _name(self, name: str) -> ast.expr:
        return ast.Name(name, ast.Load(), **self._place)

    def _stored(self, name: str) -> ast.expr:
        return ast.Name(name, ast.Store(), **self._place)

    @contextmanager
    def _at(self, span: Span) -> Iterator[None]:
        """Give nodes that are made inside a place in the route file."""
        before = self._place
        line = self._lines[span.line - 1]
        end = span.end_column if span.end_line == span.line else len(line) + 1
        # Python counts columns from 0, in bytes of UTF-8.
        first, last = (len(line[: column - 1].encode("utf-8", "surrogatepass")) for column in (span.column, end))
        self._place = {
            "lineno": span.line, "end_lineno": span.line, "col_offset": first, "end_col_offset": last,
        }  # fmt: skip
        yield
        self._place = before
