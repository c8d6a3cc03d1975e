"""What somebody does: calls, sends, registers, cancels, hangs up; and time that passes."""

from __future__ import annotations

import re
from collections.abc import Callable

from routing.language import tree
from routing.language.stories.cast import Cast, name_of
from routing.language.stories.cursor import BadStep, Cursor
from routing.language.stories.extras import request_extra
from routing.language.stories.plans import PLANS, read_plan
from routing.language.stories.story import NOTHING_EXTRA, Cancel, Deed, Disconnect, Register, Send, Whom

_METHOD = re.compile(r"[A-Z][A-Z0-9.!%*_+~-]{0,31}", re.ASCII)
_NOT_SENT = {"CANCEL": "cancels", "ACK": "", "REGISTER": "registers"}
_REGISTRATION = 3600
LONGEST_WAIT = 7 * 86400.0


def read_wait(cursor: Cursor) -> float:
    """How long to wait."""
    span = cursor.here
    seconds = cursor.need_duration()
    if seconds > LONGEST_WAIT:
        raise BadStep(span, "a test waits for up to 7d")
    return seconds


def read_deed(cursor: Cursor, cast: Cast) -> Deed:
    """Somebody, and what is done."""
    phone = cast.phone(cursor, "a name")
    verb = cursor.word(*_DEEDS, *PLANS)
    if not verb:
        wrong = cursor.wrong(f"what `{phone}` does")
        raise BadStep(wrong.span, wrong.message, wrong.hint or f"known: {', '.join((*_DEEDS, *PLANS))}")
    if verb in _DEEDS:
        deed = _DEEDS[verb](cursor, cast, phone)
    else:
        deed = read_plan(cursor, cast, phone, verb)
    cursor.end()
    return deed


def method(written: tree.Word | tree.Text) -> str:
    """The name of a SIP method."""
    name = name_of(written)
    if not _METHOD.fullmatch(name):
        raise BadStep(written.span, f"`{name}` is no method", "methods are written in capitals: MESSAGE")
    return name


def _calls(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    to = cast.whom(cursor)
    return Send(phone, "INVITE", to, request_extra(cursor, cast, repeatable=True), cursor.span)


def _sends(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    written = cursor.need_name("a method")
    name = method(written)
    if name in _NOT_SENT:
        instead = _NOT_SENT[name]
        hint = f"write `{phone} {instead}`" if instead else "a phone does that by itself"
        raise BadStep(written.span, f"{name} is not sent like this", hint)
    to = cast.whom(cursor) if cursor.word("to") else None
    return Send(phone, name, to, request_extra(cursor, cast, repeatable=to is not None), cursor.span)


def _hangs(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    cursor.need("up")
    return Send(phone, "BYE", None, request_extra(cursor, cast), cursor.span)


def _registers(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    contacts: list[Whom] | None = None
    seconds, q, extra = _REGISTRATION, None, NOTHING_EXTRA
    while True:
        option = cursor.word("at", "for", "q")
        if option == "at":
            contacts = [cast.whom(cursor)]
            while cursor.comma():
                contacts.append(cast.whom(cursor))
        elif option == "for":
            seconds = int(cursor.need_duration())
        elif option == "q":
            q = cursor.fraction("q")
        else:
            before, extra = extra, request_extra(cursor, cast, extra, repeatable=True)
            if extra == before:
                break
    found = None if contacts is None else tuple(contacts)
    return Register(phone, found, seconds, q, False, extra, cursor.span)


def _unregisters(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    everything = bool(cursor.word("everything"))
    return Register(phone, None, 0, None, everything, request_extra(cursor, cast), cursor.span)


def _fetches(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    cursor.need("bindings")
    return Register(phone, (), 0, None, False, request_extra(cursor, cast), cursor.span)


def _cancels(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    return Cancel(phone, request_extra(cursor, cast), cursor.span)


def _loses(cursor: Cursor, cast: Cast, phone: str) -> Deed:
    cursor.need("its")
    cursor.need("connection", "connections")
    return Disconnect(phone, cursor.span)


_DEEDS: dict[str, Callable[[Cursor, Cast, str], Deed]] = {
    "calls": _calls, "sends": _sends, "registers": _registers, "unregisters": _unregisters, "fetches": _fetches,
    "cancels": _cancels, "hangs": _hangs, "loses": _loses,
}  # fmt: skip
VERBS = (*_DEEDS, *PLANS)
"""What phones can do."""
