"""Finds the transaction a message belongs to, and makes new ones (RFC 3261 sections 17.1.3 and 17.2.3)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sipcore.errors import Unresolvable
from sipcore.flow import Flow, FlowOpener, Packet, Target
from sipcore.message import Request, Response
from sipcore.message.source import way_back
from sipcore.timers import Timers
from sipcore.tokens import BRANCH_COOKIE, Tokens
from sipcore.transaction.engine import LOST, REQUEST, Transaction
from sipcore.transaction.invite_client import InviteClient
from sipcore.transaction.invite_server import ACK, InviteServer
from sipcore.transaction.late_response import LateResponse, LocateSentBy
from sipcore.transaction.non_invite_client import NonInviteClient
from sipcore.transaction.non_invite_server import NonInviteServer
from sipcore.transaction.user import ClientUser, TransactionUser

DATAGRAM_LIMIT = 1300
"""A request larger than this goes by TCP instead of UDP, since the path's MTU is unknown (RFC 3261 section 18.1.1)."""

ServerKey = tuple[object, ...]
Server = InviteServer | NonInviteServer


@dataclass(slots=True)
class TransactionCounters:
    """What the layer counts; plain integers."""

    retransmissions_sent: int = 0
    retransmissions_received: int = 0
    stray_responses: int = 0
    unexpected_events: int = 0
    out_of_proportion: int = 0
    """Requests by UDP that were so small that refusing them would have served whoever forged their source."""


class TransactionLayer:
    """All transactions of one stack."""

    def __init__(
        self, timers: Timers, outbox: deque[Packet], tokens: Tokens, user: TransactionUser, open_flow: FlowOpener
    ) -> None:
        self.timers = timers
        self.outbox = outbox
        self.tokens = tokens
        self.user = user
        self.open_flow = open_flow
        self.locate_sent_by: LocateSentBy | None = None
        self.clients: dict[str, InviteClient | NonInviteClient] = {}
        self.servers: dict[ServerKey, Server] = {}
        self.counters = TransactionCounters()

    # -- client side ------------------------------------------------------------------------------------------------

    def send_request(
        self, request: Request, flow: Flow, user: ClientUser, branch: str = "", may_switch: bool = True
    ) -> InviteClient | NonInviteClient:
        """Send a request in a new client transaction; our Via is put on it here.

        A request too large for UDP goes by TCP when a flow can be had and `may_switch` (RFC 3261 section 18.1.1):
        the transaction's `flow` tells. `branch` must be unique; by default a new one is minted.
        """
        branch = branch or self.tokens.branch()
        request.push_via(flow.via_prefix + branch.encode())
        data = request.write()
        if len(data) > DATAGRAM_LIMIT and flow.transport == "udp" and may_switch:
            stream = self._stream_instead(flow)
            if stream is not None:
                flow = stream
                request.pop_via()
                request.push_via(flow.via_prefix + branch.encode())
                data = request.write()
        return self._start(request, data, flow, branch, user)

    def send_on_flow(self, request: Request, flow: Flow, user: ClientUser) -> None:
        """Send a CANCEL, which carries the Via of its INVITE already, in a transaction of its own."""
        self._start(request, request.write(), flow, request.via.branch + ";CANCEL", user)

    def _start(
        self, request: Request, data: bytes, flow: Flow, key: str, user: ClientUser
    ) -> InviteClient | NonInviteClient:
        machine = InviteClient if request.method == "INVITE" else NonInviteClient
        transaction = machine(self, key, request, flow, user)
        transaction.data = data
        self.clients[key] = flow.clients[key] = transaction
        self.outbox.append((flow, data))
        return transaction

    def _stream_instead(self, flow: Flow) -> Flow | None:
        try:
            return self.open_flow(Target("tcp", *flow.remote))
        except Unresolvable:
            return None

    def receive_response(self, response: Response, flow: Flow) -> None:
        """Hand a response to its client transaction; a stray one to the user, who drops it (RFC 6026 section 7.3)."""
        branch = response.via.branch
        client = self.clients.get(branch + ";CANCEL" if response.cseq.method == "CANCEL" else branch)
        if client is None:
            self.counters.stray_responses += 1
            self.user.stray_response(response, flow)
        else:
            client.receive(response)

    # -- server side ------------------------------------------------------------------------------------------------

    def absorb(self, server: Server, request: Request) -> None:
        """Deal with a retransmission of a request, or with an ACK to our final response."""
        if request.method == "ACK":
            server.fire(ACK, request)
        else:
            self.counters.retransmissions_received += 1
            server.fire(REQUEST)

    def new_server(self, request: Request, flow: Flow, key: ServerKey) -> Server:
        """A server transaction for a new request; `key` was taken before the Via was marked with its source."""
        machine = InviteServer if request.method == "INVITE" else NonInviteServer
        transaction = self.servers[key] = machine(self, key, request, flow)
        via = request.via
        if via.rport is None and via.port != flow.remote[1]:
            transaction.way_back = way_back(via, flow)
        else:
            transaction.way_back = flow
        return transaction

    # -- what the machines call -------------------------------------------------------------------------------------

    def send(self, flow: Flow, data: bytes) -> None:
        """Put bytes into the outbox."""
        self.outbox.append((flow, data))

    def resend(self, transaction: Transaction, flow: Flow) -> None:
        """Send a transaction's last bytes again."""
        self.counters.retransmissions_sent += 1
        self.outbox.append((flow, transaction.data))

    def send_response(self, flow: Flow, data: bytes, response: Response) -> None:
        """Send a response by the flow of its request, or, when that is gone, some other way to its client."""
        if flow.closed:
            LateResponse(self, flow.transport, data, response).send()
        else:
            self.outbox.append((flow, data))

    def flow_lost(self, flow: Flow) -> None:
        """A connection broke or a datagram was refused: every request that waits for an answer on it hears of it."""
        for transaction in list(flow.clients.values()):
            assert isinstance(transaction, Transaction | LateResponse)
            transaction.fire(LOST)

    def unexpected(self, transaction: Transaction, event: str) -> None:
        """An event that no table row expects: counted; the tests allow none."""
        self.counters.unexpected_events += 1


def server_key(request: Request, method: str) -> ServerKey:
    """What identifies the server transaction of a request (RFC 3261 section 17.2.3)."""
    via = request.via
    if via.branch.startswith(BRANCH_COOKIE):
        return via.branch, via.host, via.port, method
    # RFC 2543: no unique branch. The ACK has the INVITE's Request-URI, From tag, Call-ID, CSeq number and top Via.
    return request.uri_text, request.from_.tag, request.call_id, request.cseq.number, request.get("via"), method
