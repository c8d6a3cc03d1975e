from __future__ import annotations

import pytest

from sipcore.flow import Flow, Target, host_port


@pytest.mark.parametrize(
    ("host", "port", "text"), [("192.0.2.1", 5060, "192.0.2.1:5060"), ("2001:db8::1", 5061, "[2001:db8::1]:5061")]
)
def test_host_and_port_are_written_as_sip_does(host: str, port: int, text: str) -> None:
    assert host_port(host, port) == text


def test_a_flow_carries_its_local_address_unless_another_is_advertised() -> None:
    flow = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.9", 40000))
    assert (flow.sent_by, flow.via_prefix) == ("192.0.2.1:5060", b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=")
    advertised = Flow("tcp", ("10.0.0.1", 5060), ("192.0.2.9", 40000), "sip.example.com")
    assert (advertised.sent_by, advertised.via_prefix) == (
        "sip.example.com",
        b"Via: SIP/2.0/TCP sip.example.com;branch=",
    )


def test_the_via_of_an_ipv6_flow_has_brackets() -> None:
    assert b" [2001:db8::1]:5060;" in Flow("udp", ("2001:db8::1", 5060), ("2001:db8::2", 5060)).via_prefix


@pytest.mark.parametrize(
    ("transport", "reliable"),
    [("udp", False), ("tcp", True), ("tls", True), ("sctp", True), ("ws", True), ("wss", True)],
)
def test_a_flow_knows_whether_its_transport_keeps_messages(transport: str, reliable: bool) -> None:
    assert Flow(transport, ("192.0.2.1", 1), ("192.0.2.2", 2)).reliable is reliable


def test_flows_are_compared_by_identity_and_can_be_read_in_a_log() -> None:
    first, second = (Flow("udp", ("192.0.2.1", 5060), ("2001:db8::2", 5062)) for _ in range(2))
    assert first != second
    assert repr(first) == "<Flow udp 192.0.2.1:5060 <-> [2001:db8::2]:5062>"
    assert not first.closed


def test_a_target_is_a_plain_tuple() -> None:
    target = Target("tls", "2001:db8::1", 5061, "example.com")
    assert target == ("tls", "2001:db8::1", 5061, "example.com")
    assert target.address == ("2001:db8::1", 5061)
    assert Target("udp", "192.0.2.1", 5060).domain == ""
