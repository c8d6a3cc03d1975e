"""Performs a story step by step, and tells how it ended."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from routing.language.problem import Problem
from routing.language.stories.story import (
    Behave,
    Cancel,
    Deed,
    Expectation,
    ExpectLog,
    Reach,
    Register,
    Send,
    Story,
    Wait,
)
from routing.program.config import Config
from routing.program.rehearsal.coverage import Coverage
from routing.program.rehearsal.expecting import checking, speaks_of
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.ladder import Rung
from routing.program.rehearsal.network import MOST_EVENTS, NeverEnds
from routing.program.rehearsal.scene import Scene
from routing.program.rehearsal.stage import Stage
from routing.runtime.loader import ParsedRoutes

LONGEST = 3600.0
"""Seconds that an expectation waits at most."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a story ended: `failure` is None when it went as it was told. `seconds` are those of the story."""

    story: Story
    file: str
    failure: Problem | None
    ladder: tuple[Rung, ...]
    seconds: float


def perform(story: Story, file: str, config: Config, routes: ParsedRoutes, coverage: Coverage) -> Told:
    """Perform one story of a file; ConfigurationError when the routes are wrong."""
    stage: Stage | None = None
    failure: StoryFailed | None = None
    try:
        stage = Stage(story, config, routes, coverage)
        with stage.raised():
            Performance(stage).run()
    except StoryFailed as failed:
        failure = failed
    except NeverEnds:
        hint = "two sides answer each other, or a phone and the server"
        failure = StoryFailed(story.span, f"a step of this test comes to no end: {MOST_EVENTS} things happened", hint)
    problem = None if failure is None else failure.problem(file)
    if stage is None:
        return Told(story, file, problem, (), 0.0)
    return Told(story, file, problem, tuple(stage.ladder.rungs), stage.network.now)


class Performance:
    """The steps of one story, on a stage where the server is up."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._network = stage.network
        self._scene = Scene(stage)
        self._expected_log: list[ExpectLog] = []

    def run(self) -> None:
        """Take all steps; StoryFailed at the first one that can't be done or is not met."""
        try:
            for step in self._stage.story.steps:
                self._network.next_step()
                if isinstance(step, Wait):
                    self._pass_time(step.seconds)
                elif isinstance(step, Deed):
                    self._do(step)
                else:
                    self._expect(step)
        except (StoryFailed, NeverEnds):
            raise
        except Exception as failure:  # a fault of Ringway itself: this story ends, and the next one goes on
            where = traceback.extract_tb(failure.__traceback__)[-1]
            message = f"the server failed: {type(failure).__name__}: {failure}"
            hint = f"in {where.filename}:{where.lineno}; this is a fault of Ringway"
            raise StoryFailed(self._stage.story.span, message, hint) from failure
        self._no_unexpected_error()

    def _pass_time(self, seconds: float) -> None:
        end = self._network.now + seconds
        while self._network.step(end):
            pass

    # -- deeds ------------------------------------------------------------------------------------------------------

    def _do(self, step: Deed) -> None:
        stage = self._stage
        phone = stage.phones[step.phone]
        if isinstance(step, Behave):
            if phone.answering.behave(step.moves):
                self._scene.begins()
                self._network.settle()
            return
        if isinstance(step, Reach):
            phone.up = step.up
            return
        self._scene.begins()
        if isinstance(step, Send):
            self._repeated(step.extra.times, lambda: phone.calling.send(step))
        elif isinstance(step, Register):
            self._repeated(step.extra.times, lambda: phone.calling.register(step))
        elif isinstance(step, Cancel):
            why_not = phone.calling.cancel(step.extra)
            if why_not:
                raise StoryFailed(step.span, f"`{phone.name}` {why_not}")
        else:
            phone.disconnect()
        self._network.settle()

    def _repeated(self, times: int, act: Callable[[], None]) -> None:
        for _ in range(times):
            act()
            self._network.settle()

    # -- expectations -----------------------------------------------------------------------------------------------

    def _expect(self, step: Expectation) -> None:
        """Let time pass until an expectation is met, or can't be any more."""
        self._scene.ends()
        if isinstance(step, ExpectLog):
            self._expected_log.append(step)
        check = checking(step, self._scene)
        network = self._network
        network.settle()
        latest = min(check.latest, network.now + LONGEST)
        while not check.decided():
            if (self._stage.quiet and not check.waits_for_time) or not network.step(latest):
                break
        check.judge()

    def _no_unexpected_error(self) -> None:
        """A fault that no expectation speaks of fails the test, whatever else went well."""
        for entry in self._stage.heard.entries:
            is_fault = entry.level >= logging.ERROR or entry.failure is not None
            if is_fault and not any(speaks_of(step, entry) for step in self._expected_log):
                what = f": {type(entry.failure).__name__}: {entry.failure}" if entry.failure is not None else ""
                hint = 'a test that means it says so: `expect log "..."`'
                where = self._route_line(entry.failure)
                raise StoryFailed(self._stage.story.span, f"an error was logged{where}: {entry.text}{what}", hint)

    def _route_line(self, failure: BaseException | None) -> str:
        """Where in the route file it happened, in words."""
        frames = traceback.extract_tb(failure.__traceback__) if failure is not None else []
        lines = [frame.lineno for frame in frames if frame.filename == self._stage.route_name]
        return f" in line {lines[-1]} of the routes" if lines else ""
