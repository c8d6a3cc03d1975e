"""One message against what is expected of it, and in words why it is not so."""

from __future__ import annotations

import re

from routing.language.stories.story import Condition, Has, Lacks, Message, Part, Whom
from routing.program.logs import escape
from routing.program.rehearsal.directory import Directory
from routing.program.rehearsal.phone import Received
from routing.program.rehearsal.writing import key
from sipcore.errors import Malformed
from sipcore.message import Request, Response
from sipcore.uri import equivalent, parse_uri

_LONGEST = 60


def is_expected(one: Received, wanted: Message) -> bool:
    """Whether a message is the expected request, or has the expected status and reason."""
    message = one.message
    if isinstance(message, Request):
        return message.method == wanted.method
    if wanted.method or not wanted.low <= message.status <= wanted.high:
        return False
    if one.went_on and wanted.low != wanted.high:
        return False  # a challenge that led to a password is no refusal, unless it is asked for by name
    return wanted.reason is None or message.reason == wanted.reason


def why_not(one: Received, condition: Condition, directory: Directory) -> str:
    """Why a message does not fit a condition, as a clause; "" when it does."""
    message = one.message
    if isinstance(condition, Has):
        return _header(message, condition)
    if isinstance(condition, Lacks):
        return _lacks(message, condition)
    if condition.name == "transport":
        return "" if one.transport == condition.value else f"it came by {one.transport}"
    return _part(message, condition, directory)


def _header(message: Request | Response, condition: Has) -> str:
    found = [_text(value) for value in message.all(key(condition.header))]
    wanted = condition.value
    if wanted is None:
        return "" if found else f"it has no {condition.header}"
    if isinstance(wanted, str):
        right = wanted in found or wanted in [_text(value) for value in message.elements(key(condition.header))]
    else:
        right = any(wanted.search(value) for value in found)
    if right:
        return ""
    return f"its {condition.header} is `{_cut(', '.join(found))}`" if found else f"it has no {condition.header}"


def _lacks(message: Request | Response, condition: Lacks) -> str:
    if condition.header == "body":
        return "it has a body" if message.body else ""
    found = [_text(value) for value in message.all(key(condition.header))]
    return f"its {condition.header} is `{_cut(', '.join(found))}`" if found else ""


def _part(message: Request | Response, condition: Part, directory: Directory) -> str:
    name, wanted = condition.name, condition.value
    if name == "body":
        found = _text(message.body)
        if isinstance(wanted, str):
            right = wanted in found
        else:
            assert isinstance(wanted, re.Pattern)
            right = wanted.search(found) is not None
        return "" if right else f"its body is `{_cut(found)}`" if found else "it has no body"
    if name == "uri":
        if not isinstance(message, Request):
            return "a response has no URI"
        found = message.uri_text
    else:
        try:
            found = (message.from_ if name == "from" else message.to).uri_text
        except Malformed as malformed:
            return f"its {name} can't be read: {malformed.reason}"
    if isinstance(wanted, Whom):
        right = _same(found, directory.uri(wanted))
    else:
        assert isinstance(wanted, re.Pattern)
        right = wanted.search(found) is not None
    return "" if right else f"its {name} is `{_cut(found)}`"


def _same(found: str, wanted: str) -> bool:
    """Whether two URIs are equivalent (RFC 3261 section 19.1.4)."""
    try:
        return found == wanted or equivalent(parse_uri(found), parse_uri(wanted))
    except Malformed:
        return False


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _cut(text: str) -> str:
    text = escape(text.replace("\r\n", " "))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
