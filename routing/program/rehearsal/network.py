"""The network of a story: it has a clock of its own, loses nothing, and takes no time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from math import inf
from typing import Protocol

from routing.program.rehearsal.ladder import Ladder
from sipcore.flow import Flow, host_port
from sipcore.stack import Stack

SERVER = "ringway"
"""What the server is called in ladders."""
MOST_EVENTS = 200_000
"""Messages and timers of one step; more than that never comes to an end."""


class NeverEnds(Exception):
    """A step of a story goes round and round."""


class Party(Protocol):
    """Whoever has an address: a phone or a peer."""

    name: str
    up: bool

    def take(self, data: bytes, flow: Flow | None) -> None:
        """Bytes have come, by a flow of the server, or (None) from another party."""


class Event:
    """Something that will happen."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """It will not happen after all."""
        self.call = None


class Network:
    """Carries messages between the server and the parties, and lets time pass; `now` is the stack's time."""

    def __init__(self, ladder: Ladder) -> None:
        self.now = 0.0
        self.ladder = ladder
        self.parties: dict[tuple[str, int], Party] = {}
        self._stack: Stack | None = None
        self._queue: list[tuple[float, int, Event]] = []
        self._order = itertools.count()
        self._events = 0

    @property
    def stack(self) -> Stack:
        """The server's stack."""
        assert self._stack is not None
        return self._stack

    def connect(self, stack: Stack) -> None:
        """This is the server."""
        self._stack = stack

    # -- events -----------------------------------------------------------------------------------------------------

    def later(self, seconds: float, call: Callable[[], object]) -> Event:
        """Let something happen."""
        event = Event(call)
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), event))
        return event

    def soon(self, call: Callable[[], object]) -> Event:
        """Let something happen at this moment, behind what happens already."""
        return self.later(0.0, call)

    @property
    def has_events(self) -> bool:
        """Whether anything is on its way."""
        while self._queue and self._queue[0][2].call is None:
            heapq.heappop(self._queue)
        return bool(self._queue)

    def next_step(self) -> None:
        """Another step of the story begins, and may take as long as those before it."""
        self._events = 0

    def step(self, until: float) -> bool:
        """Let the next thing happen; False, and it is `until`, when nothing does before."""
        arrival = self._queue[0][0] if self.has_events else inf
        deadline = self.stack.next_deadline()
        if min(arrival, deadline) > until:
            self.now = self.stack.timers.now = until
            return False
        self._events += 1
        if self._events > MOST_EVENTS:
            raise NeverEnds
        if arrival <= deadline:
            self.now, _, event = heapq.heappop(self._queue)
            call, event.call = event.call, None
            self.stack.timers.now = self.now
            if call is not None:
                call()
        else:
            self.now = max(self.now, deadline)
            self.stack.tick(self.now)
        self._flush()
        return True

    def settle(self) -> None:
        """Let everything happen that happens at this moment."""
        while self.step(self.now):
            pass

    def note(self, text: str) -> None:
        """Something that is told among the messages."""
        self.ladder.note(self.now, text)

    # -- messages ---------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Carry what the server wants to send."""
        outbox = self.stack.outbox
        while outbox:
            flow, data = outbox.popleft()
            if data:
                self._carry(flow, data)
            else:
                self.end(flow)

    def _carry(self, flow: Flow, data: bytes) -> None:
        party: Party | None = flow.edge if flow.edge is not None else self.parties.get(flow.remote)  # type: ignore[assignment]
        if party is None:
            self.ladder.sent(self.now, SERVER, f"{host_port(*flow.remote)} (nobody)", data)
            return
        self.ladder.sent(self.now, SERVER, party.name, data)
        self.soon(lambda: party.take(data, flow) if party.up and not flow.closed else self._refuse(party, flow))

    def _refuse(self, party: Party, flow: Flow) -> None:
        """Nobody listens there: an ICMP error, or a connection that can't be made."""
        self.note(f"{party.name} can't be reached")
        self.end(flow)

    def end(self, flow: Flow) -> None:
        """A connection ends, or a datagram was refused."""
        if flow.reliable:
            flow.closed = True
        self.stack.flow_lost(flow, self.now)
        self._flush()

    def send(self, party: Party, data: bytes, flow: Flow) -> None:
        """A party sends to the server."""
        self.ladder.sent(self.now, party.name, SERVER, data)
        self.soon(lambda: None if flow.closed else self.stack.receive(data, flow, self.now))

    def send_past(self, party: Party, data: bytes, address: tuple[str, int]) -> None:
        """A party sends to another one, past the server."""
        other = self.parties.get(address)
        self.ladder.sent(self.now, party.name, other.name if other else f"{host_port(*address)} (nobody)", data)
        if other is not None:
            self.soon(lambda: other.take(data, None))
