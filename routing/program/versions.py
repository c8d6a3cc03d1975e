"""The last versions of configuration and routes: which one is in force, and the texts of each to go back to.

They are kept in memory and, as plain files, in a folder of the state: `versions/7/ringway.toml` and
`versions/7/main.route`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

KEPT = 10
"""How many versions are kept; the one in force always is."""
_FACTS = "version.json"
_CONFIGURATION = "configuration"
_ROUTES = "routes"


@dataclass(frozen=True, slots=True)
class Texts:
    """What a server is made of: its configuration and its route file."""

    configuration: str
    routes: str

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that differ when anything in them does."""
        both = f"{len(self.configuration)}\n{self.configuration}{self.routes}"
        return hashlib.sha256(both.encode("utf-8", "surrogateescape")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `time` is Unix seconds; `why` is how it came: start or reload."""

    number: int
    time: float
    hash: str
    why: str
    texts: Texts


class Versions:
    """The versions of one server, the oldest first; `folder` None keeps them in memory alone."""

    def __init__(self, folder: Path | None, now: Callable[[], float]) -> None:
        self.folder = folder
        self._now = now
        self._kept = _read_all(folder) if folder is not None else []
        self.current: Version | None = None

    def all(self) -> tuple[Version, ...]:
        """Every version that is kept, the oldest first."""
        return tuple(self._kept)

    def find(self, number: int | None) -> Version | None:
        """The version of a number; None asks for the one before the one in force."""
        if number is not None:
            return next((version for version in self._kept if version.number == number), None)
        before = [version for version in self._kept if self.current and version.number < self.current.number]
        return before[-1] if before else None

    def use(self, texts: Texts, why: str) -> Version:
        """These texts are in force from now on; a version that has the same ones is that version again."""
        found = next((version for version in reversed(self._kept) if version.texts == texts), None)
        if found is None:
            number = self._kept[-1].number + 1 if self._kept else 1
            found = Version(number, self._now(), texts.hash, why, texts)
            self._kept.append(found)
        self.current = found
        while len(self._kept) > KEPT:
            self._kept.remove(next(version for version in self._kept if version is not found))
        return found

    def store(self, names: tuple[str, str]) -> None:
        """Make the folder hold what is kept; `names` are the file names of configuration and routes. OSError."""
        if self.folder is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {str(version.number) for version in self._kept}
        for entry in self.folder.iterdir():
            if entry.name not in kept and entry.name.partition(".")[0].isdecimal():
                shutil.rmtree(entry, ignore_errors=True)
        for version in self._kept:
            if not (self.folder / str(version.number)).exists():
                self._write(self.folder, version, names)

    def _write(self, folder: Path, version: Version, names: tuple[str, str]) -> None:
        """Beside and then in place as a whole, so that a kill leaves no half of it."""
        beside = folder / f"{version.number}.{os.getpid()}"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700)  # a configuration may hold a secret
        configuration, routes = names[0], names[1] if names[1] != names[0] else f"{names[1]}.route"
        facts = asdict(version) | {_CONFIGURATION: configuration, _ROUTES: routes}
        del facts["texts"]
        for name, text in (
            (configuration, version.texts.configuration),
            (routes, version.texts.routes),
            (_FACTS, json.dumps(facts, indent=2)),
        ):
            (beside / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        os.replace(beside, folder / str(version.number))


def _read_all(folder: Path) -> list[Version]:
    """What an earlier run kept; what can't be understood is passed over."""
    try:
        entries = [entry for entry in folder.iterdir() if entry.name.isdecimal()]
    except OSError:
        return []
    found = [version for entry in entries if (version := _read(entry)) is not None]
    return sorted(found, key=lambda version: version.number)[-KEPT:]


def _read(entry: Path) -> Version | None:
    try:
        facts = json.loads((entry / _FACTS).read_text("utf-8"))
        configuration, routes = (entry / Path(facts[key]).name for key in (_CONFIGURATION, _ROUTES))
        texts = Texts(configuration.read_text("utf-8"), routes.read_text("utf-8"))
        return Version(int(entry.name), float(facts["time"]), texts.hash, str(facts["why"]), texts)
    except (OSError, ValueError, KeyError, TypeError):
        return None
