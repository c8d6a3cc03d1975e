"""The INVITE server transaction: RFC 3261 figure 7 with the Accepted state of RFC 6026 section 8.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipcore.message import Request, Response
from sipcore.timers import T1, T2, T4
from sipcore.transaction.engine import (
    ABANDON,
    ACCEPTED,
    COMPLETED,
    CONFIRMED,
    LOST,
    NOTHING,
    PROCEEDING,
    REQUEST,
    TERMINATED,
    Table,
)  # fmt: skip
from sipcore.transaction.server import ServerMachine, resend, send, send_once

if TYPE_CHECKING:
    from sipcore.flow import Flow
    from sipcore.transaction.layer import TransactionLayer

SEND_1XX = "send 1xx"
SEND_2XX = "send 2xx"
SEND_FAILURE = "send 300-699"
ACK = "ACK"
TIMER_100 = "200 ms without a response"
TIMER_G = "timer G"
TIMER_H = "timer H"
TIMER_I = "timer I"
TIMER_L = "timer L"

TRYING_AFTER = 0.2
"""A 100 (Trying) is sent after this many seconds unless another response was (RFC 3261 section 17.2.1)."""
_EVENT_OF_CLASS = (SEND_1XX, SEND_2XX) + (SEND_FAILURE,) * 4


class InviteServer(ServerMachine):
    """The server side of one INVITE."""

    __slots__ = ("_interval",)

    def __init__(self, layer: TransactionLayer, key: object, request: Request, flow: Flow) -> None:
        super().__init__(layer, key, request, flow, PROCEEDING)
        self._interval = T1
        self.timer_retransmit = layer.timers.after(TRYING_AFTER, _timer_100, self)

    def respond(self, response: Response) -> None:
        """Send a response; after a final one only further 2xx pass (RFC 6026 section 8.5)."""
        self.fire(_EVENT_OF_CLASS[response.status // 100 - 1], response)

    def refuse(self, response: Response) -> None:
        """Send a refusal once; with Timer G and Timer H when a 1xx has ended the client's own retransmissions."""
        if self.state == PROCEEDING and not self.data:
            send_once(self, response)
        else:
            self.respond(response)

    def answered(self) -> bool:
        """Whether a final response was sent."""
        return self.state != PROCEEDING


def _send_trying(transaction: InviteServer, _: None) -> None:
    transaction.timer_retransmit = None
    if not transaction.data:
        send(transaction, transaction.request.response(100))


def _send_provisional(transaction: InviteServer, response: Response) -> None:
    if transaction.timer_retransmit is not None:
        transaction.timer_retransmit.cancel()
        transaction.timer_retransmit = None
    send(transaction, response)


def _accept(transaction: InviteServer, response: Response) -> None:
    transaction.stop_timers()
    send(transaction, response)
    transaction.data = b""  # a repeated INVITE is absorbed now: whoever sent the 2xx repeats it (section 13.3.1.4)
    transaction.request = NOTHING
    transaction.timer = transaction.layer.timers.after(64 * T1, _timer_l, transaction)


def _fail(transaction: InviteServer, response: Response) -> None:
    transaction.stop_timers()
    send(transaction, response)
    transaction.request = NOTHING
    after = transaction.layer.timers.after
    transaction.timer = after(64 * T1, _timer_h, transaction)
    if not transaction.flow.reliable:
        transaction.timer_retransmit = after(T1, _timer_g, transaction)


def _resend_slower(transaction: InviteServer, _: None) -> None:
    transaction.layer.resend(transaction, transaction.way_back)
    transaction._interval = min(2 * transaction._interval, T2)
    transaction.timer_retransmit = transaction.layer.timers.after(transaction._interval, _timer_g, transaction)


def _confirm(transaction: InviteServer, _: Request) -> None:
    transaction.stop_timers()
    transaction.data = b""
    if transaction.flow.reliable:
        transaction.fire(TIMER_I)  # zero on reliable transports
    else:
        transaction.timer = transaction.layer.timers.after(T4, _timer_i, transaction)


def _pass_ack(transaction: InviteServer, request: Request) -> None:
    # An ACK to a 2xx with the INVITE's branch: only clients of RFC 2543 send it (RFC 6026 section 8.5).
    transaction.layer.user.ack(request, transaction.flow)


def _end(transaction: InviteServer, _: object) -> None:
    transaction.end()


def _timer_100(transaction: InviteServer) -> None:
    transaction.fire(TIMER_100)


def _timer_g(transaction: InviteServer) -> None:
    transaction.fire(TIMER_G)


def _timer_h(transaction: InviteServer) -> None:
    transaction.fire(TIMER_H)


def _timer_i(transaction: InviteServer) -> None:
    transaction.fire(TIMER_I)


def _timer_l(transaction: InviteServer) -> None:
    transaction.fire(TIMER_L)


TABLE: Table = {
    (PROCEEDING, REQUEST):      (PROCEEDING, resend),
    (PROCEEDING, TIMER_100):    (PROCEEDING, _send_trying),
    (PROCEEDING, SEND_1XX):     (PROCEEDING, _send_provisional),
    (PROCEEDING, SEND_2XX):     (ACCEPTED,   _accept),           # starts L
    (PROCEEDING, SEND_FAILURE): (COMPLETED,  _fail),             # starts G on unreliable transports, and H
    (PROCEEDING, ABANDON):      (TERMINATED, _end),
    (COMPLETED, REQUEST):       (COMPLETED,  resend),
    (COMPLETED, TIMER_G):       (COMPLETED,  _resend_slower),
    (COMPLETED, TIMER_H):       (TERMINATED, _end),              # the ACK never came
    (COMPLETED, ACK):           (CONFIRMED,  _confirm),          # starts I
    (COMPLETED, LOST):          (TERMINATED, _end),
    (COMPLETED, ABANDON):       (TERMINATED, _end),
    (CONFIRMED, TIMER_I):       (TERMINATED, _end),
    (CONFIRMED, ABANDON):       (TERMINATED, _end),
    (ACCEPTED, SEND_2XX):       (ACCEPTED,   send),              # RFC 6026: repeated and forked 2xx
    (ACCEPTED, ACK):            (ACCEPTED,   _pass_ack),
    (ACCEPTED, TIMER_L):        (TERMINATED, _end),
    (ACCEPTED, ABANDON):        (TERMINATED, _end),
}  # fmt: skip

IGNORED = frozenset({
    (PROCEEDING, ACK),                                              # nothing to acknowledge yet
    (PROCEEDING, LOST),                                             # the response tries another way (section 18.2.2)
    (ACCEPTED, REQUEST),                                            # absorbed (RFC 6026 section 7.1)
    (ACCEPTED, LOST), (ACCEPTED, SEND_1XX), (ACCEPTED, SEND_FAILURE),
    (COMPLETED, SEND_1XX), (COMPLETED, SEND_2XX), (COMPLETED, SEND_FAILURE),
    (CONFIRMED, SEND_1XX), (CONFIRMED, SEND_2XX), (CONFIRMED, SEND_FAILURE),
    (CONFIRMED, REQUEST), (CONFIRMED, ACK), (CONFIRMED, LOST),
    *((TERMINATED, event) for event in (REQUEST, ACK, LOST, SEND_1XX, SEND_2XX, SEND_FAILURE, ABANDON, TIMER_I)),
})  # fmt: skip
"""Legal, and nothing to do."""

InviteServer.table = TABLE
InviteServer.ignored = IGNORED
InviteServer.letters = {_timer_100: "100", _timer_g: "G", _timer_h: "H", _timer_i: "I", _timer_l: "L"}
