"""What both server machines share."""

from __future__ import annotations

from sipcore.flow import Flow
from sipcore.message import Request, Response
from sipcore.transaction.engine import ABANDON, Transaction

MOST_RETURNED = 3
"""How many bytes a refusal may have for each byte that came."""


class ServerMachine(Transaction):
    """The server side of a request: its user is a `ServerUser`. `way_back` is the flow that responses take."""

    __slots__ = ("way_back",)

    way_back: Flow

    def abandon(self) -> None:
        """End without an answer; a retransmission would be taken for a new request."""
        self.fire(ABANDON)

    def end(self) -> None:
        """Leave the layer's table and let go of everything."""
        self.stop_timers()
        self.layer.servers.pop(self.key, None)  # type: ignore[call-overload]
        self.user = None
        self.data = b""


def send_once(transaction: ServerMachine, response: Response) -> None:
    """Send a response and forget the request: whoever repeats it asks anew.

    A datagram so small that its refusal would be more than three times its size is not answered: no phone sends such a
    one, but whoever forges a source would gain by it (RFC 3261 section 26.1.5).
    """
    data = response.write()
    layer = transaction.layer
    if transaction.flow.reliable or len(data) <= MOST_RETURNED * _size(transaction.request):
        layer.send_response(transaction.way_back, data, response)
    else:
        layer.counters.out_of_proportion += 1
    transaction.abandon()


def _size(request: Request) -> int:
    """How many bytes a request had when it came, before its Via was marked with its source."""
    via = request.via
    marks = len(via.received) + len(";received=") + len(via.rport or "") if via.received else 0
    lines = request.lines
    return len(request.uri_text) + sum(map(len, lines)) + 2 * len(lines) + len(request.body) - marks


def send(transaction: ServerMachine, response: Response) -> None:
    """Send a response and remember it for retransmissions of the request."""
    transaction.data = data = response.write()
    transaction.layer.send_response(transaction.way_back, data, response)


def resend(transaction: ServerMachine, _: object) -> None:
    """The request came again: so does the last response, if there is one."""
    if transaction.data:
        transaction.layer.resend(transaction, transaction.way_back)
