"""Reload and rollback: everything is checked beside what is in force, then put in its place at once, or nothing is."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import trio

from routing.language.problem import Problem
from routing.program.candidate import Candidate
from routing.program.check import Checked, check_file, check_texts, problems_as_json, summary
from routing.program.config import Config, examine, read_text
from routing.program.server import Server
from routing.program.versions import Texts, Version, Versions
from sipcore.errors import ConfigurationError

_log = logging.getLogger("ringway")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """How a reload or a rollback ended: `lines` for people, the rest for programs."""

    good: bool
    lines: tuple[str, ...]
    version: int = 0
    """The version that is in force now."""
    changed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Settings that take effect at the next start only."""
    problems: tuple[Problem, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "good": self.good, "version": self.version, "changed": self.changed, "needs_restart": self.waiting,
            "problems": problems_as_json(self.problems), "lines": self.lines,
        }  # fmt: skip


class Reloader:
    """Changes a running server, one change at a time.

    `adjust` is what the command line wants otherwise than the file; `changed` hears of the configuration in force.
    """

    def __init__(
        self,
        server: Server,
        environ: Mapping[str, str],
        *,
        adjust: Callable[[Config], Config] = lambda config: config,
        changed: Callable[[Config], None] = lambda config: None,
    ) -> None:
        self._server = server
        self._environ = environ
        self._adjust = adjust
        self._changed = changed
        self._turn = trio.Lock()
        self._file = server.config.file
        self.versions = Versions(server.config.versions_folder, time.time)

    def begin(self) -> None:
        """Note the version that the server starts with; blocks."""
        config = self._server.config
        try:
            texts = Texts(read_text(config.file), read_text(config.route_file))
        except (OSError, UnicodeDecodeError):  # it has gone since it was loaded
            return
        self.versions.use(texts, "start")
        self._store(config)

    async def reload(self) -> Reloaded:
        """Take over what is in the files now."""
        async with self._turn:
            return _logged("reload", await self._reload())

    async def _reload(self) -> Reloaded:
        read = await trio.to_thread.run_sync(self._read)
        return self._refused(read) if isinstance(read, Checked) else await self._take(read, "reload")

    def _read(self) -> Texts | Checked:
        """The texts of the files as they are now, read once, so that what is checked is what will run."""
        examination = examine(self._file, self._environ)
        try:
            if examination.route_file is not None:
                return Texts(read_text(self._file), read_text(examination.route_file))
        except (OSError, UnicodeDecodeError):
            pass  # the check says so, with its place
        return check_file(self._file, self._environ)

    async def rollback(self, number: int | None = None) -> Reloaded:
        """Put an earlier version in force again: that of a number, or the one before the one in force."""
        async with self._turn:
            return _logged("rollback", await self._rollback(number))

    async def _rollback(self, number: int | None) -> Reloaded:
        version = self.versions.find(number)
        if version is None:
            known = ", ".join(str(kept.number) for kept in self.versions.all()) or "none"
            what = f"there is no version {number}" if number is not None else "there is no earlier version"
            return self._failed((f"error: {what}; kept are {known}",))
        done = await self._take(version.texts, version.why)
        return self._explained(done, version) if done.good else done

    def _explained(self, done: Reloaded, version: Version) -> Reloaded:
        """A rollback leaves the operator's files alone, and says so."""
        config = self._server.config
        lines = [f"version {version.number} is in force again"]
        if self.versions.folder is not None:
            kept = self.versions.folder / str(version.number)
            lines += [
                f"{config.file} and {config.route_file} are as they were: the next reload or start uses them again",
                f"to keep version {version.number}, copy them from {kept}",
            ]
        return Reloaded(True, (*lines, *done.lines[1:]), done.version, done.changed, done.waiting)

    # -- the change ---------------------------------------------------------------------------------------------------

    async def _take(self, texts: Texts, why: str) -> Reloaded:
        server = self._server
        if server.dispatcher.draining:
            return self._failed(("error: the server is stopping",))
        with _tidily():
            try:
                built = await trio.to_thread.run_sync(self._build, texts)
                if isinstance(built, Checked):
                    return self._refused(built)
                server.adopt(built)
            except ConfigurationError as error:
                return self._failed(tuple(map(_as_error, error.problems)))
        before = self.versions.current
        version = self.versions.use(texts, why)
        self._changed(server.config)
        await trio.to_thread.run_sync(self._store, server.config)
        return self._done(version, version is before, built)

    def _build(self, texts: Texts) -> Candidate | Checked:
        checked = check_texts(self._file, self._environ, texts)
        if checked.config is None or checked.failed:
            return checked
        return self._server.prepare(self._adjust(checked.config), texts.routes)

    def _store(self, config: Config) -> None:
        try:
            self.versions.store((config.file.name, config.route_file.name))
        except OSError as error:
            _log.warning("versions are kept in memory only: %s: %s", config.versions_folder, error.strerror)

    # -- what is said -------------------------------------------------------------------------------------------------

    def _done(self, version: Version, same: bool, candidate: Candidate) -> Reloaded:
        nothing = same and not candidate.changed  # a file of [functions] may have changed, which is in no version
        first = f"version {version.number} is in force" + (": nothing has changed" if nothing else "")
        lines = [first, *candidate.routes.warnings]
        if candidate.changed:
            lines.append(f"changed: {', '.join(candidate.changed)}")
        if candidate.waiting:
            lines.append(f"needs a restart: {', '.join(candidate.waiting)}")
        return Reloaded(True, tuple(lines), version.number, candidate.changed, candidate.waiting)

    def _refused(self, checked: Checked) -> Reloaded:
        return self._failed((*checked.shown, summary(self._file, checked)), checked.problems)

    def _failed(self, lines: tuple[str, ...], problems: tuple[Problem, ...] = ()) -> Reloaded:
        current = self.versions.current
        number = current.number if current is not None else 0
        last = f"nothing was changed: version {number} stays in force"
        return Reloaded(False, (*lines, last), number, problems=problems)


def _as_error(problem: str) -> str:
    return problem if problem.startswith(("error:", "warning:")) else f"error: {problem}"


def _logged(what: str, done: Reloaded) -> Reloaded:
    for line in done.lines:
        _log.log(logging.INFO if done.good else logging.ERROR, "%s: %s", what, line)
    return done


@contextmanager
def _tidily() -> Iterator[None]:
    """Free what checking and compiling left behind, without walking over the calls and bindings in memory.

    What was there before is put out of the collector's sight, where counting references still frees it.
    """
    gc.collect(1)
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
