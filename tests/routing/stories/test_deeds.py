"""What somebody does, and what phones do with calls."""

from __future__ import annotations

import pytest

from routing.language.problem import Span
from routing.language.stories.deeds import LONGEST_WAIT
from routing.language.stories.story import (
    Answer,
    Behave,
    Cancel,
    Disconnect,
    Extra,
    HangUp,
    Move,
    Pause,
    Reach,
    Register,
    Send,
    Wait,
    Whom,
)
from tests.story_texts import CAST, step, steps, stories_of

FIRST = len(CAST.splitlines()) + 2
"""The line of the first step."""
RINGS, FOR_EVER = Answer(180), Pause(None)


def sent(line: str) -> Send:
    found = step(line)
    assert isinstance(found, Send)
    return found


def extra(words: str) -> Extra:
    return sent(f"alice calls bob {words}").extra


# -- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "method", "to", "is_name"),
    [
        ("alice calls bob", "INVITE", "bob", True),
        ("alice calls carrier", "INVITE", "carrier", True),
        ("alice calls desk", "INVITE", "desk", True),
        ('alice calls "bob"', "INVITE", "bob", True),
        ('alice calls "1001"', "INVITE", "1001", False),
        ('alice calls "+442079460000"', "INVITE", "+442079460000", False),
        ('alice calls "bob@example.org"', "INVITE", "bob@example.org", False),
        ('alice calls "sip:bob@192.0.2.7;transport=tcp"', "INVITE", "sip:bob@192.0.2.7;transport=tcp", False),
        ('alice calls "tel:+442079460000"', "INVITE", "tel:+442079460000", False),
        ("alice sends MESSAGE to bob", "MESSAGE", "bob", True),
        ('alice sends OPTIONS to "sip:example.com"', "OPTIONS", "sip:example.com", False),
        ("carrier sends INVITE to bob", "INVITE", "bob", True),
    ],
)
def test_a_request_to_somebody(line: str, method: str, to: str, is_name: bool) -> None:
    found = sent(line)
    assert found.method == method
    assert found.to is not None
    assert (found.to.text, found.to.is_name) == (to, is_name)


def test_a_request_in_the_call() -> None:
    assert sent("alice sends INFO") == Send("alice", "INFO", None, Extra(), Span(FIRST, 1, FIRST, 17))
    assert sent("bob hangs up").method == "BYE"
    assert sent('bob hangs up with "Reason: x"').extra.lines == ("Reason: x",)


def test_more_lines_and_a_body() -> None:
    found = extra('with "Subject: hello", "X-A: 7", body "one", body "two" without "Contact", "X-B"')
    assert found.lines == ("Subject: hello", "X-A: 7")
    assert found.body == ("one", "two")
    assert found.without == ("Contact", "X-B")


def test_options_of_a_request() -> None:
    found = extra('as "sip:eve@example.net" from 192.0.2.9 by tcp with uri "sip:1001@example.com", password "guess"')
    assert found.sender is not None and found.uri is not None
    assert found.sender.text == "sip:eve@example.net"
    assert found.source == ("192.0.2.9", 0)
    assert found.transport == "tcp"
    assert found.uri.text == "sip:1001@example.com"
    assert found.password == "guess"


def test_what_is_left_out() -> None:
    assert extra("without body").body == ()
    assert extra("without password").password == ""
    assert extra("").password is None


@pytest.mark.parametrize(
    ("words", "times"), [("", 1), ("once", 1), ("twice", 2), ("25 times", 25), ("by tcp 3 times", 3)]
)
def test_how_often(words: str, times: int) -> None:
    assert extra(words).times == times


def test_the_source_may_have_a_port() -> None:
    assert extra('from "192.0.2.9:5090"').source == ("192.0.2.9", 5090)
    assert extra("from 2001:db8::9").source == ("2001:db8::9", 0)


# -- registrations ----------------------------------------------------------------------------------------------------


def test_registrations() -> None:
    span = Span(FIRST, 1, FIRST, 15)
    assert step("desk registers") == Register("desk", None, 3600, None, False, Extra(), span)
    found = step('desk registers at "sip:carol@192.0.2.7", mobile for 5m q 0.3 with "X-A: 1"')
    assert isinstance(found, Register)
    assert found.contacts is not None
    assert [(one.text, one.is_name) for one in found.contacts] == [("sip:carol@192.0.2.7", False), ("mobile", True)]
    assert (found.seconds, found.q, found.extra.lines) == (300, 0.3, ("X-A: 1",))


def test_the_end_of_a_registration_and_a_question() -> None:
    one, everything, question = steps("desk unregisters\ndesk unregisters everything\ndesk fetches bindings")
    assert isinstance(one, Register) and isinstance(everything, Register) and isinstance(question, Register)
    assert (one.contacts, one.seconds, one.everything) == (None, 0, False)
    assert everything.everything
    assert question.contacts == ()


