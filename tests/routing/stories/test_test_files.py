"""Test blocks in a route file and in a file of their own: what is checked, and what a server makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from routing.language import tree
from routing.language.parser import parse
from routing.language.problem import Problem, Report
from routing.runtime import Module
from routing.runtime.loader import Routes, load_routes, parse_routes, read_test_file, read_tests
from sipcore.errors import ConfigurationError

ROUTE = "on request { drop() }\n"
TEST = 'test "it" {\n    given users alice\n    expect alice got nothing\n}\n'


def test_a_server_takes_a_route_file_with_tests(load: Callable[[str], Routes]) -> None:
    assert load(ROUTE + TEST).warnings == ()


def test_mistakes_in_tests_are_mistakes_of_the_file(check: Callable[[str], list[Problem]]) -> None:
    (problem,) = check(ROUTE + TEST.replace("alice got", "alise got"))
    assert (problem.line, problem.column, problem.hint) == (4, 12, "did you mean `alice`?")


def test_mistakes_in_routes_and_tests_come_together(check: Callable[[str], list[Problem]]) -> None:
    problems = check("on request { replay() }\n" + TEST.replace("got", "gets"))
    assert {(1, 14), (4, 18)} <= {(problem.line, problem.column) for problem in problems}


def test_tests_alone_answer_nothing(check: Callable[[str], list[Problem]]) -> None:
    (problem,) = check(TEST)
    assert problem.message == "there is no `on request { }`: nothing would answer a request"


def test_a_file_of_tests_holds_tests_only() -> None:
    stories, problems = read_test_file(TEST)
    assert [story.name for story in stories] == ["it"]
    assert problems == []
    _, problems = read_test_file(TEST + ROUTE + "route a() {\n    drop()\n}\n")
    assert [(one.line, one.column, one.length, one.message) for one in problems] == [
        (5, 1, 1, "a test file holds `test` blocks only"),
        (6, 1, 1, "a test file holds `test` blocks only"),
    ]


def test_the_tests_of_a_route_file_alone() -> None:
    stories, problems = read_tests(ROUTE.replace("drop", "replay") + TEST)
    assert [story.name for story in stories] == ["it"]
    assert problems == []


def test_a_story_with_a_mistake_is_none_and_the_others_are() -> None:
    stories, problems = read_tests(TEST.replace("got", "gets") + TEST.replace('"it"', '"other"'))
    assert [story.name for story in stories] == ["other"]
    assert len(problems) == 1


def test_a_mistake_in_what_all_begin_with_is_told_once() -> None:
    text = 'test {\n    given user\n}\ntest "a" { expect nobody talks }\ntest "b" { expect nobody talks }\n'
    stories, problems = read_tests(text)
    assert stories == ()
    assert [(problem.line, problem.column) for problem in problems] == [(2, 15)]


def test_a_beginning_without_tests_is_checked_too() -> None:
    stories, problems = read_tests("test {\n    given user\n}\n")
    assert stories == ()
    assert [(problem.line, problem.column) for problem in problems] == [(2, 15)]


def test_a_file_that_is_no_route_file_has_no_stories() -> None:
    stories, problems = read_test_file("alice calls bob\n")
    assert stories == ()
    assert problems[0].message.startswith("expected `on request`, `route`, ")


def test_every_mistake_of_a_file_is_found_at_once() -> None:
    text = 'test "a" {\n    x\n    y\n}\ntest "b" {\n    z\n}\n'
    report = Report("main.test.route", text)
    parse(text, report)
    _, problems = read_test_file(text)
    assert [problem.line for problem in problems] == [2, 3, 6]


def test_how_deeply_the_routes_nest_is_no_affair_of_the_tests() -> None:
    text = "on request { if " + "not " * 50_000 + "true { drop() } }\n" + TEST
    stories, problems = read_tests(text)
    assert [story.name for story in stories] == ["it"]
    assert problems == []


def test_a_route_file_is_parsed_once_and_loaded_many_times(modules: list[Module], tmp_path: Path) -> None:
    file = tmp_path / "main.route"
    file.write_text(ROUTE + TEST)
    parsed = parse_routes(file)
    assert parsed.name == str(file)
    assert not any(isinstance(item, tree.Test) for item in parsed.file.items)
    first, second = load_routes(parsed, modules), load_routes(parsed, modules)
    assert first.name == second.name == str(file)
    assert first.run is not second.run


def test_a_route_file_with_mistakes_is_not_parsed(tmp_path: Path) -> None:
    file = tmp_path / "main.route"
    file.write_text("on request { drop( }\n")
    with pytest.raises(ConfigurationError, match=r"main\.route:1:20: expected a value"):
        parse_routes(file)
    with pytest.raises(ConfigurationError, match="can't be read"):
        parse_routes(tmp_path / "missing.route")
