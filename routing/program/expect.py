"""What a value of the configuration may be: small checks that read one value and say what they expected.

A check takes the raw TOML value and its Spot, and returns the value in the wanted type or raises `Unexpected`, made by
the spot. Whoever asked (a table, a list) reports it and goes on, so that every mistake is found at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from routing.language.problem import Problem, nearest
from routing.program.places import KeyPath, Places

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Document:
    """A configuration text under examination and everything found wrong with it.

    `overrides` maps the path of a value that came from the environment to the variable's name.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.places = Places(text)
        self.overrides: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self._shown = text.split("\n")

    def report(
        self, path: KeyPath, message: str, hint: str = "", *, at_value: bool = True, hidden: bool = False
    ) -> None:
        """Note a mistake at the key or the value of `path`; the value of a hidden one is not shown."""
        variable = self.overrides.get(path) or self.overrides.get(path[:-1])
        if variable:
            self.problems.append(in_environment(variable, message, hint))
            return
        place = self.places.find(path)
        line, column = (place.value_line, place.value_column) if at_value else (place.line, place.column)
        if hidden:
            self._shown[line - 1] = self._shown[line - 1][: column - 1] + "..."
        self.problems.append(Problem(self.name, line, column, self._length(line, column), message, hint))

    def _length(self, line: int, column: int) -> int:
        """How many characters to underline: the key, or a simple value; one when that is not plain."""
        rest = self._shown[line - 1][column - 1 :]
        match = re.match(r""""[^"]*"|'[^']*'|[\w.+-]+""", rest)
        return len(match[0]) if match else 1

    def text(self) -> str:
        """The text to show problems in."""
        return "\n".join(self._shown)


def in_environment(variable: str, message: str, hint: str = "") -> Problem:
    """A mistake in an environment variable, which has no line."""
    return Problem(variable, 0, 0, 1, message, hint)


class Unexpected(Exception):
    """A value is not what was expected; the message says what was, the hint what was probably meant."""

    def __init__(self, spot: Spot, message: str, hint: str) -> None:
        super().__init__(message)
        self.spot = spot
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Spot:
    """The place of one value; a hidden value is not shown in messages."""

    document: Document
    path: KeyPath
    hidden: bool = False

    def expected(self, what: str, value: object, hint: str = "") -> Unexpected:
        """The error that says what was expected here."""
        shown = "" if self.hidden else f", found {describe(value)}"
        return Unexpected(self, f"{dotted(self.path)}: expected {what}{shown}", hint)

    def unfit(self, message: str, hint: str = "") -> Unexpected:
        """The error that says what is wrong here in other words."""
        return Unexpected(self, f"{dotted(self.path)}: {message}", hint)

    def inside(self, key: str | int) -> Spot:
        """The place of an element of this value."""
        return Spot(self.document, (*self.path, key), self.hidden)

    def read(self, check: Check, value: object) -> Any:
        """The value as `check` makes it; None when something was reported."""
        try:
            return check(value, self)
        except Unexpected as wrong:
            self.document.report(wrong.spot.path, str(wrong), wrong.hint, hidden=wrong.spot.hidden)
            return None


Check = Callable[[object, Spot], Any]
"""Reads a raw value; raises Unexpected."""


def describe(value: object) -> str:
    """A value as a person wrote it, cut to a readable length."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = repr(value).replace("'", '"') if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def dotted(path: KeyPath) -> str:
    """A path as a person says it: `listen[2]` counts from 1."""
    text = ""
    for key in path:
        text += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def whole_number(least: int = 0, most: int | None = None) -> Check:
    """A whole number in a range."""
    limits = f"from {least} to {most}" if most is not None else f"of at least {least}"

    def check(value: object, spot: Spot) -> int:
        if type(value) is int and value >= least and (most is None or value <= most):
            return value
        raise spot.expected(f"a whole number {limits}", value)

    return check


def fraction(value: object, spot: Spot) -> float:
    """A number from 0 to 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise spot.expected("a number from 0 to 1", value)


def seconds(least: float = 0.0, most: float | None = None) -> Check:
    """A time: a number of seconds, or text as in a route (`30s`, `5m`, `2h`)."""
    limits = f", at least {least:g} s" if least else ""
    limits += f", at most {most:g} s" if most is not None else ""

    def check(value: object, spot: Spot) -> float:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        number: Any = float(match[1]) * _UNITS[match[2]] if match else value
        if type(number) in (int, float) and number >= least and (most is None or number <= most):
            return float(number)
        raise spot.expected(f'a number of seconds or a time like "30s"{limits}', value)

    return check


def yes_or_no(value: object, spot: Spot) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise spot.expected("true or false", value)


def text(what: str = "a text", pattern: str = r"[^\x00-\x1f\x7f]+") -> Check:
    """A text that matches a pattern as a whole; `what` says so in words."""
    compiled = re.compile(pattern)

    def check(value: object, spot: Spot) -> str:
        if isinstance(value, str) and compiled.fullmatch(value):
            return value
        raise spot.expected(what, value)

    return check


def one_of(*choices: str) -> Check:
    """One of some words."""
    listed = ", ".join(f'"{choice}"' for choice in choices[:-1]) + f' or "{choices[-1]}"'

    def check(value: object, spot: Spot) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise spot.expected(listed, value, nearest(value, choices) if isinstance(value, str) else "")

    return check


def list_of(element: Check, *, at_least: int = 0) -> Check:
    """A list whose elements all pass `element`, without repetitions."""

    def check(value: object, spot: Spot) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise spot.expected("a list", value)
        if len(value) < at_least:
            raise spot.expected(f"a list of at least {at_least}", value)
        found: dict[Any, None] = {}
        wrong: list[None] = []

        def once(raw: object, at: Spot) -> object:
            one = element(raw, at)
            if one in found:
                raise at.expected("each element only once", raw)
            return one

        for index, raw in enumerate(value):
            one = spot.inside(index).read(once, raw)
            if one is None:
                wrong.append(None)
            else:
                found[one] = None
        return (*found, *wrong)

    return check
