"""What a phone does with calls: `rings 5s then answers`, `replies 486`, `stays silent`, `is down`."""

from __future__ import annotations

from routing.language.stories.cast import Cast
from routing.language.stories.cursor import BadStep, Cursor
from routing.language.stories.extras import response_extra
from routing.language.stories.story import Answer, Behave, Deed, HangUp, Move, Pause, Reach

PLANS = ("rings", "answers", "replies", "waits", "stays", "redirects", "is")
_AFTERWARDS = ("rings", "answers", "replies", "waits", "redirects", "stays", "hangs", "is")
_BUSY = 486
_REDIRECTED = 302


def read_plan(cursor: Cursor, cast: Cast, phone: str, verb: str) -> Deed:
    """A plan that begins with `verb`."""
    start = cursor.span
    if verb == "is":
        state = cursor.need("busy", "down", "up")
        if state != "busy":
            return Reach(phone, state == "up", start)
        return Behave(phone, (Answer(_BUSY, extra=response_extra(cursor, cast)),), start)
    moves = _move(cursor, cast, verb)
    while _then(cursor):
        if isinstance(moves[-1], Pause) and moves[-1].seconds is None:
            raise BadStep(cursor.here, "nothing follows what has no end", "say how long: `rings 5s then ...`")
        verb = cursor.need(*_AFTERWARDS)
        if verb == "is":
            cursor.need("busy")
            moves.append(Answer(_BUSY, extra=response_extra(cursor, cast)))
        else:
            moves += _move(cursor, cast, verb)
    _check_order(cursor, moves)
    return Behave(phone, tuple(moves), start)


def _then(cursor: Cursor) -> bool:
    cursor.comma()
    return bool(cursor.word("then"))


def _move(cursor: Cursor, cast: Cast, verb: str) -> list[Move]:
    if verb == "rings":
        return [Answer(180), Pause(cursor.duration())]
    if verb == "waits":
        return [Pause(cursor.need_duration())]
    if verb == "stays":
        cursor.need("silent")
        return [Pause(None)]
    if verb == "answers":
        return [Answer(200, extra=response_extra(cursor, cast))]
    if verb == "hangs":
        cursor.need("up")
        return [HangUp()]
    if verb == "redirects":
        cursor.need("to")
        contacts = [cast.whom(cursor)]
        while cursor.comma():
            contacts.append(cast.whom(cursor))
        return [Answer(_REDIRECTED, contacts=tuple(contacts), extra=response_extra(cursor, cast))]
    return _replies(cursor, cast)


def _replies(cursor: Cursor, cast: Cast) -> list[Move]:
    """`replies 180, 183, 486 "Busy" with "Retry-After: 60"`: what is added belongs to the last one."""
    statuses: list[int] = []
    while True:
        status = cursor.number("a status", 100, 699)
        if status is None:
            if statuses:
                break  # a comma before `then`
            raise cursor.wrong()
        statuses.append(status)
        if not cursor.comma():
            break
    reason = cursor.text("a reason in quotes") or ""
    extra = response_extra(cursor, cast)
    *before, last = statuses
    return [*(Answer(status) for status in before), Answer(last, reason, (), extra)]


def _check_order(cursor: Cursor, moves: list[Move]) -> None:
    """One final answer, and nothing but hanging up behind it."""
    final = False
    for move in moves:
        if isinstance(move, Answer) and final:
            raise BadStep(cursor.span, "a call has one final answer", "what stands behind it is never sent")
        if isinstance(move, HangUp) and not final:
            raise BadStep(cursor.span, "who has not answered can't hang up", "`... then answers then hangs up`")
        final |= isinstance(move, Answer) and move.status >= 200
