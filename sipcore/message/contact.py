"""The Contact header field: where a user can be reached (RFC 3261 sections 10.2.1 and 20.10)."""

from __future__ import annotations

import re
from typing import NamedTuple

from sipcore.errors import Malformed
from sipcore.message.message import Message
from sipcore.message.name_addr import NameAddr, split_name_addr
from sipcore.message.parameters import Parameters, parameter

LONGEST_EXPIRES = 2**32 - 1
"""Delta-seconds are at most this (RFC 3261 section 20.19); larger values are cut to it and never wrap."""
MALFORMED_EXPIRES = 3600
"""What a value that is no number stands for (RFC 3261 section 10.2.1.1)."""

_Q = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_DIGITS = re.compile(r"[0-9]+")


class Contact(NameAddr):
    """One Contact value. `q` is 1.0 when absent; `expires` is in seconds, None when absent."""

    __slots__ = ("expires", "q")

    def __init__(self, display: str, uri_text: str, parameters: Parameters) -> None:
        super().__init__(display, uri_text, parameters)
        self.q = _q(parameter(parameters, "q"))
        expires = parameter(parameters, "expires")
        self.expires = None if expires is None else parse_expires(expires)


class Contacts(NamedTuple):
    """All Contact values of a message; `wildcard` means a lone `*`, which comes without any contact."""

    wildcard: bool
    contacts: tuple[Contact, ...]


def parse_contact(value: bytes) -> Contact:
    """Parse one Contact value that is not `*`; `Malformed` also for a broken URI or q."""
    contact = Contact(*split_name_addr(value))
    _ = contact.uri
    return contact


def parse_contacts(message: Message) -> Contacts:
    """Parse every Contact value of a message, in order; `Malformed` when one is broken or `*` is not alone."""
    values = message.elements("contact")
    if b"*" not in values:
        return Contacts(False, tuple(map(parse_contact, values)))
    if len(values) > 1:
        raise Malformed("Contact * with other contacts")  # section 10.3 step 6
    return Contacts(True, ())


def parse_expires(text: str | bytes) -> int:
    """Seconds of an Expires value or `expires` parameter, clamped to `LONGEST_EXPIRES`; 3600 for what is no number."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if not _DIGITS.fullmatch(text):
        return MALFORMED_EXPIRES
    digits = text.lstrip("0") or "0"  # int() refuses thousands of digits
    return min(int(digits), LONGEST_EXPIRES) if len(digits) <= 10 else LONGEST_EXPIRES


def _q(text: str | None) -> float:
    if text is None:
        return 1.0
    if not _Q.fullmatch(text):
        raise Malformed("Malformed q")  # a guess would ring the devices in an order nobody asked for
    return float(text)
