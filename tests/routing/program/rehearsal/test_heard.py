"""What a server says in a story is kept, noted, and written nowhere."""

from __future__ import annotations

import logging

import pytest

from routing.language.stories.events import EVENTS
from routing.program.events import described
from routing.program.rehearsal.heard import Heard
from sipcore.facts import CallEnded, CallProgress, Challenged, Dropped, Fact, Registered, Rejected
from sipcore.flow import Flow

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
FACTS: list[Fact] = [
    Registered("bob@example.com", "sip:bob@192.0.2.7", 3600, FLOW, "phone"),
    Registered("bob@example.com", "sip:bob@192.0.2.7", 0, FLOW, "phone"),
    Challenged("INVITE", "bob@example.com", FLOW),
    Rejected("INVITE", "bob", "sip:x", 407, "wrong password", FLOW),
    Rejected("INVITE", "bob", "sip:x", 404, "nobody", FLOW),
    CallProgress("c1", "alice", "bob", 180, "Ringing", FLOW),
    CallEnded("c1", "alice"),
    Dropped("no CSeq", 77, FLOW),
]


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def heard(notes: list[str]) -> Heard:
    return Heard(lambda: 1.5, notes.append)


def test_lines_of_the_log(heard: Heard, notes: list[str]) -> None:
    log = logging.getLogger("ringway.route")
    with heard.listening():
        log.info("hello %s", "world")
        log.debug("not of interest")
        try:
            raise ZeroDivisionError("no way")
        except ZeroDivisionError as failure:
            log.warning("it failed", exc_info=failure)
    assert [(entry.time, entry.level, entry.text) for entry in heard.entries] == [
        (1.5, logging.INFO, "hello world"), (1.5, logging.WARNING, "it failed"),
    ]  # fmt: skip
    assert isinstance(heard.entries[1].failure, ZeroDivisionError)
    assert notes == ["log: hello world", "log: it failed: ZeroDivisionError: no way"]


def test_the_log_is_as_it_was_before(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("ringway")
    before = log.level, log.propagate, log.handlers
    with heard.listening():
        log.warning("inside")
    assert (log.level, log.propagate, log.handlers) == before
    assert "inside" not in caplog.text
    with pytest.raises(ZeroDivisionError), heard.listening():
        raise ZeroDivisionError
    assert (log.level, log.propagate, log.handlers) == before


def test_facts_are_kept_under_the_names_of_the_log(heard: Heard, notes: list[str]) -> None:
    for fact in FACTS:
        heard.hear(fact)
    assert [one.fields["event"] for one in heard.reported] == [
        "registered", "unregistered", "challenged", "auth_failed", "rejected", "call", "call_ended", "dropped",
    ]  # fmt: skip
    assert notes == [
        "bob@example.com -> sip:bob@192.0.2.7, 3600 s", "bob@example.com -> sip:bob@192.0.2.7, 0 s",
        "bob@example.com is asked for a password", "refused with 407: wrong password", "refused with 404: nobody",
        "not understood: no CSeq",
    ]  # fmt: skip


def test_what_tests_may_ask_of_events_is_what_the_log_has() -> None:
    found = {str(fields["event"]): set(fields) - {"event"} for fields in map(described, FACTS)}
    assert {name: set(fields) for name, fields in EVENTS.items()} == found
