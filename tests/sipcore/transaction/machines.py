"""One transaction machine with chosen time, a recorder above it and an outbox below."""

from __future__ import annotations

from collections import deque

from sipcore.flow import Flow, Packet
from sipcore.message import Request, Response
from sipcore.timers import Timers
from sipcore.transaction.engine import Transaction
from sipcore.transaction.layer import TransactionLayer
from tests.wire import new_tokens, request


class Recorder:
    """A transaction user that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.ends = 0

    def response(self, response: Response, transaction: object) -> None:
        self.heard.append(response.status)

    def failed(self, lost: bool, transaction: object) -> None:
        self.heard.append("lost" if lost else "timeout")

    def ended(self) -> None:
        self.ends += 1

    def cancelled(self) -> None:
        self.heard.append("cancelled")

    def request(self, request: Request, transaction: object) -> None:
        self.heard.append(request.method)

    def ack(self, request: Request, flow: Flow) -> None:
        self.heard.append("ACK")

    def stray_response(self, response: Response, flow: Flow) -> None:
        self.heard.append("stray")


SOURCE = ("192.0.2.1", 5060)
US = ("192.0.2.9", 5060)


def new_layer() -> tuple[TransactionLayer, Recorder, deque[Packet]]:
    """A layer with chosen time and a recorder as its user."""
    user = Recorder()
    outbox: deque[Packet] = deque()
    layer = TransactionLayer(
        Timers(0.0), outbox, new_tokens(), user, lambda target: Flow(target.transport, US, SOURCE)  # type: ignore[arg-type]
    )  # fmt: skip
    return layer, user, outbox


def new_transaction(name: str, transport: str = "udp") -> tuple[Transaction, Recorder, deque[Packet]]:
    """One machine in its first state."""
    layer, user, outbox = new_layer()
    flow = Flow(transport, US, SOURCE)
    method = "INVITE" if name.startswith("invite") else "OPTIONS"
    message = request(method, "sip:bob@example.com", source=SOURCE, branch="x1")
    if name.endswith("client"):
        transaction: Transaction = layer.send_request(message, flow, user)  # type: ignore[arg-type]
    else:
        transaction = layer.new_server(message, flow, ("x1", method))
        transaction.user = user
    return transaction, user, outbox
