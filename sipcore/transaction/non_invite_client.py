"""The non-INVITE client transaction: RFC 3261 figure 6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sipcore.message import Request, Response
from sipcore.timers import T1, T2, T4
from sipcore.transaction.client import ClientMachine, pass_up, report_lost, report_timeout
from sipcore.transaction.engine import ABANDON, COMPLETED, LOST, NOTHING, PROCEEDING, TERMINATED, TRYING, Table

if TYPE_CHECKING:
    from sipcore.flow import Flow
    from sipcore.transaction.layer import TransactionLayer

RESPONSE_1XX = "1xx"
RESPONSE_FINAL = "200-699"
TIMER_E = "timer E"
TIMER_F = "timer F"
TIMER_K = "timer K"


class NonInviteClient(ClientMachine):
    """The client side of any request but INVITE and ACK."""

    __slots__ = ("_interval",)

    def __init__(self, layer: TransactionLayer, key: str, request: Request, flow: Flow, user: Any) -> None:
        super().__init__(layer, key, request, flow, TRYING)
        self.user = user
        self._interval = T1
        after = layer.timers.after
        self.timer = after(64 * T1, _timer_f, self)
        if not flow.reliable:
            self.timer_retransmit = after(T1, _timer_e, self)

    def receive(self, response: Response) -> None:
        """Take a response that belongs to this transaction."""
        self.fire(RESPONSE_1XX if response.status < 200 else RESPONSE_FINAL, response)

    def cancel(self, headers: tuple[bytes, ...] = ()) -> None:
        """Nothing: only an INVITE can be cancelled (RFC 3261 section 9.1)."""


def _resend_slower(transaction: NonInviteClient, _: None) -> None:
    # In Proceeding the interval is T2 at once (section 17.1.2.2).
    interval = T2 if transaction.state == PROCEEDING else min(2 * transaction._interval, T2)
    transaction._interval = interval
    transaction.layer.resend(transaction, transaction.flow)
    transaction.timer_retransmit = transaction.layer.timers.after(interval, _timer_e, transaction)


def _complete(transaction: NonInviteClient, response: Response) -> None:
    transaction.stop_timers()
    transaction.data = b""
    pass_up(transaction, response)
    transaction.request = NOTHING
    if transaction.flow.reliable:
        transaction.fire(TIMER_K)  # zero on reliable transports
    elif transaction.state == COMPLETED:
        transaction.timer = transaction.layer.timers.after(T4, _timer_k, transaction)


def _end(transaction: NonInviteClient, _: None) -> None:
    transaction.end()


def _timer_e(transaction: NonInviteClient) -> None:
    transaction.fire(TIMER_E)


def _timer_f(transaction: NonInviteClient) -> None:
    transaction.fire(TIMER_F)


def _timer_k(transaction: NonInviteClient) -> None:
    transaction.fire(TIMER_K)


TABLE: Table = {
    (TRYING, TIMER_E):            (TRYING,     _resend_slower),   # 0.5, 1, 2, 4, 4, ... s
    (TRYING, TIMER_F):            (TERMINATED, report_timeout),
    (TRYING, LOST):               (TERMINATED, report_lost),
    (TRYING, RESPONSE_1XX):       (PROCEEDING, pass_up),
    (TRYING, RESPONSE_FINAL):     (COMPLETED,  _complete),        # starts K
    (TRYING, ABANDON):            (TERMINATED, _end),
    (PROCEEDING, TIMER_E):        (PROCEEDING, _resend_slower),   # every T2
    (PROCEEDING, TIMER_F):        (TERMINATED, report_timeout),
    (PROCEEDING, LOST):           (TERMINATED, report_lost),
    (PROCEEDING, RESPONSE_1XX):   (PROCEEDING, pass_up),
    (PROCEEDING, RESPONSE_FINAL): (COMPLETED,  _complete),
    (PROCEEDING, ABANDON):        (TERMINATED, _end),
    (COMPLETED, TIMER_K):         (TERMINATED, _end),
    (COMPLETED, ABANDON):         (TERMINATED, _end),
}  # fmt: skip

IGNORED = frozenset({
    (COMPLETED, RESPONSE_1XX), (COMPLETED, RESPONSE_FINAL),   # repeated by the server, absorbed until K
    (COMPLETED, LOST),                                        # the final response is known already
    *((TERMINATED, event) for event in (RESPONSE_1XX, RESPONSE_FINAL, LOST, ABANDON, TIMER_K)),
})  # fmt: skip
"""Legal, and nothing to do."""

NonInviteClient.table = TABLE
NonInviteClient.ignored = IGNORED
NonInviteClient.letters = {_timer_e: "E", _timer_f: "F", _timer_k: "K"}
