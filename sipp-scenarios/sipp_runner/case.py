"""A case: the folder with its `case.toml`, read and checked as a whole."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any


class BadCase(Exception):
    """A case that can't be run; `problems` holds one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Party:
    """One SIPp process of a case: a `[[party]]` table."""

    name: str
    scenario: str
    """The XML file, in the case's folder."""
    transport: str = "udp"
    """`udp` or `tcp`: one socket for all calls."""
    account: str = ""
    """Whose password answers a challenge: `caller` or `callee`."""
    digest_uri: str = ""
    """The Request-URI of what is challenged, without `sip:`; may hold {domain}, {caller}, {callee}."""
    users: bool = False
    """Whether the fields of the user list are handed in: [field0] the user, [field1] its [authentication ...]."""
    background: bool = False
    """Whether the next party starts while this one runs, as soon as it listens."""
    calls: int = 0
    """How many calls it makes or takes; 0: as many as the case."""
    exit: int = 0
    """The exit code that is right: 0, all calls went as the scenario says."""


@dataclass(frozen=True, slots=True)
class Case:
    """What one folder says. Rates are calls per second, times are seconds."""

    name: str
    folder: Path
    description: str
    party: tuple[Party, ...]
    calls: int = 10
    rate: float = 10.0
    time_limit: float = 30.0
    """For the whole case at the default rate and number of calls."""
    retransmissions: float = 0.1
    """How many for each call are still right, over all parties: a server that stalls for 0.5 s costs one a call."""
    route: str = ""
    """The route file, in the folder, that the server needs; empty: the one every installation begins with."""

    def seconds_for(self, calls: int, rate: float) -> float:
        """The time limit at another load: what the case allows beside its calls, and the time the calls take."""
        return self.time_limit + max(0.0, calls / rate - self.calls / self.rate) * 1.2


def read_case(folder: Path) -> Case:
    """Read FOLDER/case.toml; every mistake in it ends in one BadCase."""
    file = folder / "case.toml"
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadCase([f"{file}: {error}"]) from None
    reader = _Reader(file)
    case = reader.case(table)
    if reader.problems or case is None:
        raise BadCase(reader.problems)
    return case


@dataclass
class _Reader:
    """Turns tables into a case and collects what is wrong with them."""

    file: Path
    problems: list[str] = field(default_factory=list)

    def case(self, table: Mapping[str, Any]) -> Case | None:
        folder = self.file.parent
        raw = table.get("party")
        parties = tuple(self._party(each, index) for index, each in enumerate(raw or [], 1))
        if not parties:
            self.problems.append(f"{self.file}: no [[party]]")
        values = {key: value for key, value in table.items() if key != "party"}
        self._check(Case, values, "", given={"name", "folder", "party"})
        self._file(values.get("route"), "route")
        if self.problems:
            return None
        return Case(folder.name, folder, party=tuple(each for each in parties if each), **values)

    def _party(self, table: Mapping[str, Any], index: int) -> Party | None:
        before = len(self.problems)
        where = f"party {index}: "
        self._check(Party, table, where)
        self._file(table.get("scenario"), where + "scenario")
        self._choice(table, where, "transport", ("udp", "tcp"))
        self._choice(table, where, "account", ("caller", "callee"))
        return Party(**table) if len(self.problems) == before else None

    def _check(self, kind: type, table: Mapping[str, Any], where: str, given: set[str] | None = None) -> None:
        """Unknown, missing and wrongly typed keys."""
        known = {each.name: each for each in fields(kind) if each.name not in (given or ())}
        for key, value in table.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f" (did you mean {near[0]}?)" if near else ""
                self.problems.append(f"{self.file}: {where}unknown key {key}{hint}")
            elif not _fits(value, str(known[key].type)):
                self.problems.append(f"{self.file}: {where}{key} must be {_WORDS[str(known[key].type)]}")
        for name, each in known.items():
            if each.default is MISSING and name not in table:
                self.problems.append(f"{self.file}: {where}{name} is missing")

    def _file(self, name: object, where: str) -> None:
        if isinstance(name, str) and name and not (self.file.parent / name).is_file():
            self.problems.append(f"{self.file}: {where}: there is no file {name} in this folder")

    def _choice(self, table: Mapping[str, Any], where: str, key: str, choices: tuple[str, ...]) -> None:
        if key in table and table[key] not in choices:
            self.problems.append(f"{self.file}: {where}{key} must be one of {', '.join(choices)}")


def _fits(value: object, kind: str) -> bool:
    # Python counts true and false among the numbers.
    return isinstance(value, _TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))


_TYPES: dict[str, Any] = {"str": str, "int": int, "float": (int, float), "bool": bool}
_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
