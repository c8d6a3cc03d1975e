"""Header field names: any spelling, long or compact, to one key (RFC 3261 sections 7.3.1, 7.3.3 and 20)."""

from __future__ import annotations

import re

from sipcore.errors import Malformed

COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "n": "identity-info", "o": "event", "r": "refer-to", "s": "subject",
    "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}  # fmt: skip
"""Compact form to key, from the IANA registry of SIP header fields."""

_PRETTY = (
    "Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info "
    "Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length "
    "Content-Type CSeq Date Diversion Error-Info Event Expires Flow-Timer From History-Info Identity In-Reply-To "
    "Max-Breadth Max-Forwards MIME-Version Min-Expires Min-SE Organization P-Asserted-Identity "
    "P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason "
    "Record-Route Refer-To Referred-By Reject-Contact Remote-Party-ID Replaces Reply-To Request-Disposition Require "
    "Retry-After Route RSeq Server Service-Route Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State "
    "Supported Timestamp To Unsupported User-Agent Via Warning WWW-Authenticate"
)

PRETTY = {name.lower(): name.encode() for name in _PRETTY.split()}
"""Key to the spelling we write."""

_TOKEN = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]+")


class _Keys(dict[bytes, str]):
    """The spellings met every day, and any other token; KeyError for what begins with white space (a folded line)."""

    def __missing__(self, name: bytes) -> str:
        if name[:1] in (b" ", b"\t"):
            raise KeyError(name)
        return key_of(name)


def _spellings() -> _Keys:
    known = _Keys()
    for key, pretty in PRETTY.items():
        for spelling in (pretty, pretty.lower(), pretty.upper(), pretty.title()):
            known[spelling] = key
    for letter, key in COMPACT.items():
        known[letter.encode()] = known[letter.upper().encode()] = key
    return known


KNOWN = _spellings()
"""What stood before the colon to its key: one look-up for a usual spelling, else a parse; `Malformed` for no token."""


def key_of(name: bytes) -> str:
    """The key of a header name as it stood before the colon; white space there is legal (RFC 3261 HCOLON).

    Raises `Malformed` for anything that is not a token: a control character is never taken for white space.
    """
    name = name.rstrip(b" \t")
    if not _TOKEN.fullmatch(name):
        raise Malformed("Malformed header name")
    key = name.lower().decode("ascii")
    return COMPACT.get(key, key)


def spelling(key: str) -> bytes:
    """How we write the header of this key: the RFC's spelling, or each word with a capital."""
    return PRETTY.get(key) or key.title().encode()
