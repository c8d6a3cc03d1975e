"""Which timer of RFC 3261 table 4 (and RFC 6026: L, M) runs when, by its letter."""

from __future__ import annotations

import pytest

from sipcore.transaction.client import ClientMachine
from sipcore.transaction.engine import Transaction
from sipcore.transaction.server import ServerMachine
from tests.sipcore.transaction.machines import SOURCE, new_transaction
from tests.wire import request, response_to

INVITE = request("INVITE", "sip:bob@example.com", source=SOURCE, branch="x1")
UDP, TCP = "udp", "tcp"

# Machine, what happened, transport: letter and seconds of each timer that runs then.
RUNNING: list[tuple[str, tuple[object, ...], str, dict[str, float]]] = [
    ("invite client", (), UDP, {"A": 0.5, "B": 32}),
    ("invite client", (), TCP, {"B": 32}),
    ("invite client", (0.5,), UDP, {"A": 1, "B": 31.5}),
    ("invite client", (0.5, 1.0), UDP, {"A": 2, "B": 30.5}),
    ("invite client", (0.5, 1.0, 2.0, 4.0, 8.0), UDP, {"A": 16, "B": 16.5}),
    ("invite client", (180,), UDP, {}),
    ("invite client", (180, "cancel"), UDP, {"CANCEL": 32}),
    ("invite client", ("cancel", 180), UDP, {"CANCEL": 32}),
    ("invite client", (200,), UDP, {"M": 32}),
    ("invite client", (180, 200), TCP, {"M": 32}),
    ("invite client", (486,), UDP, {"D": 32}),
    ("invite client", (486,), TCP, {}),
    ("non-invite client", (), UDP, {"E": 0.5, "F": 32}),
    ("non-invite client", (), TCP, {"F": 32}),
    ("non-invite client", (0.5, 1.0, 2.0), UDP, {"E": 4, "F": 28.5}),
    ("non-invite client", (0.5, 1.0, 2.0, 4.0), UDP, {"E": 4, "F": 24.5}),
    ("non-invite client", (100, 0.5), UDP, {"E": 4, "F": 31.5}),
    ("non-invite client", (200,), UDP, {"K": 5}),
    ("non-invite client", (200,), TCP, {}),
    ("invite server", (), UDP, {"100": 0.2}),
    ("invite server", (0.2,), UDP, {}),
    ("invite server", (180,), UDP, {}),
    ("invite server", (200,), UDP, {"L": 32}),
    ("invite server", (200,), TCP, {"L": 32}),
    ("invite server", (486,), UDP, {"G": 0.5, "H": 32}),
    ("invite server", (486,), TCP, {"H": 32}),
    ("invite server", (486, 0.5, 1.0, 2.0), UDP, {"G": 4, "H": 28.5}),
    ("invite server", (486, 0.5, 1.0, 2.0, 4.0), UDP, {"G": 4, "H": 24.5}),
    ("invite server", (486, "ack"), UDP, {"I": 5}),
    ("invite server", (486, "ack"), TCP, {}),
    ("non-invite server", (), UDP, {"100": 3.5}),
    ("non-invite server", (3.5,), UDP, {}),
    ("non-invite server", (200,), UDP, {"J": 32}),
    ("non-invite server", (200,), TCP, {}),
    ("non-invite server", (408,), UDP, {}),
]


def let_happen(transaction: Transaction, event: object) -> None:
    """A float: so many seconds pass; an int: a response; a word: what the user or the peer does."""
    timers = transaction.layer.timers
    if isinstance(event, float):
        timers.expire(timers.now + event)
    elif event == "cancel":
        transaction.cancel()  # type: ignore[attr-defined]
    elif event == "ack":
        transaction.fire("ACK", INVITE)
    elif isinstance(transaction, ClientMachine):
        transaction.receive(response_to(transaction.request, int(str(event))))  # type: ignore[attr-defined]
    else:
        assert isinstance(transaction, ServerMachine)
        transaction.respond(response_to(transaction.request, int(str(event))))  # type: ignore[attr-defined]


@pytest.mark.conformance("RFC 3261 A", "RFC 3261 17.1.1.2", "RFC 3261 17.1.2.2", "RFC 3261 17.2.1", "RFC 3261 17.2.2")
@pytest.mark.conformance("RFC 6026 7.1", "RFC 4320 4.1", "RFC 4320 4.2")
@pytest.mark.parametrize(("machine", "happened", "transport", "expected"), RUNNING, ids=str)
def test_the_timers_that_run(
    machine: str, happened: tuple[object, ...], transport: str, expected: dict[str, float]
) -> None:
    transaction, _, _ = new_transaction(machine, transport)
    for event in happened:
        let_happen(transaction, event)
    assert transaction.timers() == pytest.approx(expected)


def test_every_letter_but_c_is_some_transactions() -> None:
    """Timer C belongs to the proxy, which has a test of its own."""
    letters = {letter for _, _, _, running in RUNNING for letter in running if len(letter) == 1}
    assert letters == set("ABDEFGHIJKLM")


def test_nothing_runs_when_a_transaction_has_ended() -> None:
    for machine in ("invite client", "non-invite client", "invite server", "non-invite server"):
        transaction, _, _ = new_transaction(machine)
        transaction.abandon()  # type: ignore[attr-defined]
        assert transaction.timers() == {} and transaction.layer.timers.pending() == 0
