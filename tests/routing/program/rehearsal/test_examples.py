"""The tests that come with Ringway pass: of the routes in etc/, and in docs/testing-routes.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routing.language.stories.events import EVENTS
from routing.language.stories.extras import MOST_TIMES
from routing.program.rehearsal.command import run
from routing.program.rehearsal.network import MOST_EVENTS
from routing.program.rehearsal.report import covered, failed
from routing.program.rehearsal.suite import companion, suites
from tests.rehearsing import perform

ROOT = Path(__file__).resolve().parents[4]
ROUTES = sorted(file for file in (ROOT / "etc").rglob("*.route") if not file.name.endswith(".test.route"))
PAGE = (ROOT / "docs" / "testing-routes.md").read_text("utf-8")
FENCES = re.findall(r"^```route\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
CONFIGURATION = """\
domains = ["example.com"]
[lists]
trunks = ["203.0.113.99"]
[hours]
office = "00:00-24:00"
"""
"""What the page's routes ask for."""

WORDS = (
    "given users", "given user bob at", "given peer", "given time", "given dns", "given database fails", "unregistered",
    "calls", "sends", "registers", "unregisters", "fetches bindings", "cancels", "hangs up", "loses its connection",
    "rings", "answers", "replies", "is busy", "is down", "is up", "redirects to", "waits", "stays silent", "wait 10s",
    "after 10s", "expect log", "expect event", "expect nobody talks", "is registered at", "is not registered", "within",
    "twice", "matching", "without", "with uri", "with from", "with to", "with body", "by tcp", "with password",
)  # fmt: skip


@pytest.mark.parametrize("file", ROUTES, ids=lambda file: file.stem)
def test_routes_to_start_from_have_tests_of_everything_in_them(file: Path) -> None:
    assert companion(file).exists()
    (suite,) = suites([file], None, {})
    performed = run(suite)
    assert performed.mistakes == []
    wrong = [failed(told, source.text, str) for source in suite.sources for told in performed.told if told.failure]
    assert wrong == []
    assert performed.coverage.never_ran() == []


def test_there_are_routes_to_start_from() -> None:
    assert len(ROUTES) >= 3


def examples() -> list[str]:
    return FENCES[1:]


@pytest.mark.parametrize("example", examples(), ids=range(len(examples())))
def test_an_example_of_the_page_passes(tmp_path: Path, example: str) -> None:
    performed = perform(tmp_path, example, FENCES[0], CONFIGURATION)
    assert performed.mistakes == []
    assert [told.failure for told in performed.told] == [None] * len(performed.told)
    assert len(performed.told) == len(re.findall(r'^test "', example, re.MULTILINE)) > 0


def test_the_examples_reach_most_of_the_routes(tmp_path: Path) -> None:
    ran, known = set(), set()
    for example in examples():
        coverage = perform(tmp_path, example, FENCES[0], CONFIGURATION).coverage
        known |= set(coverage.runs)
        ran |= known - set(coverage.never_ran())
    assert len(ran) >= 0.7 * len(known)


def shown_on_the_page() -> tuple[list[str], list[str]]:
    """The lines of a failing test and of a coverage."""
    failure, coverage = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return failure.splitlines(), coverage.splitlines()


def in_order(wanted: list[str], lines: list[str]) -> bool:
    """Whether these lines stand there in this order; `...` stands for any."""
    left = iter(lines)
    return all(line in left for line in wanted if line != "...")


def test_the_failing_test_of_the_page_looks_like_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    routes = FENCES[0].replace("outcome.code == 486", "outcome.code == 600")
    performed = perform(Path(), FENCES[1], routes, CONFIGURATION)
    (told,) = performed.told
    text = "\n".join(failed(told, FENCES[1], lambda line: routes.split("\n")[line - 1]))
    wanted, _ = shown_on_the_page()
    assert wanted[:5] == text.splitlines()[:5]
    assert in_order(wanted, text.splitlines())


def test_the_coverage_of_the_page_looks_like_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    performed = perform(Path(), FENCES[1], FENCES[0], CONFIGURATION)
    _, wanted = shown_on_the_page()
    assert in_order(wanted, covered(Path("main.route"), performed.coverage))


def test_the_page_names_what_can_be_said() -> None:
    for words in WORDS:
        assert words in PAGE, words


def test_the_small_print_is_right() -> None:
    assert f"{MOST_EVENTS:,} events" in PAGE
    assert MOST_TIMES == 1000
    assert "auth_failed" in EVENTS
