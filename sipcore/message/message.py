"""Requests and responses: fields as received and in order, typed values parsed when asked for.

Rule 1: a header nobody touched leaves byte for byte as it came. Rule 2: what is set is read back at once. Rule 3: a
copy shares lines and typed values with its original; both are immutable, only the lists are owned.
"""

from __future__ import annotations

from typing import Self

from sipcore.errors import Malformed
from sipcore.message.body import find_sdp
from sipcore.message.cseq import CSeq, parse_cseq
from sipcore.message.layout import layout_of
from sipcore.message.name_addr import NameAddr, parse_name_addr
from sipcore.message.names import spelling
from sipcore.message.parameters import end_of_element, split_commas
from sipcore.message.status import reason_phrase
from sipcore.message.via import Via, parse_via
from sipcore.sdp import SessionDescription, parse_sdp
from sipcore.uri import Uri, parse_uri

_ABOUT_BODY = ("content-type", "content-encoding", "content-transfer-encoding", "content-disposition")
"""The headers that say what a body is."""
_TYPED = frozenset({"via", "cseq", "from", "to"})


def _line(name: str, value: bytes) -> bytes:
    if b"\n" in value or b"\r" in value:
        # Whatever a route or a module put into it must not become a header of its own.
        raise ValueError(f"line end in the value of {name}")
    return spelling(name) + b": " + value


def _behind_first(line: bytes) -> bytes:
    """A header line without the first value of its comma list; nothing when there is no other."""
    colon = line.index(b":") + 1
    rest = line[end_of_element(line, colon) + 1 :].strip(b" \t")
    return line[:colon] + b" " + rest if rest else b""


