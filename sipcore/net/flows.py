"""The flows of one UDP socket: one object a peer, remembered within a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from sipcore.flow import Flow

SocketAddress = tuple[Any, ...]
"""What the socket calls a peer: (host, port), for IPv6 with flow information and scope behind."""


class UdpFlow(Flow):
    """A flow of a UDP socket; `address` is the peer as the socket names it."""

    __slots__ = ("__weakref__", "address")

    address: SocketAddress

    def at_port(self, port: int) -> Flow:
        """The flow to another port of the same peer, one object for each."""
        host, _, *scope = self.address
        return self.edge.find((host, port, *scope))  # type: ignore[attr-defined,no-any-return]  # a UdpSocket


class FlowTable:
    """Peers by socket address: at most `most` are remembered, and a flow that somebody holds is always found again.

    Forgetting costs nothing per peer: when the younger half is full it becomes the older half, whose flows that
    nobody holds go away. The path of every datagram asks `recent` first, and `find` when the peer is not in it.
    """

    __slots__ = ("_alive", "_half", "_make", "_previous", "recent")

    def __init__(self, make: Callable[[SocketAddress], UdpFlow], most: int) -> None:
        self._make = make
        self._half = max(1, most // 2)
        self.recent: dict[SocketAddress, UdpFlow] = {}
        self._previous: dict[SocketAddress, UdpFlow] = {}
        self._alive: WeakValueDictionary[SocketAddress, UdpFlow] = WeakValueDictionary()

    def find(self, address: SocketAddress) -> UdpFlow:
        """The flow to a peer, made when there is none; raises OSError when the peer can't be reached."""
        flow = self._alive.get(address)
        if flow is None:
            flow = self._alive[address] = self._make(address)
        self._remember(address, flow)
        return flow

    def known(self, address: SocketAddress) -> UdpFlow | None:
        """The flow to a peer if there is one."""
        return self._alive.get(address)

    def resize(self, most: int) -> None:
        """Remember another number of peers from now on."""
        self._half = max(1, most // 2)

    def close(self) -> list[UdpFlow]:
        """Close every flow that somebody may hold, and return them: their socket goes."""
        flows = list(self._alive.values())
        for flow in flows:
            flow.closed = True
        self.clear()
        return flows

    def clear(self) -> None:
        """Make new flows from now on."""
        self.recent = {}
        self._previous = {}
        self._alive.clear()

    def __len__(self) -> int:
        return len(self._alive)

    def _remember(self, address: SocketAddress, flow: UdpFlow) -> None:
        if len(self.recent) >= self._half:
            self._previous = self.recent
            self.recent = {}
        self.recent[address] = flow
