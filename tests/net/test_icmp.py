"""Which ICMP errors mean that a peer can't be reached (RFC 3261 section 18.4)."""

from __future__ import annotations

import socket
import struct

import pytest

from sipcore.net.icmp import read_errors

PEER = ("198.51.100.7", 5060)
LOCAL, ICMP, ICMP6 = 1, 2, 3


class ErrorQueue(socket.socket):
    """A socket with made-up errors in its queue."""

    def __init__(self, *errors: tuple[int, int, bytes]) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.errors = list(errors)

    def recvmsg(self, *_: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, tuple[str, int]]:  # type: ignore[override]
        if not self.errors:
            raise BlockingIOError
        return b"", [self.errors.pop(0)], 0, PEER


def error(
    origin: int, kind: int, code: int, level: int = socket.IPPROTO_IP, option: int = 11
) -> tuple[int, int, bytes]:
    return level, option, struct.pack("=IBBBBII", 111, origin, kind, code, 0, 0, 0) + bytes(16)


@pytest.mark.row("C32")
@pytest.mark.conformance("RFC 3261 18.4")
@pytest.mark.parametrize(
    ("queued", "failed"),
    [
        (error(ICMP, 3, 3), True),  # port unreachable
        (error(ICMP, 3, 1), True),  # host unreachable
        (error(ICMP, 3, 13), True),  # prohibited
        (error(ICMP, 12, 0), True),  # parameter problem
        (error(ICMP, 3, 4), False),  # fragmentation needed
        (error(ICMP, 11, 0), False),  # time exceeded
        (error(ICMP, 4, 0), False),  # source quench
        (error(LOCAL, 0, 0), False),
        (error(ICMP6, 1, 4), True),
        (error(ICMP6, 4, 1), True),
        (error(ICMP6, 2, 0), False),  # packet too big
        (error(ICMP6, 3, 0), False),
        ((socket.IPPROTO_IP, socket.IP_TTL, struct.pack("=I", 64)), False),
    ],
)
def test_an_error_is_a_failure_or_not(queued: tuple[int, int, bytes], failed: bool) -> None:
    with ErrorQueue(queued) as udp:
        assert read_errors(udp) == ([PEER] if failed else [])


def test_the_whole_queue_is_read_within_a_bound() -> None:
    with ErrorQueue(*[error(ICMP, 3, 3)] * 1_000) as udp:
        assert 100 < len(read_errors(udp)) < 1_000
        while read_errors(udp):
            pass
        assert udp.errors == []
