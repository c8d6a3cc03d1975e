"""Which statements ran, counted over many tests, and how that is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.language.problem import Span
from routing.program.rehearsal.coverage import Coverage, Watching
from routing.program.rehearsal.report import covered, statement
from tests.rehearsing import perform

FIRST, SECOND, THIRD = Span(2, 5, 2, 10), Span(3, 5, 3, 10), Span(3, 20, 3, 30)


def test_statements_are_counted() -> None:
    coverage, heard = Coverage(), []
    watch = Watching(coverage, heard.append)
    for span in (FIRST, THIRD, SECOND):
        watch.there_is(span)
    for span in (FIRST, SECOND, FIRST):
        watch.runs(span)
    assert coverage.runs == {FIRST: 2, SECOND: 1, THIRD: 0}
    assert heard == [2, 3, 2]
    assert (coverage.ran, round(coverage.percent, 1)) == (2, 66.7)
    assert coverage.never_ran() == [THIRD]


def test_another_test_adds_to_it() -> None:
    coverage = Coverage()
    for ran in (FIRST, THIRD):
        watch = Watching(coverage, lambda line: None)
        watch.there_is(FIRST)
        watch.there_is(THIRD)
        watch.runs(ran)
    assert coverage.runs == {FIRST: 1, THIRD: 1}
    assert coverage.percent == 100.0


def test_nothing_to_cover_is_covered() -> None:
    assert Coverage().percent == 100.0
    assert Coverage().never_ran() == []


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Span(1, 1, 1, 5), "abcd"),
        (Span(1, 3, 2, 2), "cdefgh"),
        (Span(2, 1, 2, 200), "x" * 97 + "..."),
    ],
)
def test_the_text_of_a_statement(span: Span, text: str) -> None:
    assert statement(span, ["abcdefgh  ", "x" * 150]) == text


ROUTES = """\
on request {
    match to.user {
        "one", "two"  => reply(486)
        /^three/      => call three()
        else          => { let x = to.user  log(x)  reply(404) }
    }
}
route three() {
    for one in [1, 2] { log(one) }
    if from.user == "x" { reply(480) } else { reply(481) }
}
branch never(branch) { remove(branch.header["X"]) }
"""
TESTS = 'test "it" {\n    given users alice\n    alice calls "three"\n    expect alice got 481\n}\n'


def test_blocks_on_the_line_of_their_condition_are_seen(tmp_path: Path) -> None:
    performed = perform(tmp_path, TESTS, ROUTES)
    assert performed.told[0].failure is None
    assert covered(tmp_path / "main.route", performed.coverage)[1:] == [
        "     3  reply(486)",
        "     5  let x = to.user",
        "     5  log(x)",
        "     5  reply(404)",
        "    10  reply(480)",
        '    12  remove(branch.header["X"])',
    ]
