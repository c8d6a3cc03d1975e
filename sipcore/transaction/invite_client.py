"""The INVITE client transaction: RFC 3261 figure 5 with the Accepted state of RFC 6026 section 8.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sipcore.errors import Malformed
from sipcore.message import Request, Response
from sipcore.timers import T1, Timer
from sipcore.transaction.client import ClientMachine, pass_up, report_lost, report_timeout
from sipcore.transaction.engine import (
    ABANDON,
    ACCEPTED,
    CALLING,
    COMPLETED,
    LOST,
    NOTHING,
    PROCEEDING,
    TERMINATED,
    Table,
)  # fmt: skip

if TYPE_CHECKING:
    from sipcore.flow import Flow
    from sipcore.transaction.layer import TransactionLayer

RESPONSE_1XX = "1xx"
RESPONSE_2XX = "2xx"
RESPONSE_FAILURE = "300-699"
CANCEL = "cancel"
TIMER_A = "timer A"
TIMER_B = "timer B"
TIMER_D = "timer D"
TIMER_M = "timer M"
TIMER_CANCEL = "no final response after CANCEL"

TIMER_D_SECONDS = 32.0
"""How long an unreliable transport may repeat a final response (RFC 3261 section 17.1.1.2: at least 32 s)."""
_EVENT_OF_CLASS = (RESPONSE_1XX, RESPONSE_2XX) + (RESPONSE_FAILURE,) * 4


class InviteClient(ClientMachine):
    """The client side of one INVITE; sends its own ACK to a final response that is no 2xx."""

    __slots__ = ("_ack", "_cancel_headers", "_interval")

    def __init__(self, layer: TransactionLayer, key: str, request: Request, flow: Flow, user: Any) -> None:
        super().__init__(layer, key, request, flow, CALLING)
        self.user = user
        self._cancel_headers: tuple[bytes, ...] | None = None
        self._ack = b""
        self._interval = T1
        after = layer.timers.after
        self.timer = after(64 * T1, _timer_b, self)
        if not flow.reliable:
            self.timer_retransmit = after(T1, _timer_a, self)

    def receive(self, response: Response) -> None:
        """Take a response that belongs to this transaction."""
        self.fire(_EVENT_OF_CLASS[response.status // 100 - 1], response)

    def cancel(self, headers: tuple[bytes, ...] = ()) -> None:
        """Cancel the INVITE: at once when a 1xx has come, else when one comes (RFC 3261 section 9.1)."""
        self.fire(CANCEL, headers)


# -- what happens ---------------------------------------------------------------------------------------------------


def _resend_slower(transaction: InviteClient, _: None) -> None:
    transaction.layer.resend(transaction, transaction.flow)
    transaction._interval *= 2
    transaction.timer_retransmit = transaction.layer.timers.after(transaction._interval, _timer_a, transaction)


def _proceed(transaction: InviteClient, response: Response) -> None:
    transaction.stop_timers()
    if transaction._cancel_headers is not None:
        _send_cancel(transaction, transaction._cancel_headers)
    pass_up(transaction, response)


def _accept(transaction: InviteClient, response: Response) -> None:
    transaction.stop_timers()
    # RFC 6026 section 8.4: stay for 64*T1 so that repeated and forked 2xx still reach the user.
    transaction.timer = transaction.layer.timers.after(64 * T1, _timer_m, transaction)
    transaction.data = b""
    pass_up(transaction, response)
    transaction.request = NOTHING


def _fail(transaction: InviteClient, response: Response) -> None:
    transaction.stop_timers()
    transaction._ack = ack_of(transaction.request, response)
    transaction.data = b""
    transaction.layer.send(transaction.flow, transaction._ack)
    pass_up(transaction, response)
    transaction.request = NOTHING
    if transaction.flow.reliable:
        transaction.fire(TIMER_D)  # zero on reliable transports
    elif transaction.state == COMPLETED:
        transaction.timer = transaction.layer.timers.after(TIMER_D_SECONDS, _timer_d, transaction)


def _acknowledge_again(transaction: InviteClient, _: Response) -> None:
    transaction.layer.send(transaction.flow, transaction._ack)


def _hold_cancel(transaction: InviteClient, headers: tuple[bytes, ...]) -> None:
    transaction._cancel_headers = headers


def _send_cancel(transaction: InviteClient, headers: tuple[bytes, ...]) -> None:
    transaction._cancel_headers = None
    layer = transaction.layer
    layer.send_on_flow(cancel_of(transaction.request, headers), transaction.flow, NOBODY)
    # RFC 3261 section 9.1: with no final response 64*T1 after the CANCEL the transaction counts as cancelled.
    if transaction.timer is None:
        transaction.timer = layer.timers.after(64 * T1, _timer_cancel, transaction)


class Nobody:
    """The user of a CANCEL: its response changes nothing."""

    def response(self, response: Response, transaction: object) -> None:
        """Ignore it; the INVITE's own final response is what counts."""

    def failed(self, lost: bool, transaction: object) -> None:
        """Ignore it; the INVITE transaction has its own timers."""

    def ended(self) -> None:
        """Nothing to let go of."""


NOBODY = Nobody()


def _timer_a(transaction: InviteClient) -> None:
    transaction.fire(TIMER_A)


def _timer_b(transaction: InviteClient) -> None:
    transaction.fire(TIMER_B)


