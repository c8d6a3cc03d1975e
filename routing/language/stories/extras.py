"""What a message has beyond the usual: `with "Subject: hello", body "..."`, `without`, `as`, `from`, `by`."""

from __future__ import annotations

import re
from dataclasses import replace

from routing.language.problem import Span
from routing.language.stories.cast import Cast
from routing.language.stories.cursor import BadStep, Cursor
from routing.language.stories.places import TRANSPORTS, address
from routing.language.stories.story import NOTHING_EXTRA, Extra

_LINE = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*:[ \t]*(.*)", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+", re.ASCII)
MOST_TIMES = 1000


def header_line(text: str, span: Span) -> tuple[str, str]:
    """The name and the value of `Subject: hello`."""
    match = _LINE.fullmatch(text)
    if match is None:
        raise BadStep(span, f'"{text}" is no header line', 'as in "Subject: hello"')
    return match[1], match[2].rstrip()


def header_name(text: str, span: Span) -> str:
    """The name of a header."""
    if not _NAME.fullmatch(text):
        raise BadStep(span, f'"{text}" is no name of a header', 'as in "Subject"')
    return text


def request_extra(cursor: Cursor, cast: Cast, extra: Extra = NOTHING_EXTRA, *, repeatable: bool = False) -> Extra:
    """What stands behind a request, in any order; `25 times` or `twice` too when it is `repeatable`.

    `extra` is what stood there before.
    """
    while True:
        option = cursor.word("with", "without", "as", "from", "by")
        if option == "with":
            extra = _with(cursor, cast, extra, request=True)
        elif option == "without":
            extra = _without(cursor, extra, request=True)
        elif option == "as":
            extra = replace(extra, sender=cast.whom(cursor))
        elif option == "from":
            extra = replace(extra, source=address(cursor))
        elif option == "by":
            extra = replace(extra, transport=cursor.need(*TRANSPORTS))
        elif repeatable and (count := times(cursor)) is not None:
            extra = replace(extra, times=count)
        else:
            return extra


def response_extra(cursor: Cursor, cast: Cast) -> Extra:
    """What stands behind a response."""
    extra = NOTHING_EXTRA
    while option := cursor.word("with", "without"):
        if option == "with":
            extra = _with(cursor, cast, extra, request=False)
        else:
            extra = _without(cursor, extra, request=False)
    return extra


def times(cursor: Cursor) -> int | None:
    """Take `once`, `twice` or `25 times`."""
    word = cursor.word("once", "twice")
    if word:
        return 1 if word == "once" else 2
    number = cursor.number("a number of times", 0, MOST_TIMES)
    if number is not None:
        cursor.need("times")
    return number


def _with(cursor: Cursor, cast: Cast, extra: Extra, *, request: bool) -> Extra:
    while True:
        span = cursor.here
        text = cursor.text("a header line in quotes")
        if text is not None:
            header_line(text, span)
            extra = replace(extra, lines=(*extra.lines, text))
        else:
            word = cursor.need("body", "uri", "password") if request else cursor.need("body")
            if word == "body":
                extra = replace(extra, body=(*(extra.body or ()), cursor.need_text("a line of the body in quotes")))
            elif word == "uri":
                extra = replace(extra, uri=cast.whom(cursor))
            else:
                extra = replace(extra, password=cursor.need_text("a password in quotes"))
        if not cursor.comma():
            return extra


def _without(cursor: Cursor, extra: Extra, *, request: bool) -> Extra:
    while True:
        span = cursor.here
        text = cursor.text("the name of a header in quotes")
        if text is not None:
            extra = replace(extra, without=(*extra.without, header_name(text, span)))
        elif (cursor.need("body", "password") if request else cursor.need("body")) == "body":
            extra = replace(extra, body=())
        else:
            extra = replace(extra, password="")
        if not cursor.comma():
            return extra
