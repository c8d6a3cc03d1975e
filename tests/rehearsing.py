"""Tests of route files run by tests: from a text, or from files, with nothing else around."""

from __future__ import annotations

from pathlib import Path

from routing.language.problem import Severity
from routing.program.rehearsal.command import Performed, run
from routing.program.rehearsal.coverage import Coverage
from routing.program.rehearsal.performance import Performance, Told
from routing.program.rehearsal.report import failed
from routing.program.rehearsal.settings import Settings
from routing.program.rehearsal.stage import Stage
from routing.program.rehearsal.suite import suites
from routing.runtime.loader import parse_routes, read_tests

ROUTES = """\
on request {
    if request.method == "REGISTER" { save() }
    ring(lookup(request.uri), for: 20s)
    reply(outcome)
}
"""


def perform(folder: Path, tests: str, routes: str = ROUTES, configuration: str = "") -> Performed:
    """Run tests that stand in `main.test.route`, beside `main.route` and perhaps a `ringway.toml`."""
    if configuration:
        (folder / "ringway.toml").write_text(configuration, "utf-8")
    (folder / "main.route").write_text(routes, "utf-8")
    (folder / "main.test.route").write_text(tests, "utf-8")
    (suite,) = suites([folder / "main.route"], None, {})
    return run(suite)


def told(folder: Path, lines: str, routes: str = ROUTES) -> Told:
    """How the one test of these lines ended."""
    performed = perform(folder, f'test "it" {{\n{lines}\n}}\n', routes)
    assert performed.mistakes == []
    (one,) = performed.told
    return one


def failure(folder: Path, lines: str, routes: str = ROUTES) -> tuple[int, int, int, str, str]:
    """Line, column, length, message and hint of the one thing that failed; lines count from the first one given."""
    problem = told(folder, lines, routes).failure
    assert problem is not None
    return problem.line - 1, problem.column, problem.length, problem.message, problem.hint


def passes(folder: Path, lines: str, routes: str = ROUTES) -> Told:
    """Run the one test of these lines, which must pass."""
    one = told(folder, lines, routes)
    assert one.failure is None, "\n".join(failed(one, f'test "it" {{\n{lines}\n}}\n', lambda line: str(line)))
    return one


def stage_after(folder: Path, lines: str, routes: str = ROUTES) -> Stage:
    """The world of a story behind its last step, to look into."""
    file = folder / "main.route"
    file.write_text(routes, "utf-8")
    (story,), problems = read_tests(f'test "it" {{\n{lines}\n}}\n')
    assert not [problem for problem in problems if problem.severity is Severity.ERROR]
    config = Settings({}, Path("ringway.toml"), {}).of(story, file)
    stage = Stage(story, config, parse_routes(file), Coverage())
    with stage.raised():
        Performance(stage).run()
    return stage
