"""`expect ...`: what must have happened, or must not."""

from __future__ import annotations

from routing.language.problem import Span
from routing.language.stories.cast import Cast
from routing.language.stories.conditions import read_conditions
from routing.language.stories.cursor import BadStep, Cursor
from routing.language.stories.deeds import method
from routing.language.stories.events import EVENTS
from routing.language.stories.extras import times
from routing.language.stories.story import (
    Condition,
    Expectation,
    ExpectEvent,
    ExpectGot,
    ExpectLog,
    ExpectRegistered,
    ExpectTalk,
    Message,
    Pattern,
    Timing,
    Whom,
)
from routing.language.types import DURATION, NUMBER

_GRACE = 1.0
"""Seconds that `after 20s` allows."""


def read_expectation(cursor: Cursor, cast: Cast) -> Expectation:
    """What follows the word `expect`."""
    never = bool(cursor.word("no"))
    word = cursor.word("log", "event") if never else cursor.word("log", "event", "nobody")
    if word == "log":
        found: Expectation = ExpectLog(_log_text(cursor), never, cursor.span)
    elif word == "event":
        found = _event(cursor, never)
    elif word == "nobody":
        cursor.need("talks")
        found = ExpectTalk((), cursor.span)
    elif never:
        raise cursor.wrong()
    else:
        found = _about_somebody(cursor, cast)
    cursor.end()
    return found


def _log_text(cursor: Cursor) -> str | Pattern:
    pattern = cursor.pattern("a pattern")
    return pattern if pattern is not None else cursor.need_text("a text in quotes")


# -- phones and users -------------------------------------------------------------------------------------------------


def _about_somebody(cursor: Cursor, cast: Cast) -> Expectation:
    start = cursor.here
    if cursor.follows("is"):
        return _registered(cursor, cast)
    phones = [cast.phone(cursor, "a name")]
    joined = ""
    while word := cursor.word(*([joined] if joined else ["then", "and", ","])):
        joined = word
        phones.append(cast.phone(cursor, "a name"))
    verb = cursor.word("got", "talk", "talks") or _no_verb(cursor)
    if verb != "got":
        return ExpectTalk(tuple(phones), cursor.since(start))
    return _got(cursor, cast, tuple(phones), joined == "then", start)


def _no_verb(cursor: Cursor) -> str:
    wrong = cursor.wrong()
    raise BadStep(
        wrong.span, wrong.message, wrong.hint or "as in `expect bob got INVITE` or `expect alice and bob talk`"
    )


def _registered(cursor: Cursor, cast: Cast) -> Expectation:
    """`bob is registered at desk, "sip:bob@192.0.2.7"`; `bob is not registered`."""
    start = cursor.here
    user = cast.account(cursor)
    cursor.need("is")
    if cursor.word("not"):
        cursor.need("registered")
        return ExpectRegistered(user, (), cursor.since(start))
    cursor.need("registered")
    if not cursor.word("at"):
        return ExpectRegistered(user, None, cursor.since(start))
    found: list[Whom] = []
    while True:
        found.append(cast.whom(cursor))
        if not (cursor.comma() or cursor.word("and")):
            return ExpectRegistered(user, tuple(found), cursor.since(start))


def _got(cursor: Cursor, cast: Cast, phones: tuple[str, ...], ordered: bool, start: Span) -> ExpectGot:
    word = cursor.word("no", "nothing")
    never, nothing = bool(word), word == "nothing"
    messages: list[Message] = []
    while not nothing:
        messages.append(_message(cursor))
        if never or not cursor.comma():
            break
    conditions: list[Condition] = []
    count: tuple[int, int] | None = None
    timing = Timing()
    while True:
        if not nothing and (more := read_conditions(cursor, cast)):
            conditions += more
        elif not never and count is None and (often := _how_often(cursor)) is not None:
            count = often
        elif timing == Timing() and (told := _timing(cursor, never)) is not None:
            timing = told
        else:
            break
    span = cursor.since(start)
    return ExpectGot(phones, ordered, never, tuple(messages), tuple(conditions), count, timing, span)


def _message(cursor: Cursor) -> Message:
    span = cursor.here
    statuses = cursor.range(NUMBER, "a status")
    if statuses is not None:
        low, high = (_status(end, span) for end in statuses)
        return Message("", low, high, None, span)
    status = cursor.number("a status", 100, 699)
    if status is not None:
        return Message("", status, status, cursor.text("a reason in quotes"), span)
    written = cursor.name("a method")
    if written is None:
        raise BadStep(cursor.here, cursor.wrong().message, "as in `got INVITE`, `got 486` or `got nothing`")
    return Message(method(written), 0, 0, None, span)


def _status(number: object, span: Span) -> int:
    if not isinstance(number, int) or not 100 <= number <= 699:
        raise BadStep(span, "a status is a whole number from 100 to 699")
    return number


def _how_often(cursor: Cursor) -> tuple[int, int] | None:
    """`once`, `twice`, `5 times`, `20..40 times`."""
    ends = cursor.range(NUMBER, "a number of times")
    if ends is None:
        exactly = times(cursor)
        return None if exactly is None else (exactly, exactly)
    span = cursor.before
    cursor.need("times")
    low, high = ends
    if not isinstance(low, int) or not isinstance(high, int) or low > high:
        raise BadStep(span, "how often is told in whole numbers, the smaller one first", "as in `20..40 times`")
    return low, high


def _timing(cursor: Cursor, never: bool) -> Timing | None:
    """`within 5s`; `after 20s` (up to a second later) or `after 20s..25s`."""
    if cursor.word("within"):
        return Timing(0.0, cursor.need_duration())
    if never or not cursor.word("after"):
        return None
    span = cursor.here
    ends = cursor.range(DURATION, "a duration")
    if ends is None:
        at_least = cursor.need_duration()
        return Timing(at_least, at_least + _GRACE)
    low, high = ends
    if not low < high:  # type: ignore[operator]
        raise BadStep(span, "this range ends before it begins")
    return Timing(low, high)  # type: ignore[arg-type]


# -- events -----------------------------------------------------------------------------------------------------------


def _event(cursor: Cursor, never: bool) -> ExpectEvent:
    """`event auth_failed with why "wrong password"`."""
    name = cursor.word(*EVENTS)
    if not name:
        wrong = cursor.wrong("the name of an event")
        raise BadStep(wrong.span, wrong.message, wrong.hint or f"known: {', '.join(EVENTS)}")
    fields: list[tuple[str, str | int | Pattern]] = []
    if cursor.word("with"):
        while True:
            field = cursor.need(*EVENTS[name])
            fields.append((field, _field_value(cursor)))
            if not cursor.comma():
                break
    return ExpectEvent(name, tuple(fields), never, cursor.span)


def _field_value(cursor: Cursor) -> str | int | Pattern:
    number = cursor.number("a number", 0, 2**31)
    if number is not None:
        return number
    return _log_text(cursor)
