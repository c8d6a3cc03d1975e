"""Ports on loopback, and whether somebody listens on them."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing sockets, so that no client sits there by chance.
_RANGE = range(20_000, 32_000)


def free_port() -> int:
    """A port that is free on loopback for UDP and TCP alike at this moment."""
    for _ in range(200):
        port = random.choice(_RANGE)
        if _can_bind(socket.SOCK_DGRAM, port) and _can_bind(socket.SOCK_STREAM, port):
            return port
    raise OSError(f"no free port on {LOOPBACK} between {_RANGE.start} and {_RANGE.stop}")


def _can_bind(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_bound(transport: str, port: int) -> bool:
    """Whether a socket of this machine is bound to the port ("udp") or listens on it ("tcp")."""
    wanted = f":{port:04X}"
    for table in (transport, transport + "6"):
        for line in Path("/proc/net", table).read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(wanted) and (transport == "udp" or fields[3] == "0A"):
                return True
    return False
