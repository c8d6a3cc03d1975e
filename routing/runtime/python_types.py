"""What a Python function of the operator may take and give: annotations, and how values pass to and fro.

An annotation is read as it is written in the file, since nothing of the file runs when it is only checked.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from routing.language.types import DURATION, NOTHING, NUMBER, TEXT, TRUTH, URI, Type, list_of
from sipcore.errors import RingwayError
from sipcore.uri import Uri

_LONGEST_TEXT = 65_536
_LARGEST_NUMBER = 10**15
_LONGEST_LIST = 10_000


class Kind(NamedTuple):
    """One annotation: the type of the language, what a value of it becomes in Python, and what comes back.

    `given` and `result` return the value to use; `result` raises ValueError, with what it is instead.
    """

    type: Type
    given: Callable[[Any], Any]
    result: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _whole(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise RingwayError(f"{value:g} is no whole number")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(_what(value))
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"a text of more than {_LONGEST_TEXT:,} characters")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_what(value))
    if not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:  # false for what is no number at all, too
        raise ValueError(f"a number beyond {_LARGEST_NUMBER:,}")
    return value


def _int(value: Any) -> int:
    if isinstance(_number(value), float):
        raise ValueError(_what(value))
    return int(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_what(value))
    return value


def _duration(value: Any) -> float:
    seconds = float(_number(value))
    if seconds < 0 or math.isnan(seconds):
        raise ValueError("less than no time")
    return seconds


def _uri(value: Any) -> Uri:
    if not isinstance(value, Uri):
        raise ValueError(_what(value))
    return value


def _nothing(value: Any) -> None:
    """Whatever is returned where nothing was promised is forgotten."""


def _what(value: Any) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


_KINDS: Mapping[str, Kind] = {
    "str": Kind(TEXT, _same, _text),
    "int": Kind(NUMBER, _whole, _int),
    "float": Kind(NUMBER, float, _number),
    "bool": Kind(TRUTH, _same, _truth),
    "routing.runtime.Duration": Kind(DURATION, _same, _duration),
    "routing.runtime.Uri": Kind(URI, _same, _uri),
}
_NOTHING = Kind(NOTHING, _same, _nothing)
_ALSO = {"routing.runtime.values.Duration": "routing.runtime.Duration", "sipcore.uri.Uri": "routing.runtime.Uri"}
KNOWN = "str, int, float, bool, Duration, Uri, or a list of one"
"""For messages."""


def _list(kind: Kind) -> Kind:
    def given(value: Any) -> list[Any]:
        return [kind.given(one) for one in value]

    def result(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise ValueError(_what(value))
        if len(value) > _LONGEST_LIST:
            raise ValueError(f"a list of more than {_LONGEST_LIST:,}")
        return [kind.result(one) for one in value]

    return Kind(list_of(kind.type), given, result)


def kind_of(annotation: ast.expr, names: Mapping[str, str], *, result: bool = False) -> Kind | None:
    """The kind of an annotation; None when the language has no type for it.

    `names` are what the names of the file were imported from. Only a `result` may be nothing, and only a parameter may
    be left out (`str | None`).
    """
    if isinstance(annotation, ast.Constant):
        if annotation.value is None:
            return _NOTHING if result else None
        return _quoted(annotation.value, names, result)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr) and not result:
        sides = [one for one in (annotation.left, annotation.right) if not _is_none(one)]
        return kind_of(sides[0], names) if len(sides) == 1 else None
    if isinstance(annotation, ast.Subscript):
        outer = _full_name(annotation.value, names)
        inner = kind_of(annotation.slice, names)
        if inner is None:
            return None
        if outer in ("list", "typing.List"):
            return _list(inner)
        return inner if outer == "typing.Optional" and not result else None
    name = _full_name(annotation, names)
    return _KINDS.get(_ALSO.get(name, name))


def _quoted(text: object, names: Mapping[str, str], result: bool) -> Kind | None:
    if not isinstance(text, str):
        return None
    try:
        return kind_of(ast.parse(text, mode="eval").body, names, result=result)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _full_name(node: ast.expr, names: Mapping[str, str]) -> str:
    """A name with the module it was imported from: `Uri` is `sipcore.uri.Uri`; "" for what is no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = _full_name(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""
