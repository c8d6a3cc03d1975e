"""SIP, SIPS and tel URIs (RFC 3261 section 19.1, RFC 3966), kept as received and compared as the RFC says."""

from __future__ import annotations

import re
from functools import lru_cache

from sipcore.errors import Malformed

UriParameters = tuple[tuple[str, str | None], ...]

_SIP = re.compile(
    r"(sips?):(?:([^@<>\"\s]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::([0-9]+))?((?:;[^;?@<>\"\s]*)*)(\?[^@<>\"\s]*)?",
    re.IGNORECASE | re.ASCII,
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(\S+)", re.ASCII)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Uri:
    """An immutable URI. `text` is as received.

    For sip and sips: `user` is as received (escapes kept; "" when absent), `host` is in lower case (IPv6 without
    brackets), `port` is 0 when absent, `parameters` hold (lower-case name, value or None). For any other scheme all
    of `user`, `host` and parameters are empty and `rest` holds what follows the colon.
    """

    __slots__ = ("headers", "host", "parameters", "password", "port", "rest", "scheme", "text", "user")

    def __init__(
        self,
        scheme: str,
        user: str,
        host: str,
        port: int = 0,
        parameters: UriParameters = (),
        headers: str = "",
        password: str | None = None,
        text: str | None = None,
        rest: str = "",
    ) -> None:
        self.scheme = scheme
        self.user = user
        self.password = password
        self.host = host
        self.port = port
        self.parameters = parameters
        self.headers = headers
        self.rest = rest
        self.text = text if text is not None else self._write()

    def _write(self) -> str:
        if self.scheme not in ("sip", "sips"):
            return f"{self.scheme}:{self.rest}"
        userinfo = self.user if self.password is None else f"{self.user}:{self.password}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        parameters = "".join(f";{name}" if value is None else f";{name}={value}" for name, value in self.parameters)
        return (
            f"{self.scheme}:{userinfo + '@' if userinfo else ''}{host}{f':{self.port}' if self.port else ''}"
            f"{parameters}{self.headers}"
        )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Uri({self.text!r})"

    def parameter(self, name: str) -> str | None:
        """A URI parameter: None when absent, "" when without a value."""
        for key, value in self.parameters:
            if key == name:
                return value or ""
        return None

    def replace(
        self,
        *,
        scheme: str | None = None,
        user: str | None = None,
        host: str | None = None,
        port: int | None = None,
        parameters: UriParameters | None = None,
        headers: str | None = None,
    ) -> Uri:
        """A copy with some parts changed."""
        return Uri(
            self.scheme if scheme is None else scheme,
            self.user if user is None else user,
            self.host if host is None else host,
            self.port if port is None else port,
            self.parameters if parameters is None else parameters,
            self.headers if headers is None else headers,
            self.password if user is None else None,
            rest=self.rest,
        )

    def address_of_record(self) -> str:
        """The canonical `user@host` key of a user: unescaped user, lower-case host, nothing else (10.3 step 5)."""
        return f"{unescape(self.user)}@{self.host}"


@lru_cache(maxsize=8192)
def parse_uri(text: str) -> Uri:
    """Parse a URI; raises `Malformed` for broken sip and sips URIs, keeps unknown schemes whole."""
    match = _SIP.fullmatch(text)
    if match is None:
        other = _SCHEME.fullmatch(text)
        if other is None or other[1].lower() in ("sip", "sips"):
            raise Malformed("Malformed URI")
        return Uri(other[1].lower(), "", "", text=text, rest=other[2])
    scheme, userinfo, host, port_text, parameter_text, headers = match.groups()
    port = int(port_text) if port_text and len(port_text) < 6 else 0
    if port_text is not None and not 0 < port < 65536:
        raise Malformed("Malformed port in URI")
    user, colon, password = (userinfo or "").partition(":")
    if userinfo is not None and (not user or _BAD_ESCAPE.search(userinfo)):
        raise Malformed("Malformed user in URI")
    return Uri(
        scheme.lower(),
        user,
        host.strip("[]").lower(),
        port,
        _parameters(parameter_text) if parameter_text else (),
        headers or "",
        password if colon else None,
        text,
    )


def _parameters(text: str) -> UriParameters:
    found: list[tuple[str, str | None]] = []
    for part in text[1:].split(";"):
        name, equals, value = part.partition("=")
        if not name or _BAD_ESCAPE.search(part):
            raise Malformed("Malformed parameter in URI")
        found.append((name.lower(), value if equals else None))
    return tuple(found)


def unescape(text: str) -> str:
    """Undo %-escapes once (RFC 3261 section 19.1.2); never twice."""
    if "%" not in text:
        return text
    raw = text.encode("utf-8", "surrogateescape")
    undone = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), raw)
    return undone.decode("utf-8", "surrogateescape")
