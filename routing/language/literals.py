"""Literals: from what is written to a value, with the place of a mistake inside of it."""

from __future__ import annotations

import ipaddress
import re
import warnings
from re import _parser as regular  # the one parser of patterns that Python has
from typing import Any, NamedTuple

from routing.language.networks import Networks
from routing.language.problem import BadLiteral
from routing.language.types import DURATION, NETWORK, NUMBER, RATE, Type
from sipcore.errors import Malformed
from sipcore.uri import parse_uri

__all__ = ["BadLiteral", "Rate", "read_pattern", "read_quantity", "read_text", "read_uri"]


class Rate(NamedTuple):
    """`20/s`: how many in how many seconds."""

    times: int
    seconds: float


_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)(/?)(\w*)", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MOST_DIGITS = 15
_LONGEST = 366 * 86400.0


def read_quantity(text: str) -> tuple[Type, object]:
    """The type and value of a number, duration, rate, network or address."""
    if ":" in text or text.count(".") > 1:
        return NETWORK, _network(text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise BadLiteral(f"`{text}` is no number", 0, len(text))
    digits, slash, unit = match.groups()
    if len(digits) > _MOST_DIGITS:
        raise BadLiteral("this number is too large", 0, len(digits))
    if slash:
        if unit not in _SECONDS or "." in digits:
            raise BadLiteral(f"`{text}` is no rate", match.end(1), len(text) - match.end(1), "a rate is written 20/s")
        return RATE, Rate(int(digits), _SECONDS[unit])
    if not unit:
        return NUMBER, float(digits) if "." in digits else int(digits)
    if unit not in _SECONDS:
        raise BadLiteral(f"`{unit}` is no unit of time", match.end(1), len(unit), "units are ms, s, m, h and d")
    if float(digits) * _SECONDS[unit] > _LONGEST:
        raise BadLiteral("this duration is longer than a year", 0, len(text))
    return DURATION, float(digits) * _SECONDS[unit]


def _network(text: str) -> Networks:
    try:
        return Networks([text])
    except ValueError as error:
        hint = ""
        if "host bits" in str(error):
            hint = f"write {ipaddress.ip_network(text, strict=False)}"
        raise BadLiteral(f"`{text}` is no network or address", 0, len(text), hint) from None


def read_text(raw: str) -> str:
    r"""What a text says: `\"` and `\\` stand for quote and backslash."""
    for match in _ESCAPE.finditer(raw):
        if match[1] not in '"\\':
            hint = r"only \" and \\ are known"
            raise BadLiteral(f"`{match[0]}` is no escape", match.start(), 2, hint)
    return _ESCAPE.sub(r"\1", raw)


def read_uri(text: str) -> object:
    """A URI; a mistake is placed on its first wrong character as well as can be told."""
    try:
        return parse_uri(text)
    except Malformed as error:
        start, length = _uri_mistake(text, error.reason)
        raise BadLiteral(f'"{text}" is no SIP URI', start, length, "write it like sip:alice@example.com") from None


def _uri_mistake(text: str, reason: str) -> tuple[int, int]:
    scheme, colon, rest = text.partition(":")
    if not colon or not scheme.isalnum():
        return 0, max(1, len(scheme))
    start = len(scheme) + 1
    wrong = re.search(r"[\s<>\"]|%(?![0-9A-Fa-f]{2})", text)
    if wrong is not None:
        return wrong.start(), 1
    host = start + rest.rfind("@") + 1
    if "port" in reason:
        host = text.rfind(":") + 1
    elif "user" in reason:
        return start, max(1, host - start)
    elif "parameter" in reason and ";" in text:
        host = text.index(";", host)
    return host, max(1, len(text) - host)


def read_pattern(text: str, ignore_case: bool) -> re.Pattern[str]:
    """A pattern: Python's regular expressions over ASCII, where `$` is the very end.

    Refuses a repetition inside a repetition, which takes exponential time on a hostile text.
    """
    try:
        with warnings.catch_warnings():  # "possible nested set": Python means to read `[[` in another way some day
            warnings.simplefilter("ignore")
            parsed = regular.parse(text)
            # Python's `$` also stands before a last line end, which would let "123\n" pass for digits only.
            pattern = re.compile(_to_the_end(text), re.ASCII | (re.IGNORECASE if ignore_case else 0))
    except re.error as error:
        offset = min(error.pos or 0, len(text) - 1)
        raise BadLiteral(f"this pattern can't be read: {error.msg}", offset, 1) from None
    except (RecursionError, OverflowError):
        raise BadLiteral("this pattern nests too deeply, or counts too far", 0, len(text)) from None
    if _repeats_within(parsed, False):
        hint = "a sender could choose a text that takes forever; make the inner one possessive, as in `\\d++`"
        raise BadLiteral("a repetition inside a repetition", 0, len(text), hint)
    return pattern


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)


_NO_WAY_BACK = (regular.ATOMIC_GROUP, regular.POSSESSIVE_REPEAT)


def _to_the_end(text: str) -> str:
    return "".join(r"\Z" if token == "$" else token for token in _TOKEN.findall(text))


def _repeats_within(parsed: Any, inside: bool) -> bool:
    for operation, argument in parsed:
        if operation in (regular.MAX_REPEAT, regular.MIN_REPEAT):
            endless = argument[1] is regular.MAXREPEAT
            if (endless and inside) or _repeats_within(argument[2], inside or endless):
                return True
        elif any(_repeats_within(part, inside and operation not in _NO_WAY_BACK) for part in _parts(argument)):
            return True
    return False


def _parts(argument: Any) -> list[Any]:
    """The patterns inside the argument of one operation."""
    if isinstance(argument, regular.SubPattern):
        return [argument]
    if isinstance(argument, (tuple, list)):
        return [part for inner in argument for part in _parts(inner)]
    return []
