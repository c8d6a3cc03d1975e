"""The offer list for new requests: what stands before the route script, and the script itself."""

from __future__ import annotations

import logging
from collections.abc import Callable

from routing.runtime.context import Context, RouteSet
from routing.runtime.platform import Platform
from sipcore.errors import Malformed, Refused, RingwayError, Unavailable
from sipcore.facts import Rejected
from sipcore.flow import Flow
from sipcore.message import Request, Response
from sipcore.message.tag import tag_for
from sipcore.need import Runner
from sipcore.transaction.user import ServerTransaction

log = logging.getLogger("ringway.route")

_NO_DIALOG_NEEDED = frozenset({"REGISTER", "OPTIONS", "NOTIFY"})

Offer = Callable[[Request, ServerTransaction], bool]
"""Takes a request and answers True, or leaves it to the next one; raises Refused or Malformed to answer."""


class Dispatcher:
    """The transaction user of the whole server.

    `offers` are asked in order before the routes; `acknowledge` takes the ACK to a 2xx. While `draining` is set,
    requests that would begin something new get a 503. A request inside a dialog that did not begin here gets a 481,
    unless `unknown_dialogs` are for the routes too.
    """

    def __init__(self) -> None:
        self.platform: Platform | None = None
        self.routes: RouteSet | None = None
        self.offers: list[Offer] = []
        self.acknowledge: Callable[[Request, Flow], None] = _ignore_ack
        self.draining = False
        self.unknown_dialogs = False

    def request(self, request: Request, transaction: ServerTransaction) -> None:
        """Offer a new request down the list, then run the routes."""
        try:
            self._refuse_impossible(request)
            for offer in self.offers:
                if offer(request, transaction):
                    return
            if self.draining and request.method in ("INVITE", "REGISTER", "SUBSCRIBE"):
                raise Refused(503, "Shutting Down", (b"Retry-After: 10",))
            if request.to.tag and not self.unknown_dialogs and request.method not in _NO_DIALOG_NEEDED:
                raise Refused(481)  # RFC 3261 section 12.2.2: a dialog that we know nothing of
        except (Refused, Malformed) as refusal:
            transaction.refuse(self._answer(request, transaction, refusal))
        else:
            self._route(request, transaction)

    def _refuse_impossible(self, request: Request) -> None:
        """What no element can serve: no hops left (RFC 3261 16.3 step 3), unknown extensions (step 5)."""
        left = request.get("max-forwards")
        if left is not None and left[0] == 0x30 and int(left) == 0 and not self._is_question_to_us(request):
            raise Refused(483)
        if "proxy-require" in request.names:
            tags = b", ".join(request.elements("proxy-require"))
            raise Refused(420, "", (b"Unsupported: " + tags,))

    def _is_question_to_us(self, request: Request) -> bool:
        """Whether it is an OPTIONS for this server itself, which needs no further hop (RFC 3261 section 11)."""
        platform, uri = self.platform, request.uri
        assert platform is not None
        return request.method == "OPTIONS" and not uri.user and uri.host in platform.domains

    def _route(self, request: Request, transaction: ServerTransaction) -> None:
        platform, routes = self.platform, self.routes
        assert platform is not None and routes is not None
        context = Context(platform, request, transaction)
        context.routes = routes  # a reload changes nothing for requests that have begun
        if platform.dialogs.entries and request.to.tag:
            context.enter(platform.dialogs.find(request))
        transaction.user = context
        context.handle = platform.runner.run(routes.run(context), context)

    def _answer(self, request: Request, transaction: ServerTransaction, refusal: Refused | Malformed) -> Response:
        """The response that says so; it is reported here."""
        platform = self.platform
        assert platform is not None
        response = request.response(refusal.status, refusal.reason, to_tag=tag_for(request, platform.tokens))
        for line in getattr(refusal, "headers", ()):
            response.names.append(line.split(b":", 1)[0].lower().decode())
            response.lines.append(line)
        if platform.observe_refusals is not None:
            why = refusal.reason or response.reason
            user, target = request.from_.uri_text, request.uri_text
            platform.observe_refusals(Rejected(request.method, user, target, refusal.status, why, transaction.flow))
        return response

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
            log.warning("backend unavailable%s: %s", _place(failure), failure)
            self._end(context, Refused(503, "", (b"Retry-After: 5",)))
        else:
            level = logging.ERROR if not isinstance(failure, RingwayError) else logging.WARNING
            call_id = context.request.call_id
            log.log(level, "route failed for call %r%s", call_id, _place(failure), exc_info=failure)
            self._end(context, Refused(500))

    def _end(self, context: Context, refusal: Refused | Malformed) -> None:
        context.ended = True
        transaction = context.transaction
        if not transaction.answered():
            response = self._answer(transaction.request, transaction, refusal)
            (transaction.refuse if context.is_refusable() else transaction.respond)(response)


def _place(failure: BaseException) -> str:
    """Where in a route file it happened, as ` at main.route:12`; empty for what happened in none."""
    found, trace = "", failure.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(".route"):
            found = f" at {file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def new_runner(dispatcher: Dispatcher, perform: Callable[..., Callable[[], None]], limit: int = 10_000) -> Runner:
    """A runner whose faults are answered by the dispatcher."""
    return Runner(perform, dispatcher.failed, limit)


def _ignore_ack(request: Request, flow: Flow) -> None:
    """Without a proxy there is no dialog that an ACK could belong to."""
