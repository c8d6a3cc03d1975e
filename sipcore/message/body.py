"""What a body holds: the session description in it, alone or among the parts of a multipart body."""

from __future__ import annotations

from collections.abc import Callable

from sipcore.errors import Malformed
from sipcore.message.content_type import first_word, parse_content_type
from sipcore.message.multipart import split_parts

DEEPEST = 8
"""How many multipart bodies may stand in each other; phones nest two at most (RFC 5621 section 4.3)."""
_SDP = "application/sdp"
_PLAIN = frozenset({"", "identity", "binary", "8bit", "7bit"})

Header = Callable[[str], bytes | None]
"""The value of a header field by its key, None when there is none."""


def find_sdp(header: Header, body: bytes, depth: int = 0) -> bytes | None:
    """The session description of a message or part; None when there is none, or none that can be read.

    One that is compressed, encrypted or encoded can't be, nor one for something else than the session itself (RFC
    3261 section 20.11; RFC 3959). `Malformed` when it can't be told.
    """
    value = header("content-type")
    if value is None or not body:
        return None
    kind = parse_content_type(value)
    if kind.name == _SDP:
        return body if _is_readable(header) and _is_of_the_session(header) else None
    if not kind.name.startswith("multipart/") or not _is_readable(header):
        return None
    if depth == DEEPEST:
        raise Malformed("Multipart bodies nested too deeply")
    parts = split_parts(kind, body)
    if kind.name == "multipart/alternative":
        parts.reverse()  # the last one that is understood is the one that is meant (RFC 5621 section 6.1)
    for part in parts:
        found = find_sdp(part.headers.get, part.content, depth + 1)
        if found is not None:
            return found
    return None


def _is_readable(header: Header) -> bool:
    encodings = (header("content-encoding"), header("content-transfer-encoding"))
    return all((value or b"").lower().decode("latin-1") in _PLAIN for value in encodings)


def _is_of_the_session(header: Header) -> bool:
    value = header("content-disposition")
    return value is None or first_word(value) == "session"
