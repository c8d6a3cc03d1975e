"""Who stands above the transactions: RFC 3261 section 17 calls it the transaction user."""

from __future__ import annotations

from typing import Protocol

from sipcore.flow import Flow
from sipcore.message import Request, Response


class ServerUser(Protocol):
    """Who deals with a request: a parked handler, then a response context."""

    def cancelled(self) -> None:
        """A CANCEL for this INVITE came; it is answered already, the INVITE is not."""


class ServerTransaction(Protocol):
    """The server side of one request: answer it with `respond`.

    `user` hears of a CANCEL (see `ServerUser`); set it as soon as the request has one.
    """

    request: Request
    flow: Flow
    user: ServerUser | None

    def respond(self, response: Response) -> None:
        """Send a response; a final one ends the transaction. Later ones are ignored, but 2xx to INVITE pass."""

    def refuse(self, response: Response) -> None:
        """Send a final response of our own that is no 2xx, and keep no state for it where that is allowed.

        RFC 3261 sections 8.2.7 and 26.3.2.4: a source that may be forged costs no memory, and gets no more packets
        than it sends. A retransmission is a new request then, so the response has a tag of `Tokens.tag`.
        """

    def answered(self) -> bool:
        """Whether a final response was sent."""

    def abandon(self) -> None:
        """End the transaction without an answer."""


class ClientTransaction(Protocol):
    """The client side of one request that we sent."""

    request: Request
    flow: Flow
    user: ClientUser

    def cancel(self, headers: tuple[bytes, ...] = ()) -> None:
        """Cancel an INVITE: CANCEL goes out at once after a 1xx, is held before one (RFC 3261 section 9.1)."""

    def abandon(self) -> None:
        """End the transaction without telling its user any more."""

    def timers(self) -> dict[str, float]:
        """The timers that run now, by their letter in RFC 3261, with the seconds that each has left."""


class ClientUser(Protocol):
    """Who sent a request."""

    def response(self, response: Response, transaction: ClientTransaction) -> None:
        """A response came; its topmost Via (ours) is still there. Also every 2xx to an INVITE (RFC 6026)."""

    def failed(self, lost: bool, transaction: ClientTransaction) -> None:
        """No final response will come: the flow was lost, or (lost=False) timer B or F ran out."""

    def ended(self) -> None:
        """The transaction is over: nothing more will come of it. Not told where `failed` says so."""


class TransactionUser(Protocol):
    """Who takes new requests from the stack."""

    def request(self, request: Request, transaction: ServerTransaction) -> None:
        """A new request, neither ACK nor CANCEL, that passed the checks every element makes."""

    def ack(self, request: Request, flow: Flow) -> None:
        """An ACK that belongs to no server transaction: the ACK to a 2xx."""

    def stray_response(self, response: Response, flow: Flow) -> None:
        """A response that matches no client transaction (RFC 6026 section 7.3: never forwarded statelessly)."""
