"""Whole stories: everything that a test can say, performed by the server against routes that stand beside it."""

from __future__ import annotations

import builtins
import secrets
import socket
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from routing.language.stories import Story
from routing.language.stories.story import Answer, Condition, Has, Lacks, Move, Part, Step
from routing.program.rehearsal.command import run
from routing.program.rehearsal.coverage import Coverage
from routing.program.rehearsal.performance import Told, perform
from routing.program.rehearsal.report import failed
from routing.program.rehearsal.suite import Suite, suites
from routing.runtime.loader import parse_routes

FOLDER = Path(__file__).parent / "stories"
SUITES = {suite.route_file.stem: suite for suite in suites([FOLDER], None, {})}
STORIES = [
    pytest.param(suite, story, id=f"{name}: {story.name}")
    for name, suite in SUITES.items()
    for source in suite.sources
    for story in source.stories
]


def perform_alone(suite: Suite, story: Story) -> Told:
    routes = parse_routes(suite.route_file)
    config = suite.settings.of(story, suite.route_file)
    return perform(story, str(suite.route_file), config, routes, Coverage())


@pytest.mark.parametrize(("suite", "story"), STORIES)
def test_a_story_goes_as_it_is_told(suite: Suite, story: Story) -> None:
    told = perform_alone(suite, story)
    text = suite.route_file.read_text("utf-8")
    assert told.failure is None, "\n".join(failed(told, text, lambda line: text.split("\n")[line - 1]))


@pytest.mark.parametrize("name", SUITES)
def test_no_file_has_mistakes(name: str) -> None:
    assert [source.problems for source in SUITES[name].sources] == [()]
    assert run(SUITES[name], "no test is called so").mistakes == []


@pytest.mark.parametrize("name", SUITES)
def test_a_story_ends_the_same_way_each_time(name: str) -> None:
    once, again = run(SUITES[name]), run(SUITES[name])
    assert [told.ladder for told in once.told] == [told.ladder for told in again.told]
    assert once.coverage == again.coverage


@pytest.mark.parametrize("name", SUITES)
def test_every_statement_of_the_routes_runs_somewhere(name: str) -> None:
    """Routes that no story reaches would show nothing."""
    assert run(SUITES[name]).coverage.percent >= 75


def test_a_story_does_not_know_of_those_before_it() -> None:
    suite = SUITES["world"]
    told = run(suite).told
    for one in told[::-1]:
        assert perform_alone(suite, one.story).ladder == one.ladder


def test_the_stories_show_every_kind_of_step() -> None:
    stories = [story for suite in SUITES.values() for source in suite.sources for story in source.stories]
    shown = Counter(type(step) for story in stories for step in story.steps)
    assert set(shown) == set(get_args(Step))
    moves = {type(move) for story in stories for step in story.steps for move in getattr(step, "moves", ())}
    assert moves == set(get_args(Move))
    assert Answer in moves
    conditions = {type(one) for story in stories for step in story.steps for one in getattr(step, "conditions", ())}
    assert conditions == set(get_args(Condition)) == {Has, Lacks, Part}


def test_three_minutes_take_no_time(tmp_path: Path) -> None:
    """Timer C runs for 180 s of the story; the events are few, however long it is."""
    (suite,) = (SUITES["phones"],)
    (source,) = suite.sources
    story = next(story for story in source.stories if story.name == "nobody answers")
    told = perform_alone(suite, story)
    assert told.seconds == 20.0
    assert len(told.ladder) < 60


def test_no_socket_thread_or_file_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = SUITES["registrations"].sources
    routes = parse_routes(SUITES["registrations"].route_file)
    configs = [SUITES["registrations"].settings.of(story, source.file) for story in source.stories]

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a story has a world of its own")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(threading.Thread, "start", forbidden)
    monkeypatch.setattr(builtins, "open", forbidden)
    monkeypatch.setattr(Path, "read_text", forbidden)
    monkeypatch.setattr(sqlite3, "connect", forbidden)
    monkeypatch.setattr(time, "time", forbidden)
    monkeypatch.setattr(secrets, "token_bytes", forbidden)
    told = [
        perform(story, "x", config, routes, Coverage()) for story, config in zip(source.stories, configs, strict=True)
    ]
    monkeypatch.undo()
    assert [one.failure for one in told] == [None] * len(told)
