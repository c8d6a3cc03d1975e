"""What both client machines share."""

from __future__ import annotations

from typing import Any

from sipcore.message import Response
from sipcore.transaction.engine import ABANDON, Transaction


class ClientMachine(Transaction):
    """The client side of a request: its user is a `ClientUser`."""

    __slots__ = ()

    def abandon(self) -> None:
        """End the transaction without telling its user any more."""
        self.fire(ABANDON)

    def end(self) -> None:
        """Leave, and tell the user that nothing more will come."""
        user = self.user
        self.leave()
        user.ended()

    def leave(self) -> None:
        """Leave the layer's table and let go of everything."""
        self.stop_timers()
        self.layer.clients.pop(self.key, None)  # type: ignore[call-overload]
        self.flow.clients.pop(self.key, None)  # type: ignore[call-overload]
        self.user = None
        self.data = b""


def pass_up(transaction: ClientMachine, response: Response) -> None:
    """Give a response to the user."""
    transaction.user.response(response, transaction)


def report_timeout(transaction: ClientMachine, _: Any) -> None:
    """No final response in time: RFC 3261 section 8.1.3.1 treats it as a 408."""
    _report(transaction, False)


def report_lost(transaction: ClientMachine, _: Any) -> None:
    """The transport failed: RFC 3261 section 8.1.3.1 treats it as a 503."""
    _report(transaction, True)


def _report(transaction: ClientMachine, lost: bool) -> None:
    user = transaction.user
    transaction.leave()
    user.failed(lost, transaction)
