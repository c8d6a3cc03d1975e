"""`ringway cert self-signed`: a certificate for a start."""

from __future__ import annotations

import os
import socket
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from routing.program.config import find
from sipcore.errors import ConfigurationError, Malformed, RingwayError
from sipcore.host import parse_host
from sipcore.net.addresses import lan_address

CERTIFICATE, KEY = "cert.pem", "key.pem"
DAYS = 365

_DONE = """\
{certificate}: for {names}; good for {days} days
{key}: its key, readable by you alone

For ringway.toml, with "tls:0.0.0.0:5061" in listen:

[tls]
certificate = "{certificate}"
key         = "{key}"

Nobody but itself vouches for it: phones must be told to trust {certificate}.
"""


def make_self_signed(names: Sequence[str], folder: Path) -> str:
    """Write a certificate and its key into a folder, and say what to do with them; nothing is overwritten."""
    from sipcore.net.self_signed import self_signed  # takes its time, which no other command needs to wait

    certificate, key = folder / CERTIFICATE, folder / KEY
    for file in (certificate, key):
        if file.exists():
            raise RingwayError(f"{file} is there already; name another folder with --dir")
    texts = self_signed([_checked(name) for name in names], time.time(), DAYS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(key, texts[1], 0o600)
        _write(certificate, texts[0], 0o644)
    except OSError as error:
        raise RingwayError(f"{folder}: can't be written: {error.strerror}") from None
    return _DONE.format(certificate=certificate, key=key, names=", ".join(names), days=DAYS)


def default_names(environ: Mapping[str, str]) -> list[str]:
    """The domains of the configuration, however wrong it is as yet, or this machine's name; and its address."""
    try:
        data = tomllib.loads(find(None, environ).read_text("utf-8"))
        domains = [name for name in data["domains"] if isinstance(name, str)]
    except (ConfigurationError, OSError, ValueError, KeyError, TypeError):  # TOML's own error is a ValueError
        domains = []
    address = lan_address()
    return [*(domains or [socket.gethostname()]), *([address] if address else [])]


def _checked(name: str) -> str:
    try:
        return parse_host(f"[{name}]" if ":" in name else name)
    except Malformed:
        raise RingwayError(f"{name} is neither a domain name nor an address") from None


def _write(file: Path, text: bytes, mode: int) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as output:
        output.write(text)
