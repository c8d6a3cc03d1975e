"""Addresses, hosts, transports and times as sentences have them."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address
from zoneinfo import ZoneInfo

from routing.language.problem import Span
from routing.language.stories.cursor import BadStep, Cursor

TRANSPORTS = ("udp", "tcp", "tls")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*", re.ASCII)
_PLACE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+|[0-9A-Fa-f:.]+))(?::([0-9]{1,5}))?", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{1,2}:\d{2}(?::\d{2})?)(?: ([A-Za-z][A-Za-z0-9_+/-]*))?", re.ASCII)


def place(cursor: Cursor, what: str) -> tuple[str, int] | None:
    """Take an address or a host, and its port (0: the usual one)."""
    span = cursor.here
    written = cursor.raw(what)
    if written is None:
        written = cursor.text(what)
    if written is None:
        return None
    bare = _address(written)
    if bare is not None:
        return bare, 0
    match = _PLACE.fullmatch(written)
    host = (match[1] or match[2]) if match else ""
    port = int(match[3] or 0) if match else 0
    if match is None or port > 65535 or not (_address(host) or _HOST.fullmatch(host)):
        hint = 'as in 192.0.2.7, "192.0.2.7:5070", "[2001:db8::7]:5070" or "sip.example.net"'
        raise BadStep(span, f"`{written}` is no address or host", hint)
    return _address(host) or host.lower(), port


def address(cursor: Cursor, what: str = "an IP address") -> tuple[str, int]:
    """Take an IP address, and its port (0: the usual one); there must be one."""
    span = cursor.here
    found = place(cursor, what)
    if found is None:
        raise cursor.wrong()
    if _address(found[0]) is None:
        raise BadStep(span, f"`{found[0]}` is no IP address", 'as in 192.0.2.7 or "192.0.2.7:5070"')
    return found


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    return _address(text) is not None


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def moment(text: str, span: Span) -> float:
    """Unix seconds of `2026-12-24 23:00 Europe/London`; without a time zone it is that of the machine."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadStep(span, f'"{text}" is no time', 'as in "2026-12-24 23:00" or "2026-12-24 23:00 Europe/London"')
    try:
        zone = ZoneInfo(match[3]) if match[3] else None
    except (KeyError, ValueError, OSError):
        raise BadStep(span.part(1 + match.start(3), len(match[3])), f"there is no time zone `{match[3]}`") from None
    try:
        hour, _, rest = match[2].partition(":")
        return datetime.fromisoformat(f"{match[1]} {hour:0>2}:{rest}").replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        raise BadStep(span, f'"{text}" is no time: there is no such day or hour') from None
