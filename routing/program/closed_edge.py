"""An edge that opens nothing, for servers that are only tried out: a flow is made for each target, and goes nowhere."""

from __future__ import annotations

from routing.program.listen import SIP_PORT
from sipcore.errors import Unresolvable
from sipcore.flow import Flow, Target
from sipcore.net.edge import Edge
from sipcore.net.settings import EdgeSettings, Listen

_STREAMS = frozenset({"tcp", "tls"})


class ClosedEdge(Edge):
    """Gives flows by the listeners that would be open."""

    def __init__(self, settings: EdgeSettings) -> None:
        super().__init__(settings)
        self._listens = settings.listen
        self._flows: dict[Target, Flow] = {}
        self.open_flow = self.open

    def open(self, target: Target) -> Flow:
        """A flow to a target; raises `Unresolvable` for a transport that nobody is called by."""
        if target.transport != "udp" and target.transport not in _STREAMS:
            raise Unresolvable(f"no {target.transport} here")
        return self.flow(target)

    def flow(self, target: Target) -> Flow:
        """The way to or from somewhere, by the first listener of its transport; a closed one is made anew."""
        flow = self._flows.get(target)
        if flow is None or flow.closed:
            flow = self._flows[target] = self.new_flow(target)
        return flow

    def new_flow(self, target: Target, edge: object = None) -> Flow:
        """A flow that nobody is given again."""
        listen = self.listener(target.transport, target.host)
        if listen is not None:
            local, sent_by = (listen.host, listen.port), listen.advertise
        else:  # calling somebody needs no listener
            local, sent_by = (self._listens[0].host if self._listens else "127.0.0.1", SIP_PORT), ""
        return Flow(target.transport, local, target.address, sent_by, edge)

    def listener(self, transport: str, host: str) -> Listen | None:
        """The first listener of a transport, best of the IP version of `host`."""
        served = [one for one in self._listens if one.transport == transport]
        fit = [one for one in served if (":" in one.host) == (":" in host)]
        return next(iter(fit or served), None)
