"""Python templates of expressions and statements: parsed once, filled with parts wherever they are used."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Place = dict[str, Any]
"""Line and columns as attributes of a Python node."""


@lru_cache(maxsize=1024)
def template(text: str, mode: str) -> ast.AST:
    """The tree of a template, "eval" for an expression or "exec" for one statement; shared, so never changed."""
    if mode == "eval":
        return ast.parse(text, mode="eval").body
    return ast.parse(text).body[0]


def fill(node: ast.AST, parts: Mapping[str, ast.expr], place: Place) -> Any:
    """A copy of a template with parts in the place of their names, standing where `place` says."""
    if isinstance(node, ast.Name) and node.id in parts:
        return parts[node.id]
    made = type(node)(**{name: _filled(value, parts, place) for name, value in ast.iter_fields(node)})
    if node._attributes:
        for name, number in place.items():
            setattr(made, name, number)
    return made


def _filled(value: Any, parts: Mapping[str, ast.expr], place: Place) -> Any:
    if isinstance(value, ast.AST):
        return fill(value, parts, place)
    if isinstance(value, list):
        return [_filled(one, parts, place) for one in value]
    return value
