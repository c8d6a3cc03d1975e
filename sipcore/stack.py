"""The SIP stack as a value: bytes and time in, packets and deadlines out.

Nothing here opens a socket, reads a clock or starts a task. The edge calls `receive`, `receive_stream`,
`receive_message`, `flow_lost` and `tick`, then sends what is in `outbox` and wakes again at `next_deadline()`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sipcore.errors import Malformed
from sipcore.facts import Dropped, Observer
from sipcore.flow import Flow, FlowOpener, Packet
from sipcore.message import DEFAULT_LIMITS, Limits, Message, Request, Response, parse, parse_via
from sipcore.message.check import check_request, check_response
from sipcore.message.framing import BadMessage, Broken, Ping, StreamFraming, whole_message
from sipcore.message.malformed import answer_malformed
from sipcore.message.source import mark_source, way_back
from sipcore.message.tag import tag_for
from sipcore.timers import Timers
from sipcore.tokens import Tokens
from sipcore.transaction.invite_server import InviteServer
from sipcore.transaction.layer import TransactionLayer, server_key
from sipcore.transaction.user import TransactionUser

_TOLD_APART = 2_048
"""Bytes of a malformed message that its answer's tag is made of."""
CLOSE = b""
"""No bytes: the edge closes the stream after what was put into the outbox before."""


@dataclass(slots=True)
class StackCounters:
    """What the stack counts; plain integers."""

    requests: int = 0
    responses: int = 0
    malformed: int = 0
    dropped: int = 0
    shed: int = 0


