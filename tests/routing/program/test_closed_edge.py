"""The edge of servers that are only tried out: which flow leads where, and by which listener."""

from __future__ import annotations

import pytest

from routing.program.closed_edge import ClosedEdge
from routing.program.listen import Listen
from sipcore.errors import Unresolvable
from sipcore.flow import Target
from sipcore.net.settings import EdgeSettings

UDP, TCP, TCP6 = Listen("udp", "10.0.0.1", 5060), Listen("tcp", "10.0.0.1", 5070), Listen("tcp", "2001:db8::1", 5060)


def edge(*listens: Listen) -> ClosedEdge:
    return ClosedEdge(EdgeSettings(listens))


def test_a_target_has_one_flow_while_it_is_open() -> None:
    closed = edge(UDP, TCP)
    target = Target("tcp", "10.0.0.9", 5060)
    flow = closed.open_flow(target)
    assert closed.open_flow(target) is flow
    flow.closed = True
    again = closed.open_flow(target)
    assert again is not flow
    assert closed.flow(target) is again


def test_a_flow_leaves_by_the_first_listener_of_its_transport_and_ip_version() -> None:
    closed = edge(UDP, Listen("udp", "10.0.0.2", 5060), TCP, TCP6)
    assert closed.open_flow(Target("udp", "10.0.0.9", 5060)).local == ("10.0.0.1", 5060)
    assert closed.open_flow(Target("tcp", "10.0.0.9", 5060)).local == ("10.0.0.1", 5070)
    assert closed.open_flow(Target("tcp", "2001:db8::9", 5060)).local == ("2001:db8::1", 5060)
    assert closed.open_flow(Target("udp", "10.0.0.9", 5061)).remote == ("10.0.0.9", 5061)


def test_what_is_advertised_is_what_peers_see() -> None:
    closed = edge(Listen("udp", "10.0.0.1", 5060, "sip.example.com:5080"))
    assert closed.open_flow(Target("udp", "10.0.0.9", 5060)).sent_by == "sip.example.com:5080"


def test_calling_by_a_stream_needs_no_listener() -> None:
    closed = edge(UDP)
    assert closed.listener("tls", "10.0.0.9") is None
    assert closed.open_flow(Target("tls", "10.0.0.9", 5061, "example.net")).local == ("10.0.0.1", 5060)
    assert edge().open_flow(Target("tcp", "10.0.0.9", 5061)).local == ("127.0.0.1", 5060)


@pytest.mark.parametrize("transport", ["ws", "sctp", "wss"])
def test_nobody_is_called_by_what_is_not_there(transport: str) -> None:
    with pytest.raises(Unresolvable, match=f"no {transport} here"):
        edge(UDP).open_flow(Target(transport, "10.0.0.9", 5060))


def test_a_new_flow_is_kept_for_nobody() -> None:
    closed = edge(TCP)
    target = Target("tcp", "10.0.0.9", 5060)
    first, second = closed.new_flow(target, "phone"), closed.new_flow(target)
    assert first is not second
    assert (first.edge, second.edge) == ("phone", None)
    assert closed.flow(target) not in (first, second)