def _timer_d(transaction: InviteClient) -> None:
    transaction.fire(TIMER_D)


def _timer_m(transaction: InviteClient) -> None:
    transaction.fire(TIMER_M)


def _timer_cancel(transaction: InviteClient) -> None:
    transaction.fire(TIMER_CANCEL)


def _end(transaction: InviteClient, _: object) -> None:
    transaction.end()


TABLE: Table = {
    (CALLING, TIMER_A):             (CALLING,    _resend_slower),
    (CALLING, TIMER_B):             (TERMINATED, report_timeout),
    (CALLING, LOST):                (TERMINATED, report_lost),
    (CALLING, CANCEL):              (CALLING,    _hold_cancel),       # section 9.1: no CANCEL before a 1xx
    (CALLING, RESPONSE_1XX):        (PROCEEDING, _proceed),           # stops A and B
    (CALLING, RESPONSE_2XX):        (ACCEPTED,   _accept),            # starts M
    (CALLING, RESPONSE_FAILURE):    (COMPLETED,  _fail),              # ACK, starts D
    (CALLING, ABANDON):             (TERMINATED, _end),
    (PROCEEDING, RESPONSE_1XX):     (PROCEEDING, pass_up),
    (PROCEEDING, RESPONSE_2XX):     (ACCEPTED,   _accept),
    (PROCEEDING, RESPONSE_FAILURE): (COMPLETED,  _fail),
    (PROCEEDING, CANCEL):           (PROCEEDING, _send_cancel),
    (PROCEEDING, TIMER_CANCEL):     (TERMINATED, report_timeout),
    (PROCEEDING, LOST):             (TERMINATED, report_lost),
    (PROCEEDING, ABANDON):          (TERMINATED, _end),
    (ACCEPTED, RESPONSE_2XX):       (ACCEPTED,   pass_up),            # RFC 6026: repeated and forked 2xx
    (ACCEPTED, TIMER_M):            (TERMINATED, _end),
    (ACCEPTED, ABANDON):            (TERMINATED, _end),
    (COMPLETED, RESPONSE_FAILURE):  (COMPLETED,  _acknowledge_again),
    (COMPLETED, TIMER_D):           (TERMINATED, _end),
    (COMPLETED, LOST):              (TERMINATED, _end),               # the final response is known already
    (COMPLETED, ABANDON):           (TERMINATED, _end),
}  # fmt: skip

IGNORED = frozenset({
    (ACCEPTED, RESPONSE_1XX), (ACCEPTED, RESPONSE_FAILURE),    # late responses of another branch downstream
    (ACCEPTED, LOST),                                          # the call goes on, its dialog has its own flow
    (ACCEPTED, CANCEL), (COMPLETED, CANCEL),                   # too late
    (COMPLETED, RESPONSE_1XX), (COMPLETED, RESPONSE_2XX),
    *((TERMINATED, event) for event in (
        RESPONSE_1XX, RESPONSE_2XX, RESPONSE_FAILURE, CANCEL, LOST, ABANDON, TIMER_D,
    )),
})  # fmt: skip
"""Legal, and nothing to do."""

InviteClient.table = TABLE
InviteClient.ignored = IGNORED
InviteClient.letters = {_timer_a: "A", _timer_b: "B", _timer_d: "D", _timer_m: "M", _timer_cancel: "CANCEL"}


def ack_of(request: Request, response: Response) -> bytes:
    """The ACK to a final response that is no 2xx (RFC 3261 section 17.1.1.3)."""
    names, lines = _copied(request)
    names.insert(2, "to")
    lines.insert(2, b"To: " + _to_of(request, response))
    ack = Request("ACK", request.uri_text, names, lines)
    ack.set("cseq", b"%d ACK" % request.cseq.number)
    return ack.write()


def _to_of(request: Request, response: Response) -> bytes:
    """The To of the response, which has the tag; nothing broken is sent on as ours, since the branch says enough."""
    message: Request | Response = response
    try:
        _ = response.to.uri
    except Malformed:
        message = request
    return message.get("to") or b""


def cancel_of(request: Request, headers: tuple[bytes, ...] = ()) -> Request:
    """The CANCEL of a request (RFC 3261 section 9.1); `headers` are whole lines to add, such as Reason."""
    names, lines = _copied(request)
    names.insert(2, "to")
    lines.insert(2, b"To: " + (request.get("to") or b""))
    cancel = Request("CANCEL", request.uri_text, names, lines)
    cancel.set("cseq", b"%d CANCEL" % request.cseq.number)
    for line in headers:
        cancel.names.append(line.split(b":", 1)[0].lower().decode())
        cancel.lines.append(line)
    return cancel


def _copied(request: Request) -> tuple[list[str], list[bytes]]:
    """What ACK and CANCEL take from the INVITE: one Via, From, Call-ID, Route, Max-Forwards."""
    names = ["via", "from", "call-id", "max-forwards"]
    lines = [
        request.lines[request.names.index("via")],
        request.lines[request.names.index("from")],
        request.lines[request.names.index("call-id")],
        b"Max-Forwards: 70",
    ]
    for name, line in zip(request.names, request.lines, strict=True):
        if name == "route":
            names.append(name)
            lines.append(line)
    return names, lines


__all__ = ["IGNORED", "TABLE", "InviteClient", "Timer", "ack_of", "cancel_of"]
