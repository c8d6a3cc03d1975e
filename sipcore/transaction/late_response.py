"""A response whose connection is gone: it goes to one place after the other (RFC 3261 section 18.2.2, RFC 3263 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sipcore.errors import Unresolvable
from sipcore.flow import Flow, Target
from sipcore.host import Kind, kind_of
from sipcore.message import Response
from sipcore.message.source import response_target
from sipcore.timers import T1, Timer
from sipcore.uri import Uri

if TYPE_CHECKING:
    from sipcore.transaction.layer import TransactionLayer

LocateSentBy = Callable[[Uri, Callable[[tuple[Target, ...]], None]], None]
"""Finds the targets of the name in a sent-by, and calls with them, now or later; with none when there are none."""
MOST_PLACES = 4
"""Places of a name that are tried: the client chose it, and must not make us knock at many doors."""


class LateResponse:
    """Waits on the flow it was sent by, so that it hears when that is lost too, and then tries the next place.

    First comes the address that the request really came from, with the port of the sent-by; then, when the sent-by
    is a name, what the DNS says of it. A sent-by that is another address is not obeyed: it is only what a client says.
    """

    __slots__ = ("_asked", "_data", "_flow", "_key", "_layer", "_targets", "_timer", "_transport", "_via")

    def __init__(self, layer: TransactionLayer, transport: str, data: bytes, response: Response) -> None:
        self._layer = layer
        self._transport = transport
        self._data = data
        self._via = via = response.via
        self._key = f"{via.branch};{response.status}"
        self._flow: Flow | None = None
        self._timer: Timer | None = None
        host, port = response_target(via, transport)
        # With TLS its sent-by is whom the certificate must speak for.
        domain = via.host if transport == "tls" else ""
        self._targets: tuple[Target, ...] = (Target(transport, host, port, domain),)
        self._asked = layer.locate_sent_by is None or kind_of(via.host) is not Kind.NAME

    def send(self) -> None:
        """Send it to the first place that can be had."""
        self._leave()
        while self._targets:
            target, self._targets = self._targets[0], self._targets[1:]
            try:
                flow = self._layer.open_flow(target)
            except Unresolvable:
                continue
            self._send_by(flow)
            return
        if not self._asked:
            self._ask()

    def fire(self, event: str) -> None:
        """The flow was lost: the one thing that it waits for."""
        self.send()

    def _send_by(self, flow: Flow) -> None:
        self._flow = flow
        flow.clients[self._key] = self
        # No news is good news: by then the client has given its transaction up.
        self._timer = self._layer.timers.after(64 * T1, _leave, self)
        self._layer.outbox.append((flow, self._data))

    def _leave(self) -> None:
        if self._flow is not None:
            self._flow.clients.pop(self._key, None)
            self._flow = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        self._asked = True
        locate, via = self._layer.locate_sent_by, self._via
        if locate is not None:
            # Section 5: SRV for the transport of the Via when there is no port, else addresses.
            locate(Uri("sip", "", via.host, via.port, (("transport", self._transport),)), self._located)

    def _located(self, targets: tuple[Target, ...]) -> None:
        self._targets = targets[:MOST_PLACES]
        self.send()


def _leave(response: LateResponse) -> None:
    response._leave()