def test_a_registration_in_the_name_of_somebody_else() -> None:
    found = step('desk registers as "sip:dave@example.com" 3 times')
    assert isinstance(found, Register)
    assert found.extra.times == 3
    assert found.extra.sender is not None
    assert found.extra.sender.text == "sip:dave@example.com"


# -- plans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "moves"),
    [
        ("rings", (RINGS, FOR_EVER)),
        ("rings 5s then answers", (RINGS, Pause(5.0), Answer(200))),
        ("rings 5s, then answers", (RINGS, Pause(5.0), Answer(200))),
        ("answers", (Answer(200),)),
        ("answers then waits 1m then hangs up", (Answer(200), Pause(60.0), HangUp())),
        ("waits 500ms then is busy", (Pause(0.5), Answer(486))),
        ("is busy", (Answer(486),)),
        ("stays silent", (FOR_EVER,)),
        ("replies 404", (Answer(404),)),
        ('replies 404 "Gone fishing"', (Answer(404, "Gone fishing"),)),
        ("replies 180, 183, 486", (RINGS, Answer(183), Answer(486))),
        ("replies 180, 183, then rings 2s then replies 603", (RINGS, Answer(183), RINGS, Pause(2.0), Answer(603))),
        ("waits 1s then stays silent", (Pause(1.0), FOR_EVER)),
    ],
)
def test_plans(words: str, moves: tuple[Move, ...]) -> None:
    assert step(f"bob {words}") == Behave("bob", moves, Span(FIRST, 1, FIRST, 5 + len(words)))


def test_a_response_with_more() -> None:
    found = step('bob replies 183, 486 "Busy" with "Retry-After: 60", body "x" without "Contact"')
    assert isinstance(found, Behave)
    assert found.moves == (
        Answer(183), Answer(486, "Busy", (), Extra(("Retry-After: 60",), ("Contact",), ("x",))),
    )  # fmt: skip
    answers = step('bob answers with "X-A: 1"')
    assert isinstance(answers, Behave)
    assert answers.moves == (Answer(200, extra=Extra(("X-A: 1",))),)


def test_a_redirection() -> None:
    found = step('bob redirects to mobile, "sip:vm@example.com" with "X-A: 1"')
    assert isinstance(found, Behave)
    (answer,) = found.moves
    assert isinstance(answer, Answer)
    assert answer.status == 302
    assert [(whom.text, whom.is_name) for whom in answer.contacts] == [("mobile", True), ("sip:vm@example.com", False)]
    assert answer.extra.lines == ("X-A: 1",)


def test_who_can_be_reached() -> None:
    down, up = steps("bob is down\nbob is up")
    assert down == Reach("bob", False, Span(FIRST, 1, FIRST, 12))
    assert isinstance(up, Reach) and up.up


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_cancelling_and_losing_connections() -> None:
    cancels, loses = steps('alice cancels with "Reason: x"\nmobile loses its connection')
    assert cancels == Cancel("alice", Extra(("Reason: x",)), Span(FIRST, 1, FIRST, 31))
    assert loses == Disconnect("mobile", Span(FIRST + 1, 1, FIRST + 1, 28))


def test_time_passes() -> None:
    assert step("wait 10s") == Wait(10.0, Span(FIRST, 1, FIRST, 9))
    waits, hangs = steps("after 1h, alice hangs up")
    assert waits == Wait(3600.0, Span(FIRST, 1, FIRST, 9))
    assert isinstance(hangs, Send) and hangs.method == "BYE"
    assert step("wait 7d") == Wait(LONGEST_WAIT, Span(FIRST, 1, FIRST, 8))


def test_a_name_in_quotes_is_a_name() -> None:
    (story,) = stories_of('test "it" {\ngiven users "1001", "1002"\n"1001" calls "1002"\nexpect "1002" got INVITE\n}')
    call = story.steps[0]
    assert isinstance(call, Send)
    assert call.phone == "1001"
    assert call.to == Whom("1002", True, Span(3, 14, 3, 20))


def test_a_test_without_a_name_is_how_each_begins() -> None:
    first, second = stories_of(
        'test "a" { expect bob got nothing }\ntest "b" { expect bob got BYE }\n'
        "test { given users alice, bob\nbob rings }"
    )
    assert [type(one).__name__ for one in first.steps] == ["Behave", "ExpectGot"]
    assert [type(one).__name__ for one in second.steps] == ["Behave", "ExpectGot"]
    assert first.given is not second.given
    assert (first.name, first.span) == ("a", Span(1, 6, 1, 9))
