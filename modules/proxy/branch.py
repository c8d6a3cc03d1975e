"""One branch of a forwarded request: its copy, the targets to try in turn, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modules.proxy.best_response import Final
from modules.proxy.route_set import record_route
from sipcore.errors import Unresolvable
from sipcore.flow import Flow, Target
from sipcore.message import Request, Response
from sipcore.timers import TIMER_C, Timer
from sipcore.transaction.user import ClientTransaction

if TYPE_CHECKING:
    from modules.proxy.branch_variables import BranchVariables
    from modules.proxy.response_context import ResponseContext

_NOBODY: Any = None


class Branch:
    """A client of the stack: hears responses and failures, and tells its response context.

    `request` is the copy without our Via; `flow` is the way a binding came by, tried before any target. When it has
    ended and its last transaction too, it lets go of its context: a call that is over is freed by counting references.
    """

    __slots__ = (
        "_datagram",
        "_last_progress",
        "_latest",
        "_live",
        "_targets",
        "_timer_c",
        "client",
        "context",
        "ended_at",
        "final",
        "flow",
        "name",
        "request",
        "ringing",
        "sides",
        "variables",
    )

    def __init__(
        self, context: ResponseContext, name: str, request: Request, targets: tuple[Target, ...], flow: Flow | None
    ) -> None:
        self.context = context
        self.name = name
        self.request = request
        self.flow = flow
        self._targets = targets
        self.client: ClientTransaction | None = None
        self.final: Final | None = None
        self.ringing = False
        self.sides = ""
        """The token for the caller's side, when the callee is shown another From or To than the caller wrote."""
        self.variables: BranchVariables | None = None
        self._live = False  # a transaction may still tell something
        self._timer_c: Timer | None = None
        self._last_progress = self._latest = 0.0
        self._datagram: Flow | None = None
        """The UDP flow this request was too large for (RFC 3261 section 18.1.1)."""

    def start(self) -> None:
        """Send the request to the flow or the first target that can be had."""
        flow, self.flow = self.flow, None
        if flow is not None and not flow.closed:
            self._send(flow, True, flow.name)
        else:
            self._try_next(flow)

    def start_with(self, targets: tuple[Target, ...]) -> None:
        """Start a branch whose targets had to be looked up first, unless it was given up meanwhile."""
        if self.final is None:
            self._targets = targets
            self.start()

    def _try_next(self, gone: Flow | None = None) -> None:
        while self._targets:
            target, self._targets = self._targets[0], self._targets[1:]
            try:
                flow = self.context.proxy.open_flow(target)
            except Unresolvable:
                continue
            self._send(flow, True)
            return
        self._end(self._unreachable(gone))

    def _unreachable(self, flow: Flow | None) -> Final:
        """How the branch ends when nobody is left to send to; `flow` is what was lost."""
        if flow is not None and flow.name:
            # RFC 5626 sections 5.3.1 and 11.5: only the peer could make that connection again. Inside a dialog its
            # flow has failed; a new request finds that its user is not there.
            return Final(430 if self.request.to.tag else 480, "", None)
        # RFC 3261 section 16.9: when the request can't be sent the branch ends as with a 503.
        return Final(503, "Next Hop Unreachable", None)

    def _send(self, flow: Flow, may_switch: bool, name: str = "") -> None:
        """Send the request; `name` is that of a connection which this side's requests must come back by."""
        context = self.context
        request = self.request.copy()
        stamp = context.stamp
        if stamp:
            if name:
                stamp = context.proxy.tokens.stamp_flow(request.call_id, name)
            record_route(request, context.server.flow, context.upstream_stamp, flow, stamp, self.sides)
        branch = f"{context.proxy.tokens.branch()}.{context.loop}"
        self._live = True
        self.client = client = context.proxy.send_request(request, flow, self, branch, may_switch)
        self._datagram = None if client.flow is flow else flow
        if context.is_invite and self._timer_c is None:
            timers = context.proxy.timers
            self._last_progress = timers.now
            self._latest = timers.now + context.proxy.longest_ringing
            self._timer_c = timers.after(TIMER_C, _timer_c, self)

    # -- what the client transaction tells --------------------------------------------------------------------------

    def response(self, response: Response, transaction: ClientTransaction) -> None:
        """A response came: take our Via off and hand it on (section 16.7 steps 1 to 5)."""
        response.pop_via()
        status = response.status
        if status < 200:
            if status > 100 and self.context.is_next(response):  # a 100 is for one hop
                self.ringing = True
                self._last_progress = self.context.proxy.timers.now
                self.context.progress(self, response)
        elif not self.context.is_next(response):
            self._end(Final(502, "", None))  # section 16.7 step 3: without the Via of upstream it can't be used there
        elif status < 300:
            self._stop_timer_c()
            # A 2xx may come after all when `give_up` had counted the branch as ended.
            first = self.final is None or self.final.status >= 300
            self.final = Final(status, response.reason, response)
            self.context.answered(self, response, first)
        else:
            if status == 503:
                self.context.proxy.locator.overloaded(transaction.flow, response.get("retry-after"))
                if self._targets and not self.context.cancelling:
                    self._try_next()  # RFC 3263 section 4.3: a 503 moves on to the next target
                    return
            if self.context.returning is not None:
                response = self.context.returning.admit(response, self) or response
            self._end(Final(response.status, response.reason, response))

    def failed(self, lost: bool, transaction: ClientTransaction) -> None:
        """No response will come from this target: try the next one."""
        self._live = False
        if not self.ringing:
            self.context.proxy.locator.failed(transaction.flow)
        if lost and self._datagram is not None and not self.ringing:
            # RFC 3261 section 18.1.1: when TCP is refused the large datagram is sent after all.
            self._send(self._datagram, False)
        elif self._targets and not self.ringing and self.context.may_go_on():
            self._try_next()
        elif lost:
            self._end(self._unreachable(transaction.flow))
        else:
            self._end(Final(408, "", None))

    def ended(self) -> None:
        """The transaction of this target is over, and so is the branch when it has ended."""
        self._live = False
        if self.variables is not None:
            self.variables.end()
        if self.final is not None:
            self.context = _NOBODY

    # -- ending -----------------------------------------------------------------------------------------------------

    def cancel(self, headers: tuple[bytes, ...] = ()) -> None:
        """Cancel the INVITE of this branch, unless it has ended."""
        if self.final is None and self.client is not None:
            self.client.cancel(headers)

    def give_up(self) -> None:
        """Count this branch as ended with 408; a 2xx that still comes is forwarded all the same."""
        self._targets = ()
        self._end(Final(408, "", None))

    def _end(self, final: Final) -> None:
        self._stop_timer_c()
        if self.variables is not None:
            self.variables.end()
        if self.final is None:
            self.final = final
            self.ended_at = self.context.proxy.timers.now
            self.context.failed(self)
        if not self._live:
            self.context = _NOBODY

    def _stop_timer_c(self) -> None:
        if self._timer_c is not None:
            self._timer_c.cancel()
            self._timer_c = None

    def timers(self) -> dict[str, float]:
        """Timer C, while it runs, with the seconds that are left; and those of the client transaction."""
        own = {} if self._timer_c is None else {"C": self._timer_c_left()}
        return own if self.client is None else {**self.client.timers(), **own}

    def _timer_c_left(self) -> float:
        # 101-199 let it begin anew (section 16.7 step 2), but whoever repeats a 180 for ever does not hold us for ever.
        return min(self._last_progress + TIMER_C, self._latest) - self.context.proxy.timers.now

    def timer_c(self) -> None:
        """RFC 3261 section 16.8: too long without a final response."""
        timers = self.context.proxy.timers
        left = self._timer_c_left()
        if left > 0:
            self._timer_c = timers.after(left, _timer_c, self)
            return
        self._timer_c = None
        if self.ringing:
            self.cancel()
        elif self.client is not None:
            self.client.abandon()
            self._end(Final(408, "", None))


def _timer_c(branch: Branch) -> None:
    branch.timer_c()
