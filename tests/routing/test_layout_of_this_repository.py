"""Every route file and every example of this repository is in the layout that `ringway fmt` gives it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routing.language.formatter import format_routes
from routing.language.problem import Report

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(file for folder in ("docs", "etc", "routing") for file in (ROOT / folder).rglob("*.route"))
WRITTEN_FOR_TESTS = sorted([*(ROOT / "tests").rglob("*.route"), *(ROOT / "sipp-scenarios").rglob("*.route")])
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
EXAMPLES = [
    (str(page.relative_to(ROOT)), number, example)
    for page in PAGES
    for number, example in enumerate(
        re.findall(r"^```route\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
]
ITEM = re.compile(r"^(on|route|branch|reply|shared|test) ", re.MULTILINE)


def as_file(example: str) -> str:
    """An example may show the inside of `on request` alone."""
    if ITEM.search(example):
        return example
    lines = [f"    {line}" if line else "" for line in example.splitlines()]
    return "\n".join(["on request {", *lines, "}", ""])


def formatted(text: str) -> str | None:
    return format_routes(text, Report("main.route", text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_is_in_its_layout(file: Path) -> None:
    text = file.read_text("utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize(("page", "number", "example"), EXAMPLES)
def test_an_example_is_in_its_layout(page: str, number: int, example: str) -> None:
    text = as_file(example)
    assert formatted(text) == text


@pytest.mark.parametrize("file", WRITTEN_FOR_TESTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_of_the_tests_can_be_formatted_and_stays_so(file: Path) -> None:
    shown = formatted(as_file(file.read_text("utf-8")))
    assert shown is not None and formatted(shown) == shown


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) >= 40 and len(WRITTEN_FOR_TESTS) >= 10 and len(EXAMPLES) >= 60


def test_a_file_of_everything_comes_out_as_it_was_written_down() -> None:
    before, after = (
        ROOT.joinpath("tests/routing/layouts", name).read_text("utf-8") for name in ("before.route", "after.route")
    )
    assert formatted(before) == after
