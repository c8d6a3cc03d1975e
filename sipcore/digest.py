"""Digest access authentication, the server's side: parse credentials, calculate responses, write challenges.

RFC 7616 as SIP uses it (RFC 3261 section 22.4, RFC 8760). Everything works on bytes, since the hashes do; the parser
is strict and linear, and raises nothing but `Malformed`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sipcore.errors import Malformed


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha512_256(data: bytes) -> str:
    return hashlib.new("sha512_256", data).hexdigest()


class Algorithm(NamedTuple):
    """One entry of the IANA registry "Hash Algorithms for HTTP Digest Authentication"."""

    name: str
    hash: Callable[[bytes], str]
    session: bool = False
    """A -sess variant: HA1 is hashed once more with nonce and cnonce (RFC 7616 section 3.4.2)."""

    @property
    def family(self) -> str:
        """The name without -sess: which stored HA1 is meant."""
        return self.name.removesuffix("-sess")


STRONGEST_FIRST = (Algorithm("SHA-512-256", _sha512_256), Algorithm("SHA-256", _sha256), Algorithm("MD5", _md5))
"""The order of challenges (RFC 8760 section 2.3)."""

ALGORITHMS = {algorithm.name.lower(): algorithm for algorithm in STRONGEST_FIRST} | {
    f"{algorithm.name}-sess".lower(): Algorithm(f"{algorithm.name}-sess", algorithm.hash, True)
    for algorithm in STRONGEST_FIRST
}
"""Lower-case name to algorithm."""
MD5 = ALGORITHMS["md5"]


class Credentials(NamedTuple):
    """One Authorization or Proxy-Authorization value.

    `nonce`, `uri` and `cnonce` are as they stood between the quotes, because that is what was hashed; `username` and
    `realm` are without quoted-pairs. `algorithm` is None when we don't know it. `qop` is "" when absent.
    """

    username: str
    realm: str
    nonce: str
    uri: str
    response: bytes
    algorithm: Algorithm | None
    qop: str
    nonce_count: int
    cnonce: bytes
    middle: bytes
    """What is hashed between HA1 and HA2: nonce, nonce count, cnonce and qop, or the nonce alone (RFC 2069)."""


# RFC 3261 section 25.1: digest-response and auth-param. Possessive, so that a broken value is found out in one pass.
_TOKEN = rb"[A-Za-z0-9\-.!%*_+`'~]++"
_VALUE = rb'"(?:[^"\\]++|\\[\x00-\x7f])*+"'
_PARAMETER = rb"[ \t]*+(%b)[ \t]*+=[ \t]*+(?:%b|%b)[ \t]*+" % (_TOKEN, _VALUE, _TOKEN)
_PLAIN = _PARAMETER.replace(b"(" + _TOKEN + b")", _TOKEN)
_CREDENTIALS = re.compile(rb"digest(?:[ \t]++(%b(?:,%b)*+))?+[ \t]*+" % (_PLAIN, _PLAIN), re.IGNORECASE | re.DOTALL)
_EACH = re.compile(_PARAMETER.replace(b"(?:" + _VALUE + b"|" + _TOKEN + b")", b"(" + _VALUE + b"|" + _TOKEN + b")"))
_SCHEME = re.compile(rb"digest(?![A-Za-z0-9\-.!%*_+`'~])", re.IGNORECASE)
_NONCE_COUNT = re.compile(rb"[0-9A-Fa-f]{8}")
_REQUIRED = (b"username", b"realm", b"nonce", b"uri", b"response")


def parse_credentials(value: bytes) -> Credentials | None:
    """Parse one header value; None for a scheme other than Digest, `Malformed` for a broken one.

    Refused here, so that nobody has to think of it later: a parameter that stands twice or is missing, `qop` without
    `cnonce`, and a nonce count that is not eight hexadecimal digits or is zero (RFC 7616 section 3.4).
    """
    match = _CREDENTIALS.fullmatch(value)
    if match is None:
        if _SCHEME.match(value):
            raise Malformed("Malformed digest credentials")
        return None
    pairs = _EACH.findall(match[1] or b"")
    found = {name.lower(): text[1:-1] if text[:1] == b'"' else text for name, text in pairs}
    if len(found) != len(pairs):
        raise Malformed("Digest parameter given twice")
    try:
        username, realm, nonce, uri, response = [found[name] for name in _REQUIRED]
    except KeyError as missing:
        raise Malformed(f"No {missing.args[0].decode()} in digest credentials") from None
    algorithm = found.get(b"algorithm")
    qop = found.get(b"qop", b"")
    count = cnonce = b""
    if qop:
        count, cnonce = found.get(b"nc", b""), found.get(b"cnonce", b"")
        if not cnonce:
            raise Malformed("No cnonce in digest credentials")
        if not _NONCE_COUNT.fullmatch(count) or count == b"00000000":
            raise Malformed("Malformed nonce count")
    return Credentials(
        _text(username),
        _text(realm),
        nonce.decode("utf-8", "surrogateescape"),
        uri.decode("utf-8", "surrogateescape"),
        response.lower(),
        MD5 if algorithm is None else ALGORITHMS.get(algorithm.lower().decode("latin-1")),
        qop.lower().decode("latin-1"),
        int(count or b"0", 16),
        cnonce,
        b"%b:%b:%b:%b" % (nonce, count, cnonce, qop) if qop else nonce,
    )


_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


def _text(content: bytes) -> str:
    if b"\\" in content:
        content = _QUOTED_PAIR.sub(rb"\1", content)
    return content.decode("utf-8", "surrogateescape")


def ha1(algorithm: Algorithm, username: str, realm: str, password: str) -> str:
    """The hash that is stored in place of a password: H(username:realm:password), in lower-case hexadecimal."""
    return algorithm.hash(f"{username}:{realm}:{password}".encode())


def expected_response(credentials: Credentials, algorithm: Algorithm, stored_ha1: str, method: str) -> str:
    """What `response` must be for these credentials when the secret is `stored_ha1` (RFC 7616 section 3.4.1).

    Without qop it is calculated as RFC 2069 did.
    """
    digest = algorithm.hash
    if algorithm.session:
        nonce = credentials.nonce.encode("utf-8", "surrogateescape")
        stored_ha1 = digest(b"%b:%b:%b" % (stored_ha1.encode(), nonce, credentials.cnonce))
    ha2 = digest(f"{method}:{credentials.uri}".encode("utf-8", "surrogateescape"))
    return digest(b"%b:%b:%b" % (stored_ha1.encode(), credentials.middle, ha2.encode()))


def right_response(credentials: Credentials, algorithm: Algorithm, stored_ha1: str, method: str) -> bool:
    """Whether the response was made with this secret; takes the same time wherever the first difference is."""
    expected = expected_response(credentials, algorithm, stored_ha1, method)
    return hmac.compare_digest(expected.encode(), credentials.response)


def challenge(realm: str, nonce: str, algorithm: Algorithm, stale: bool = False) -> bytes:
    """One WWW-Authenticate or Proxy-Authenticate value. `realm` must need no quoting: it is a domain name."""
    end = ", stale=true" if stale else ""
    return f'Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm={algorithm.name}{end}'.encode()


def algorithms_named(names: Iterable[str]) -> tuple[Algorithm, ...]:
    """The algorithms of these names, strongest first; ValueError for a name we don't have."""
    wanted = {name.lower() for name in names}
    chosen = tuple(algorithm for algorithm in STRONGEST_FIRST if algorithm.name.lower() in wanted)
    if len(chosen) != len(wanted):
        known = ", ".join(algorithm.name for algorithm in STRONGEST_FIRST)
        raise ValueError(f"unknown digest algorithm; known are {known}")
    return chosen
