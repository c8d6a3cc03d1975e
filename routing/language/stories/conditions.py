"""What a message must have: `with "X-Account: 7", uri "sip:bob@192.0.2.7" without "X-Internal" by tcp`."""

from __future__ import annotations

from routing.language.stories.cast import Cast
from routing.language.stories.cursor import BadStep, Cursor
from routing.language.stories.extras import header_line, header_name
from routing.language.stories.places import TRANSPORTS
from routing.language.stories.story import Condition, Has, Lacks, Part


def read_conditions(cursor: Cursor, cast: Cast) -> list[Condition]:
    """Take one group of conditions; none when none stands here."""
    span = cursor.here
    word = cursor.word("with", "without", "by")
    if word == "by":
        return [Part("transport", cursor.need(*TRANSPORTS), span)]
    found: list[Condition] = []
    while word:
        found.append(_with(cursor, cast) if word == "with" else _without(cursor))
        if not cursor.comma():
            break
    return found


def _with(cursor: Cursor, cast: Cast) -> Condition:
    span = cursor.here
    text = cursor.text("a header in quotes")
    if text is not None:
        return _header(cursor, text)
    part = cursor.need("uri", "from", "to", "body")
    pattern = cursor.pattern("a pattern")
    if pattern is not None:
        return Part(part, pattern, cursor.since(span))
    if part == "body":
        return Part(part, cursor.need_text("a text in quotes"), cursor.since(span))
    return Part(part, cast.whom(cursor), cursor.since(span))


def _header(cursor: Cursor, text: str) -> Condition:
    span = cursor.before
    if cursor.word("matching"):
        pattern = cursor.pattern("a pattern")
        if pattern is None:
            raise cursor.wrong()
        return Has(header_name(text, span), pattern, cursor.since(span))
    if ":" not in text:
        return Has(header_name(text, span), None, span)
    name, value = header_line(text, span)
    return Has(name, value, span)


def _without(cursor: Cursor) -> Condition:
    span = cursor.here
    text = cursor.text("the name of a header in quotes")
    if text is not None:
        if ":" in text:
            raise BadStep(span, f'"{text}" is no name of a header', "what must not be there is named without its value")
        return Lacks(header_name(text, span), span)
    cursor.need("body")
    return Lacks("body", span)
