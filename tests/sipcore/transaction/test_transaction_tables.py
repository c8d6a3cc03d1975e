"""Every state x event pair of all four machines is decided: in the table, or in the set of ignored ones."""

from __future__ import annotations

import pytest

from sipcore.transaction import invite_client, invite_server, non_invite_client, non_invite_server
from sipcore.transaction.engine import TERMINATED, Transaction
from tests.sipcore.transaction.machines import SOURCE, new_transaction
from tests.wire import request, response_to

MACHINES = {
    "invite client": invite_client,
    "non-invite client": non_invite_client,
    "invite server": invite_server,
    "non-invite server": non_invite_server,
}
# Timers that are set in some states only, and cancelled on the way out: they can't fire anywhere else.
TIMERS = {
    "invite client": {
        "timer A": {"calling"},
        "timer B": {"calling"},
        "timer D": {"completed", "terminated"},
        "timer M": {"accepted"},
        "no final response after CANCEL": {"proceeding"},
    },
    "non-invite client": {
        "timer E": {"trying", "proceeding"},
        "timer F": {"trying", "proceeding"},
        "timer K": {"completed", "terminated"},
    },
    "invite server": {
        "200 ms without a response": {"proceeding"},
        "timer G": {"completed"},
        "timer H": {"completed"},
        "timer I": {"confirmed", "terminated"},
        "timer L": {"accepted"},
    },
    "non-invite server": {
        "the client's timer E has reached T2": {"trying"},
        "timer J": {"completed", "terminated"},
    },
}


def product(name: str) -> list[tuple[str, str]]:
    """All pairs of states and events that one machine's table and ignored set speak of."""
    module = MACHINES[name]
    pairs = set(module.TABLE) | module.IGNORED
    states = {state for state, _ in pairs} | {row[0] for row in module.TABLE.values()}
    events = {event for _, event in pairs}
    return sorted((state, event) for state in states for event in events)


PAIRS = [(name, state, event) for name in MACHINES for state, event in product(name)]


FIGURES = pytest.mark.conformance(
    "RFC 3261 17.1.1.2", "RFC 3261 17.1.2.2", "RFC 3261 17.2.1", "RFC 3261 17.2.2", "RFC 6026 8.4", "RFC 6026 8.5"
)


@FIGURES
@pytest.mark.parametrize(("name", "state", "event"), PAIRS, ids=lambda value: value.replace(" ", "_"))
def test_pair_is_decided_once(name: str, state: str, event: str) -> None:
    module = MACHINES[name]
    places = ((state, event) in module.TABLE) + ((state, event) in module.IGNORED)
    if event in TIMERS[name]:
        assert places == (state in TIMERS[name][event])
    else:
        assert places == 1


def test_the_product_is_as_large_as_the_rfc_figures() -> None:
    assert {name: len(product(name)) for name in MACHINES} == {
        "invite client": 5 * 11,
        "non-invite client": 4 * 7,
        "invite server": 5 * 12,
        "non-invite server": 4 * 7,
    }


def argument_of(name: str, event: str, transaction: Transaction) -> object:
    """What an event brings along."""
    method = "INVITE" if name.startswith("invite") else "OPTIONS"
    message = request(method, "sip:bob@example.com", source=SOURCE, branch="x1")
    status = {"1xx": 180, "send 1xx": 180, "2xx": 200, "send 2xx": 200, "send 408": 408}.get(event, 486)
    return () if event == "cancel" else message if event == "ACK" else response_to(message, status)


@FIGURES
@pytest.mark.parametrize(("name", "state", "event"), PAIRS, ids=lambda value: value.replace(" ", "_"))
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_each_row_can_be_performed(name: str, state: str, event: str, transport: str) -> None:
    module = MACHINES[name]
    transaction, _, _ = new_transaction(name, transport)
    transaction.state = state
    transaction.fire(event, argument_of(name, event, transaction))
    row = module.TABLE.get((state, event))
    if row is None:
        assert transaction.state == state
    else:
        # On a reliable transport timers D, I, J and K are zero: the state that waits for them is left at once.
        assert transaction.state in ({row[0]} if transport == "udp" else {row[0], TERMINATED})
    in_product = row is not None or (state, event) in module.IGNORED
    assert transaction.layer.counters.unexpected_events == (0 if in_product else 1)
