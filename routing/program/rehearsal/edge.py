"""The edge of a server in a story: its flows lead to phones of the same process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing.program.closed_edge import ClosedEdge
from routing.program.rehearsal.network import Network, Party
from routing.program.rehearsal.slow_call import SlowCall
from sipcore.flow import Flow, Target
from sipcore.need import Done, Need
from sipcore.net.settings import EdgeSettings


class RehearsalEdge(ClosedEdge):
    """Carries slow calls and posted ones in the story's time."""

    def __init__(self, settings: EdgeSettings, network: Network) -> None:
        super().__init__(settings)
        self._network = network
        self.post = self._post

    def _post(self, call: Callable[[], object]) -> None:
        self._network.soon(call)

    def perform(self, need: Need[Any], done: Done) -> Callable[[], None]:
        """Make a slow call, in the story's time."""
        return SlowCall(self._network, need, done).cancel

    def connection_of(self, party: Party, transport: str, address: tuple[str, int]) -> Flow:
        """A connection that a party makes to us."""
        flow = self.new_flow(Target(transport, *address), party)
        self._network.stack.flow_opened(flow, self._network.now)
        return flow
