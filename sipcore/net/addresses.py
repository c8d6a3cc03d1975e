"""The addresses of this machine: which are ours, which one the kernel uses, which one to print for people."""

from __future__ import annotations

import array
import fcntl
import ipaddress
import socket
import struct
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sipcore.locate import canonical_address

# struct ifreq (netdevice(7)): 16 bytes of name, then a union whose largest member is 24 bytes on 64 bits, 16 on 32.
_INTERFACE_RECORD = 16 + (24 if struct.calcsize("P") == 8 else 16)
_GET_INTERFACES = 0x8912
_MOST_INTERFACES = 4_096
_IF_INET6 = Path("/proc/net/if_inet6")
_VIRTUAL = ("lo", "docker", "br-", "veth", "virbr", "cni", "flannel", "lxc", "podman")
# An address for documentation (RFC 5737): asking for the route to it sends nothing.
_FAR_AWAY = "198.51.100.1"
_DISCARD = 9
_FRESH = 10.0


def source_address(peer: str, scope: int = 0) -> str:
    """The local address that the kernel uses towards `peer`; raises OSError when there is no route.

    `scope` is the number of the interface at which a link-local peer is.
    """
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:  # connecting a UDP socket sends nothing
        probe.connect((peer, _DISCARD, 0, scope) if scope else (peer, _DISCARD))
        source: str = probe.getsockname()[0]
        return source


def interface_addresses() -> list[tuple[str, str]]:
    """(interface, address) of every address of this machine, IPv4 first."""
    return _addresses_4() + _addresses_6()


def _addresses_4() -> list[tuple[str, str]]:
    buffer = array.array("B", bytes(_INTERFACE_RECORD * _MOST_INTERFACES))
    request = struct.pack("iP", len(buffer), buffer.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        filled, _ = struct.unpack("iP", fcntl.ioctl(any_socket, _GET_INTERFACES, request))
    found = []
    for start in range(0, filled, _INTERFACE_RECORD):
        record = buffer[start : start + _INTERFACE_RECORD].tobytes()
        name = record[:16].partition(b"\0")[0].decode("utf-8", "replace").partition(":")[0]
        found.append((name, socket.inet_ntop(socket.AF_INET, record[20:24])))
    return found


def _addresses_6() -> list[tuple[str, str]]:
    try:
        lines = _IF_INET6.read_text().splitlines()
    except OSError:  # no IPv6
        return []
    fields = [line.split() for line in lines]
    return [(field[5], socket.inet_ntop(socket.AF_INET6, bytes.fromhex(field[0]))) for field in fields]


def lan_address() -> str | None:
    """The address to print for phones of the same network, or None when only loopback is up."""
    usable = [address for name, address in interface_addresses() if _is_usable(name, address)]
    try:
        default = source_address(_FAR_AWAY)
    except OSError:  # no default route
        default = ""
    return default if default in usable else next(iter(usable), None)


def _is_usable(interface: str, address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not (interface.startswith(_VIRTUAL) or parsed.is_loopback or parsed.is_link_local)


class OwnAddresses:
    """Tells whether a host is this machine: `own("192.0.2.1")`; read again when older than 10 s.

    `also` are further hosts that mean us: what listeners advertise. A name that is not among them is not ours.
    """

    def __init__(self, also: Iterable[str] = (), now: Callable[[], float] = time.monotonic) -> None:
        self._also = frozenset(host.lower() for host in also)
        self._now = now
        self._read_at = -_FRESH
        self._addresses: frozenset[str] = frozenset()

    def __call__(self, host: str) -> bool:
        """Whether `host` (an address without brackets, or a name) stands for this machine."""
        if host in self._also:
            return True
        address = canonical_address(host)
        if address is None:
            return False
        if self._now() - self._read_at > _FRESH:
            self._read_at = self._now()
            self._addresses = frozenset(address for _, address in interface_addresses())
        # Every address of 127.0.0.0/8 is this machine, though the interface names only the first.
        return address in self._addresses or address.startswith("127.")
