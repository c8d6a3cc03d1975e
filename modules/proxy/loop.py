"""Loop detection by a hash in the branch parameter (RFC 3261 section 16.3 step 4, RFC 5393 section 4.2)."""

from __future__ import annotations

from zlib import crc32

from sipcore.message import Request
from sipcore.tokens import BRANCH_COOKIE


def loop_hash(request: Request) -> str:
    """What decides where a request goes, as eight hexadecimal digits; taken as received, before any rewriting.

    A spiral comes back with another Request-URI and so with another hash; a loop comes back with the same one. The
    fields that RFC 5393 section 4.2.1 names are in: Request-URI, Route, Proxy-Require and Proxy-Authorization.
    """
    value = crc32(request.uri_text.encode("utf-8", "surrogateescape"))
    for name in _ROUTING:
        if name in request.names:
            for line in request.all(name):
                value = crc32(line, value)
    return f"{value:08x}"


_ROUTING = ("route", "proxy-require", "proxy-authorization")


def is_loop(request: Request, owner: str) -> bool:
    """Whether this request was here before, with everything that decides its way unchanged."""
    names = request.names
    if names.count("via") < 2 and b"," not in request.lines[names.index("via")]:
        return False
    mark = f"branch={BRANCH_COOKIE}{owner}-".encode()
    values = [value for value in request.elements("via")[1:] if mark in value]
    if not values:
        return False
    ending = "." + loop_hash(request)
    return any(_branch_of(value).endswith(ending) for value in values)


def _branch_of(value: bytes) -> str:
    return value.partition(b"branch=")[2].partition(b";")[0].strip(b" \t").decode("utf-8", "surrogateescape")
