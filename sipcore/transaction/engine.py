"""The one small engine behind all four transaction tables.

A table maps (state, event) to (next state, action). Pairs that are legal and need nothing stand in `ignored`; any
other pair is counted as `unexpected`, and the tests allow none. An action is a function of the transaction and the
event's argument; the state has already changed when it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from sipcore.flow import Flow
from sipcore.message import Request
from sipcore.timers import Timer

if TYPE_CHECKING:
    from sipcore.transaction.layer import TransactionLayer

# States (RFC 3261 figures 5 to 8, RFC 6026 section 8)
CALLING = "calling"
TRYING = "trying"
PROCEEDING = "proceeding"
ACCEPTED = "accepted"
COMPLETED = "completed"
CONFIRMED = "confirmed"
TERMINATED = "terminated"

# Events that all machines share
REQUEST = "request"
LOST = "flow lost"
ABANDON = "abandon"

Action: TypeAlias = Callable[[Any, Any], None]
Table: TypeAlias = dict[tuple[str, str], tuple[str, Action]]

NOTHING = Request("NONE", "sip:none.invalid", [], [])
"""Stands for the request of a transaction that lingers only to absorb retransmissions, so that memory goes back."""


class Transaction:
    """What all four machines have: a place in a table of the layer, a flow, timers and a user."""

    __slots__ = ("data", "flow", "key", "layer", "request", "state", "timer", "timer_retransmit", "user")

    table: ClassVar[Table]
    ignored: ClassVar[frozenset[tuple[str, str]]]
    letters: ClassVar[dict[Callable[[Any], object], str]]
    """What each timer of this machine is called in RFC 3261 table 4, by what it calls."""

    def __init__(self, layer: TransactionLayer, key: object, request: Request, flow: Flow, state: str) -> None:
        self.layer = layer
        self.key = key
        self.request = request
        self.flow = flow
        self.state = state
        self.user: Any = None
        self.data = b""
        """What a retransmission sends again: the request of a client, the last response of a server."""
        self.timer: Timer | None = None
        """The timer that ends the present state: B, D, F, H, I, J, K, L or M."""
        self.timer_retransmit: Timer | None = None
        """Timer A, E or G, or the delay of an automatic 100."""

    def fire(self, event: str, argument: Any = None) -> None:
        """Let an event happen."""
        row = self.table.get((self.state, event))
        if row is not None:
            self.state = row[0]
            row[1](self, argument)
        elif (self.state, event) not in self.ignored:
            self.layer.unexpected(self, event)

    def timers(self) -> dict[str, float]:
        """The timers that run now, by letter, with the seconds that each has left."""
        now = self.layer.timers.now
        running = (timer for timer in (self.timer, self.timer_retransmit) if timer is not None)
        return {self.letters[timer.call]: timer.deadline - now for timer in running if timer.call is not None}

    def stop_timers(self) -> None:
        """Cancel both timers."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.timer_retransmit is not None:
            self.timer_retransmit.cancel()
            self.timer_retransmit = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state} {self.request.method}>"
