"""This machine's addresses, as the kernel tells them."""

from __future__ import annotations

import socket

import pytest

from sipcore.net import addresses
from sipcore.net.addresses import OwnAddresses, interface_addresses, lan_address, source_address


def test_loopback_is_among_the_interfaces() -> None:
    found = interface_addresses()
    assert ("lo", "127.0.0.1") in found
    assert all(interface and address for interface, address in found)


def test_every_address_can_be_bound_to() -> None:
    for interface, address in interface_addresses():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        scope = (0, socket.if_nametoindex(interface)) if address.startswith("fe80:") else ()
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0, *scope))
            assert probe.getsockname()[0] == address


def test_a_link_local_peer_is_found_by_its_interface() -> None:
    for interface, address in interface_addresses():
        if address.startswith("fe80:"):
            assert source_address(address, socket.if_nametoindex(interface)) == address
    with pytest.raises(OSError, match="Invalid argument"):
        source_address("fe80::1")


@pytest.mark.parametrize(("peer", "own"), [("127.0.0.1", "127.0.0.1"), ("127.0.0.9", "127.0.0.1"), ("::1", "::1")])
def test_the_source_towards_a_peer(peer: str, own: str) -> None:
    assert source_address(peer) == own


def test_no_route_is_an_error() -> None:
    with pytest.raises(OSError, match=r"Network is unreachable|Permission denied"):
        source_address("255.255.255.255")


INTERFACES = [
    ("lo", "127.0.0.1"),
    ("docker0", "172.17.0.1"),
    ("eth0", "192.0.2.10"),
    ("wlan0", "192.0.2.77"),
    ("eth0", "fe80::1"),
    ("eth0", "2001:db8::10"),
]


def no_route(peer: str) -> str:
    raise OSError("unreachable")


@pytest.mark.parametrize(
    ("interfaces", "default", "printed"),
    [
        (INTERFACES, lambda peer: "192.0.2.77", "192.0.2.77"),
        (INTERFACES, lambda peer: "172.17.0.1", "192.0.2.10"),
        (INTERFACES, no_route, "192.0.2.10"),
        (INTERFACES[:2] + INTERFACES[4:], no_route, "2001:db8::10"),
        (INTERFACES[:2], no_route, None),
        (INTERFACES[:1], lambda peer: "127.0.0.1", None),
    ],
)
def test_the_address_to_print(
    monkeypatch: pytest.MonkeyPatch, interfaces: list[tuple[str, str]], default: object, printed: str | None
) -> None:
    monkeypatch.setattr(addresses, "interface_addresses", lambda: interfaces)
    monkeypatch.setattr(addresses, "source_address", default)
    assert lan_address() == printed


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "0:0::1", "::ffff:127.0.0.1", "sip.example.com"])
def test_own_hosts(host: str) -> None:
    assert OwnAddresses(["SIP.example.com"])(host)


@pytest.mark.parametrize("host", ["192.0.2.254", "2001:db8::254", "example.com", "0.0.0.0", "", "127.1", "224.0.0.1"])
def test_foreign_hosts(host: str) -> None:
    assert not OwnAddresses(["sip.example.com"])(host)


def test_addresses_are_read_again_when_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    present = [("eth0", "192.0.2.10")]
    now = [100.0]
    monkeypatch.setattr(addresses, "interface_addresses", lambda: present)
    own = OwnAddresses(now=lambda: now[0])
    assert own("192.0.2.10")
    present = [("eth0", "192.0.2.11")]
    now[0] += 9
    assert not own("192.0.2.11")
    now[0] += 2
    assert own("192.0.2.11")
    assert not own("192.0.2.10")
