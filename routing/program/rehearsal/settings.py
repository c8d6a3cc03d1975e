"""The configuration of a story: that of the project, with what the story gives in its place."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from routing.language.problem import Problem
from routing.language.stories.story import Setting, Story
from routing.program.config import FILE_NAME, Config
from routing.program.environment import override
from routing.program.expect import Document
from routing.program.listen import Listen
from routing.program.reading import read
from routing.program.rehearsal.directory import SERVER_4, SERVER_6
from routing.program.rehearsal.failure import StoryFailed
from sipcore.locate import DEFAULT_PORTS

DEFAULT_DOMAIN = "example.com"
_TABLES = frozenset({"lists", "hours"})
_LISTS = frozenset({"domains", "listen"})


class Settings:
    """What stands in `ringway.toml`, or in none: then the one domain is example.com."""

    def __init__(self, data: Mapping[str, Any], file: Path, environ: Mapping[str, str]) -> None:
        self._data = data or {"domains": [DEFAULT_DOMAIN]}
        self._file = file
        self._environ = environ
        self._plain: Config | None = None

    def of(self, story: Story, route_file: Path) -> Config:
        """The configuration in which a story is performed; StoryFailed at the first setting that is wrong."""
        if not story.given.settings:
            if self._plain is None:
                self._plain = self._read(self._data, story)
            config = self._plain
        else:
            data = copy.deepcopy(dict(self._data))
            for setting in story.given.settings:
                put(data, setting)
            config = self._read(data, story)
        return replace(config, file=route_file.parent / FILE_NAME, routes=route_file.name)

    def _read(self, data: Mapping[str, Any], story: Story) -> Config:
        document = Document(str(self._file), "")
        given = dict(data)
        override(Config, given, self._environ, document)
        config = read(Config, given, document)
        if config is None or document.problems:
            raise _failure(document.problems, story)
        return on_documentation_addresses(config)


def put(data: dict[str, Any], setting: Setting) -> None:
    """Put one value, or several, in its place."""
    *tables, last = setting.key
    table = data
    for key in tables:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            raise StoryFailed(setting.span, f"`{key}` is no table of ringway.toml")
        table = inner
    many = len(setting.values) > 1 or setting.key[0] in _LISTS or setting.key[:1] == ("lists",)
    table[last] = list(setting.values) if many else setting.values[0]


def _failure(problems: list[Problem], story: Story) -> StoryFailed:
    """A mistake in the configuration, at the setting that it is about."""
    problem = problems[0]
    settings = story.given.settings
    about = next((one for one in settings if ".".join(one.key) in problem.message), None)
    if about is None:
        about = next((one for one in settings if one.key[-1] in problem.message), settings[0] if settings else None)
    return StoryFailed(about.span if about else story.span, problem.message, problem.hint)


def on_documentation_addresses(config: Config) -> Config:
    """The same, listening where a story's phones can find it: never on a wildcard or a port that the system chooses."""
    listens = tuple(
        replace(
            listen,
            host={"0.0.0.0": SERVER_4, "::": SERVER_6}.get(listen.host, listen.host),
            port=listen.port or DEFAULT_PORTS[listen.transport],
        )
        for listen in config.listen
    )
    return replace(config, listen=listens)


def own_addresses(listens: tuple[Listen, ...]) -> frozenset[str]:
    """The addresses that a server listens on."""
    return frozenset(listen.host for listen in listens)
