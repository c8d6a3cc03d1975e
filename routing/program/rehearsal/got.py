"""Whether phones got what is expected: which messages, in which order, when, how often, with what in them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf

from routing.language.stories.story import ExpectGot, Message
from routing.program.rehearsal.failure import StoryFailed
from routing.program.rehearsal.matching import is_expected, why_not
from routing.program.rehearsal.phone import Received
from routing.program.rehearsal.scene import Scene
from sipcore.message import Request

_SHOWN = 12
_INSTANT = 1e-6
"""Seconds that two times of a story may differ and still be the same."""


class Got:
    """The check of an `ExpectGot`."""

    def __init__(self, step: ExpectGot, scene: Scene) -> None:
        self._step = step
        self._scene = scene
        self._since = scene.time
        before = step.timing.before
        self.latest = inf if before is None else self._since + before
        self.waits_for_time = before is not None and (step.never or step.count is not None)

    # -- what is asked again and again ------------------------------------------------------------------------------

    def decided(self) -> bool:
        """Whether time can't change it any more: what must not come, or a count, is known at the end only."""
        step = self._step
        if step.never:
            return any(self._matches(phone) for phone in step.phones)
        if step.count is not None:
            return any(len(self._matches(phone)) > step.count[1] for phone in step.phones)
        return all(self._matches(phone) for phone in step.phones)

    def judge(self) -> None:
        """Raise StoryFailed unless it is met."""
        step = self._step
        for phone in step.phones:
            found = self._matches(phone)
            if step.never:
                if found:
                    raise self._unwanted(phone, found[0])
            elif not found and (step.count is None or step.count[0]):
                raise self._missing(phone)
            elif step.count is not None and not step.count[0] <= len(found) <= step.count[1]:
                times, wanted = _times(len(found)), _times(*step.count)
                raise StoryFailed(step.span, f"{phone} got {self._last} {times}, and not {wanted}")
        if step.ordered:
            self._judge_order()

    def _judge_order(self) -> None:
        firsts = [(self._matches(phone)[0].order, phone) for phone in self._step.phones]
        for (order, phone), (following, next_phone) in pairwise(firsts):
            if following < order:
                raise StoryFailed(self._step.span, f"{next_phone} got {self._last} before {phone}")

    # -- matching ---------------------------------------------------------------------------------------------------

    @property
    def _last(self) -> Message:
        return self._step.messages[-1]

    def _matches(self, phone: str) -> list[Received]:
        """The messages that are the last expected one, behind those that come before it."""
        received: Sequence[Received] = self._scene.received(phone)
        if not self._step.messages:
            return list(received)
        for message in self._step.messages[:-1]:
            at = next((at for at, one in enumerate(received) if is_expected(one, message)), None)
            if at is None:
                return []
            received = received[at + 1 :]
        return [one for one in received if self._fits(one)]

    def _fits(self, one: Received) -> bool:
        if not is_expected(one, self._last) or not self._in_time(one):
            return False
        return all(not self._why_not(one, at) for at in range(len(self._step.conditions)))

    def _why_not(self, one: Received, at: int) -> str:
        return why_not(one, self._step.conditions[at], self._scene.stage.directory)

    def _in_time(self, one: Received) -> bool:
        timing, passed = self._step.timing, one.time - self._since
        if timing.before is None:
            return True  # nothing is said of time: also what came before the last deed counts
        if passed < timing.at_least - _INSTANT:
            return False
        # `within 5s` holds at its very end; the end of `after 5s..6s` belongs to it no more.
        return passed < timing.before - _INSTANT if timing.at_least else passed <= timing.before + _INSTANT

    # -- what went wrong --------------------------------------------------------------------------------------------

    def _unwanted(self, phone: str, one: Received) -> StoryFailed:
        span = self._last.span if self._step.messages else self._step.span
        return StoryFailed(span, f"{phone} got {shown(one)} after {one.time - self._since:.3f} s")

    def _missing(self, phone: str) -> StoryFailed:
        received = self._scene.received(phone)
        missing = self._first_missing(received)
        if missing is not None:
            when = f" {self._when()}" if self._step.timing.before is not None and missing is self._last else ""
            hint = self._instead(received)
            if any(is_expected(one, missing) for one in self._scene.earlier(phone)):
                hint += "; the one before counts no more, since somebody has done something behind it"
            return StoryFailed(missing.span, f"{phone} got no {missing}{when}", hint)
        right = [one for one in received if is_expected(one, self._last)]
        for at, condition in enumerate(self._step.conditions):
            reasons = [self._why_not(one, at) for one in right]
            if all(reasons):
                return StoryFailed(condition.span, f"{phone} got {self._last}, but {reasons[-1]}")
        late = [one for one in right if not self._in_time(one)]
        if late:
            passed = late[-1].time - self._since
            when = f"after {passed:.3f} s" if passed >= 0 else f"{-passed:.3f} s before the last deed"
            return StoryFailed(self._step.span, f"{phone} got {self._last} {when}, and not {self._when()}")
        return StoryFailed(self._step.span, f"no {self._last} that {phone} got is like this", self._instead(received))

    def _first_missing(self, received: Sequence[Received]) -> Message | None:
        for message in self._step.messages:
            at = next((at for at, one in enumerate(received) if is_expected(one, message)), None)
            if at is None:
                return message
            received = received[at + 1 :] if message is not self._last else received
        return None

    def _instead(self, received: Sequence[Received]) -> str:
        names = [shown(one) for one in received]
        if not names:
            return "it got nothing"
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"it got {', '.join(names[:_SHOWN])}{more}"

    def _when(self) -> str:
        timing = self._step.timing
        if not timing.at_least:
            return f"within {timing.before:g} s"
        return f"after {timing.at_least:g} to {timing.before:g} s"


def _times(low: int, high: int | None = None) -> str:
    if high is not None and high != low:
        return f"{low} to {high} times"
    return "once" if low == 1 else f"{low} times"


def shown(one: Received) -> str:
    """A message in a word or two."""
    message = one.message
    return message.method if isinstance(message, Request) else f"{message.status} {message.reason}".strip()
