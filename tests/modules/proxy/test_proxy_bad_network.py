"""Calls over a network that loses, repeats, delays and reorders: every INVITE ends, nothing is left behind."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.runtime import Context, Destination
from sipcore.uri import parse_uri
from tests.endpoint import Phone
from tests.serving import HOST, Server
from tests.wire import Wire

US = (HOST, 5060)
EVERYTHING_OVER = 400.0
"""Seconds after which every timer of RFC 3261 that these calls can set has run out (timer C is 181 s)."""


class Town:
    """One caller, a server that forks to some phones, and the phones."""

    def __init__(self, wire: Wire, answers: list[int], rings: float = 1.0) -> None:
        self.wire = wire

        async def route(context: Context) -> bool:
            await self.server.proxy.relay(context, self.bindings)
            return True

        self.server = Server(wire, route)
        self.caller = Phone(wire, "10.0.1.1", US)
        self.phones = [
            Phone(wire, f"10.0.2.{number}", US, rings=rings + number / 10, answer=answer)
            for number, answer in enumerate(answers, 1)
        ]
        self.bindings = [Destination(parse_uri(f"sip:callee@{phone.node.address[0]}")) for phone in self.phones]

    def calls(self, count: int) -> list[str]:
        """Dial `count` times, a few milliseconds apart, and let everything end."""
        names = [f"call-{number}" for number in range(count)]
        for number, name in enumerate(names):
            self.wire.at(number * 0.005, lambda name=name: self.caller.dial("sip:bob@example.com", name))  # type: ignore[misc]
        self.wire.run(EVERYTHING_OVER)
        return names

    def assert_nothing_left(self) -> None:
        """No transaction, timer or parked handler anywhere."""
        assert self.server.nothing_left()
        for phone in [self.caller, *self.phones]:
            assert not phone.stack.transactions.clients and not phone.stack.transactions.servers
            assert phone.stack.timers.pending() == 0
        assert all(
            node.stack.transactions.counters.unexpected_events == 0 for node in self.wire.nodes.values() if node.stack
        )


bad_networks = st.builds(
    Wire,
    loss=st.floats(0, 0.2),
    duplication=st.floats(0, 0.2),
    jitter=st.floats(0, 1.0),
    seed=st.integers(0, 2**32),
)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@pytest.mark.row("C24")
@pytest.mark.conformance("RFC 3261 13.3.1.4", "RFC 3261 16.7", "RFC 3261 17")
@few
@given(wire=bad_networks)
def test_every_answered_call_is_acknowledged_end_to_end(wire: Wire) -> None:
    town = Town(wire, [200])
    for name in town.calls(10):
        if town.caller.final.get(name) == 200:
            assert ("acknowledged", name) in town.phones[0].log
    town.assert_nothing_left()


@pytest.mark.conformance("RFC 3261 16.7", "RFC 3261 17")
@few
@given(wire=bad_networks)
def test_every_call_ends_with_a_final_response_or_a_time_out(wire: Wire) -> None:
    town = Town(wire, [486])
    names = town.calls(10)
    finals = sum(name in town.caller.final for name in names)
    timeouts = sum(entry[0] == "timeout" for entry in town.caller.log)
    assert finals + timeouts == len(names)
    town.assert_nothing_left()


@pytest.mark.row("C24")
@pytest.mark.conformance("RFC 3261 16.7", "RFC 3261 16.10")
@few
@given(wire=bad_networks, answers=st.lists(st.sampled_from([200, 486, 603, 404]), min_size=2, max_size=4))
def test_forked_calls_leave_no_phone_ringing(wire: Wire, answers: list[int]) -> None:
    town = Town(wire, answers)
    town.calls(5)
    town.assert_nothing_left()


@pytest.mark.conformance("RFC 3261 16.7", "RFC 3261 16.10")
def test_on_a_good_network_exactly_one_phone_answers_and_the_others_stop() -> None:
    town = Town(Wire(), [200, 200, 200])
    assert town.calls(1) == ["call-0"]
    assert town.caller.final == {"call-0": 200}
    assert [phone.log[0][0] for phone in town.phones] == ["answered 200", "cancelled", "cancelled"]
    town.assert_nothing_left()


@pytest.mark.conformance("RFC 3261 17")
def test_without_loss_no_message_is_sent_twice() -> None:
    town = Town(Wire(), [200], rings=0.1)
    town.calls(50)
    assert town.server.stack.transactions.counters.retransmissions_sent == 0
    assert town.server.stack.transactions.counters.retransmissions_received == 0
