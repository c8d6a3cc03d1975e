"""Which tests show which section of which RFC, and which row of the attack table: `docs/conformance.md`.

A test says so with `@pytest.mark.conformance("RFC 3261 16.7", ...)` and `@pytest.mark.row("A03", ...)`. The names of
sections and rows stand in `conformance.toml`; a mark that names another one is a mistake and ends the run.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Generator, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance.md"
TABLE = Path(__file__).with_suffix(".toml")
_SECTION = re.compile(r"RFC (\d{4}) ([0-9A-Z.]+)")
_HEAD = """\
# Conformance

Made of the tests by `./dev conformance`; don't edit it. Each test says in a mark which section of an RFC and which row
of the attack table it shows; this page is these marks, turned round.

"""


class Shown:
    """The marks of all tests: `sections` maps (RFC, section) and `rows` maps a row's id to (file, test function)."""

    def __init__(self) -> None:
        self.sections: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self.rows: dict[str, set[tuple[str, str]]] = {}

    def add(self, item: pytest.Item) -> None:
        """Take the marks of one test; a mark that names nothing known ends the run."""
        where = item.location[0], getattr(item, "originalname", item.name)
        for mark in item.iter_markers("conformance"):
            for name in mark.args:
                self.sections.setdefault(_section(name, item), set()).add(where)
        for mark in item.iter_markers("row"):
            for row in mark.args:
                if row not in titles()["rows"] and row not in titles()["later"]:
                    raise pytest.UsageError(f"{item.nodeid}: there is no row {row!r} in {TABLE.name}")
                self.rows.setdefault(row, set()).add(where)


@cache
def titles() -> dict[str, Any]:
    """What sections and rows are called."""
    return tomllib.loads(TABLE.read_text("utf-8"))


def _section(name: str, item: pytest.Item) -> tuple[str, str]:
    match = _SECTION.fullmatch(name)
    if match is None:
        raise pytest.UsageError(f'{item.nodeid}: the mark says {name!r}, but not "RFC 3261 16.7"')
    rfc, section = match.groups()
    if section not in titles()["titles"].get(rfc, ()):
        raise pytest.UsageError(f"{item.nodeid}: {TABLE.name} has no title for {name}")
    return rfc, section


# -- the page ---------------------------------------------------------------------------------------------------------


def page(shown: Shown) -> str:
    """The whole page."""
    return _HEAD + "\n".join([*_rfcs(shown), *_attacks(shown)]) + "\n"


def _rfcs(shown: Shown) -> Iterator[str]:
    for rfc in sorted({rfc for rfc, _ in shown.sections}):
        names = titles()["titles"][rfc]
        yield f"## [RFC {rfc}](https://www.rfc-editor.org/rfc/rfc{rfc}): {names['title']}\n"
        sections = [section for other, section in shown.sections if other == rfc]
        for section in sorted(sections, key=_in_order):
            yield f"**{section} {names[section]}**\n"
            yield from (f"- {line}" for line in _tests(shown.sections[rfc, section]))
            yield ""


def _in_order(section: str) -> list[tuple[int, str]]:
    """Numbers by their value, then the appendices."""
    return [(int(part), "") if part.isdigit() else (1000, part) for part in section.split(".")]


def _attacks(shown: Shown) -> Iterator[str]:
    rows, later = titles()["rows"], titles()["later"]
    yield "## The attack table\n"
    yield "| row | what is sent, or what happens | shown by |"
    yield "|---|---|---|"
    for row, what in sorted({**rows, **later}.items()):
        if row in shown.rows:
            yield f"| {row} | {what} | {'<br>'.join(_tests(shown.rows[row]))} |"
    missing = [row for row in rows if row not in shown.rows]
    if missing:
        yield f"\nWithout a test: {', '.join(missing)}."
    yield "\n## Not yet applicable\n"
    yield "Rows of features that are not built yet:\n"
    yield from (f"- {row}: {what}" for row, what in later.items() if row not in shown.rows)


def _tests(tests: Iterable[tuple[str, str]]) -> Iterator[str]:
    """One line a file: a link to it, and its tests in words."""
    by_file: dict[str, list[str]] = {}
    for file, name in sorted(tests):
        by_file.setdefault(file, []).append(name.removeprefix("test_").replace("_", " "))
    for file, names in by_file.items():
        yield f"[{file.removeprefix('tests/')}](../{file}): {'; '.join(names)}"


# -- the rows of one run ----------------------------------------------------------------------------------------------

_OUTCOMES = pytest.StashKey[dict[str, str]]()
_WORST_FIRST = ("failed", "skipped", "passed")


def summary(outcomes: dict[str, str]) -> Iterator[str]:
    """One line for each outcome: which rows had it."""
    for outcome in reversed(_WORST_FIRST):
        rows = sorted(row for row, its in outcomes.items() if its == outcome)
        if rows:
            yield f"attack rows {outcome}: {len(rows)} ({' '.join(_ranges(rows))})"


def _ranges(rows: list[str]) -> Iterator[str]:
    """`A01-A04 A06`: rows that follow each other as one word."""
    order = [*titles()["rows"], *titles()["later"]]
    place = {row: at for at, row in enumerate(sorted(order))}
    first = last = rows[0]
    for row in [*rows[1:], ""]:
        if row and row[0] == last[0] and place[row] == place[last] + 1:
            last = row
            continue
        yield first if first == last else f"{first}-{last}"
        first = last = row


# -- pytest -----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", metavar="FILE", help="write the page of RFC sections and attack rows to FILE")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", 'conformance("RFC 3261 16.7", ...): the sections of RFCs that this test shows')
    config.addinivalue_line("markers", 'row("A03", ...): the rows of the attack table that this test shows')


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A row is as good as the worst of its tests."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        outcomes = item.config.stash.setdefault(_OUTCOMES, {})
        for mark in item.iter_markers("row"):
            for row in mark.args:
                outcomes[row] = min(outcomes.get(row, "passed"), report.outcome, key=_WORST_FIRST.index)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Which rows of the attack table were tried in this run, by id."""
    for line in summary(config.stash.get(_OUTCOMES, {})):
        terminalreporter.write_line(line)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before tests are deselected: every mark is checked, and the page is made of all of them."""
    shown = Shown()
    for item in items:
        shown.add(item)
    file = config.getoption("--conformance")
    if file:
        Path(file).write_text(page(shown), "utf-8")
