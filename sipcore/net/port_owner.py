"""Who holds a port, as far as /proc tells (proc(5)); for error messages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def port_owner(transport: str, port: int) -> str:
    """`name (process 123)` of a program that holds a local port, or "" when that is not to be found out."""
    inodes = set(_inodes("udp" if transport == "udp" else "tcp", port))
    if not inodes:
        return ""
    for process in _processes():
        if _holds(process, inodes):
            return f"{_name(process)} (process {process.name})"
    return ""


def _inodes(protocol: str, port: int) -> Iterator[str]:
    """Inodes of the sockets bound to a port; a line is `sl local_address rem_address st ... inode`."""
    for table in (protocol, protocol + "6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            is_listening = protocol == "udp" or fields[3] == "0A"  # TCP_LISTEN
            if is_listening and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _processes() -> Iterator[Path]:
    return (entry for entry in _PROC.iterdir() if entry.name.isdecimal())


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        numbers = os.listdir(process / "fd")
    except OSError:  # another user's process, or one that just ended
        return False
    return any(_inode(process / "fd" / number) in inodes for number in numbers)


def _inode(descriptor: Path) -> str:
    try:
        match = _SOCKET.fullmatch(os.readlink(descriptor))
    except OSError:  # closed in between
        return ""
    return match[1] if match else ""


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
