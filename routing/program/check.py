"""`ringway check`: every mistake in the configuration and the routes, and the settings in effect."""

from __future__ import annotations

import dataclasses
import gc
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from routing.language.hours import Hours
from routing.language.networks import Networks
from routing.language.problem import Problem, Severity, render, render_all
from routing.program.config import Config, examine
from routing.program.exit_codes import FAILURE, OK
from routing.program.functions import DeclaredFunction, clashes, signatures
from routing.program.listen import Listen
from routing.program.reading import fields
from routing.program.rehearsal.suite import (
    ROUTE_SUFFIX,
    given_tables,
    is_test_file,
    nearby,
    problems_of_tests,
    routes_of,
    settings_in,
)
from routing.program.server import MODULES
from routing.program.versions import Texts
from routing.runtime.functions import function_table
from routing.runtime.loader import Tables, examine_routes
from routing.runtime.platform import Domains
from routing.runtime.properties import ROOTS
from sipcore.errors import ConfigurationError
from sipcore.net.settings import TlsSettings
from sipcore.net.tls_contexts import Tls


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; `config` is None when a route file alone was checked, or the configuration is wrong."""

    problems: tuple[Problem, ...]
    shown: tuple[str, ...]
    """The problems as a person reads them."""
    config: Config | None = None
    strict: bool = False
    """Whether a warning is as bad as a mistake."""

    @property
    def failed(self) -> bool:
        """Whether the server would refuse to start; with `strict` also whether anything was found at all."""
        return any(self.strict or problem.severity is Severity.ERROR for problem in self.problems)


def check_file(file: Path, environ: Mapping[str, str], *, tests: bool = False) -> Checked:
    """Check a configuration with the routes it names, or a route file alone. Runs nothing, opens no socket.

    Test blocks in the routes are looked at in any case, those in the file beside them when `tests` are asked for.
    """
    if file.suffix != ROUTE_SUFFIX:
        checked = _check(file, environ, None)
        config = checked.config
        return _with_tests(checked, config.route_file, file, environ) if tests and config is not None else checked
    if is_test_file(file):
        return _with_tests(Checked((), ()), routes_of(file), nearby(file), environ)
    config = _config_near(file, environ)
    checked = _check_routes(file, None, {"domains": Domains(()), **_tables_near(file, environ, config)}, config)
    return _with_tests(checked, file, nearby(file), environ) if tests else checked


def _with_tests(checked: Checked, route_file: Path, near: Path | None, environ: Mapping[str, str]) -> Checked:
    """The same with what is wrong in the file of tests beside the routes, and with the settings that tests give."""
    if checked.failed or (near is not None and examine(near, environ).config is None):
        return checked
    found = problems_of_tests(route_file, settings_in(near, environ))
    problems = (*checked.problems, *(problem for problem, _ in found))
    return Checked(problems, (*checked.shown, *(render(problem, text) for problem, text in found)), checked.config)


def check_texts(file: Path, environ: Mapping[str, str], texts: Texts) -> Checked:
    """The same for texts that were read before; each problem is shown as if it stood in the files."""
    return _check(file, environ, texts)


def _check(file: Path, environ: Mapping[str, str], texts: Texts | None) -> Checked:
    examination = examine(file, environ, texts.configuration if texts is not None else None)
    config, route_file = examination.config, examination.route_file
    routes = Checked((), ())
    if route_file is not None and (config is not None or route_file.exists()):
        tables = config.tables() if config is not None else {}
        domains = Domains(config.domains if config is not None else ())
        text = texts.routes if texts is not None else None
        routes = _check_routes(route_file, text, {"domains": domains, **tables}, config)
    names = clashes(config.functions, taken_names(), str(file)) if config is not None else []
    certificates = _check_certificates(file, config) if config is not None else ()
    problems = (*examination.problems, *names, *routes.problems, *certificates)
    shown = (
        *examination.rendered(),
        *render_all(names, examination.text),
        *routes.shown,
        *(render(problem, "") for problem in certificates),
    )
    return Checked(problems, shown, config)


def checked_config(file: Path, environ: Mapping[str, str]) -> Config:
    """A configuration that can be run; ConfigurationError with every mistake in it and in its routes."""
    checked = check_file(file, environ)
    if checked.config is None or checked.failed:
        raise ConfigurationError(list(checked.shown))
    return checked.config


def _check_certificates(file: Path, config: Config) -> tuple[Problem, ...]:
    """Files that [tls] names and that can't be used, or not for long."""
    if config.tls == TlsSettings():
        return ()
    tls = Tls(config.tls_files)
    try:
        tls.load()
    except ConfigurationError as error:
        return tuple(Problem(str(file), 0, 0, 1, problem) for problem in error.problems)
    return tuple(Problem(str(file), 0, 0, 1, text, severity=Severity.WARNING) for text in tls.warnings())


