"""From, To, Contact, Route and their kin: a display name, a URI and parameters (RFC 3261 section 20.10)."""

from __future__ import annotations

import re

from sipcore.errors import Malformed
from sipcore.message.parameters import Parameters, parameter, parse_parameters, unquote
from sipcore.uri import Uri, parse_uri

# Display name (quoted string, or tokens), URI in brackets, parameters.
_BRACKETED = re.compile(
    r"""[ \t]*("(?:[^"\\]|\\.)*"|[A-Za-z0-9\-.!%*_+`'~ \t\x80-\uffff]*)[ \t]*<([^<>"\s]*)>[ \t]*(;.*)?""",
    re.DOTALL,
)


class NameAddr:
    """One address. `display` is without quotes; `parameters` are the header's, not the URI's."""

    __slots__ = ("_uri", "display", "parameters", "uri_text")

    def __init__(self, display: str, uri_text: str, parameters: Parameters) -> None:
        self.display = display
        self.uri_text = uri_text
        self.parameters = parameters
        self._uri: Uri | None = None

    @property
    def uri(self) -> Uri:
        """The URI, parsed when first asked for; `Malformed` when it is none."""
        if self._uri is None:
            self._uri = parse_uri(self.uri_text)
        return self._uri

    @property
    def tag(self) -> str:
        """The `tag` parameter, or "" when there is none."""
        return parameter(self.parameters, "tag") or ""

    def parameter(self, name: str) -> str | None:
        """A header parameter: None when absent, "" when without a value."""
        return parameter(self.parameters, name)


def parse_name_addr(value: bytes) -> NameAddr:
    """Parse a name-addr or addr-spec with header parameters.

    Without angle brackets everything behind the first semicolon belongs to the header, and the URI may hold no
    comma or question mark (RFC 3261 section 20.10).
    """
    text = value.decode("utf-8", "surrogateescape")
    match = _BRACKETED.fullmatch(text)
    if match is not None:
        display, uri_text, tail = match.groups("")
        return NameAddr(unquote(display.strip(" \t")), uri_text, parse_parameters(tail) if tail else ())
    uri_text, semicolon, tail = text.strip(" \t").partition(";")
    uri_text = uri_text.rstrip(" \t")
    if not uri_text or any(mark in uri_text for mark in '<>"?, \t'):
        raise Malformed("Malformed address")
    return NameAddr("", uri_text, parse_parameters(semicolon + tail))
