"""The request that is explained: made from flags, or read from a `.sip` file."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from sipcore.errors import ConfigurationError, Malformed
from sipcore.flow import Target, host_port
from sipcore.message import parse_name_addr
from sipcore.uri import parse_uri

_LARGEST = 1_048_576
_WEB = frozenset({"ws", "wss"})
_NOWHERE = "browser.invalid"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of the request; empty where it says nothing."""

    method: str = ""
    from_: str = ""
    to: str = ""
    uri: str = ""
    headers: Sequence[str] = ()
    source: str = ""
    transport: str = "udp"
    file: Path | None = None


def source_of(asked: Asked) -> Target:
    """Where the request comes from: `--source 192.0.2.1:5062`."""
    host, port = asked.source or "127.0.0.1", "5060"
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(port)
        return Target(asked.transport, str(ip_address(host)), int(port))
    except ValueError:
        raise ConfigurationError(
            [f'--source: "{asked.source}" is no address, as in 192.0.2.1, 192.0.2.1:5062 or [2001:db8::1]:5062']
        ) from None


def request_of(asked: Asked, domain: str) -> bytes:
    """The bytes of the request; `domain` stands behind a user that was given alone."""
    return _of_file(asked.file) if asked.file is not None else _of_flags(asked, domain)


def _of_file(file: Path) -> bytes:
    """A file as people write them: line ends of any kind, and perhaps no end of the head."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigurationError([f"{file}: can't be read: {error.strerror}"]) from None
    if len(data) > _LARGEST:
        raise ConfigurationError([f"{file}: larger than {_LARGEST} bytes; this is no request"])
    data = data.lstrip(b"\r\n")
    if b"\r\n" not in data:
        data = data.replace(b"\n", b"\r\n")
    return data if b"\r\n\r\n" in data else data.rstrip(b"\r\n") + b"\r\n\r\n"


def _of_flags(asked: Asked, domain: str) -> bytes:
    method = (asked.method or "INVITE").upper()
    sender = _address("--from", asked.from_ or "1001", domain)
    if method == "REGISTER":
        receiver = _address("--to", asked.to, domain) if asked.to else sender
        uri = _uri(asked.uri, domain) if asked.uri else f"sip:{parse_name_addr(receiver.encode()).uri.host}"
    else:
        receiver = _address("--to", asked.to or asked.uri or "1002", domain)
        uri = _uri(asked.uri, domain) if asked.uri else parse_name_addr(receiver.encode()).uri_text
    where = _sent_by(asked)
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{asked.transport.upper()} {where};branch=z9hG4bK{_token()}",
        f"From: {sender};tag={_token()}",
        f"To: {receiver}",
        f"Call-ID: {_token()}@explain",
        f"CSeq: 1 {method}",
        "Max-Forwards: 70",
        *(_header(line) for line in asked.headers),
        "Content-Length: 0",
    ]
    if not any(line.lower().startswith("contact:") for line in asked.headers) and method in ("INVITE", "REGISTER"):
        user = parse_name_addr(sender.encode()).uri.user
        lines.insert(-1, f"Contact: <sip:{user}@{where}{';transport=ws' if asked.transport in _WEB else ''}>")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def _sent_by(asked: Asked) -> str:
    """Where a phone believes to be: a browser knows no address of its own (RFC 7118 section 5)."""
    source = source_of(asked)
    return _NOWHERE if asked.transport in _WEB else host_port(source.host, source.port)


def _address(flag: str, text: str, domain: str) -> str:
    """`1001`, `1001@example.com`, a URI, or a whole address with a name."""
    try:
        if "<" in text:
            parse_name_addr(text.encode("utf-8", "surrogateescape"))
            return text
        return f"<{_uri(text, domain)}>"
    except Malformed as malformed:
        raise ConfigurationError([f"{flag}: {text}: {malformed.reason}"]) from None


def _uri(text: str, domain: str) -> str:
    bare = (
        text if ":" in text.partition("@")[0] else f"sip:{text if '@' in text or '.' in text else f'{text}@{domain}'}"
    )
    try:
        parse_uri(bare)
    except Malformed as malformed:
        raise ConfigurationError([f"{text}: {malformed.reason}"]) from None
    return bare


def _header(line: str) -> str:
    if ":" not in line or any(mark in line for mark in "\r\n\0"):
        raise ConfigurationError([f'--header: "{line}" is no header, as in "X-Account: 7"'])
    return line


def _token() -> str:
    return secrets.token_hex(6)
