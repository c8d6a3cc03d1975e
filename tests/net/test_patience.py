"""The limits of time of a connection, with chosen times."""

from __future__ import annotations

import pytest

from sipcore.message.framing import StreamFraming
from sipcore.net.patience import Patience
from sipcore.net.settings import StreamSettings
from tests.net.echo import message

SETTINGS = StreamSettings(idle_timeout=100, message_timeout=20, send_timeout=30, linger=2)
FRAMING = StreamFraming()


def partial() -> StreamFraming:
    framing = StreamFraming()
    framing.feed(message()[:20])
    assert framing.partial
    return framing


def test_a_silent_caller_has_as_long_as_a_message_may_take() -> None:
    patience = Patience(0.0, incoming=True)
    assert patience.ended(SETTINGS, False, 20.0) == ""
    assert patience.ended(SETTINGS, False, 20.1) == "a message was not completed"


def test_a_silent_callee_may_be_silent() -> None:
    patience = Patience(0.0, incoming=False)
    assert patience.ended(SETTINGS, False, 99.0) == ""
    assert patience.ended(SETTINGS, False, 101.0) == "idle"


@pytest.mark.row("A15")
def test_a_message_counts_from_its_first_byte() -> None:
    patience = Patience(0.0, incoming=True)
    patience.heard(400, FRAMING, 10.0)
    for now in range(50, 70):
        patience.heard(1, partial(), float(now))
    assert patience.ended(SETTINGS, False, 70.0) == ""
    assert patience.ended(SETTINGS, False, 70.5) == "a message was not completed"


def test_a_busy_peer_whose_reads_always_end_within_a_message_is_not_slow() -> None:
    patience, framing = Patience(0.0, incoming=True), partial()
    for now in range(100):
        patience.heard(32_768, framing, float(now))
        assert patience.ended(SETTINGS, False, float(now)) == ""


def test_quiet_is_counted_from_the_last_check_that_saw_traffic() -> None:
    patience = Patience(0.0, incoming=False)
    patience.active = True
    assert patience.ended(SETTINGS, False, 90.0) == ""
    assert patience.ended(SETTINGS, False, 190.0) == ""
    assert patience.ended(SETTINGS, False, 190.1) == "idle"


@pytest.mark.row("A17")
@pytest.mark.parametrize(("progress", "ended"), [(False, "the peer takes no bytes"), (True, "")])
def test_waiting_bytes_must_make_progress(progress: bool, ended: str) -> None:
    patience = Patience(0.0, incoming=False)
    assert patience.ended(SETTINGS, False, 10.0) == ""
    assert patience.ended(SETTINGS, True, 39.0) == ""
    patience.progress = progress
    assert patience.ended(SETTINGS, True, 41.0) == ended


def test_after_our_end_the_peer_has_little_time() -> None:
    patience = Patience(0.0, incoming=True)
    patience.left(5.0)
    assert patience.ended(SETTINGS, False, 7.0) == ""
    assert patience.ended(SETTINGS, False, 7.1) == "closed"
