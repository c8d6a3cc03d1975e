"""The non-INVITE server transaction: RFC 3261 figure 8 with the rules of RFC 4320 section 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipcore.message import Request, Response
from sipcore.timers import T1
from sipcore.transaction.engine import (
    ABANDON,
    COMPLETED,
    LOST,
    NOTHING,
    PROCEEDING,
    REQUEST,
    TERMINATED,
    TRYING,
    Table,
)  # fmt: skip
from sipcore.transaction.server import ServerMachine, resend, send, send_once

if TYPE_CHECKING:
    from sipcore.flow import Flow
    from sipcore.transaction.layer import TransactionLayer

SEND_FINAL = "send 200-699"
SEND_408 = "send 408"
TIMER_100 = "the client's timer E has reached T2"
TIMER_J = "timer J"

TRYING_AFTER = T1 + 2 * T1 + 4 * T1
"""When a client's timer E is reset to T2: only then is a 100 useful, and then it is due (RFC 4320 section 4.1)."""


CHALLENGES = frozenset({401, 407})


class NonInviteServer(ServerMachine):
    """The server side of any request but INVITE and ACK."""

    __slots__ = ()

    def __init__(self, layer: TransactionLayer, key: object, request: Request, flow: Flow) -> None:
        super().__init__(layer, key, request, flow, TRYING)
        self.timer_retransmit = layer.timers.after(TRYING_AFTER, _timer_100, self)

    def respond(self, response: Response) -> None:
        """Send a final response; provisional ones are not sent (RFC 4320 section 4.1), nor is a 408 (4.2)."""
        if response.status >= 200:
            self.fire(SEND_FINAL if response.status != 408 else SEND_408, response)

    def refuse(self, response: Response) -> None:
        """Send a challenge once, for its client is unknown and asks anew; any other refusal stays for Timer J."""
        if self.state == TRYING and response.status in CHALLENGES:
            send_once(self, response)
        else:
            self.respond(response)

    def answered(self) -> bool:
        """Whether a final response was sent."""
        return self.state in (COMPLETED, TERMINATED)


def _send_trying(transaction: NonInviteServer, _: None) -> None:
    transaction.timer_retransmit = None
    send(transaction, transaction.request.response(100))


def _complete(transaction: NonInviteServer, response: Response) -> None:
    transaction.stop_timers()
    send(transaction, response)
    transaction.request = NOTHING
    transaction.user = None
    if transaction.flow.reliable:
        transaction.fire(TIMER_J)  # zero on reliable transports
    else:
        transaction.timer = transaction.layer.timers.after(64 * T1, _timer_j, transaction)


def _end(transaction: NonInviteServer, _: object) -> None:
    transaction.end()


def _timer_100(transaction: NonInviteServer) -> None:
    transaction.fire(TIMER_100)


def _timer_j(transaction: NonInviteServer) -> None:
    transaction.fire(TIMER_J)


TABLE: Table = {
    (TRYING, TIMER_100):      (PROCEEDING, _send_trying),
    (TRYING, SEND_FINAL):     (COMPLETED,  _complete),     # starts J
    (TRYING, SEND_408):       (TERMINATED, _end),          # RFC 4320 section 4.2: the client has given up by itself
    (TRYING, ABANDON):        (TERMINATED, _end),
    (PROCEEDING, REQUEST):    (PROCEEDING, resend),
    (PROCEEDING, SEND_FINAL): (COMPLETED,  _complete),
    (PROCEEDING, SEND_408):   (TERMINATED, _end),
    (PROCEEDING, ABANDON):    (TERMINATED, _end),
    (COMPLETED, REQUEST):     (COMPLETED,  resend),
    (COMPLETED, TIMER_J):     (TERMINATED, _end),
    (COMPLETED, LOST):        (TERMINATED, _end),
    (COMPLETED, ABANDON):     (TERMINATED, _end),
}  # fmt: skip

IGNORED = frozenset({
    (TRYING, REQUEST),                                        # absorbed: there is nothing to say yet
    (TRYING, LOST), (PROCEEDING, LOST),                       # the response tries another way (section 18.2.2)
    (COMPLETED, SEND_FINAL), (COMPLETED, SEND_408),           # only the first final response counts
    *((TERMINATED, event) for event in (REQUEST, LOST, SEND_FINAL, SEND_408, ABANDON, TIMER_J)),
})  # fmt: skip
"""Legal, and nothing to do."""

NonInviteServer.table = TABLE
NonInviteServer.ignored = IGNORED
NonInviteServer.letters = {_timer_100: "100", _timer_j: "J"}
