"""Every mistake of `mistakes/*.route`, found at once, at its place, in the words that stand below its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from routing.language.problem import Problem, Severity

FILES = sorted((Path(__file__).parent / "mistakes").glob("*.route"))
EXPECTATION = re.compile(r" *#~ (W )?(\d+) ([^|]*?)(?: \| (.*))?")


def expected_in(text: str) -> list[tuple[int, int, str, str, str]]:
    """What `#~ COLUMN message | hint` lines say of the line above them."""
    expected = []
    line = 0
    for number, content in enumerate(text.split("\n"), 1):
        match = EXPECTATION.fullmatch(content)
        if match is None:
            line = number
        else:
            severity = Severity.WARNING if match[1] else Severity.ERROR
            expected.append((line, int(match[2]), severity.value, match[3], match[4] or ""))
    return sorted(expected)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_mistake_is_found_and_nothing_else(file: Path, check: Callable[[str], list[Problem]]) -> None:
    text = file.read_text("utf-8")
    found = [(one.line, one.column, one.severity.value, one.message, one.hint) for one in check(text)]
    expected = expected_in(text)
    assert sorted(found) == expected
    assert len(expected) > 1
