"""From, To, Contact, Route and their kin: a display name, a URI and parameters (RFC 3261 section 20.10)."""

from __future__ import annotations

import re
from functools import lru_cache

from sipcore.errors import Malformed
from sipcore.message.parameters import Parameters, parameter, parse_parameters, unquote
from sipcore.uri import Uri, parse_uri

_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# Tokens, and characters beyond ASCII, which are legal only in quotes but met outside.
_TOKENS = re.compile(r"[A-Za-z0-9\-.!%*_+`'~ \t\x80-\U0010ffff]*")
_URI = re.compile(r'<([^<>"\s]*)>', re.ASCII)
_TAG = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]+").fullmatch
_SHORT = 128
"""Only shorter addresses are remembered, so that the count bounds the memory of the cache."""


class NameAddr:
    """One address, immutable.

    `display` is without quotes; `parameters` are the header's, not the URI's; `tag` is "" when there is none.
    """

    __slots__ = ("_uri", "display", "parameters", "tag", "uri_text")

    def __init__(
        self, display: str, uri_text: str, parameters: Parameters, uri: Uri | None = None, tag: str | None = None
    ) -> None:
        self.display = display
        self.uri_text = uri_text
        self.parameters = parameters
        self.tag = (parameter(parameters, "tag") or "") if tag is None else tag
        self._uri = uri

    @property
    def uri(self) -> Uri:
        """The URI, parsed when first asked for; `Malformed` when it is none."""
        if self._uri is None:
            self._uri = parse_uri(self.uri_text)
        return self._uri

    def parameter(self, name: str) -> str | None:
        """A header parameter: None when absent, "" when without a value."""
        return parameter(self.parameters, name)


def parse_name_addr(value: bytes) -> NameAddr:
    """Parse a name-addr or addr-spec with header parameters.

    Without angle brackets everything behind the first semicolon belongs to the header, and the URI may hold no
    comma or question mark (RFC 3261 section 20.10).
    """
    usual = _usual(value)
    return NameAddr(*split_name_addr(value)) if usual is None else usual


def split_name_addr(value: bytes) -> tuple[str, str, Parameters]:
    """The display name, the text of the URI and the parameters of an address."""
    text = value.decode("utf-8", "surrogateescape").strip(" \t")
    quoted = _QUOTED.match(text) if text[:1] == '"' else None
    end = quoted.end() if quoted else text.find("<")
    if quoted:
        while text[end : end + 1] in (" ", "\t"):
            end += 1
    elif end < 0:
        return "", *_addr_spec(text)
    elif not _TOKENS.fullmatch(text, 0, end):
        raise Malformed("Malformed display name")
    uri = _URI.match(text, end)
    if uri is None:
        raise Malformed("Malformed address")
    display = unquote(quoted[0]) if quoted else text[:end].strip(" \t")
    return display, uri[1], parse_parameters(text[uri.end() :])


def _addr_spec(text: str) -> tuple[str, Parameters]:
    uri_text, semicolon, tail = text.partition(";")
    uri_text = uri_text.rstrip(" \t")
    if not uri_text or any(mark in uri_text for mark in '<>"?, \t'):
        raise Malformed("Malformed address")
    return uri_text, parse_parameters(semicolon + tail)


def _usual(value: bytes) -> NameAddr | None:
    """The shapes of every day, `... <uri>` and `... <uri>;tag=token`: None when it is another one, or malformed."""
    head, mark, tag = value.rpartition(b">;tag=")
    if mark:
        if len(head) < _SHORT and _TAG(tag):
            address = _address(head)
            if address is not None:
                display, uri_text, uri = address
                text = tag.decode()
                return NameAddr(display, uri_text, (("tag", text),), uri, text)
    elif value[-1:] == b">" and len(value) < _SHORT:
        address = _address(value[:-1])
        if address is not None:
            display, uri_text, uri = address
            return NameAddr(display, uri_text, (), uri, "")
    return None


@lru_cache(maxsize=8192)
def _address(head: bytes) -> tuple[str, str, Uri] | None:
    """What stands before the closing bracket: the same users again and again."""
    try:
        display, uri_text, parameters = split_name_addr(head + b">")
        return None if parameters else (display, uri_text, parse_uri(uri_text))
    except Malformed:
        return None
