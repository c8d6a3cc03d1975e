"""`ringway.toml`: found, read, checked as a whole, and handed on as frozen typed objects."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from routing.program.environment import override
from routing.program.expect import Document, Problem, Spot, list_of, one_of, seconds, text, whole_number
from routing.program.listen import Listen, listen
from routing.program.reading import read, setting
from sipcore.errors import ConfigurationError
from sipcore.message.limits import DEFAULT_LIMITS, Limits

FILE_NAME = "ringway.toml"
SYSTEM_FILE = Path("/etc/ringway") / FILE_NAME
_SQLITE = "sqlite:///"
_DOMAIN = r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*|\[[0-9A-Fa-f:.]+\]"


def _database_url(value: object, spot: Spot) -> str:
    if isinstance(value, str) and value.startswith(_SQLITE) and len(value) > len(_SQLITE):
        return value
    raise spot.expected(f'"{_SQLITE}FILE" (other databases are not in this version)', value)


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """[database]"""

    url: str = setting(_database_url, _SQLITE + "ringway.db", hidden=True)
    """A relative file name counts from the configuration file's folder."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """[limits]: what one process accepts; sizes in bytes."""

    message: int = setting(whole_number(1_024, 1_048_576), DEFAULT_LIMITS.message)
    head: int = setting(whole_number(1_024, 1_048_576), DEFAULT_LIMITS.head)
    line: int = setting(whole_number(256, 1_048_576), DEFAULT_LIMITS.line)
    uri: int = setting(whole_number(64, 65_536), DEFAULT_LIMITS.uri)
    headers: int = setting(whole_number(20, 10_000), DEFAULT_LIMITS.headers)
    vias: int = setting(whole_number(1, 255), DEFAULT_LIMITS.vias)
    routes: int = setting(whole_number(1, 255), DEFAULT_LIMITS.routes)
    parked: int = setting(whole_number(1), 10_000)
    """Requests that wait for slow calls at the same time; the next one is answered 503."""

    def of_messages(self) -> Limits:
        """The part that the parser checks."""
        return Limits(self.message, self.head, self.line, self.uri, self.headers, self.vias, self.routes)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """[log]"""

    level: str = setting(one_of("debug", "info", "warning", "error"), "info")
    format: str = setting(one_of("text", "json"), "text")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything an operator can set. `file` is where it was read from; relative names count from its folder."""

    domains: tuple[str, ...] = setting(list_of(text("a domain name", _DOMAIN), at_least=1), example='["example.com"]')
    listen: tuple[Listen, ...] = setting(
        list_of(listen, at_least=1), (Listen("udp", "0.0.0.0", 5060), Listen("tcp", "0.0.0.0", 5060))
    )
    routes: str = setting(text("the name of a route file"), "main.route")
    drain_timeout: float = setting(seconds(0, 3600), 30.0)
    """How long calls and transactions may go on after SIGTERM."""
    node: str = setting(text("one to seven letters and digits", r"[A-Za-z0-9]{1,7}"), "a")
    """Names this machine in every token; each machine of a cluster has its own."""
    secret: str = setting(text("at least 16 printable characters", r"[!-~]{16,}"), "", hidden=True)
    """Keys all tokens and nonces; without one a random secret is kept in a file next to the database."""
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    log: LogSettings = field(default_factory=LogSettings)
    file: Path = field(default=Path(FILE_NAME), metadata={"internal": True})

    @property
    def route_file(self) -> Path:
        """The route file, found from the configuration's folder."""
        return self.file.parent / self.routes

    @property
    def database_file(self) -> Path:
        """The SQLite file, found from the configuration's folder."""
        return self.file.parent / self.database.url.removeprefix(_SQLITE)

    @property
    def database_url(self) -> str:
        """The database URL with an absolute file name."""
        return _SQLITE + str(self.database_file.absolute())


def find(given: str | None, environ: Mapping[str, str]) -> Path:
    """The configuration file to use: `-f`, `$RINGWAY_CONFIG`, `./ringway.toml`, `/etc/ringway/ringway.toml`."""
    named = given or environ.get("RINGWAY_CONFIG")
    if named:
        return Path(named)
    places = [Path(FILE_NAME), SYSTEM_FILE]
    for place in places:
        if place.exists():
            return place
    looked = ", ".join(str(place.absolute()) for place in places)
    raise ConfigurationError(
        [f'no configuration found: looked at {looked}; name one with "-f FILE", or run "ringway quickstart"']
    )


def load(file: Path, environ: Mapping[str, str]) -> Config:
    """Read a configuration; raises ConfigurationError with every mistake in it."""
    config, problems = examine(file, environ)
    if config is None:
        raise ConfigurationError([str(problem) for problem in problems])
    return config


def examine(file: Path, environ: Mapping[str, str]) -> tuple[Config | None, list[Problem]]:
    """Read a configuration without raising: it, or None and every mistake found."""
    try:
        content = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
        data = tomllib.loads(content)
    except OSError as error:
        return None, [Problem(str(file), 0, 0, f"can't be read: {error.strerror}")]
    except UnicodeDecodeError:
        return None, [Problem(str(file), 0, 0, "is not UTF-8 text")]
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax_problem(str(file), content, str(error))]
    document = Document(str(file), content)
    override(Config, data, environ, document)
    config = read(Config, data, document)
    if config is None or document.problems:
        return None, sorted(document.problems, key=lambda problem: (problem.line, problem.column))
    return replace(config, file=file), []


def _syntax_problem(file: str, content: str, message: str) -> Problem:
    """tomllib says where in its text: `Expected '=' after a key (at line 3, column 5)`."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    lines = content.split("\n")
    if match is None or match[2] is None:
        return Problem(file, len(lines), len(lines[-1]) + 1, match[1] if match else message, lines[-1])
    return Problem(file, int(match[2]), int(match[3]), match[1], lines[int(match[2]) - 1])
