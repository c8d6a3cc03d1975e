"""The DNS of a story: it holds what the story gives, and no other name exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf

from routing.language.stories.story import DnsRecord
from routing.program.rehearsal.slow_call import Delay
from sipcore.locate import Answer, Naptr, Question, Record, Srv

_FAILED_FOR = 5.0


class StoryDns:
    """Answers at once, or, where a record says so, after a while; what was answered once is remembered.

    `records` may name a phone for an address: `address_of` tells it. `now` is the stack's time.
    """

    def __init__(
        self, records: Iterable[DnsRecord], address_of: Callable[[str], str], now: Callable[[], float]
    ) -> None:
        self._records: dict[Question, list[Record]] = {}
        self._delays: dict[Question, float] = {}
        self._failing: dict[str, float] = {}
        """Names that fail, and after how many seconds."""
        self._asked: set[Question] = set()
        self._now = now
        for one in records:
            if one.fails:
                self._failing[one.name] = one.delay
                continue
            question = Question(one.name, one.kind)
            self._delays[question] = max(one.delay, self._delays.get(question, 0.0))
            self._records.setdefault(question, []).append(_record(one, address_of))

    def _delay(self, question: Question) -> float:
        """How long an answer takes: nothing when it was given before, unless it was that the name fails."""
        if question.name in self._failing:
            return self._failing[question.name]
        return 0.0 if question in self._asked else self._delays.get(question, 0.0)

    def known(self, question: Question) -> Answer | None:
        """The answer, unless it takes its time."""
        return None if self._delay(question) else self._answer(question)

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """All answers, when the slowest one is there."""
        slowest = max(map(self._delay, questions), default=0.0)
        if slowest:
            await Delay(slowest)
        self._asked.update(questions)
        return [self._answer(question) for question in questions]

    def _answer(self, question: Question) -> Answer:
        if question.name in self._failing:
            return Answer((), self._now() + _FAILED_FOR, "the server failed")
        return Answer(tuple(self._records.get(question, ())), inf)


def _record(one: DnsRecord, address_of: Callable[[str], str]) -> Record:
    values = one.values
    if one.kind == "SRV":
        priority, weight, port = map(int, values[:3])
        return Srv(priority, weight, port, values[3].lower().rstrip("."))
    if one.kind == "NAPTR":
        order, preference = map(int, values[:2])
        flags, service, regexp, replacement = values[2:]
        return Naptr(order, preference, flags.upper(), service.upper(), regexp, replacement.lower().rstrip("."))
    return address_of(values[0])
