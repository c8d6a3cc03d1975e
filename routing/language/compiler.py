"""Checked tree to Python code that carries the route file's own name and line numbers.

Each block becomes a Python function of the context: `on request` a coroutine function, a route one only when it may
wait. They return True when the request has its outcome. Functions and large constants are globals of the compiled
code, so nothing is looked up by name in a dict of ours while a request runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from routing.language import bound
from routing.language.bound import Bound, Constant, Expansion, Function, Items, Local, Program, Step
from routing.language.checker import ENTRY, ON_DIALOG, ON_REPLY
from routing.language.environment import Environment
from routing.language.problem import Span
from routing.language.signature import Ends

Entry = Callable[[Any], Coroutine[Any, Any, bool]]
"""`on request`: give it a Context; the coroutine returns True."""
OnReply = Callable[[Any, Any], bool]
"""`on reply` and reply functions: give them a Context and a Response; True when the response goes no further."""
OnDialog = Callable[[Any], bool]
"""`on dialog`: give it a Context; True when the request has its outcome."""
Node = TypeVar("Node", bound=ast.AST)
_PLAIN = (str, int, float, bool, type(None))


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

    # -- functions and statements ---------------------------------------------------------------------------------

    def function(self, function: Function) -> ast.stmt:
        body = self._steps(function.steps)
        if function.ends is not Ends.ALWAYS:
            body.append(ast.Return(ast.Constant(False)))
        names = [ast.arg(name) for name in ("context", *function.parameters)]
        arguments = ast.arguments([], names, None, [], [], None, [])
        kind = ast.AsyncFunctionDef if function.waits else ast.FunctionDef
        made: ast.stmt = kind(function.name, arguments, body, [])
        return self._at(function.span, made)

    def _steps(self, steps: Sequence[Step]) -> list[ast.stmt]:
        return [statement for step in steps for statement in (*self._watched(step.span), *self._step(step))]

    def _watched(self, span: Span) -> list[ast.stmt]:
        if self._watch is None:
            return []
        self._watch.there_is(span)
        self.globals["watch_runs"] = self._watch.runs
        return [self._at(span, ast.Expr(ast.Call(_name("watch_runs"), [self._constant(span)], [])))]

    def _step(self, step: Step) -> list[ast.stmt]:
        if isinstance(step, bound.Act):
            call = self._expression(step.invocation)
            if step.otherwise is None:
                return self._ending(call, step.invocation.signature.ends, step.span)
            return [self._if(ast.UnaryOp(ast.Not(), call), step.otherwise, (), step.span)]
        if isinstance(step, bound.Choose):
            return [self._if(self._expression(step.condition), step.then, step.otherwise, step.span)]
        if isinstance(step, bound.SetLocal):
            store = ast.Assign([ast.Name(step.name, ast.Store())], self._expression(step.value))
            return [self._at(step.span, store)]
        if isinstance(step, bound.Store):
            statement: ast.stmt = self._substitute(_template(step.template, "exec").body[0], step.parts)
            return [self._at(step.span, statement)]
        if isinstance(step, bound.Go):
            call = ast.Call(_name(step.route), [_name("context"), *map(self._expression, step.arguments)], [])
            return self._ending(ast.Await(call) if step.waits else call, step.ends, step.span)
        items = ast.Call(_name("steps"), [_name("context"), self._expression(step.items)], [])
        body = self._steps(step.body) or [ast.Pass()]
        return [self._at(step.span, ast.For(ast.Name(step.name, ast.Store()), items, body, []))]

    def _ending(self, call: ast.expr, ends: Ends, span: Span) -> list[ast.stmt]:
        """A call, and what its outcome does to the route it stands in."""
        if ends is Ends.MAY:
            return [self._at(span, ast.If(call, [ast.Return(ast.Constant(True))], []))]
        statements: list[ast.stmt] = [ast.Expr(call)]
        if ends is Ends.ALWAYS:
            statements.append(ast.Return(ast.Constant(True)))
        return [self._at(span, statement) for statement in statements]

    def _if(self, test: ast.expr, then: Sequence[Step], otherwise: Sequence[Step], span: Span) -> ast.stmt:
        return self._at(span, ast.If(test, self._steps(then) or [ast.Pass()], self._steps(otherwise)))

    # -- expressions ----------------------------------------------------------------------------------------------

    def _expression(self, value: Bound) -> ast.expr:
        if isinstance(value, Constant):
            return self._constant(value.value)
        if isinstance(value, Local):
            return _name(value.name)
        if isinstance(value, Expansion):
            expression: ast.expr = self._substitute(_template(value.template, "eval").body, value.parts)
            return expression
        if isinstance(value, Items):
            return ast.List([self._expression(item) for item in value.items], ast.Load())
        signature = value.signature
        name = f"f_{signature.name}"
        if self.globals.setdefault(name, signature.target) != signature.target:
            name += "_elsewhere"  # two functions share this name, each with places of its own
            self.globals[name] = signature.target
        arguments = [_name("context"), *map(self._expression, value.positional)]
        keywords = [ast.keyword(keyword, self._expression(one)) for keyword, one in value.labelled.items()]
        call: ast.expr = ast.Call(_name(name), arguments, keywords)
        return self._at(value.span, ast.Await(call) if signature.waits else call)

    def _constant(self, value: Any) -> ast.expr:
        if type(value) in _PLAIN or (type(value) is frozenset and all(type(one) in _PLAIN for one in value)):
            return ast.Constant(value)
        self._constants += 1
        name = f"k{self._constants}"
        self.globals[name] = value
        return _name(name)

    def _substitute(self, node: ast.AST, parts: Mapping[str, Bound]) -> Any:
        made = {name: self._expression(part) for name, part in parts.items()}
        return _Substitution(made).visit(node)

    def _at(self, span: Span, node: Node) -> Node:
        """Give a place in the route file to a node and everything inside it that has none yet."""
        line = self._lines[span.line - 1]
        end = span.end_column if span.end_line == span.line else len(line) + 1
        # Python counts columns from 0, in bytes of UTF-8.
        first, last = (len(line[: column - 1].encode("utf-8", "surrogatepass")) for column in (span.column, end))
        for inner in ast.walk(node):
            if "lineno" in inner._attributes and not hasattr(inner, "lineno"):
                inner.lineno = inner.end_lineno = span.line  # type: ignore[attr-defined]
                inner.col_offset, inner.end_col_offset = first, last  # type: ignore[attr-defined]
        return node


class _Substitution(ast.NodeTransformer):
    """Puts parts in the place of their names."""

    def __init__(self, parts: dict[str, ast.expr]) -> None:
        self._parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._parts.get(node.id, node)


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _template(template: str, mode: str) -> Any:
    """A fresh tree of a template, without positions of its own."""
    tree = ast.parse(template, mode=mode)
    for node in ast.walk(tree):
        for attribute in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if hasattr(node, attribute):
                delattr(node, attribute)
    return tree