class Message:
    """What requests and responses have in common.

    `names[i]` is the key ("via", "call-id": lower case, long form) of the header line `lines[i]`, which holds the
    whole line as received, without CRLF and unfolded. The two lists always have the same length.
    """

    __slots__ = ("_cseq", "_from", "_sdp", "_to", "_via", "body", "lines", "names")

    names: list[str]
    lines: list[bytes]
    body: bytes
    _via: Via | None
    _cseq: CSeq | None
    _from: NameAddr | None
    _to: NameAddr | None
    _sdp: tuple[bytes, tuple[bytes | None, ...], SessionDescription | None] | None

    # -- raw access -------------------------------------------------------------------------------------------------

    def get(self, name: str) -> bytes | None:
        """The value of the first header line with this key, trimmed, or None."""
        try:
            line = self.lines[self.names.index(name)]
        except ValueError:
            return None
        return line[line.index(b":") + 1 :].strip(b" \t")

    def all(self, name: str) -> list[bytes]:
        """The values of all header lines with this key, in order; comma lists are not split."""
        return [
            line[line.index(b":") + 1 :].strip(b" \t")
            for key, line in zip(self.names, self.lines, strict=True)
            if key == name
        ]

    def elements(self, name: str) -> list[bytes]:
        """All values of a header that may be a comma list, one by one, in order; empty elements are left out."""
        found: list[bytes] = []
        for value in self.all(name):
            found += split_commas(value)
        return [value for value in found if value]

    def set(self, name: str, value: bytes) -> None:
        """Replace every line of this header by one (in the place of the first), or append it."""
        line = _line(name, value)
        try:
            at = self.names.index(name)
        except ValueError:
            self.names.append(name)
            self.lines.append(line)
        else:
            self.lines[at] = line
            for other in reversed(range(at + 1, len(self.names))):
                if self.names[other] == name:
                    del self.names[other], self.lines[other]
        self._forget(name)

    def append(self, name: str, value: bytes) -> None:
        """Add a header line behind all others; ValueError when the value holds a line end (also in set, prepend)."""
        self.names.append(name)
        self.lines.append(_line(name, value))
        if name in _TYPED:
            self._forget(name)

    def prepend(self, name: str, value: bytes) -> None:
        """Add a header line in front of the first line of the same header, or of all lines."""
        at = self.names.index(name) if name in self.names else 0
        self.names.insert(at, name)
        self.lines.insert(at, _line(name, value))
        self._forget(name)

    def remove(self, name: str) -> int:
        """Remove every line of this header, however it was spelled; returns how many there were."""
        count = self.names.count(name)
        for _ in range(count):
            at = self.names.index(name)
            del self.names[at], self.lines[at]
        self._forget(name)
        return count

    def _forget(self, name: str) -> None:
        if name == "via":
            self._via = None
        elif name == "from":
            self._from = None
        elif name == "to":
            self._to = None
        elif name == "cseq":
            self._cseq = None

    # -- typed values -----------------------------------------------------------------------------------------------

    @property
    def via(self) -> Via:
        """The topmost Via; `Malformed` when there is none or it can't be parsed."""
        if self._via is None:
            value = self.get("via")
            if value is None:
                raise Malformed("No Via")
            if b"," in value:
                value = split_commas(value)[0]
            self._via = parse_via(value)
        return self._via

    @property
    def cseq(self) -> CSeq:
        """The CSeq; `Malformed` when absent or broken."""
        if self._cseq is None:
            self._cseq = parse_cseq(self._required("cseq", "No CSeq"))
        return self._cseq

    @property
    def from_(self) -> NameAddr:
        """The From header; `Malformed` when absent or broken."""
        if self._from is None:
            self._from = parse_name_addr(self._required("from", "No From"))
        return self._from

    @property
    def to(self) -> NameAddr:
        """The To header; `Malformed` when absent or broken."""
        if self._to is None:
            self._to = parse_name_addr(self._required("to", "No To"))
        return self._to

    @property
    def call_id(self) -> bytes:
        """The Call-ID as received; `Malformed` when absent."""
        return self._required("call-id", "No Call-ID")

    def _required(self, name: str, missing: str) -> bytes:
        value = self.get(name)
        if value is None:
            raise Malformed(missing)
        return value

    @property
    def sdp(self) -> SessionDescription | None:
        """The session description in the body; None without one. `Malformed` when it can't be understood."""
        body, about = self.body, tuple(map(self.get, _ABOUT_BODY))
        known = self._sdp
        if known is None or known[0] is not body or known[1] != about:
            found = find_sdp(dict(zip(_ABOUT_BODY, about, strict=True)).get, body)
            known = self._sdp = body, about, None if found is None else parse_sdp(found)
        return known[2]

    def has_sdp(self) -> bool:
        """Whether the body says that it holds a session description, which may still be one that can't be parsed."""
        return find_sdp(self.get, self.body) is not None

    def remember(self, via: Via | None, cseq: CSeq | None, from_: NameAddr | None, to: NameAddr | None) -> None:
        """Take over typed values that were parsed from the present lines elsewhere."""
        self._via = via
        self._cseq = cseq
        self._from = from_
        self._to = to

    # -- Via --------------------------------------------------------------------------------------------------------

    def push_via(self, line: bytes) -> None:
        """Put our own Via line (whole, `Via: ...`) in front of all others."""
        try:
            at = self.names.index("via")
        except ValueError:
            at = 0
        self.names.insert(at, "via")
        self.lines.insert(at, line)
        self._via = None

    def replace_via(self, via: Via) -> None:
        """Put another value in the place of the topmost Via; values behind it in a comma list stay as they are."""
        at = self.names.index("via")
        line = self.lines[at]
        colon = line.index(b":") + 1
        if b"," in line:
            self.lines[at] = line[:colon] + b" " + via.value + line[end_of_element(line, colon) :]
        else:
            self.lines[at] = line[:colon] + b" " + via.value
        self._via = via

    def pop_via(self) -> None:
        """Remove the topmost Via value, also out of a comma list."""
        at = self.names.index("via")
        rest = _behind_first(self.lines[at]) if b"," in self.lines[at] else b""
        if rest:
            self.lines[at] = rest
        else:
            del self.names[at], self.lines[at]
        self._via = None

    def _copy_into(self, other: Message) -> None:
        other.names = self.names.copy()
        other.lines = self.lines.copy()
        other.body = self.body
        other._via = self._via
        other._cseq = self._cseq
        other._from = self._from
        other._to = self._to
        other._sdp = self._sdp

    def _write(self, start: bytes) -> bytes:
        if "content-length" in self.names:
            return b"%b\r\n%b\r\n\r\n%b" % (start, b"\r\n".join(self.lines), self.body)
        # Always written: streams need it (RFC 3261 section 18.3).
        return b"\r\n".join((start, *self.lines, b"Content-Length: %d" % len(self.body), b"", self.body))


