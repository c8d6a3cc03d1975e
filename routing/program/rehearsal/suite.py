"""What is tested: a route file, its tests in it and beside it, and the configuration that they belong to."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routing.language.problem import Problem, render_all
from routing.language.stories import Story
from routing.program.config import FILE_NAME, examine, read_text
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.settings import Settings
from routing.runtime.loader import read_test_file, read_tests
from sipcore.errors import ConfigurationError

ROUTE_SUFFIX = ".route"
TEST_SUFFIX = ".test.route"


@dataclass(frozen=True, slots=True)
class Source:
    """A file with tests."""

    file: Path
    text: str
    stories: tuple[Story, ...]
    problems: tuple[Problem, ...]

    def rendered(self) -> list[str]:
        """Its mistakes and warnings as a person reads them."""
        return render_all(self.problems, self.text)


@dataclass(frozen=True, slots=True)
class Suite:
    """All tests of one route file."""

    route_file: Path
    settings: Settings
    sources: tuple[Source, ...]


def suites(files: Iterable[Path], configuration: Path | None, environ: Mapping[str, str]) -> list[Suite]:
    """The suites of files and folders; ConfigurationError when one can't be read, or its configuration is wrong.

    `configuration` is for all of them; without one each route file has that which stands beside it or above.
    """
    found: dict[Path, Suite] = {}
    for file in files:
        for route_file, settings in _route_files(file, configuration, environ):
            if route_file not in found:
                found[route_file] = _suite(route_file, settings)
    return list(found.values())


def _route_files(file: Path, configuration: Path | None, environ: Mapping[str, str]) -> Iterator[tuple[Path, Settings]]:
    if file.is_dir():
        for one in sorted(file.rglob(f"*{ROUTE_SUFFIX}")):
            if not is_test_file(one):
                yield one, _settings_for(one, configuration, environ)
    elif file.suffix == ROUTE_SUFFIX:
        tested = routes_of(file)
        yield tested, _settings_for(tested, configuration, environ)
    else:
        settings = _settings_for(file, file, environ)
        yield _configured(file, environ), settings


def is_test_file(file: Path) -> bool:
    """Whether a file holds nothing but tests, by its name."""
    return file.name.endswith(TEST_SUFFIX)


def routes_of(file: Path) -> Path:
    """The route file whose tests stand in a file: `main.route` for `main.test.route`, else the file itself."""
    return file.with_name(file.name.removesuffix(TEST_SUFFIX) + ROUTE_SUFFIX) if is_test_file(file) else file


def _settings_for(route_file: Path, configuration: Path | None, environ: Mapping[str, str]) -> Settings:
    near = configuration or nearby(route_file)
    if near is not None:
        _configured(near, environ)
    return settings_in(near, environ)


def nearby(route_file: Path) -> Path | None:
    """The configuration that a route file belongs to: beside it, or in the first folder above that has one."""
    for folder in (route_file.parent, *route_file.absolute().parents[1:]):
        if (folder / FILE_NAME).exists():
            return folder / FILE_NAME
    return None


def _configured(file: Path, environ: Mapping[str, str]) -> Path:
    """The route file that a configuration names; ConfigurationError with every mistake in it."""
    examination = examine(file, environ)
    if examination.config is None:
        raise ConfigurationError(examination.rendered())
    return examination.config.route_file


def settings_in(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """What stands in a configuration that has no mistakes; None: in no configuration at all."""
    if file is None:
        return Settings({}, Path(FILE_NAME), environ)
    return Settings(tomllib.loads(read_text(file)), file, environ)


def _suite(route_file: Path, settings: Settings) -> Suite:
    beside = companion(route_file)
    files = (route_file, *([beside] if beside.exists() else []))
    return Suite(route_file, settings, tuple(_source(file, settings) for file in files))


def companion(route_file: Path) -> Path:
    """The file beside a route file that holds nothing but its tests: `main.test.route` for `main.route`."""
    return route_file.with_name(route_file.name.removesuffix(ROUTE_SUFFIX) + TEST_SUFFIX)


def _source(file: Path, settings: Settings) -> Source:
    """The tests of one file with all that is wrong with them."""
    stories, problems = (read_test_file if is_test_file(file) else read_tests)(file, str(file))
    return Source(file, read_text(file), stories, (*problems, *_wrong_settings(stories, file, settings)))


def problems_of_tests(route_file: Path, settings: Settings) -> list[tuple[Problem, str]]:
    """What is wrong with the settings that tests in a route file give, and in the file of tests beside it.

    Each with the text that it stands in.
    """
    stories, _ = read_tests(route_file)
    text = read_text(route_file)
    found = [(problem, text) for problem in _wrong_settings(stories, route_file, settings)]
    beside = companion(route_file)
    if beside.exists():
        tests = _source(beside, settings)
        found += [(problem, tests.text) for problem in tests.problems]
    return found


def given_tables(route_file: Path, settings: Settings) -> dict[str, Container[Any]]:
    """The lists and hours that tests give to routes which belong to no configuration; none when they can't be read."""
    tables: dict[str, Container[Any]] = {}
    try:
        files = (route_file, *(beside for beside in (companion(route_file),) if beside.exists()))
        stories = [story for file in files for story in _source(file, settings).stories]
    except ConfigurationError:
        return tables
    for story in stories:
        try:
            tables.update(settings.of(story, route_file).tables())
        except StoryFailed:
            continue  # it is told with the other mistakes of the tests
    return tables


def _wrong_settings(stories: Iterable[Story], file: Path, settings: Settings) -> Iterator[Problem]:
    for story in stories:
        if story.given.settings:
            try:
                settings.of(story, file)
            except StoryFailed as failed:
                yield failed.problem(str(file))
