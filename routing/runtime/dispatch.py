"""The offer list for new requests: what stands before the route script, and the script itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from routing.runtime.context import Context
from routing.runtime.platform import Platform
from sipcore.errors import Malformed, Refused, RingwayError, Unavailable
from sipcore.facts import Rejected
from sipcore.flow import Flow
from sipcore.message import Request, Response
from sipcore.need import Runner
from sipcore.transaction.user import ServerTransaction

log = logging.getLogger("ringway.route")

Offer = Callable[[Request, ServerTransaction], bool]
"""Takes a request and answers True, or leaves it to the next one; raises Refused or Malformed to answer."""


class RouteSet(Protocol):
    """The routes in force."""

    def run(self, context: Context) -> Coroutine[Any, Any, object]:
        """Run the request through `on request`."""


class Dispatcher:
    """The transaction user of the whole server.

    `offers` are asked in order before the routes; `acknowledge` takes the ACK to a 2xx. While `draining` is set,
    requests that would begin something new get a 503.
    """

    def __init__(self) -> None:
        self.platform: Platform | None = None
        self.routes: RouteSet | None = None
        self.offers: list[Offer] = []
        self.acknowledge: Callable[[Request, Flow], None] = _ignore_ack
        self.draining = False

    def request(self, request: Request, transaction: ServerTransaction) -> None:
        """Offer a new request down the list, then run the routes."""
        try:
            self._refuse_impossible(request)
            for offer in self.offers:
                if offer(request, transaction):
                    return
            if self.draining and request.method in ("INVITE", "REGISTER", "SUBSCRIBE"):
                raise Refused(503, "Shutting Down", (b"Retry-After: 10",))
            if request.to.tag and request.method not in ("REGISTER", "OPTIONS", "NOTIFY"):
                raise Refused(481)  # RFC 3261 section 12.2.2: a dialog that we know nothing of
        except (Refused, Malformed) as refusal:
            self._answer(request, transaction, refusal)
        else:
            self._route(request, transaction)

    def _refuse_impossible(self, request: Request) -> None:
        """What no element can serve: no hops left (RFC 3261 16.3 step 3), unknown extensions (step 5)."""
        if request.get("max-forwards") == b"0" and request.method != "OPTIONS":
            raise Refused(483)
        if "proxy-require" in request.names:
            tags = b", ".join(request.elements("proxy-require"))
            raise Refused(420, "", (b"Unsupported: " + tags,))

    def _route(self, request: Request, transaction: ServerTransaction) -> None:
        platform, routes = self.platform, self.routes
        assert platform is not None and routes is not None
        context = Context(platform, request, transaction)
        transaction.user = context
        context.handle = platform.runner.run(routes.run(context), context)

    def _answer(self, request: Request, transaction: ServerTransaction, refusal: Refused | Malformed) -> None:
        platform = self.platform
        assert platform is not None
        response = request.response(refusal.status, refusal.reason, to_tag=platform.tokens.token())
        for line in getattr(refusal, "headers", ()):
            response.names.append(line.split(b":", 1)[0].lower().decode())
            response.lines.append(line)
        if platform.observe_refusals is not None:
            why = refusal.reason or response.reason
            user, target = request.from_.uri_text, request.uri_text
            platform.observe_refusals(Rejected(request.method, user, target, refusal.status, why, transaction.flow))
        transaction.respond(response)

    def ack(self, request: Request, flow: Flow) -> None:
        """An ACK to a 2xx: forwarded along its dialog, or dropped."""
        self.acknowledge(request, flow)

    def stray_response(self, response: Response, flow: Flow) -> None:
        """Dropped: RFC 6026 section 7.3 forbids to forward it without its transaction."""

    def failed(self, failure: Exception, context: Context | None) -> None:
        """A route raised: answer that request alone, and say where in the route it happened."""
        if context is None or context.ended:
            log.error("a handler failed after its request was answered", exc_info=failure)
        elif isinstance(failure, Refused | Malformed):
            self._end(context, failure)
        elif isinstance(failure, Unavailable):
            log.warning("backend unavailable: %s", failure)
            self._end(context, Refused(503, "", (b"Retry-After: 5",)))
        else:
            level = logging.ERROR if not isinstance(failure, RingwayError) else logging.WARNING
            log.log(level, "route failed for call %r", context.request.call_id, exc_info=failure)
            self._end(context, Refused(500))

    def _end(self, context: Context, refusal: Refused | Malformed) -> None:
        context.ended = True
        if not context.transaction.answered():
            self._answer(context.request, context.transaction, refusal)


def new_runner(dispatcher: Dispatcher, perform: Callable[..., Callable[[], None]], limit: int = 10_000) -> Runner:
    """A runner whose faults are answered by the dispatcher."""
    return Runner(perform, dispatcher.failed, limit)


def _ignore_ack(request: Request, flow: Flow) -> None:
    """Without a proxy there is no dialog that an ACK could belong to."""
