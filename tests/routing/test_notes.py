"""What the checker writes down for an editor, and that it writes nothing when nobody asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.language.checker import check
from routing.language.notes import Notes
from routing.language.parser import parse
from routing.language.problem import Report, Span
from routing.program.server import MODULES
from routing.runtime.loader import make_environment

ENVIRONMENT = make_environment(MODULES, {"domains": frozenset({"example.com"})})
Learned = Callable[[str], Notes]


@pytest.fixture
def learned() -> Learned:
    """Check the statements of `on request`, which begin in the second line."""

    def look(statements: str) -> Notes:
        text = f"on request {{\n{statements}\ndrop() }}\n"
        report = Report("main.route", text)
        report.notes = Notes()
        check(parse(text, report), ENVIRONMENT, report)
        return report.notes

    return look


def held(notes: Notes, text: str, word: str) -> str:
    """What a part of the second line holds."""
    start = text.index(word) + 1
    return str(notes.held.get(Span(2, start, 2, start + len(word))))


def wanted(notes: Notes, text: str, word: str) -> str:
    start = text.index(word) + 1
    return str(notes.wanted.get(Span(2, start, 2, start + len(word))))


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("log(request.uri.user)", {"request": "request", "request.uri": "uri", "request.uri.user": "text"}),
        ("let phones = lookup(to.uri)", {"phones": "list of destination", "to": "address", "to.uri": "uri"}),
        ("for one in lookup(to.uri) { ring(one) }", {"one": "destination"}),
        ("call.time = 20s", {"call.time": "duration"}),
        ("request.uri.user = \"x\"", {"request.uri": "uri"}),
        ("if from.domain in domains { drop() }", {"from.domain": "domain", "domains": "table of text"}),
        ("log(source.ip, outcome.code, now in \"Mon\")", {"source.ip": "ip address", "outcome.code": "status code"}),
        ("log(outcome.attempts.count)", {"outcome.attempts": "list of attempt", "outcome.attempts.count": "number"}),
    ],
)  # fmt: skip
def test_what_paths_and_names_hold(learned: Learned, text: str, types: dict[str, str]) -> None:
    notes = learned(text)
    for word, type_ in types.items():
        assert held(notes, text, word) == type_, word


@pytest.mark.parametrize(
    ("text", "word", "type_"),
    [
        ("ring(to, for: nobody)", "nobody", "duration"),
        ("ring(to, order: nobody)", "nobody", "order"),
        ("ban(nobody, 10m)", "nobody", "text"),
        ("if request.uri == nobody { drop() }", "nobody", "uri"),
        ("if to.user matches nobody { drop() }", "nobody", "pattern"),
        ("request.uri.user = nobody", "nobody", "text"),
        ("match outcome.code { 200 => drop() }", "200", "status code"),
        ("reply(404, nobody)", "nobody", "text"),
    ],
)
def test_what_is_wanted_where_also_when_nothing_fits(learned: Learned, text: str, word: str, type_: str) -> None:
    assert wanted(learned(text), text, word) == type_


def test_what_is_not_known_is_not_noted(learned: Learned) -> None:
    text = "log(nobody, nobody.name, lookup(1))"
    notes = learned(text)
    assert held(notes, text, "nobody") == "None"
    assert not [type_ for type_ in notes.held.values() if str(type_) == "unknown"]


def test_the_last_pass_counts(learned: Learned) -> None:
    text = "log(call.later) call.later = 1"
    assert held(learned(text), text, "call.later") == "number"


def test_without_notes_the_check_says_the_same() -> None:
    text = "on request { ring(to, for: 20) log(request.ury) }\n"
    plain, noted = Report("", text), Report("", text)
    noted.notes = Notes()
    for report in (plain, noted):
        check(parse(text, report), ENVIRONMENT, report)
    assert plain.problems == noted.problems != []
    assert plain.notes is None and plain.beside().notes is None
    assert noted.beside().notes is noted.notes
