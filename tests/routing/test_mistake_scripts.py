"""Short files with one mistake or a few, as they are made every day: `mistakes/*.scripts`.

Each begins with `#=== what is wrong`. A line `#~ COLUMN message // hint` says what is found in the line above it, `W`
in front of the column that it is a warning; nothing else is found. `<<65 x text>>` stands for that text 65 times, `@`
in it for the number of the time and `@@` for the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from routing.language.hours import Hours
from routing.language.networks import Networks
from routing.language.problem import Problem, Severity, render
from routing.language.signature import Ends, Parameter, Place, Signature
from routing.language.types import TEXT, TRUTH
from routing.program.server import MODULES
from routing.runtime import Domains
from routing.runtime.loader import examine_routes, read_test_file
from tests.routing.messages import templates
from tests.routing.test_mistakes import FILES, expected_in

TABLES = {
    "domains": Domains(("example.com",)),
    "lists.trunks": Networks(["192.0.2.0/28"]),
    "hours.office": Hours("Mon-Fri 09:00-17:30"),
}
WHO = Parameter("who", TEXT, "who")
FUNCTIONS = {
    "known": Signature("known", (WHO,), TRUTH, Ends.NEVER, Place.REQUEST, True, None, "functions"),
    "perhaps": Signature("perhaps", (), TRUTH, Ends.MAY, Place.REQUEST | Place.BRANCH, False, None),
}
REPEATED = re.compile(r"<<(\d+) x (.*?)>>")
EXPECTATION = re.compile(r" *#~ (W )?(\d+) (.*?)(?: // (.*))?")
Found = tuple[int, int, str, str, str]
"""Line, column, severity, message and hint."""


class Script(NamedTuple):
    """One of them: its text without what is expected, and that."""

    title: str
    text: str
    expected: list[Found]


def scripts() -> Iterator[Script]:
    for file in sorted(Path(__file__).with_name("mistakes").glob("*.scripts")):
        for part in re.split(r"^#=== ", file.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            title, _, text = part.partition("\n")
            yield script(f"{file.stem}: {title}", text)


def script(title: str, text: str) -> Script:
    lines: list[str] = []
    expected: list[Found] = []
    for line in text.rstrip("\n").split("\n"):
        match = EXPECTATION.fullmatch(line)
        if match is None:
            lines.append(REPEATED.sub(_repeated, line))
        else:
            severity = Severity.WARNING if match[1] else Severity.ERROR
            expected.append((len(lines), int(match[2]), severity.value, match[3], match[4] or ""))
    return Script(title, "\n".join(lines) + "\n", sorted(expected))


def _repeated(match: re.Match[str]) -> str:
    times = range(1, int(match[1]) + 1)
    return "".join(match[2].replace("@@", str(number + 1)).replace("@", str(number)) for number in times)


def problems(one: Script) -> list[Problem]:
    if "test file: " in one.title:
        return read_test_file(one.text)[1]
    return examine_routes(one.text, MODULES, TABLES, functions=FUNCTIONS)[0]


SCRIPTS = list(scripts())


@pytest.mark.parametrize("one", SCRIPTS, ids=lambda one: one.title)
def test_each_mistake_is_found_and_nothing_else(one: Script) -> None:
    found = problems(one)
    assert sorted((each.line, each.column, each.severity.value, each.message, each.hint) for each in found) == (
        one.expected
    )
    for problem in found:
        assert render(problem, one.text)


def test_there_are_many_and_each_expects_something() -> None:
    assert len(SCRIPTS) >= 80
    assert len({one.title for one in SCRIPTS}) == len(SCRIPTS)
    assert all(one.expected for one in SCRIPTS)


def test_the_places_are_inside_of_the_text() -> None:
    for one in SCRIPTS:
        lines = one.text.split("\n")
        for line, column, *_ in one.expected:
            assert column <= len(lines[line - 1]) + 1, one.title


# -- all that can be said ---------------------------------------------------------------------------------------------


def said() -> set[str]:
    """Messages and hints of the whole corpus; of a hint that goes on also its beginning."""
    expected = [each for one in SCRIPTS for each in one.expected]
    expected += [each for file in FILES for each in expected_in(file.read_text("utf-8"))]
    texts = {text for *_, message, hint in expected for text in (message, hint)}
    return texts | {text.partition(": end with an outcome")[0] for text in texts}


def test_everything_that_a_check_can_say_is_in_the_corpus() -> None:
    known = said()
    unsaid = [
        f"{template.place}: {template.text}"
        for template in templates()
        if not any(template.pattern.fullmatch(text) for text in known)
    ]
    assert not unsaid, "\n".join(["no script of mistakes/ makes the check say:", *unsaid])


def test_the_messages_are_read_from_the_source() -> None:
    """The test above would accept anything if none were found."""
    found = {template.text for template in templates()}
    assert len(found) >= 150
    for text in (
        "'there is no `on request { }`: nothing would answer a request'",
        "f'`{unit}` is no unit of time'",
        "'nothing stands between statements'",
    ):
        assert text in found
