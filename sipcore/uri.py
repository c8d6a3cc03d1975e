"""SIP, SIPS and tel URIs (RFC 3261 section 19.1, RFC 3966), kept as received and compared as the RFC says."""

from __future__ import annotations

import re
from functools import lru_cache

from sipcore.errors import Malformed
from sipcore.host import parse_host

UriParameters = tuple[tuple[str, str | None], ...]

_SIP = re.compile(
    r"(sips?):(?:([^@<>\"\s]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::([0-9]+))?((?:;[^;?@<>\"\s]*)*)(\?[^@<>\"\s]*)?",
    re.IGNORECASE | re.ASCII,
)
_TEL = re.compile(r"(\+[0-9\-.()]+|[0-9A-Fa-f*#\-.()]+)((?:;[^;?@<>\"\s]*)*)", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(\S+)", re.ASCII)
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPED_TEXT = re.compile(r"%[0-9A-Fa-f]{2}")
_UNSAFE = re.compile(r"[\x00-\x20\x7f<>\"]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_NEVER_IGNORED = ("transport", "user", "ttl", "method", "maddr")
_SEPARATORS = str.maketrans("", "", "-.()")
_REMEMBERED = 256
"""Only shorter texts are remembered, so that the count bounds the memory of the cache."""


class Uri:
    """An immutable URI. `text` is as received.

    For sip and sips: `user` is as received (escapes kept, its own parameters too; "" when absent), `host` is in
    comparable form (`parse_host`: lower case, IPv6 without brackets), `port` is 0 when absent, `parameters` hold
    (lower-case name, value as received or None), `headers` begin with the question mark. For tel: `user` is the
    number as received, and `parameters`. For all but sip and sips `rest` holds what follows the colon; for unknown
    schemes nothing else does. Made of parts that hold white space, control characters, quotes or angle brackets it
    raises ValueError.
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
        text = self._joined()
        if _UNSAFE.search(text):
            raise ValueError(f"not fit for a URI: {text!r}")  # would end the request line or the brackets around it
        return text

    def _joined(self) -> str:
        parameters = _write_parameters(self.parameters)
        if self.scheme not in ("sip", "sips"):
            return f"{self.scheme}:{self.rest or self.user + parameters}"
        userinfo = self.user if self.password is None else f"{self.user}:{self.password}"
        host = f"[{self.host}]" if ":" in self.host else self.host
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
            rest="" if self.scheme == "tel" else self.rest,
        )

    def address_of_record(self) -> str:
        """The canonical `user@host` key of a user: unescaped user, comparable host, nothing else (10.3 step 5).

        A tel URI gives `number@` without visual separators; an unknown scheme gives its whole text.
        """
        if self.scheme == "tel":
            return self.user.translate(_SEPARATORS) + "@"
        return f"{unescape(self.user)}@{self.host}" if self.host else self.text


def parse_uri(text: str) -> Uri:
    """Parse a URI; raises `Malformed` for broken sip, sips and tel URIs, keeps unknown schemes whole."""
    return _remember(text) if len(text) < _REMEMBERED else _parse(text)


def _parse(text: str) -> Uri:
    match = _SIP.fullmatch(text)
    if match is None:
        return _parse_other(text)
    if _BAD_ESCAPE.search(text):
        raise Malformed("Malformed escape in URI")
    scheme, userinfo, host, port_text, parameter_text, headers = match.groups()
    port = int(port_text) if port_text and len(port_text) < 6 else 0
    if port_text is not None and not 0 < port < 65536:
        raise Malformed("Malformed port in URI")
    user, colon, password = (userinfo or "").partition(":")
    if userinfo is not None and not user:
        raise Malformed("Malformed user in URI")
    return Uri(
        scheme.lower(),
        user,
        parse_host(host),
        port,
        _parameters(parameter_text) if parameter_text else (),
        headers or "",
        password if colon else None,
        text,
    )


_remember = lru_cache(maxsize=8192)(_parse)


def _parse_other(text: str) -> Uri:
    match = _SCHEME.fullmatch(text)
    scheme = match[1].lower() if match else "sip"
    if match is None or scheme in ("sip", "sips"):
        raise Malformed("Malformed URI")
    if scheme != "tel":
        return Uri(scheme, "", "", text=text, rest=match[2])
    number = _TEL.fullmatch(match[2])
    if number is None or not number[1].translate(_SEPARATORS).lstrip("+") or _BAD_ESCAPE.search(text):
        raise Malformed("Malformed tel URI")
    return Uri(scheme, number[1], "", 0, _parameters(number[2]) if number[2] else (), text=text, rest=match[2])


def _parameters(text: str) -> UriParameters:
    found: list[tuple[str, str | None]] = []
    for part in text[1:].split(";"):
        name, equals, value = part.partition("=")
        if not name:
            raise Malformed("Malformed parameter in URI")
        found.append((_comparable(name).lower(), value if equals else None))
    return tuple(found)


def _write_parameters(parameters: UriParameters) -> str:
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in parameters)


def unescape(text: str) -> str:
    """Undo %-escapes once (RFC 3261 section 19.1.2); never twice. A NUL stays in its place."""
    if "%" not in text:
        return text
    raw = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def _comparable(text: str) -> str:
    """One spelling for what 19.1.4 calls equal: only unreserved characters equal their escapes."""
    return _ESCAPED_TEXT.sub(_comparable_escape, text) if "%" in text else text


def _comparable_escape(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in _UNRESERVED else match[0].upper()


def equivalent(a: Uri, b: Uri) -> bool:
    """Whether two URIs are equal by the rules of RFC 3261 section 19.1.4 or, for tel, RFC 3966 section 4.

    This is no equivalence relation (parameters that only one URI has are ignored), so there is no key for it.
    """
    if a.text == b.text:
        return True
    if a.scheme != b.scheme:
        return False
    if a.scheme == "tel":
        return _tel_key(a) == _tel_key(b)
    if a.scheme not in ("sip", "sips"):
        return a.rest == b.rest
    return (
        a.host == b.host
        and a.port == b.port  # a missing port is not 5060
        and _comparable(a.user) == _comparable(b.user)
        and _comparable_or_none(a.password) == _comparable_or_none(b.password)
        and _parameters_match(_comparable_parameters(a), _comparable_parameters(b))
        and _header_fields(a) == _header_fields(b)
    )


def _comparable_or_none(text: str | None) -> str | None:
    return None if text is None else _comparable(text)


def _comparable_parameters(uri: Uri) -> dict[str, str]:
    return {name: _comparable(value or "").lower() for name, value in uri.parameters}


def _parameters_match(a: dict[str, str], b: dict[str, str]) -> bool:
    if any(b[name] != value for name, value in a.items() if name in b):
        return False
    return all((name in a) == (name in b) for name in _NEVER_IGNORED)


def _header_fields(uri: Uri) -> list[tuple[str, str]]:
    """The header components, never ignored and in any order."""
    fields = (part.partition("=") for part in uri.headers[1:].split("&")) if uri.headers else ()
    return sorted((_comparable(name).lower(), _comparable(value)) for name, _, value in fields)


def _tel_key(uri: Uri) -> tuple[str, list[tuple[str, str]]]:
    """Visual separators and case mean nothing in a number; every parameter counts, in any order."""
    values = [(name, _comparable(value or "").lower()) for name, value in uri.parameters]
    numbers = ("ext", "isub", "phone-context")
    return uri.user.translate(_SEPARATORS).lower(), sorted(
        (name, value.translate(_SEPARATORS) if name in numbers and not value.strip("+0123456789-.()") else value)
        for name, value in values
    )
