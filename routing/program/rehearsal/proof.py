"""What a phone answers to a challenge: the client's side of digest authentication (RFC 7616 as RFC 3261 22 uses it)."""

from __future__ import annotations

import re
from typing import NamedTuple

from sipcore.digest import ALGORITHMS, Algorithm, Credentials, expected_response, ha1
from sipcore.message import Response

_CNONCE = b"a test's own nonce"
_PARAMETER = re.compile(r'([a-z]+)=(?:"([^"]*)"|([^\s,"]+))', re.IGNORECASE)


class Challenge(NamedTuple):
    """One challenge that a phone can answer; `header` is where the answer goes."""

    header: str
    realm: str
    nonce: str
    algorithm: Algorithm


def challenge_of(response: Response) -> Challenge | None:
    """The first challenge of a 401 or 407 whose algorithm is known (RFC 8760 section 2.4)."""
    name, header = (
        ("www-authenticate", "Authorization")
        if response.status == 401
        else ("proxy-authenticate", "Proxy-Authorization")
    )
    for value in response.all(name):
        found = {
            match[1].lower(): match[2] or match[3] or ""
            for match in _PARAMETER.finditer(value.decode("utf-8", "surrogateescape"))
        }
        algorithm = ALGORITHMS.get(found.get("algorithm", "MD5").lower())
        if algorithm is not None and "nonce" in found:
            return Challenge(header, found.get("realm", ""), found["nonce"], algorithm)
    return None


def prove(challenge: Challenge, username: str, password: str, method: str, uri: str) -> str:
    """The value of the header that answers a challenge."""
    middle = b"%b:00000001:%b:auth" % (challenge.nonce.encode(), _CNONCE)
    credentials = Credentials(
        username, challenge.realm, challenge.nonce, uri, b"", challenge.algorithm, "auth", 1, _CNONCE, middle
    )
    secret = ha1(challenge.algorithm, username, challenge.realm, password)
    answer = expected_response(credentials, challenge.algorithm, secret, method)
    return (
        f'Digest username="{username}", realm="{challenge.realm}", nonce="{challenge.nonce}", uri="{uri}", '
        f'response="{answer}", algorithm={challenge.algorithm.name}, qop=auth, nc=00000001, cnonce="{_CNONCE.decode()}"'
    )