class Request(Message):
    """A request. `uri_text` is the Request-URI as received (or set); `uri` is its parsed form."""

    __slots__ = ("_uri", "method", "uri_text")

    def __init__(
        self,
        method: str,
        uri_text: str,
        names: list[str],
        lines: list[bytes],
        body: bytes = b"",
        uri: Uri | None = None,
    ) -> None:
        self.method = method
        self.uri_text = uri_text
        self.names = names
        self.lines = lines
        self.body = body
        self._uri = uri
        self._via = self._cseq = self._from = self._to = self._sdp = None

    @property
    def uri(self) -> Uri:
        """The Request-URI; `Malformed` when it is none. Set it with a `Uri`."""
        if self._uri is None:
            self._uri = parse_uri(self.uri_text)
        return self._uri

    @uri.setter
    def uri(self, uri: Uri) -> None:
        self._uri = uri
        self.uri_text = uri.text

    def copy(self) -> Self:
        """A copy for a branch: edits stay in it."""
        other = type(self).__new__(type(self))
        self._copy_into(other)
        other.method = self.method
        other.uri_text = self.uri_text
        other._uri = self._uri
        return other

    def write(self) -> bytes:
        """The bytes for the wire."""
        return self._write(f"{self.method} {self.uri_text} SIP/2.0".encode("utf-8", "surrogateescape"))

    def response(self, status: int, reason: str = "", *, to_tag: str = "") -> Response:
        """The beginnings of a response to this request (RFC 3261 section 8.2.6.2).

        Copies Via, From, To (with `to_tag` added when it has no tag and the status is not 100), Call-ID, CSeq, and
        Record-Route for statuses that can make a dialog (12.1.1). `reason` is one line; "" is the usual phrase.
        """
        layout = layout_of(tuple(self.names))
        copied = layout.dialog_copied if 100 < status < 300 else layout.copied
        lines = [*copied.pick(self.lines)]
        response = Response(status, reason or reason_phrase(status), copied.names.copy(), lines)
        response.remember(self._via, self._cseq, self._from, self._to)
        if to_tag and status != 100 and not self.to.tag:
            lines[copied.to] += b";tag=" + to_tag.encode()
            response._to = None
        return response

    def __repr__(self) -> str:
        return f"<{self.method} {self.uri_text}>"


class Response(Message):
    """A response."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, names: list[str], lines: list[bytes], body: bytes = b"") -> None:
        self.status = status
        self.reason = reason
        self.names = names
        self.lines = lines
        self.body = body
        self._via = self._cseq = self._from = self._to = self._sdp = None

    def copy(self) -> Self:
        """A copy whose edits leave the original alone."""
        other = type(self).__new__(type(self))
        self._copy_into(other)
        other.status = self.status
        other.reason = self.reason
        return other

    def write(self) -> bytes:
        """The bytes for the wire."""
        return self._write(f"SIP/2.0 {self.status} {self.reason}".encode("utf-8", "surrogateescape"))

    def __repr__(self) -> str:
        return f"<{self.status} {self.reason}>"
