"""A UDP socket: drained in batches, answered directly (RFC 3261 section 18)."""

from __future__ import annotations

import errno
import math
import socket
import struct
from collections import deque
from dataclasses import dataclass

import trio

from sipcore.flow import Flow, host_port
from sipcore.net.addresses import source_address
from sipcore.net.driver import Driver
from sipcore.net.flows import FlowTable, SocketAddress, UdpFlow
from sipcore.net.icmp import ask_for_errors, read_errors
from sipcore.net.settings import EdgeSettings, Listen
from sipcore.net.sockets import EXHAUSTED, advertised, is_wildcard

BATCH = 64
"""Datagrams taken before other tasks get their turn."""
LARGEST = 65_535
_SOURCES = 4_096
_SO_MEMINFO = 55  # Linux: an array of counters, the first two are bytes waiting and the bound of the receive buffer
_OVERLOAD = 0.25
"""New requests are refused while the receive buffer is filled beyond this part: they would be answered too late, and
their retransmissions would fill the rest."""


@dataclass(frozen=True, slots=True)
class UdpStatistics:
    """Counters of one UDP socket."""

    received: int
    peers: int
    unanswerable: int
    """Datagrams from peers that can't be answered: port 0, or no route back."""
    dropped: int
    """Datagrams that were not sent: longer than UDP carries, or the kernel took no more."""


