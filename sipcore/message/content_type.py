"""The Content-Type header field, and how a body is wrapped (RFC 3261 sections 20.11 to 20.15)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sipcore.errors import Malformed
from sipcore.message.parameters import Parameters, parse_parameters

_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_TYPE = re.compile(rf"({_TOKEN})[ \t]*/[ \t]*({_TOKEN})[ \t]*(;.*)?", re.DOTALL)
_WORD = re.compile(rf"({_TOKEN})[ \t]*(?:;.*)?", re.DOTALL)


class ContentType(NamedTuple):
    """`name` is type and subtype in lower case: "application/sdp"."""

    name: str
    parameters: Parameters


def parse_content_type(value: bytes) -> ContentType:
    """Parse a Content-Type value; `Malformed` when it is none."""
    return _parse(value.decode("utf-8", "surrogateescape"))


@lru_cache(maxsize=256)
def _parse(text: str) -> ContentType:
    match = _TYPE.fullmatch(text)
    if match is None:
        raise Malformed("Malformed Content-Type")
    return ContentType(f"{match[1]}/{match[2]}".lower(), parse_parameters(match[3] or ""))


def first_word(value: bytes | None) -> str:
    """The word in front of the parameters of a Content-Disposition, in lower case; "" when there is none."""
    match = _WORD.fullmatch((value or b"").decode("utf-8", "surrogateescape"))
    return match[1].lower() if match else ""
