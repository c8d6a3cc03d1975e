"""Numbers as ENUM wants them (RFC 6116 sections 3.1 and 3.2)."""

from __future__ import annotations

import re

_SEPARATORS = str.maketrans("", "", "-.() ")
_E164 = re.compile(r"\+[0-9]{1,15}", re.ASCII)


def application_unique_string(number: str) -> str | None:
    """`+` and the digits of a number, or None when it is no E.164 number."""
    plain = number.translate(_SEPARATORS)
    return plain if _E164.fullmatch(plain) else None


def domain_of(unique: str, suffix: str) -> str:
    """The domain that holds the records of a number: its digits turned round, with dots between them."""
    return ".".join([*reversed(unique[1:]), suffix])
