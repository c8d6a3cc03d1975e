"""A stack that sends everything back, and an edge that runs it on loopback."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import trio

from sipcore.flow import Flow, Packet
from sipcore.message import Message
from sipcore.message.framing import BadMessage, Broken, Ping, StreamFraming
from sipcore.net.edge import Edge
from sipcore.net.settings import EdgeSettings, StreamSettings
from sipcore.timers import Timers

LIMIT = 5.0
"""Real seconds after which a test has failed."""


@dataclass(frozen=True)
class Listen:
    transport: str
    host: str
    port: int = 0
    advertise: str = ""


UDP4, UDP6 = Listen("udp", "127.0.0.1"), Listen("udp", "::1")
TCP4, TCP6 = Listen("tcp", "127.0.0.1"), Listen("tcp", "::1")


@dataclass
class Echo:
    """Answers each message with itself, in the way the real stack would use flow, framing and outbox."""

    outbox: deque[Packet] = field(default_factory=deque)
    timers: Timers = field(default_factory=Timers)
    received: list[tuple[bytes, Flow]] = field(default_factory=list)
    opened: list[Flow] = field(default_factory=list)
    lost: list[Flow] = field(default_factory=list)
    overloaded: bool = False
    on_message: Callable[[bytes, Flow], None] | None = None
    """Called in place of the echo."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.timers.now = now
        self._message(data, flow)

    def receive_message(self, data: bytes, flow: Flow, now: float) -> None:
        self.receive(data, flow, now)

    def receive_stream(self, data: bytes, flow: Flow, now: float) -> None:
        self.timers.now = now
        framing = flow.framing = flow.framing or StreamFraming()
        assert isinstance(framing, StreamFraming)
        for frame in framing.feed(data):
            if isinstance(frame, Message):
                self._message(frame.write(), flow)
            elif isinstance(frame, Ping):
                self.send(flow, b"\r\n")
            elif isinstance(frame, BadMessage | Broken):
                self.send(flow, b"bad\r\n\r\n")
                if isinstance(frame, Broken):
                    self.send(flow, b"")

    def _message(self, data: bytes, flow: Flow) -> None:
        self.received.append((data, flow))
        if self.on_message is not None:
            self.on_message(data, flow)
        else:
            self.send(flow, data)

    def send(self, flow: Flow, data: bytes) -> None:
        self.outbox.append((flow, data))

    def flow_opened(self, flow: Flow, now: float) -> None:
        self.opened.append(flow)

    def flow_lost(self, flow: Flow, now: float) -> None:
        self.timers.now = now
        self.lost.append(flow)

    def tick(self, now: float) -> None:
        self.timers.expire(now)

    def next_deadline(self) -> float:
        return self.timers.next_deadline()

    @property
    def flows(self) -> list[Flow]:
        """The flow of each message received."""
        return [flow for _, flow in self.received]


def message(text: str = "hello", body: bytes = b"", call: int = 1) -> bytes:
    """A message that is whole on a stream too."""
    head = (
        "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
        f"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: {call}\r\nCSeq: 1 MESSAGE\r\n"
        f"Subject: {text}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextlib.asynccontextmanager
async def running(
    *listens: Listen,
    stack: Echo | None = None,
    stream: StreamSettings | None = None,
    faults: list[tuple[Exception, str]] | None = None,
    limit: float = LIMIT,
    **settings: object,
) -> AsyncIterator[tuple[Edge, Echo]]:
    """An edge that runs; at the end no fault may have been reported, unless a list for them was given."""
    reported = [] if faults is None else faults
    stack = stack or Echo()
    edge = Edge(
        EdgeSettings(tuple(listens), stream or StreamSettings(), **settings),  # type: ignore[arg-type]
        on_error=lambda failure, doing: reported.append((failure, doing)),
    )
    with trio.fail_after(limit):
        async with trio.open_nursery() as nursery:
            await nursery.start(edge.run, stack)
            yield edge, stack
            edge.close()
    if faults is None and reported:
        raise AssertionError(reported)


async def until(condition: Callable[[], object], step: float = 0.001) -> None:
    """Wait until a condition holds, looking each `step` seconds; `running` bounds the wait."""
    while not condition():  # noqa: ASYNC110  # what is waited for happens in the code under test
        await trio.sleep(step)
