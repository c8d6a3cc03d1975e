"""Asks a SIP server whether it is there: OPTIONS over UDP until something is answered."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable

_OPTIONS = (
    "OPTIONS sip:{host}:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {own_host}:{own_port};branch=z9hG4bK{token};rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:probe@{own_host}>;tag={token}\r\n"
    "To: <sip:{host}:{port}>\r\n"
    "Call-ID: {token}\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


def answers(host: str, port: int, wait: float = 0.2) -> bool:
    """Whether the server answers one OPTIONS, with whatever status, within `wait` seconds."""
    token = uuid.uuid4().hex
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(wait)
        try:
            # Connected, so that an ICMP "port unreachable" is seen at once.
            client.connect((host, port))
            own_host, own_port = client.getsockname()
            values = {"host": host, "port": port, "own_host": own_host, "own_port": own_port, "token": token}
            client.send(_OPTIONS.format(**values).encode())
            return token.encode() in client.recv(65_535)
        except OSError:
            return False


def wait_until_answered(host: str, port: int, limit: float, alive: Callable[[], bool] = lambda: True) -> bool:
    """Ask until an answer comes; False after `limit` seconds, or as soon as `alive` says that the server has ended."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and alive():
        if answers(host, port):
            return True
        time.sleep(0.02)
    return False
