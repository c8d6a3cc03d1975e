"""The CSeq header field: sequence number and method (RFC 3261 section 20.16)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sipcore.errors import Malformed

_CSEQ = re.compile(rb"([0-9]{1,20})[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)")

_SHORT = 64
"""Only shorter values are remembered, so that the count bounds the memory of the cache."""


class CSeq(NamedTuple):
    """Sequence number below 2**31 (RFC 3261 section 8.1.1.5) and method."""

    number: int
    method: str


def parse_cseq(value: bytes) -> CSeq:
    """Parse a CSeq value."""
    return _remember(value) if len(value) < _SHORT else _parse(value)


def _parse(value: bytes) -> CSeq:
    match = _CSEQ.fullmatch(value)
    if match is None:
        raise Malformed("Malformed CSeq")
    number = int(match[1])
    if number >= 2**31:
        raise Malformed("CSeq number too large")
    return CSeq(number, match[2].decode("ascii"))


_remember = lru_cache(maxsize=4096)(_parse)
