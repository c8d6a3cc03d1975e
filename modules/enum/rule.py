"""One NAPTR record of ENUM: whether it speaks of SIP, and the URI it makes of a number."""

from __future__ import annotations

import re

from modules.enum.pattern import compiled
from sipcore.errors import Malformed
from sipcore.uri import Uri, parse_uri

_LONGEST_URI = 512
_REFERENCE = re.compile(r"\\(.)", re.DOTALL)


def is_sip(service: str) -> bool:
    """Whether a service field (in upper case) holds the SIP service, among others or alone (RFC 6116 3.4.3)."""
    first, *services = service.split("+")
    if first != "E2U" and services[-1:] == ["E2U"]:
        first, services = "E2U", [first, *services[:-1]]  # the order of RFC 2916, which clients SHOULD know too (5.2)
    return first == "E2U" and "SIP" in services


def uri_of(regexp: str, unique: str) -> Uri:
    """What the substitution expression of a record makes of a number: a sip or sips URI, else `Malformed`."""
    expression, replacement, flags = _parts(regexp)
    found = compiled(expression, flags == "i").search(unique)
    if found is None:
        raise Malformed("It is not for this number")
    uri = parse_uri(_substituted(replacement, found))
    if uri.scheme not in ("sip", "sips"):
        raise Malformed("It leads to no SIP URI")
    return uri


def _parts(regexp: str) -> tuple[str, str, str]:
    """Expression, replacement and flags: whatever stands first is the delimiter, and stands there three times."""
    delimiter = regexp[:1]
    if not delimiter or delimiter.isalnum() or delimiter == "\\":
        raise Malformed("No delimiter")
    parts = [""]
    escaped = False
    for character in regexp[1:]:
        if character == delimiter and not escaped:
            parts.append("")
            continue
        if character == delimiter:
            parts[-1] = parts[-1][:-1]  # an escaped delimiter is that character
        parts[-1] += character
        escaped = character == "\\" and not escaped
    # Section 5.2: more or fewer delimiters are a mistake, and there is no safe way to guess what was meant.
    if len(parts) != 3 or parts[2] not in ("", "i"):
        raise Malformed("Malformed substitution")
    return parts[0], parts[1], parts[2]


def _substituted(replacement: str, found: re.Match[str]) -> str:
    def value(reference: re.Match[str]) -> str:
        character = reference[1]
        if not character.isdecimal():
            return character
        if int(character) > len(found.groups()):
            raise Malformed("Reference to no group")
        return found[int(character)] or ""

    text = _REFERENCE.sub(value, replacement)
    if len(text) > _LONGEST_URI or not text.isascii() or not text.isprintable():
        raise Malformed("Malformed URI")
    return text
