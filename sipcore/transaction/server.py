"""What both server machines share."""

from __future__ import annotations

from sipcore.flow import Flow
from sipcore.message import Response
from sipcore.transaction.engine import ABANDON, Transaction


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
    """Send a response and forget the request: whoever repeats it asks anew."""
    transaction.layer.send_response(transaction.way_back, response.write(), response)
    transaction.abandon()


def send(transaction: ServerMachine, response: Response) -> None:
    """Send a response and remember it for retransmissions of the request."""
    transaction.data = data = response.write()
    transaction.layer.send_response(transaction.way_back, data, response)


def resend(transaction: ServerMachine, _: object) -> None:
    """The request came again: so does the last response, if there is one."""
    if transaction.data:
        transaction.layer.resend(transaction, transaction.way_back)
