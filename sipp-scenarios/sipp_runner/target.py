"""Which server the cases are run against, and who may register there."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from sipp_runner.accounts import Account
from sipp_runner.probe import wait_until_answered

CALLER = Account("1001", "caller-secret")
CALLEE = Account("1002", "callee-secret")


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is running."""

    host: str
    port: int
    domain: str = "example.com"
    caller: Account = CALLER
    callee: Account = CALLEE

    @property
    def remote(self) -> str:
        return f"{self.host}:{self.port}"

    def is_there(self, limit: float = 3.0) -> bool:
        """Whether it answers OPTIONS over UDP, or takes a TCP connection, within `limit` seconds each."""
        if wait_until_answered(self.host, self.port, limit):
            return True
        try:
            socket.create_connection((self.host, self.port), limit).close()
        except OSError:
            return False
        return True

    def own_address(self) -> str:
        """Our address as the server sees it; nothing is sent to learn it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((self.host, self.port))
            return str(probe.getsockname()[0])


def parse_target(text: str) -> tuple[str, int]:
    """HOST or HOST:PORT."""
    host, colon, port = text.partition(":")
    if not host or (colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port) if port else 5060
