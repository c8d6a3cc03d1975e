"""What a check can say, read from the source: each message as a pattern, with the place where it is made.

The formatter speaks for itself: it looks at no more than how a file is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    [
        *(file for file in (ROOT / "routing" / "language").rglob("*.py") if file.name != "formatter.py"),
        *(ROOT / "routing" / "runtime" / name for name in ("texts.py", "numbering.py", "values.py")),
    ]
)
_REPORTS = frozenset({"error", "warning"})
_TABLES = frozenset({"FOREIGN", "_CHARACTERS"})
"""Dicts whose values are messages, or begin with one."""
_SAYS = frozenset({"_sentence", "_groups", "reason"})
"""Functions that return a message, or a row that begins with one."""


class Template(NamedTuple):
    """A message with holes: `place` is `file:line`, `text` how the source writes it."""

    place: str
    text: str
    pattern: re.Pattern[str]


def templates() -> list[Template]:
    """All messages of the checker."""
    return [template for file in SOURCES for template in _of_file(file)]


def _of_file(file: Path) -> Iterator[Template]:
    tree = ast.parse(file.read_text("utf-8"), str(file))
    for function in _functions(tree):
        names = _assigned(function)
        for node in _own_nodes(function):
            for message in _messages(node, function):
                for found in _resolved(message, names):
                    yield _template(file, found)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in _TABLES:
            assert isinstance(node.value, ast.Dict)
            for value in node.value.values:
                yield _template(file, value.elts[0] if isinstance(value, ast.Tuple) else value)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function that are not in one inside of it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.FunctionDef)]


def _assigned(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """What local names were given: a message may be put together a line before it is used."""
    found: dict[str, list[ast.expr]] = {}
    for node in _own_nodes(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def _messages(node: ast.AST, function: ast.FunctionDef) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _REPORTS and len(node.args) >= 2:
            yield node.args[1]
        elif name == "BadLiteral" and node.args:
            yield node.args[0]
        elif name == "BeyondBounds":
            yield node.args[1]
    elif isinstance(node, ast.Return) and function.name in _SAYS and node.value is not None:
        yield node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value


def _resolved(message: ast.expr, names: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    if isinstance(message, ast.Name):
        for value in names.get(message.id, []):
            yield from _resolved(value, {})
    elif isinstance(message, ast.IfExp):
        yield from _resolved(message.body, names)
        yield from _resolved(message.orelse, names)
    elif isinstance(message, ast.Constant | ast.JoinedStr | ast.BinOp) and _pattern(message).strip(".*"):
        yield message


def _template(file: Path, message: ast.expr) -> Template:
    place = f"{file.relative_to(ROOT)}:{message.lineno}"
    return Template(place, ast.unparse(message), re.compile(_pattern(message), re.DOTALL))


def _pattern(message: ast.expr) -> str:
    if isinstance(message, ast.Constant):
        return re.escape(str(message.value)) if isinstance(message.value, str) else ""
    if isinstance(message, ast.JoinedStr):
        return "".join(map(_pattern, message.values))
    if isinstance(message, ast.BinOp):
        return _pattern(message.left) + _pattern(message.right)
    return ".*"
