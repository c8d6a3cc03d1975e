"""Opening listening sockets, and saying in one sentence why one can't be opened."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress

from sipcore.flow import host_port
from sipcore.net.addresses import interface_addresses
from sipcore.net.port_owner import port_owner
from sipcore.net.settings import EdgeSettings, Listen

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors that say that the process or the machine has no descriptor or memory left for one more socket."""
_BACKLOG = 1_024
# Not in the socket module of Python 3.11; from linux/in.h and asm-generic/socket.h.
_IP_MTU_DISCOVER, _PMTUDISC_DONT = 10, 0
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33


def is_wildcard(host: str) -> bool:
    """Whether `host` stands for all addresses of its family."""
    return host in ("0.0.0.0", "::")


def advertised(advertise: str, port: int) -> str:
    """`advertise` with the port of the socket when it names none; "" stays ""."""
    if not advertise or advertise.rpartition("]")[2].find(":") >= 0:
        return advertise
    return f"{advertise}:{port}"


def open_udp(listen: Listen, settings: EdgeSettings) -> socket.socket:
    """A bound, non-blocking UDP socket; raises OSError."""
    opened = _bound(listen, socket.SOCK_DGRAM, settings.reuse_port)
    for option, force in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        try:
            opened.setsockopt(socket.SOL_SOCKET, force, settings.socket_buffer)
        except PermissionError:  # within the system's limit then
            opened.setsockopt(socket.SOL_SOCKET, option, settings.socket_buffer)
    if opened.family == socket.AF_INET:
        # A datagram longer than the path allows is fragmented on its way instead of lost.
        opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DONT)
    return opened


def open_tcp(listen: Listen, settings: EdgeSettings) -> socket.socket:
    """A bound, listening, non-blocking TCP socket; raises OSError."""
    opened = _bound(listen, socket.SOCK_STREAM, settings.reuse_port)
    try:
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _bound(listen: Listen, kind: socket.SocketKind, reuse_port: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:  # a restart must not wait for connections of the last run
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind((listen.host, listen.port))
    except OSError:
        opened.close()
        raise
    return opened


def why_not(listen: Listen, error: OSError) -> str:
    """One sentence for the operator: what can't be opened, why, and what to do."""
    where = f"{listen.transport}:{host_port(listen.host, listen.port)}"
    if error.errno == errno.EADDRINUSE:
        owner = port_owner(listen.transport, listen.port)
        return f"{where}: the port is in use{f' by {owner}' if owner else ''}; stop that program or listen elsewhere"
    if error.errno == errno.EADDRNOTAVAIL:
        with suppress(OSError):
            wanted = ":" in listen.host
            own = [address for _, address in interface_addresses() if (":" in address) == wanted]
            return f"{where}: this machine has no such address; its own are {', '.join(own) or 'none'}"
    if error.errno == errno.EACCES:
        return f"{where}: not allowed; ports below 1024 need CAP_NET_BIND_SERVICE, or listen at a higher port"
    if error.errno == errno.EAFNOSUPPORT:
        return f"{where}: this machine has no {'IPv6' if ':' in listen.host else 'IPv4'}"
    return f"{where}: can't listen: {os.strerror(error.errno or 0)}"