def _config_near(file: Path, environ: Mapping[str, str]) -> Config | None:
    """The configuration that a route file most likely belongs to: beside it, or in a folder above."""
    near = nearby(file)
    return examine(near, environ).config if near is not None else None


def _tables_near(file: Path, environ: Mapping[str, str], config: Config | None) -> Tables:
    """The tables of a configuration; a file without any, in a collection of examples, has those that its tests give."""
    if config is not None:
        return config.tables()
    return given_tables(file, settings_in(None, environ)) if nearby(file) is None else {}


def taken_names() -> dict[str, str]:
    """What a function of [functions] can't be called, with what has the name."""
    functions = dict.fromkeys(function_table(MODULES), "a function of Ringway")
    return functions | dict.fromkeys(ROOTS, "a property")


def _check_routes(file: Path, text: str | None, tables: Tables, config: Config | None) -> Checked:
    functions = signatures(config.functions) if config is not None else {}
    with _without_collector():
        problems, text = examine_routes(file if text is None else text, MODULES, tables, str(file), functions)
    return Checked(tuple(problems), tuple(render_all(problems, text)))


@contextmanager
def _without_collector() -> Iterator[None]:
    """A tree of a route file has no circles, and looking for some takes half of the time of a check."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def settings(value: object, hidden: bool = False) -> Any:
    """The settings in effect as plain values; what is secret is not shown."""
    if hidden:
        return "(set)" if value else "(made at the first start)"
    if isinstance(value, Hours):
        return value.text
    if isinstance(value, Networks | frozenset):
        return list(value.texts) if isinstance(value, Networks) else sorted(value)
    if isinstance(value, dict):
        return {name: settings(item) for name, item in value.items()}
    if isinstance(value, DeclaredFunction):
        return value.settings()
    if isinstance(value, Listen):
        return f"{value} advertising {value.advertise}" if value.advertise else str(value)
    if isinstance(value, tuple):
        return [settings(item) for item in value]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return str(value) if isinstance(value, Path) else value
    return {
        field.name: settings(getattr(value, field.name), field.metadata.get("hidden", False))
        for field in fields(type(value))
    }


def check(files: list[Path], environ: Mapping[str, str], as_json: bool, strict: bool = False) -> int:
    """The command; returns its exit code."""
    results = [dataclasses.replace(check_file(file, environ, tests=True), strict=strict) for file in files]
    if as_json:
        print(json.dumps([_as_json(file, result) for file, result in zip(files, results, strict=True)], indent=2))
    else:
        for file, result in zip(files, results, strict=True):
            _show(file, result)
    return FAILURE if any(result.failed for result in results) else OK


def problems_as_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems for programs."""
    return [{**dataclasses.asdict(problem), "severity": problem.severity.value} for problem in problems]


def _as_json(file: Path, result: Checked) -> dict[str, Any]:
    problems = problems_as_json(result.problems)
    shown = settings(result.config) if result.config is not None else None
    return {"file": str(file), "good": not result.failed, "problems": problems, "settings": shown}


def summary(file: Path, result: Checked) -> str:
    """The last line of what a check shows."""
    errors = sum(problem.severity is Severity.ERROR for problem in result.problems)
    warnings = len(result.problems) - errors
    found = [
        f"{count} {what}{'s' if count > 1 else ''}"
        for count, what in ((errors, "mistake"), (warnings, "warning"))
        if count and (what == "mistake" or result.strict or not errors)
    ]
    return f"{file}: {', '.join(found if result.failed else ['good', *found])}"


def _show(file: Path, result: Checked) -> None:
    for text in (*result.shown, *([summary(file, result)] if result.failed else [])):
        print(text)
    if result.failed:
        return
    if result.config is not None:
        for line in _lines(settings(result.config)):
            print(line)
    print(summary(file, result))


def _lines(values: dict[str, Any]) -> list[str]:
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for name, table in values.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return lines


def _toml(value: object) -> str:
    """JSON's texts, numbers and truth are TOML's too."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
