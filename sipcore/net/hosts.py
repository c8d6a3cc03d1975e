"""The hosts file: names that are answered without asking anybody (hosts(5))."""

from __future__ import annotations

import os
from pathlib import Path

from sipcore.locate import canonical_address

HOSTS_FILE = Path("/etc/hosts")
_FRESH = 5.0
_LOCALHOST = ("127.0.0.1", "::1")


class HostsFile:
    """Names and addresses of a hosts file, read again when it changed; looked at every 5 s at most."""

    def __init__(self, path: Path = HOSTS_FILE) -> None:
        self._path = path
        self._looked_at = -_FRESH
        self._seen: tuple[int, int] | None = None
        self._names: dict[str, tuple[str, ...]] = {"localhost": _LOCALHOST}

    def addresses(self, name: str, now: float) -> tuple[str, ...] | None:
        """The addresses of a name in lower case, or None when the file does not have it."""
        if now - self._looked_at >= _FRESH:
            self._looked_at = now
            self._look()
        return self._names.get(name)

    def _look(self) -> None:
        try:
            status = os.stat(self._path)
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._seen, self._names = seen, _parse(self._path.read_text("utf-8", "replace"))
        except OSError:  # none: then only the name that needs no file (RFC 6761 section 6.3)
            self._seen, self._names = None, {"localhost": _LOCALHOST}


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        fields = line.partition("#")[0].split()
        address = canonical_address(fields[0]) if fields else None
        for field in fields[1:] if address is not None else ():
            name = field.lower().removesuffix(".")
            if address is not None and address not in names.get(name, ()):
                names[name] = (*names.get(name, ()), address)
    names.setdefault("localhost", _LOCALHOST)
    return names
