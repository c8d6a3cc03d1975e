"""What the route files of an editor may use: this server's modules, and the tables and functions of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from routing.language.environment import Environment
from routing.program.config import examine, read_text
from routing.program.functions import signatures
from routing.program.rehearsal.suite import ROUTE_SUFFIX, companion, given_tables, nearby, routes_of, settings_in
from routing.program.server import MODULES
from routing.runtime.loader import make_environment
from routing.runtime.platform import Domains

_State = tuple[tuple[Path, int, int], ...]
"""Files with when they were changed and how large they are."""


@dataclass(frozen=True, slots=True)
class Project:
    """The environment of a route file; `configuration` is where it comes from, `mistake` what is wrong there.

    `functions` are the files of its Python functions.
    """

    environment: Environment
    configuration: Path | None = None
    mistake: str = ""
    functions: tuple[Path, ...] = ()


class Projects:
    """Finds the project of a route file, and looks at its files again only when they have changed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._bare = Project(make_environment(MODULES, {"domains": Domains(())}))
        self._found: dict[Path, tuple[_State, Project]] = {}
        self._good: dict[Path, Project] = {}

    def of(self, file: Path | None) -> Project:
        """The project of a file; None: of a text that is in no file yet."""
        if file is None or file.suffix != ROUTE_SUFFIX:
            return self._bare
        routes = routes_of(file)
        configuration = nearby(routes)
        key = configuration or routes
        found = self._found.get(key)
        if found is not None and not found[1].mistake and all(_state(one[0]) == one for one in found[0]):
            return found[1]
        watched = (configuration,) if configuration is not None else (routes, companion(routes))
        state = tuple(_state(one) for one in watched)
        project = self._configured(configuration) if configuration is not None else self._given(routes)
        if found is not None and found[1] == project:
            project = found[1]  # a mistake is looked at each time: what mends it may be a file that was not there
        self._found[key] = ((*state, *map(_state, project.functions)), project)
        return project

    def _configured(self, configuration: Path) -> Project:
        examination = examine(configuration, self._environ)
        config = examination.config
        if config is None:
            first = examination.problems[0]
            place = f" line {first.line}" if first.line else ""
            good = self._good.get(configuration, self._bare)
            mistake = f"{configuration.name}{place}: {first.message}"
            return replace(good, configuration=configuration, mistake=mistake)
        tables = {"domains": Domains(config.domains), **config.tables()}
        environment = make_environment(MODULES, tables, signatures(config.functions))
        files = tuple(sorted({one.source.file for one in config.functions.values()}))
        project = self._good[configuration] = Project(environment, configuration, functions=files)
        return project

    def _given(self, routes: Path) -> Project:
        """Without a configuration there are the tables that the tests of the routes give."""
        tables = given_tables(routes, settings_in(None, self._environ)) if routes.exists() else {}
        return Project(make_environment(MODULES, {"domains": Domains(()), **tables}))


def _state(file: Path) -> tuple[Path, int, int]:
    try:
        status = file.stat()
    except OSError:
        return file, 0, 0
    return file, status.st_mtime_ns, status.st_size


def table_line(configuration: Path, table: str) -> int:
    """The line, from 1, that a table stands in; 1 when it can't be found."""
    section, _, name = table.rpartition(".")
    try:
        lines = read_text(configuration).split("\n")
    except (OSError, UnicodeDecodeError):
        return 1
    within = ""
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word.startswith("["):
            within = word.strip("[] ")
        elif within == section and word.partition("=")[0].strip().strip('"') == name:
            return number
    return 1
