"""Every mistake of `mistakes/*.route`, found at once, at its place, in the words that stand below its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from routing.language.problem import Problem, Severity
from routing.runtime import Context, Ends, Module, Place, Platform, function
from routing.runtime.builtins import Builtins
from routing.runtime.loader import check_routes

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


def test_a_function_that_can_end_a_route_has_no_place_in_a_branch(platform: Platform) -> None:
    class Odd(Module):
        name = "odd"

        @function(ends=Ends.MAY, places=Place.REQUEST | Place.BRANCH)
        def perhaps(self, context: Context) -> bool:
            """End the route, or not."""
            return False

    text = "on request { perhaps() drop() }\nbranch out(branch) { perhaps() }\n"
    problems = check_routes(text, [Builtins(platform), Odd(platform)])
    assert [one.message for one in problems] == [
        "branch function `out` is never used",
        "`perhaps` can't be called in a `branch` function: it can end the route",
    ]
