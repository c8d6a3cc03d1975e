"""Where a REGISTER came from, and when that, and not its Contact, is the way back."""

from __future__ import annotations

import pytest

from modules.registrar.source import connection_for, received_for, source_of
from sipcore.flow import Flow
from sipcore.message.source import mark_source
from sipcore.uri import parse_uri
from tests.platforms import SERVER, register


def received(contact: str, remote: tuple[str, int], via: str = "", transport: str = "udp", *headers: str) -> str | None:
    request = register(*headers, via=via or f"{remote[0]}:{remote[1]}")
    flow = Flow(transport, SERVER, remote)
    mark_source(request, flow.remote)
    return received_for(parse_uri(contact), source_of(request, flow))


PUBLIC = ("192.0.2.7", 34275)


@pytest.mark.parametrize(
    ("contact", "via", "expected"),
    [
        ("sip:a@192.0.2.7:34275", "", None),  # what it says is true
        ("sip:a@192.0.2.7:5060", "", None),  # sends from another port than it listens on
        ("sip:a@192.168.1.5:5060", "192.168.1.5:5060", "sip:192.0.2.7:34275"),
        ("sip:a@192.168.1.5:5060", "other.example.org", "sip:192.0.2.7:34275"),  # private, and seen from outside
        ("sip:a@198.51.100.1", "198.51.100.1", "sip:192.0.2.7:34275"),  # its idea of itself is wrong
        ("sip:a@198.51.100.1", "", None),  # a third party registers a phone elsewhere
        ("sip:a@pc33.example.org", "", None),
        ("sip:a@df7jal23ls0d.invalid;transport=ws", "df7jal23ls0d.invalid", "sip:192.0.2.7:34275"),
    ],
)
def test_when_the_source_is_the_way_back(contact: str, via: str, expected: str | None) -> None:
    assert received(contact, PUBLIC, via) == expected


def test_within_a_private_network_a_contact_elsewhere_is_meant() -> None:
    assert received("sip:a@10.0.0.9", ("10.0.0.2", 5060)) is None
    assert received("sip:a@192.168.1.5", ("10.0.0.2", 5060), "192.168.1.5") == "sip:10.0.0.2:5060"


def test_the_transport_is_said_when_it_is_not_udp() -> None:
    assert received("sip:a@192.168.1.5", PUBLIC, "192.168.1.5", "tcp") == "sip:192.0.2.7:34275;transport=tcp"
    ipv6 = ("2001:db8::7", 5062)
    assert received("sip:a@192.168.1.5", ipv6, "192.168.1.5", "udp") == "sip:[2001:db8::7]:5062"


@pytest.mark.parametrize("via", ["192.168.1.5;branch=z9hG4bKx, SIP/2.0/UDP 192.168.1.6", "192.168.1.5"])
def test_behind_a_proxy_the_source_is_the_proxy(via: str) -> None:
    more = () if "," in via else ("Via: SIP/2.0/UDP 192.168.1.6;branch=z9hG4bKy",)
    assert received("sip:a@192.168.1.5", PUBLIC, via, "udp", *more) is None


@pytest.mark.parametrize(
    ("transport", "contact", "via", "kept"),
    [
        ("tcp", "sip:a@192.0.2.7:5060;transport=tcp", "192.0.2.7:5060", True),
        ("tcp", "sip:a@192.168.1.5;transport=tcp", "192.168.1.5", True),
        ("tcp", "sip:a@198.51.100.1", "192.0.2.7", False),  # for somebody else
        ("udp", "sip:a@192.0.2.7:34275", "192.0.2.7", False),  # can be made again at any time
    ],
)
def test_which_connections_are_kept(transport: str, contact: str, via: str, kept: bool) -> None:
    request = register(via=via)
    flow = Flow(transport, SERVER, PUBLIC)
    mark_source(request, flow.remote)
    source = source_of(request, flow)
    uri = parse_uri(contact)
    assert (connection_for(uri, received_for(uri, source), source) is flow) is kept


def test_the_socket_is_named_as_kamailio_does() -> None:
    request = register()
    mark_source(request, PUBLIC)
    assert source_of(request, Flow("tcp", ("2001:db8::1", 5060), PUBLIC)).socket == "tcp:[2001:db8::1]:5060"
