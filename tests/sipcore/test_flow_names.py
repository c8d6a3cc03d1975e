"""The stack names connections that peers have made, and tells who asked when one has ended."""

from __future__ import annotations

from sipcore.flow import Flow
from sipcore.stack import Stack
from sipcore.transaction.user import TransactionUser
from tests.wire import Wire, new_tokens

US, PEER = ("10.0.0.1", 5060), ("10.0.0.2", 40_000)


def stack_of(random: bytes = b"") -> Stack:
    tokens = new_tokens()
    if random:
        tokens.random_bytes = lambda size: random[:size]
    return Stack(user=_Nobody(), open_flow=Wire().peer(*US).open_flow, tokens=tokens)


class _Nobody(TransactionUser):
    """Takes no requests."""


def test_each_connection_has_a_name_of_its_own() -> None:
    stack = stack_of()
    flows = [Flow("tcp", US, PEER) for _ in range(3)]
    for flow in flows:
        stack.flow_opened(flow, 1.0)
    assert [stack.flows[flow.name] for flow in flows] == flows
    assert len({flow.name for flow in flows}) == 3
    assert all("-" not in flow.name for flow in flows)


def test_names_of_two_runs_differ() -> None:
    names = set()
    for random in (b"abcdef", b"ghijkl"):
        flow = Flow("tcp", US, PEER)
        stack_of(random).flow_opened(flow, 1.0)
        names.add(flow.name)
    assert len(names) == 2


def test_the_end_of_a_connection_is_told_once_it_has_no_name_any_more() -> None:
    stack = stack_of()
    flow = Flow("ws", US, PEER)
    stack.flow_opened(flow, 1.0)
    heard: list[tuple[Flow, bool]] = []
    stack.when_flow_ends.append(lambda ended: heard.append((ended, ended.name in stack.flows)))
    flow.closed = True
    stack.flow_lost(flow, 2.0)
    assert heard == [(flow, False)]
    assert stack.timers.now == 2.0


def test_a_refused_datagram_is_no_end() -> None:
    stack = stack_of()
    heard: list[Flow] = []
    stack.when_flow_ends.append(heard.append)
    stack.flow_lost(Flow("udp", US, PEER), 2.0)
    assert heard == []


def test_a_flow_has_the_text_of_its_route() -> None:
    for transport, word in (
        ("udp", ""),
        ("tcp", ";transport=tcp"),
        ("tls", ";transport=tls"),
        ("wss", ";transport=ws"),
    ):
        flow = Flow(transport, ("2001:db8::1", 5060), PEER)
        assert flow.route_suffix == f"@[2001:db8::1]:5060{word};lr>".encode()
    assert Flow("tls", US, PEER, "sip.example.com:5061", alias=True).via_prefix == (
        b"Via: SIP/2.0/TLS sip.example.com:5061;alias;branch="
    )
