"""`ringway test`: runs the tests of route files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from routing.language.problem import Severity, nearest
from routing.program.config import find, read_text
from routing.program.exit_codes import FAILURE, OK
from routing.program.rehearsal.coverage import Coverage
from routing.program.rehearsal.performance import Told, perform
from routing.program.rehearsal.report import counted, covered, document, failed
from routing.program.rehearsal.suite import Source, Suite, suites
from routing.runtime.loader import ParsedRoutes, parse_routes
from sipcore.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for; `name` is part of the names of the tests to run, or "" for all."""

    files: Sequence[Path] = ()
    configuration: Path | None = None
    name: str = ""
    coverage: bool = False
    as_json: bool = False
    verbose: bool = False


@dataclass(slots=True)
class Performed:
    """The tests of one route file, after they ran. `mistakes` keep some or all of them from running."""

    suite: Suite
    told: list[Told] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)


def rehearse(wanted: Wanted, environ: Mapping[str, str]) -> int:
    """The command; returns its exit code: tests must be there, and every one must pass."""
    begin = time.perf_counter()
    files = wanted.files or [wanted.configuration or find(None, environ)]
    performed = [run(suite, wanted.name) for suite in suites(files, wanted.configuration, environ)]
    told = [one for each in performed for one in each.told]
    good = bool(told) and not any(each.mistakes for each in performed) and all(one.failure is None for one in told)
    if wanted.as_json:
        print(json.dumps(document(performed, good, wanted.coverage), indent=2))
    else:
        for each in performed:
            _show(each, wanted)
        print(_last_line(performed, told, wanted, time.perf_counter() - begin))
    return OK if good else FAILURE


def run(suite: Suite, name: str = "") -> Performed:
    """Run the tests of one route file whose names hold `name`."""
    performed = Performed(suite)
    routes: ParsedRoutes | None = None
    for source in suite.sources:
        if any(problem.severity is Severity.ERROR for problem in source.problems):
            performed.mistakes += [text for text in source.rendered() if text.startswith("error")]
            continue
        try:
            routes = routes or parse_routes(suite.route_file)
            for story in source.stories:
                if name.lower() in story.name.lower():
                    config = suite.settings.of(story, suite.route_file)
                    performed.told.append(perform(story, str(source.file), config, routes, performed.coverage))
        except ConfigurationError as error:  # the routes are wrong: for this test, and most likely for all
            performed.mistakes += [text for text in error.problems if text not in performed.mistakes]
            break
    return performed


# -- for people -------------------------------------------------------------------------------------------------------


def _show(performed: Performed, wanted: Wanted) -> None:
    for text in (*_warnings(performed.suite.sources), *performed.mistakes):
        print(text)
    route_lines = read_text(performed.suite.route_file).split("\n") if performed.told else []
    for source in performed.suite.sources:
        told = [one for one in performed.told if one.file == str(source.file)]
        for one in told:
            if one.failure is not None:
                print("\n".join(failed(one, source.text, lambda line: route_lines[line - 1])))
            elif wanted.verbose:
                print(f"ok  {one.file}:{one.story.span.line}  {one.story.name}")
        if told:
            print(f"{source.file}: {counted(told)}")
    if wanted.coverage and performed.told:
        print("\n".join(covered(performed.suite.route_file, performed.coverage)))


def _warnings(sources: Iterable[Source]) -> list[str]:
    return [text for source in sources for text in source.rendered() if text.startswith("warning")]


def _last_line(performed: Sequence[Performed], told: Sequence[Told], wanted: Wanted, seconds: float) -> str:
    mistakes = sum(len(each.mistakes) for each in performed)
    if mistakes:
        more = f"; {counted(told)}" if told else ""
        return f"{mistakes} mistake{'s' if mistakes > 1 else ''}{more}"
    if told:
        return f"{counted(told)} in {seconds:.2f} s"
    names = [story.name for each in performed for source in each.suite.sources for story in source.stories]
    if names:
        return f'no test has "{wanted.name}" in its name: {nearest(wanted.name, names) or "known: " + ", ".join(names)}'
    looked = ", ".join(str(each.suite.route_file) for each in performed) or "no route file"
    return f'there is no test in {looked}: one begins with `test "..." {{`'
