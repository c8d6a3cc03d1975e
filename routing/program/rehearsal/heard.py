"""What a server says about itself in a story: its log, and the facts that it reports."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from routing.program.events import described
from sipcore.facts import CallEnded, CallProgress, Challenged, Dropped, Fact, Registered, Rejected

_LOGGER = logging.getLogger("ringway")


class Entry(NamedTuple):
    """A line of the log; `failure` is what was raised, if anything was."""

    time: float
    level: int
    text: str
    failure: BaseException | None


class Reported(NamedTuple):
    """A fact as the log has it."""

    time: float
    fields: dict[str, object]


class Heard(logging.Handler):
    """Keeps everything with its time, and tells `note` what belongs into a ladder."""

    def __init__(self, now: Callable[[], float], note: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self.entries: list[Entry] = []
        self.reported: list[Reported] = []
        self._now = now
        self._note = note

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the log over; nothing is written meanwhile."""
        before = _LOGGER.level, _LOGGER.propagate, _LOGGER.handlers
        _LOGGER.setLevel(logging.INFO)
        _LOGGER.propagate, _LOGGER.handlers = False, [self]
        try:
            yield
        finally:
            _LOGGER.setLevel(before[0])
            _LOGGER.propagate, _LOGGER.handlers = before[1], before[2]

    def emit(self, record: logging.LogRecord) -> None:
        """A line was written to the log."""
        failure = record.exc_info[1] if record.exc_info else None
        text = record.getMessage()
        self.entries.append(Entry(self._now(), record.levelno, text, failure))
        self._note(f"log: {text}" + (f": {type(failure).__name__}: {failure}" if failure is not None else ""))

    def hear(self, fact: Fact) -> None:
        """The observer."""
        self.reported.append(Reported(self._now(), described(fact)))
        text = _told(fact)
        if text:
            self._note(text)


def _told(fact: Fact) -> str:
    if isinstance(fact, Rejected):
        return f"refused with {fact.status}: {fact.why}"
    if isinstance(fact, Challenged):
        return f"{fact.user} is asked for a password"
    if isinstance(fact, Registered):
        return f"{fact.address_of_record} -> {fact.contact}, {fact.expires} s"
    if isinstance(fact, Dropped):
        return f"not understood: {fact.why}"
    assert isinstance(fact, CallProgress | CallEnded)
    return ""
