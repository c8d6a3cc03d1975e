"""Watches a route run: each line, what it stored, each function of the language with its arguments and its result.

Uses the interpreter's trace hook, which slows everything down: only `ringway explain` does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NamedTuple

from routing.runtime import Destination, Outcome
from sipcore.message import NameAddr
from sipcore.message.message import Message
from sipcore.need import Need, Pending
from sipcore.uri import Uri

_LOCAL = re.compile(r"v\d+_(\w+)")
_LONGEST = 200
_NOT_ARGUMENTS = frozenset({"self", "context"})


class Line(NamedTuple):
    """A line of the route file is about to run."""

    number: int
    text: str


class Value(NamedTuple):
    """A name of the route has a value now."""

    name: str
    value: str


class Call(NamedTuple):
    """A function of the language came back."""

    name: str
    arguments: Mapping[str, str]
    result: str
    source: str
    """Where the result is from: a table of the database; empty for what was computed."""


class Note(NamedTuple):
    """Something that happened below: a message sent, why a request was refused."""

    text: str


Step = Line | Value | Call | Note


class Trace:
    """Records the steps of the routes in one file.

    `functions` maps code to the name of a function of the language, `sources` that name to where its results are from.
    """

    def __init__(self, file: str, text: str, functions: Mapping[CodeType, str], sources: Mapping[str, str]) -> None:
        self.steps: list[Step] = []
        self._file = file
        self._lines = text.split("\n")
        self._functions = functions
        self._sources = sources
        self._values: dict[FrameType, dict[str, str]] = {}
        self._arguments: dict[FrameType, dict[str, str]] = {}
        self._line: tuple[FrameType, int] | None = None

    def note(self, text: str) -> None:
        """Something to be told between the lines."""
        self.steps.append(Note(text))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record what runs inside."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(before)

    def _called(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename == self._file:
            return self._in_route
        if frame.f_code in self._functions:
            if frame not in self._arguments:
                self._arguments[frame] = _arguments(frame)
            frame.f_trace_lines = False
            return self._in_function
        return None

    def _in_route(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        self._note_values(frame)
        if event == "line" and self._line != (frame, frame.f_lineno):
            self._line = frame, frame.f_lineno
            self.steps.append(Line(frame.f_lineno, self._lines[frame.f_lineno - 1].strip()))
        elif event == "return" and not isinstance(argument, Need | Pending):
            self._values.pop(frame, None)
        return self._in_route

    def _note_values(self, frame: FrameType) -> None:
        before = self._values.setdefault(frame, {})
        for python_name, value in frame.f_locals.items():
            match = _LOCAL.fullmatch(python_name)
            if match is None:
                continue
            shown = show(value)
            if before.get(python_name) != shown:
                before[python_name] = shown
                self.steps.append(Value(match[1], shown))

    def _in_function(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        # A coroutine that waits "returns" what it waits for.
        if event == "return" and not isinstance(argument, Need | Pending):
            name = self._functions[frame.f_code]
            source = self._sources.get(name, "")
            self.steps.append(Call(name, self._arguments.pop(frame, {}), show(argument), source))
        return self._in_function


def _arguments(frame: FrameType) -> dict[str, str]:
    """What was given, without what was left to its default of nothing."""
    code, values = frame.f_code, frame.f_locals
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = ((name, values[name]) for name in names if name not in _NOT_ARGUMENTS and values[name] is not None)
    return {name.rstrip("_"): show(value) for name, value in given}


def show(value: object) -> str:
    """A value as an operator would write it."""
    text = _shown(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Uri):
        return value.text
    if isinstance(value, NameAddr):
        return value.uri_text
    if isinstance(value, Destination):
        return value.uri.text + (f" by {value.received}" if value.received else "")
    if isinstance(value, Outcome):
        return f"{value.code} {value.reason}".rstrip()
    if isinstance(value, Message):
        return "the request"
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{', '.join(_shown(one) for one in value)}]"
    return str(value)
