"""A network that exists only in a test: chosen time, and loss, delay, duplication and reordering by a seed."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sipcore.errors import Unresolvable
from sipcore.flow import RELIABLE, Flow, Target, host_port
from sipcore.message import Message, Request, Response, parse
from sipcore.stack import Stack
from sipcore.tokens import Tokens
from sipcore.transaction.user import TransactionUser

Address = tuple[str, int]


def counted_bytes() -> Callable[[int], bytes]:
    """A source of "randomness" that gives the same bytes in each run."""
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(8, "big")[-size:].rjust(size, b"\1")


def new_tokens(owner: str = "w0") -> Tokens:
    """Tokens that are the same in each run."""
    return Tokens(owner, b"secret of the tests", counted_bytes())


@dataclass
class Node:
    """Something with an address: a stack, or a peer that records what it gets."""

    wire: Wire
    address: Address
    flows: dict[tuple[str, Address], Flow] = field(default_factory=dict)
    stack: Stack | None = None
    received: list[Message] = field(default_factory=list)
    answer: Callable[[Message, Flow], None] | None = None

    def flow(self, remote: Address, transport: str = "udp") -> Flow:
        """This node's way to `remote`."""
        key = transport, remote
        if key not in self.flows or self.flows[key].closed:
            self.flows[key] = Flow(transport, self.address, remote)
        return self.flows[key]

    def open_flow(self, target: Target) -> Flow:
        """The FlowOpener of a stack on this node."""
        if target.transport not in self.wire.transports:
            raise Unresolvable(f"no {target.transport} here")
        return self.flow((target.host, target.port), target.transport)

    def send(self, message: Message | bytes, remote: Address, transport: str = "udp") -> None:
        """Send from this node as a peer would."""
        data = message if isinstance(message, bytes) else message.write()
        self.wire.carry(self, self.flow(remote, transport), data)

    def requests(self, method: str = "") -> list[Request]:
        """Requests received so far, of one method or all."""
        return [m for m in self.received if isinstance(m, Request) and method in ("", m.method)]

    def responses(self, status: int = 0) -> list[Response]:
        """Responses received so far, with one status or all."""
        return [m for m in self.received if isinstance(m, Response) and status in (0, m.status)]

    def take(self, data: bytes, flow: Flow) -> None:
        """Data arrived."""
        if self.stack is not None:
            self.stack.receive(data, flow, self.wire.now)
            self.flush()
            return
        message = parse(data)
        self.received.append(message)
        if self.answer is not None:
            self.answer(message, flow)

    def flush(self) -> None:
        """Put what the stack wants to send onto the wire."""
        assert self.stack is not None
        while self.stack.outbox:
            flow, data = self.stack.outbox.popleft()
            self.wire.carry(self, flow, data)


class Wire:
    """Carries messages between nodes. Probabilities are 0 to 1; delays are seconds; the seed makes it repeatable."""

    def __init__(
        self,
        *,
        loss: float = 0.0,
        duplication: float = 0.0,
        delay: float = 0.001,
        jitter: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.now = 100.0
        self.transports = {"udp", "tcp"}
        self.loss, self.duplication, self.delay, self.jitter = loss, duplication, delay, jitter
        self.random = random.Random(seed)
        self.nodes: dict[Address, Node] = {}
        self.refusing: set[Address] = set()
        """Addresses that answer with an ICMP error or a reset."""
        self.carried: list[tuple[float, Address, Address, bytes]] = []
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def peer(self, host: str, port: int = 5060) -> Node:
        """A node that records what it receives and does what `answer` says."""
        node = self.nodes[host, port] = Node(self, (host, port))
        return node

    def stack(self, host: str, user: TransactionUser, port: int = 5060, **options: object) -> Node:
        """A node with a stack of ours."""
        node = self.peer(host, port)
        node.stack = Stack(
            user=user, open_flow=node.open_flow, tokens=new_tokens(), now=self.now, **options,  # type: ignore[arg-type]
        )  # fmt: skip
        return node

    def carry(self, source: Node, flow: Flow, data: bytes) -> None:
        """Send bytes; unreliable transports lose, repeat and delay them."""
        self.carried.append((self.now, source.address, flow.remote, data))
        if flow.remote in self.refusing:
            self._later(self.delay, lambda: self._lose(source, flow))
            return
        unreliable = flow.transport not in RELIABLE
        if unreliable and self.random.random() < self.loss:
            return
        copies = 2 if unreliable and self.random.random() < self.duplication else 1
        for _ in range(copies):
            extra = self.random.random() * self.jitter if unreliable else 0.0
            self._later(self.delay + extra, lambda: self._deliver(source, flow, data))

    def _deliver(self, source: Node, flow: Flow, data: bytes) -> None:
        node = self.nodes.get(flow.remote)
        if node is not None and data:
            node.take(data, node.flow(source.address, flow.transport))

    def _lose(self, node: Node, flow: Flow) -> None:
        if flow.reliable:
            flow.closed = True
        if node.stack is not None:
            node.stack.flow_lost(flow, self.now)
            node.flush()

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), call))

    def at(self, seconds: float, call: Callable[[], None]) -> None:
        """Do something `seconds` from now, with every stack's outbox flushed behind it."""

        def run() -> None:
            call()
            for node in self.nodes.values():
                if node.stack is not None:
                    node.stack.timers.now = self.now
                    node.flush()

        self._later(seconds, run)

    def run(self, seconds: float) -> None:
        """Let time pass: deliveries and timers happen in their order."""
        end = self.now + seconds
        while True:
            stacks = [node for node in self.nodes.values() if node.stack is not None]
            ticking = min(stacks, key=lambda node: node.stack.next_deadline(), default=None)  # type: ignore[union-attr]
            deadline = ticking.stack.next_deadline() if ticking and ticking.stack else float("inf")
            arrival = self._queue[0][0] if self._queue else float("inf")
            if min(deadline, arrival) > end:
                self.now = end
                return
            if arrival <= deadline:
                self.now, _, call = heapq.heappop(self._queue)
                call()
            else:
                assert ticking is not None and ticking.stack is not None
                self.now = max(self.now, deadline)
                ticking.stack.tick(self.now)
                ticking.flush()


def request(
    method: str,
    uri: str,
    *,
    source: Address,
    branch: str,
    call_id: str = "call-1",
    from_: str = "<sip:alice@example.com>;tag=a1",
    to: str = "<sip:bob@example.com>",
    cseq: int = 1,
    headers: tuple[str, ...] = (),
    body: bytes = b"",
    transport: str = "UDP",
) -> Request:
    """A request as a simple client writes it."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{transport} {host_port(*source)};branch=z9hG4bK{branch}",
        f"From: {from_}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    message = parse(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
    assert isinstance(message, Request)
    return message


def response_to(message: Request, status: int, *headers: str, tag: str = "b1", reason: str = "") -> Response:
    """A response as a simple server writes it."""
    response = message.response(status, reason, to_tag=tag)
    for header in headers:
        name, _, value = header.partition(":")
        response.append(name.strip().lower(), value.strip().encode())
    return response
