"""Loads route files: read, check, compile; and checks them alone, for `ringway check`."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from routing.language import tree
from routing.language.bound import Program
from routing.language.checker import check, check_tests
from routing.language.compiler import Entry, OnDialog, OnReply, Watch, compile_program
from routing.language.environment import Environment, Table
from routing.language.hours import Hours
from routing.language.parser import parse
from routing.language.problem import Problem, Report, Severity, render, render_all
from routing.language.signature import Signature
from routing.language.source import Source, read_source, source_of
from routing.language.stories import Story, read_stories
from routing.language.types import (
    ADDRESS,
    BRANCH_FUNCTION,
    DOMAIN,
    DURATION,
    MOMENT,
    NUMBER,
    OUTCOME,
    REPLY_FUNCTION,
    TEXT,
    TRUTH,
    URI,
    Type,
    list_of,
)
from routing.runtime.functions import TYPES, function_table
from routing.runtime.module import Module
from routing.runtime.properties import ATTRIBUTES, DESTINATION, KEYED, NAMES, ROOTS
from routing.runtime.shared import SharedTables
from sipcore.errors import ConfigurationError

Tables = Mapping[str, Container[Any]]
"""Configured tables by name, dots included (`gateways.carrier`). One holds text, unless its `of` names another type."""

_SIMPLE = (TEXT, NUMBER, TRUTH, DURATION, URI, DOMAIN, ADDRESS, DESTINATION, OUTCOME, BRANCH_FUNCTION, REPLY_FUNCTION)
PARAMETER_TYPES: dict[str, Type] = {
    one.name: one for one in (*_SIMPLE, *(list_of(item) for item in (TEXT, NUMBER, URI, DESTINATION)))
}
"""What a parameter of a route may be, by the words for it."""


@dataclass(frozen=True, slots=True)
class ParsedRoutes:
    """A route file that was read once, to be loaded many times; its tests are left out."""

    name: str
    text: str
    file: tree.File


@dataclass(frozen=True, slots=True)
class Routes:
    """A route file, ready to run: `run(context)` is the coroutine of one request; it returns True.

    `on_reply` is asked about every response that a proxy gives back, `on_dialog` about every request inside a dialog.
    `keeps_calls` says that something is stored with a call. `warnings` were found when it was loaded, and are rendered.
    """

    name: str
    run: Entry
    on_reply: OnReply | None = None
    warnings: tuple[str, ...] = ()
    on_dialog: OnDialog | None = None
    keeps_calls: bool = False


def load_routes(
    source: Path | str | ParsedRoutes,
    modules: Sequence[Module],
    tables: Tables | None = None,
    name: str = "main.route",
    shared: SharedTables | None = None,
    watch: Watch | None = None,
    functions: Mapping[str, Signature] = MappingProxyType({}),
) -> Routes:
    """Load a route file (a Path), its text (a str, called `name` in messages), or one that was parsed before.

    `shared` are the shared tables of the server, which stay when routes are loaded again. `watch` is told each
    statement that runs. `functions` are those of no module. Raises `ConfigurationError` with every mistake, rendered;
    nothing has changed then.
    """
    file = None
    if isinstance(source, ParsedRoutes):
        name, text, file = source.name, source.text, source.file
    else:
        name, text = _readable(source, name)
    environment = make_environment(modules, tables or {}, functions)
    program, problems = _check(name, text, environment, file)
    if program is None:
        raise ConfigurationError(render_all([one for one in problems if one.severity is Severity.ERROR], text))
    kept = shared or SharedTables()
    opened = {table.name: kept.open(table) for table in program.tables}
    compiled = compile_program(program, environment, name, text, opened, watch)
    # Tracebacks show the lines that were loaded, also when the file is edited later, or there is no file.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    warnings = tuple(render_all(problems, text))
    return Routes(name, compiled.entry, compiled.on_reply, warnings, compiled.on_dialog, program.keeps_calls)


def parse_routes(source: Path) -> ParsedRoutes:
    """Read a route file; ConfigurationError with what keeps it from being understood at all."""
    name, text = _readable(source, "")
    report = Report(name, text)
    file = parse(text, report)
    if report.failed:
        raise ConfigurationError(render_all(report.problems, text))
    return ParsedRoutes(name, text, tree.File(tuple(one for one in file.items if not isinstance(one, tree.Test))))


def check_routes(
    source: Path | str,
    modules: Iterable[Module | type[Module]],
    tables: Tables | None = None,
    name: str = "main.route",
) -> list[Problem]:
    """Every mistake in a route file, in its order; runs nothing of it. `modules` may be classes."""
    return examine_routes(source, modules, tables, name)[0]


def examine_routes(
    source: Path | str,
    modules: Iterable[Module | type[Module]],
    tables: Tables | None = None,
    name: str = "main.route",
    functions: Mapping[str, Signature] = MappingProxyType({}),
) -> tuple[list[Problem], str]:
    """The same with the text that was checked, to show the mistakes in."""
    name, text, unreadable = _source(source, name)
    if unreadable is not None:
        return [unreadable], text
    return _check(name, text, make_environment(modules, tables or {}, functions))[1], text


def read_tests(source: Path | str, name: str = "main.test.route") -> tuple[tuple[Story, ...], list[Problem]]:
    """The tests in a route file, and what is wrong with them; the rest of the file is not looked at."""
    return _stories(source, name, lambda file, report: read_stories(file.items, report))


def read_test_file(source: Path | str, name: str = "main.test.route") -> tuple[tuple[Story, ...], list[Problem]]:
    """The same for a file that holds nothing but tests, of the routes in another file."""
    return _stories(source, name, check_tests)


def _stories(
    source: Path | str, name: str, read: Callable[[tree.File, Report], tuple[Story, ...]]
) -> tuple[tuple[Story, ...], list[Problem]]:
    name, text = _readable(source, name)
    report = Report(name, text)
    return read(parse(text, report), report), report.problems


def make_environment(
    modules: Iterable[Module | type[Module]],
    tables: Tables,
    functions: Mapping[str, Signature] = MappingProxyType({}),
) -> Environment:
    """What a route may use with these modules and tables; raises `ConfigurationError` for an unfit module."""
    modules = tuple(modules)
    return Environment(
        functions={**functions, **function_table(modules)},
        roots=ROOTS,
        attributes=ATTRIBUTES,
        keyed=KEYED,
        tables={name: _table(table) for name, table in {**_offered(modules), **tables}.items()},
        parameter_types=PARAMETER_TYPES,
        names=NAMES,
    )


def _offered(modules: Iterable[Module | type[Module]]) -> dict[str, Any]:
    """The tables of modules; of a class what kind they are, which is enough to check a file."""
    return {name: table for module in modules for name, table in module.tables.items()}


def _table(table: Container[Any]) -> Table:
    return Table(table, MOMENT if isinstance(table, Hours) else TYPES[getattr(table, "of", str)])


def _readable(source: Path | str, name: str) -> tuple[str, str]:
    """Name and text; ConfigurationError when there is no text."""
    name, text, unreadable = _source(source, name)
    if unreadable is not None:
        raise ConfigurationError([render(unreadable, text)])
    return name, text


def _source(source: Path | str, name: str) -> Source:
    return source_of(name, source) if isinstance(source, str) else read_source(source)


def _check(
    name: str, text: str, environment: Environment, file: tree.File | None = None
) -> tuple[Program | None, list[Problem]]:
    """Check a text, or a `file` that was made of it; the program is None when there are errors."""
    report = Report(name, text)
    program = None
    file = file or parse(text, report)
    if not report.failed:
        program = check(file, environment, report)
    return None if report.failed else program, report.problems
