"""From the test blocks of a file to its stories; every mistake is reported, and what is wrong gives no story."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from routing.language import tree
from routing.language.problem import Report
from routing.language.stories.cast import Cast
from routing.language.stories.cursor import BadStep, Cursor, said
from routing.language.stories.deeds import read_deed, read_wait
from routing.language.stories.expectations import read_expectation
from routing.language.stories.given import read_given
from routing.language.stories.story import (
    ExpectEvent,
    ExpectGot,
    ExpectLog,
    ExpectRegistered,
    ExpectTalk,
    Step,
    Story,
    Wait,
)

_EXPECTATIONS = (ExpectGot, ExpectTalk, ExpectRegistered, ExpectLog, ExpectEvent)


def read_stories(items: Iterable[tree.Item], report: Report) -> tuple[Story, ...]:
    """The stories of a file."""
    tests = [item for item in items if isinstance(item, tree.Test)]
    beginning = [sentence for test in tests if test.name is None for sentence in test.sentences]
    named = [test for test in tests if test.name is not None]
    if beginning and not named:
        _Reader(report).read(beginning)
    stories: list[Story] = []
    for test in named:
        story = _story(test, beginning, report)
        if story is not None:
            stories.append(story)
    return tuple(stories)


def _story(test: tree.Test, beginning: Sequence[tree.Sentence], report: Report) -> Story | None:
    assert test.name is not None
    found = report.beside()
    try:
        name = said(test.name)
    except BadStep as wrong:
        found.error(wrong.span, wrong.message, wrong.hint)
        name = ""
    reader = _Reader(found)
    steps = reader.read([*beginning, *test.sentences])
    if not found.failed and not any(isinstance(step, _EXPECTATIONS) for step in steps):
        found.warning(test.name.span, "this test expects nothing", "end it as in `expect bob got INVITE`")
    report.take(found)
    return None if found.failed else Story(name, reader.cast.given, tuple(steps), test.name.span)


class _Reader:
    """Reads sentences one after the other; a wrong one is reported, and the next one is read all the same."""

    def __init__(self, report: Report) -> None:
        self.cast = Cast()
        self._report = report
        self._steps: list[Step] = []

    def read(self, sentences: Iterable[tree.Sentence]) -> list[Step]:
        for sentence in sentences:
            try:
                self._sentence(Cursor(sentence))
            except BadStep as wrong:
                self._report.error(wrong.span, wrong.message, wrong.hint)
        return self._steps

    def _sentence(self, cursor: Cursor) -> None:
        start = cursor.here
        word = cursor.word("given", "expect", "wait", "after")
        if word == "given":
            if self._steps:
                raise BadStep(start, "a `given` stands before everything that happens", "move this line up")
            read_given(cursor, self.cast)
        elif word == "expect":
            self._steps.append(read_expectation(cursor, self.cast))
        elif word:
            self._steps.append(Wait(read_wait(cursor), cursor.since(start)))
            if word == "after":
                self._steps.append(self._afterwards(cursor))
            cursor.end()
        else:
            self._steps.append(read_deed(cursor, self.cast))

    def _afterwards(self, cursor: Cursor) -> Step:
        cursor.comma()
        word = cursor.word("expect", "given", "wait", "after")
        if word:
            hint = "as in `expect bob got BYE after 10s`" if word == "expect" else ""
            raise BadStep(cursor.before, f"`{word}` has a line of its own", hint)
        return read_deed(cursor, self.cast)
