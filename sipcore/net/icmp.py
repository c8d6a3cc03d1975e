"""ICMP errors of a UDP socket that is not connected, read from its error queue (Linux: IP_RECVERR, ip(7))."""

from __future__ import annotations

import socket
import struct

from sipcore.net.flows import SocketAddress

# Not in the socket module of Python 3.11; from linux/in.h, linux/in6.h and linux/errqueue.h.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_FROM_ICMP = 2
_FROM_ICMP6 = 3
_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # error number, origin, type, code, padding, and two that are not read
_MOST = 256

_UNREACHABLE, _PARAMETER_PROBLEM = 3, 12
_UNREACHABLE_6, _PARAMETER_PROBLEM_6 = 1, 4
_FRAGMENTATION_NEEDED = 4


def ask_for_errors(udp: socket.socket) -> None:
    """Let the kernel queue ICMP errors for this socket."""
    if udp.family == socket.AF_INET6:
        udp.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        udp.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def read_errors(udp: socket.socket) -> list[SocketAddress]:
    """Empty the error queue; returns the peers that can't be reached.

    RFC 3261 section 18.4: unreachable and parameter problem are failures, time exceeded and source quench are not.
    """
    failed: list[SocketAddress] = []
    for _ in range(_MOST):
        try:
            _, ancillary, _, address = udp.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        except OSError:  # empty
            break
        if address and any(_is_failure(level, kind, data) for level, kind, data in ancillary):
            failed.append(address)
    return failed


def _is_failure(level: int, kind: int, data: bytes) -> bool:
    if (level, kind) not in ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)):
        return False
    fields: tuple[int, ...] = _EXTENDED_ERROR.unpack_from(data)
    _, origin, icmp_type, code, *_ = fields
    if origin == _FROM_ICMP:
        return icmp_type == _PARAMETER_PROBLEM or (icmp_type == _UNREACHABLE and code != _FRAGMENTATION_NEEDED)
    return origin == _FROM_ICMP6 and icmp_type in (_UNREACHABLE_6, _PARAMETER_PROBLEM_6)
