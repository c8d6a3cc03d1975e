"""The table of what is kept with calls: found from both sides, ended with the dialog, bounded, and freed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from routing.runtime.dialogs import LONGEST_SILENCE, Dialogs, key_of
from sipcore.message import Message, Request
from tests.wire import request, response_to

CALLER, CALLEE = "<sip:alice@example.com>;tag=a1", "<sip:bob@example.com>;tag=b1"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dialogs(clock: Clock) -> Dialogs:
    return Dialogs(clock)


def inside(
    method: str = "INFO", from_: str = CALLER, to: str = CALLEE, call_id: str = "call-1", *headers: str
) -> Request:
    return request(
        method, "sip:bob@10.0.0.3", source=("10.0.0.2", 5060), branch="1", from_=from_, to=to, call_id=call_id,
        headers=headers,
    )  # fmt: skip


def answer(method: str = "INVITE", status: int = 200) -> Message:
    return response_to(inside(method, to="<sip:bob@example.com>"), status)


@pytest.mark.conformance("RFC 3261 12")
def test_both_sides_find_it_by_call_id_and_both_tags(dialogs: Dialogs) -> None:
    kept = dialogs.begin(answer(), {"x": "1"})
    assert dialogs.find(inside()) is kept
    assert dialogs.find(inside(from_=CALLEE, to=CALLER)) is kept
    for other in (
        inside(call_id="call-2"),
        inside(from_=CALLER.replace("a1", "a2")),
        inside(to=CALLEE.replace("b1", "b2")),
        inside(from_=CALLER.replace("a1", "b1"), to=CALLEE.replace("b1", "b1")),
    ):
        assert dialogs.find(other) is None
    assert len(dialogs.entries) == 1


def test_tags_are_compared_as_they_are() -> None:
    assert key_of(inside(from_="<sip:a@h>;tag=A1")) != key_of(inside(from_="<sip:a@h>;tag=a1"))
    assert key_of(inside(to="<sip:a@h>")) == (b"call-1", "", "a1")


@pytest.mark.conformance("RFC 3261 15.1.1")
@pytest.mark.parametrize(
    ("method", "status", "ends"),
    [
        ("BYE", 200, True), ("BYE", 202, True), ("BYE", 481, True), ("BYE", 408, True), ("BYE", 401, False),
        ("BYE", 407, False), ("BYE", 500, False), ("INVITE", 481, False), ("INVITE", 200, False), ("INFO", 408, False),
    ],
)  # fmt: skip
def test_what_ends_a_call(method: str, status: int, ends: bool, dialogs: Dialogs) -> None:
    kept = dialogs.begin(answer(), {"x": "1"})
    dialogs.answered(kept, inside(method), status)
    assert (not dialogs.entries) is ends


@pytest.mark.conformance("RFC 6665 4.4.1")
@pytest.mark.parametrize("begun", ["SUBSCRIBE", "REFER"])
@pytest.mark.parametrize(
    ("method", "status", "state", "ends"),
    [
        ("NOTIFY", 200, "terminated;reason=timeout", True), ("NOTIFY", 200, "Terminated", True),
        ("NOTIFY", 200, "active;expires=60", False), ("NOTIFY", 500, "terminated", True),
        ("NOTIFY", 407, "terminated", False), ("NOTIFY", 200, "", False),
        ("SUBSCRIBE", 481, "", True), ("SUBSCRIBE", 200, "", False), ("BYE", 200, "", True),
    ],
)  # fmt: skip
def test_what_ends_a_subscription(
    begun: str, method: str, status: int, state: str, ends: bool, dialogs: Dialogs
) -> None:
    kept = dialogs.begin(answer(begun), {"x": "1"})
    headers = (f"Subscription-State: {state}",) if state else ()
    dialogs.answered(kept, inside(method, CALLER, CALLEE, "call-1", *headers), status)
    assert (not dialogs.entries) is ends


@pytest.mark.parametrize("begins", [answer(), inside("REFER"), inside("INFO")])
def test_the_end_of_a_subscription_inside_a_call_does_not_end_the_call(begins: Message, dialogs: Dialogs) -> None:
    kept = dialogs.begin(begins, {"x": "1"})
    dialogs.answered(kept, inside("NOTIFY", CALLER, CALLEE, "call-1", "Subscription-State: terminated"), 200)
    assert dialogs.find(inside()) is kept


def test_a_dialog_that_was_long_silent_is_over(dialogs: Dialogs, clock: Clock) -> None:
    kept = dialogs.begin(answer(), {"x": "1"})
    clock.now += LONGEST_SILENCE - 1
    assert dialogs.find(inside()) is kept
    clock.now += LONGEST_SILENCE - 1  # it was heard of a moment ago
    assert dialogs.find(inside()) is kept
    clock.now += LONGEST_SILENCE
    assert dialogs.find(inside()) is None
    assert not dialogs.entries


def fill(dialogs: Dialogs, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        dialogs.begin(inside(call_id=f"c{number}"), {"x": "1"})


def test_what_is_dead_goes_when_something_new_comes(dialogs: Dialogs, clock: Clock) -> None:
    fill(dialogs, 3)
    clock.now += LONGEST_SILENCE
    fill(dialogs, 1, start=3)
    assert [key[0] for key in dialogs.entries] == [b"c3"]
    assert dialogs.driven_out == 0


def test_the_one_heard_of_longest_ago_gives_way_and_is_counted(
    dialogs: Dialogs, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    dialogs.bound(3)
    fill(dialogs, 3)
    assert dialogs.find(inside(call_id="c0")) is not None
    fill(dialogs, 2, start=3)
    assert [key[0] for key in dialogs.entries] == [b"c0", b"c3", b"c4"]
    assert (dialogs.counters().open, dialogs.counters().driven_out) == (3, 2)
    assert caplog.messages == ["1 calls have lost what routes kept with them: there are more than [limits] dialogs = 3"]
    clock.now += 60
    fill(dialogs, 3, start=5)
    assert dialogs.driven_out == 5
    assert [message[:7] for message in caplog.messages] == ["1 calls", "2 calls"], "one line a minute, with the count"


def test_a_smaller_bound_holds_at_once(dialogs: Dialogs) -> None:
    fill(dialogs, 5)
    dialogs.bound(2)
    assert len(dialogs.entries) == 2 and dialogs.driven_out == 3


def test_a_dialog_that_begins_again_takes_the_place_of_the_old_one(dialogs: Dialogs) -> None:
    first, second = dialogs.begin(answer(), {"x": "1"}), dialogs.begin(answer(), {"x": "2"})
    assert first is not second and dialogs.find(inside()) is second
    dialogs.end(second.key)
    dialogs.end(second.key)
    assert not dialogs.entries


def test_a_dialog_is_small(dialogs: Dialogs) -> None:
    kept: Any = dialogs.begin(answer(), {"x": "1"})
    with pytest.raises(AttributeError):
        kept.anything = 1
