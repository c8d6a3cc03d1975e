"""Addresses are compared by value, networks by prefix."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.language.networks import Networks, address_number, same_address


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        (["10.0.0.0/8"], "10.255.1.2", True),
        (["10.0.0.0/8"], "11.0.0.0", False),
        (["10.0.0.0/8", "192.0.2.1"], "192.0.2.1", True),
        (["10.0.0.0/8", "192.0.2.1"], "192.0.2.2", False),
        (["2001:db8::/32"], "2001:DB8:0:0::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", True),
        (["0.0.0.0/0"], "203.0.113.9", True),
        (["0.0.0.0/0"], "::1", False),
        (["::/0"], "203.0.113.9", False),
        (["10.0.0.0/8"], "example.com", False),
        (["10.0.0.0/8"], "", False),
        ([], "10.0.0.1", False),
    ],
)
def test_membership(networks: list[str], address: str, inside: bool) -> None:
    assert (address in Networks(networks)) is inside
    assert Networks(networks).has(address) is inside


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "example.com", "", "1.2.3"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Networks([text])


def test_networks_show_what_they_were_made_of() -> None:
    assert repr(Networks(["10.0.0.0/8", "::1"])) == "Networks(10.0.0.0/8, ::1)"


def test_only_text_can_be_inside() -> None:
    assert 167772161 not in Networks(["10.0.0.0/8"])


def test_spelling_does_not_count() -> None:
    assert same_address("2001:db8::1", "2001:0DB8:0:0:0:0:0:1")
    assert same_address("[::1]", "::1")
    assert same_address("::ffff:192.0.2.1", "192.0.2.1")
    assert not same_address("192.0.2.1", "192.0.2.2")
    assert not same_address("example.com", "example.com")  # no address equals nothing


@given(st.ip_addresses(), st.lists(st.tuples(st.ip_addresses(), st.integers(0, 128)), max_size=5))
def test_membership_is_what_the_standard_library_says(address: object, wanted: list[tuple[object, int]]) -> None:
    networks = [ipaddress.ip_network((str(one), min(bits, one.max_prefixlen)), strict=False) for one, bits in wanted]
    plain = getattr(address, "ipv4_mapped", None) or address
    assert (str(address) in Networks(map(str, networks))) is any(plain in network for network in networks)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    number = address_number(text)
    assert number is None or number[0] in (32, 128)
