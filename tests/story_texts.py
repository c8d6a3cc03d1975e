"""Stories from a few lines, for tests of how they are read."""

from __future__ import annotations

from routing.language.problem import render
from routing.language.stories.story import Given, Step, Story
from routing.runtime.loader import read_tests

CAST = "given users alice, bob\ngiven user carol at desk, mobile\ngiven peer carrier at 192.0.2.1\n"


def stories_of(text: str) -> tuple[Story, ...]:
    """The stories of a file without mistakes."""
    stories, problems = read_tests(text)
    assert not problems, "\n".join(render(problem, text) for problem in problems)
    return stories


def story_of(lines: str) -> Story:
    """The one story of these lines."""
    (story,) = stories_of(f'test "it" {{\n{lines}\nexpect nobody talks\n}}\n')
    return story


def given(lines: str) -> Given:
    """What these lines give."""
    return story_of(lines).given


def steps(lines: str) -> tuple[Step, ...]:
    """The steps of these lines, with a few people introduced before."""
    return story_of(CAST + lines).steps[:-1]


def step(line: str) -> Step:
    """The one step of a line."""
    (found,) = steps(line)
    return found