class UdpSocket:
    """One UDP listener; `send` is what the driver calls for each packet of its flows."""

    def __init__(self, listen: Listen, bound: socket.socket, driver: Driver, settings: EdgeSettings) -> None:
        self.socket = bound
        self.local: tuple[str, int] = bound.getsockname()[:2]
        self.version = 6 if bound.family == socket.AF_INET6 else 4
        self._advertise = advertised(listen.advertise, self.local[1])
        self._driver = driver
        self._flows = FlowTable(self._make_flow, settings.peers)
        self._sources: dict[tuple[str, int], str] = {}
        self._sendto = bound.sendto
        self._waiting: deque[tuple[UdpFlow, bytes]] = deque()
        self._gather = settings.gather
        self._most_waiting = settings.datagrams_waiting
        self._received = self._unanswerable = self._dropped = 0
        ask_for_errors(bound)

    # -- flows ------------------------------------------------------------------------------------------------------

    def flow_to(self, host: str, port: int) -> UdpFlow:
        """The flow to a peer; raises OSError when there is no way to it."""
        address = (host, port) if self.version == 4 else (host, port, 0, 0)
        return self._flows.recent.get(address) or self._flows.find(address)

    def find(self, address: SocketAddress) -> UdpFlow:
        """The flow to a peer as the socket names it; raises OSError when there is no way to it."""
        return self._flows.find(address)

    def forget_ways(self) -> None:
        """Ask the kernel anew which address it uses towards each peer: this machine's addresses have changed."""
        self._sources.clear()
        self._flows.clear()

    def change(self, listen: Listen, settings: EdgeSettings) -> None:
        """Advertise as `listen` says, and use the bounds of `settings`, from now on."""
        advertise = advertised(listen.advertise, self.local[1])
        if advertise != self._advertise:
            self._advertise = advertise
            self.forget_ways()
        self._flows.resize(settings.peers)
        self._most_waiting = settings.datagrams_waiting

    def _make_flow(self, address: SocketAddress) -> UdpFlow:
        host, port, *rest = address
        local = self.local
        if is_wildcard(local[0]):
            local = self._source(host, rest[1] if rest else 0), local[1]
        flow = UdpFlow("udp", local, (host, port), self._advertise or host_port(*local), self)
        flow.address = address
        return flow

    def _source(self, host: str, scope: int) -> str:
        """What the kernel writes as source towards `host` when the socket is bound to no address."""
        source = self._sources.get((host, scope))
        if source is not None:
            return source
        try:
            source = source_address(host, scope)
        except OSError as error:
            if error.errno not in EXHAUSTED or not self._sources:
                raise
            return next(iter(self._sources.values()))  # most machines have one address; better than no answer
        if len(self._sources) >= _SOURCES:
            self._sources.clear()
        self._sources[host, scope] = source
        return source

    # -- receiving --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Receive until cancelled.

        Being woken costs as much as receiving several datagrams. So when they come faster than one in `gather`
        seconds the socket is not waited for, but looked at so often until nothing more is there.
        """
        woken = -math.inf
        while self.socket.fileno() >= 0:
            try:
                await trio.lowlevel.wait_readable(self.socket)
            except trio.ClosedResourceError:
                return  # this listener was taken out
            before, woken = woken, trio.current_time()
            await self._drain()
            busy = woken - before < self._gather
            while busy:
                await trio.sleep(self._gather)
                woken = trio.current_time()
                busy = await self._drain()

    async def _drain(self) -> bool:
        """Run everything that waits through the stack; whether anything did."""
        before = self._received
        while self.socket.fileno() >= 0 and self._receive_batch():
            await trio.lowlevel.checkpoint()
        return self._received > before

    def _receive_batch(self) -> bool:
        """Run what waits through the stack, at most `BATCH` datagrams; whether more may wait."""
        recvfrom, recent, receive = self.socket.recvfrom, self._flows.recent, self._driver.stack.receive
        now = trio.current_time()
        for count in range(BATCH):
            try:
                data, address = recvfrom(LARGEST)
            except BlockingIOError:
                if count == 0:  # woken, but not by a datagram
                    self._lose_refused()
                break
            except OSError:  # an ICMP error came for an earlier datagram; the socket reports it once
                self._lose_refused()
                continue
            flow = recent.get(address)
            if flow is None:
                flow = self._meet(address)
                recent = self._flows.recent
                if flow is None:
                    continue
            try:
                receive(data, flow, now)
            except Exception as failure:
                self._driver.on_error(failure, f"receiving a datagram by {flow!r}")
        else:
            count = BATCH
        self._received += count
        driver = self._driver
        if count == BATCH or driver.stack.overloaded:
            driver.stack.overloaded = self._backlog() > _OVERLOAD
        driver.settle(now)
        return count == BATCH

    def _backlog(self) -> float:
        """How full the kernel's receive buffer of this socket is, 0 to 1."""
        taken, size = struct.unpack_from("II", self.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36))
        return float(taken / size)

    def _meet(self, address: SocketAddress) -> UdpFlow | None:
        try:
            if address[1]:
                return self._flows.find(address)
        except OSError:
            pass  # no route back
        self._unanswerable += 1
        return None

    # -- sending ----------------------------------------------------------------------------------------------------

    def send(self, flow: UdpFlow, data: bytes) -> None:
        """Send a datagram now, or soon when the kernel takes no more."""
        if self._waiting:
            self._wait(flow, data)
            return
        try:
            self._sendto(data, flow.address)
        except BlockingIOError:
            self._wait(flow, data)
        except OSError:
            self._send_again(flow, data)

    def _send_again(self, flow: UdpFlow, data: bytes) -> None:
        """The error may be that of an earlier datagram to somebody else: then this one was not sent."""
        self._lose_refused()
        try:
            self._sendto(data, flow.address)
        except BlockingIOError:
            self._wait(flow, data)
        except OSError as error:
            self._failed(flow, error)

    def _failed(self, flow: UdpFlow, error: OSError) -> None:
        if error.errno == errno.EMSGSIZE:  # too long for any datagram: other messages to this peer are not concerned
            self._dropped += 1
            return
        self._driver.lost(flow)

    def _lose_refused(self) -> None:
        for address in read_errors(self.socket):
            flow: Flow | None = self._flows.known(address)
            if flow is not None:
                self._driver.lost(flow)

    def _wait(self, flow: UdpFlow, data: bytes) -> None:
        if len(self._waiting) >= self._most_waiting:
            self._dropped += 1
            return
        self._waiting.append((flow, data))
        if len(self._waiting) == 1:
            self._driver.spawn(self._send_waiting)

    async def _send_waiting(self) -> None:
        while self._waiting:
            try:
                await trio.lowlevel.wait_writable(self.socket)
            except trio.ClosedResourceError:
                return
            flow, data = self._waiting[0]
            try:
                self._sendto(data, flow.address)
            except BlockingIOError:
                continue
            except OSError as error:
                self._failed(flow, error)
            self._waiting.popleft()
        self._driver.settle(trio.current_time())

    # -- the end ----------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Let `run` return and close; what still waits for an answer by this socket hears that its way is lost."""
        trio.lowlevel.notify_closing(self.socket)
        self.close()
        for flow in self._flows.close():
            self._driver.lost(flow)
        self._driver.settle(trio.current_time())

    def close(self) -> None:
        """Close the socket; what waits is dropped."""
        self._waiting.clear()
        self.socket.close()

    def statistics(self) -> UdpStatistics:
        """The counters."""
        return UdpStatistics(self._received, len(self._flows), self._unanswerable, self._dropped)