class Stack:
    """SIP without sockets, clocks or tasks.

    `user` takes new requests; `open_flow` gives flows to targets; `most_transactions` bounds server transactions:
    beyond it new requests but ACK, BYE and CANCEL get a stateless 503 (RFC 3261 section 21.5.4). `alias(flow, port)`
    hears of a peer with a certificate that offers its connection for our requests to its sent-by (RFC 5923).
    """

    def __init__(
        self,
        *,
        user: TransactionUser,
        open_flow: FlowOpener,
        tokens: Tokens,
        limits: Limits = DEFAULT_LIMITS,
        now: float = 0.0,
        most_transactions: int = 200_000,
        alias: Callable[[Flow, int], None] | None = None,
    ) -> None:
        self.timers = Timers(now)
        self.outbox: deque[Packet] = deque()
        self.tokens = tokens
        self.limits = limits
        self.user = user
        self.transactions = TransactionLayer(self.timers, self.outbox, tokens, user, open_flow)
        self.counters = StackCounters()
        self.most_transactions = most_transactions
        self.overloaded = False
        """Set by the edge while more waits than can be served in time: what would begin something new gets a 503."""
        self.alias = alias
        self.flows: dict[str, Flow] = {}
        """Open connections that peers have made, by name."""
        self.when_flow_ends: list[Callable[[Flow], None]] = []
        """Hear of each connection that has ended, when its transactions know."""
        self._flow_number = 0
        self.observe: Observer | None = None

    # -- what the edge calls ----------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one datagram, or one message of a transport that keeps messages apart."""
        self.timers.now = now
        if len(data) < 5 and not data.strip(b"\r\n\x00"):
            return  # a keep-alive (RFC 5626 section 4.4.1) or padding
        try:
            message = parse(data, self.limits)
        except Malformed as malformed:
            self._answer_malformed(data, malformed, flow)
        else:
            self._receive_message(message, flow)

    def receive_stream(self, data: bytes, flow: Flow, now: float) -> None:
        """Take bytes of a stream connection; messages are found in them by Content-Length."""
        self.timers.now = now
        framing = flow.framing
        if framing is None:
            framing = flow.framing = StreamFraming(self.limits)
        assert isinstance(framing, StreamFraming)
        for frame in framing.feed(data):
            if flow.closed:
                return
            if isinstance(frame, Message):
                self._receive_message(frame, flow)
            else:
                self._receive_other(frame, flow)

    def receive_message(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message of a transport that is reliable and keeps messages apart: WebSocket (RFC 7118)."""
        self.timers.now = now
        frame = whole_message(data, self.limits)
        if isinstance(frame, Message):
            self._receive_message(frame, flow)
        elif frame is not None:
            self._receive_other(frame, flow)

    def _receive_other(self, frame: Ping | BadMessage | Broken, flow: Flow) -> None:
        if isinstance(frame, Ping):
            self.outbox.append((flow, b"\r\n"))  # RFC 5626 section 4.4.1
            return
        self._answer_malformed(frame.head, frame.malformed, flow)
        if isinstance(frame, Broken):
            self.outbox.append((flow, CLOSE))

    def flow_opened(self, flow: Flow, now: float) -> None:
        """A peer has connected: name the flow, since only the peer can make it again.

        Names begin by chance, so that none means anything to another run of this worker.
        """
        self.timers.now = now
        self._flow_number = (self._flow_number or int.from_bytes(self.tokens.random_bytes(6), "big")) + 1
        flow.name = f"{self._flow_number:x}"
        self.flows[flow.name] = flow

    def flow_lost(self, flow: Flow, now: float) -> None:
        """A connection has ended or could not be made, or a datagram was refused."""
        self.timers.now = now
        self.transactions.flow_lost(flow)
        if flow.closed:
            self.flows.pop(flow.name, None)
            for hear in self.when_flow_ends:
                hear(flow)

    def tick(self, now: float) -> None:
        """Run the timers that are due."""
        self.timers.expire(now)

    def next_deadline(self) -> float:
        """When `tick` must be called next; infinity when no timer is set."""
        return self.timers.next_deadline()

    # -- the offer list ---------------------------------------------------------------------------------------------

    def _receive_message(self, message: Message, flow: Flow) -> None:
        try:
            if isinstance(message, Request):
                self._receive_request(message, flow)
            else:
                assert isinstance(message, Response)
                self.counters.responses += 1
                check_response(message)
                self.transactions.receive_response(message, flow)
        except Malformed as malformed:
            if isinstance(message, Request):
                self._answer_malformed(message.write(), malformed, flow)
            else:
                self.counters.dropped += 1

    def _receive_request(self, request: Request, flow: Flow) -> None:
        self.counters.requests += 1
        check_request(request, self.limits)
        if flow.identities:
            self._offer_alias(request, flow)
        layer = self.transactions
        method = request.method
        # An ACK to a final response that is no 2xx has the branch of its INVITE (RFC 3261 section 17.2.3).
        key = server_key(request, "INVITE" if method == "ACK" else method)
        server = layer.servers.get(key)
        if server is not None:
            layer.absorb(server, request)
            return
        mark_source(request, flow.remote)  # after the key was taken: a retransmission has no mark
        if method == "ACK":
            self.user.ack(request, flow)
        elif method == "CANCEL":
            self._cancel(request, flow, key)
        elif method != "BYE" and (
            (self.overloaded and not request.to.tag) or len(layer.servers) >= self.most_transactions
        ):
            self._shed(request, flow)
        else:
            self.user.request(request, layer.new_server(request, flow, key))

    def _offer_alias(self, request: Request, flow: Flow) -> None:
        """RFC 5923 section 8.2: only what is next to us may offer, and its Via is the topmost one."""
        via = request.via
        if self.alias is not None and any(name == "alias" for name, _ in via.parameters):
            self.alias(flow, via.port)

    def _cancel(self, request: Request, flow: Flow, key: tuple[object, ...]) -> None:
        """RFC 3261 section 9.2: answer the CANCEL by itself, and end the INVITE if it still can be ended."""
        invite = self.transactions.servers.get((*key[:-1], "INVITE"))
        # A CANCEL from elsewhere with the right branch is refused: whoever sent the INVITE can send the CANCEL. It
        # makes no transaction, in which the right one would be taken for its retransmission.
        if not isinstance(invite, InviteServer) or invite.flow.remote[0] != flow.remote[0]:
            self._refuse(request.response(481, to_tag=tag_for(request, self.tokens)), flow)
            return
        transaction = self.transactions.new_server(request, flow, key)
        transaction.respond(request.response(200, to_tag=tag_for(request, self.tokens)))
        if not invite.answered() and invite.user is not None:
            invite.user.cancelled()

    def _shed(self, request: Request, flow: Flow) -> None:
        self.counters.shed += 1
        response = request.response(503, to_tag=tag_for(request, self.tokens))
        response.append("retry-after", b"10")
        self._refuse(response, flow)

    def _refuse(self, response: Response, flow: Flow) -> None:
        """Send a response without a transaction (RFC 3261 section 8.2.7)."""
        self.transactions.send_response(way_back(response.via, flow), response.write(), response)

    def _answer_malformed(self, data: bytes, malformed: Malformed, flow: Flow) -> None:
        self.counters.malformed += 1
        answer = answer_malformed(data, malformed, flow.remote, self.tokens.tag(data[:_TOLD_APART]))
        if answer is None:
            self.counters.dropped += 1
        else:
            via = parse_via(answer.split(b"\r\n", 2)[1].removeprefix(b"Via: "))
            self.outbox.append((way_back(via, flow), answer))
        if self.observe is not None:
            self.observe(Dropped(malformed.reason, len(data), flow))
