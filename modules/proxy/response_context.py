"""The response context of one forwarded request (RFC 3261 section 16.7): what its branches said, and what goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modules.proxy.best_response import Final, best_final, collected, ranked
from modules.proxy.branch import Branch
from modules.proxy.branch_variables import variables_before
from modules.proxy.redirection import Redirection
from modules.proxy.returning import Returning
from modules.proxy.route_set import as_holder
from modules.proxy.sides import Sides
from routing.runtime import Attempt, Context, Outcome
from sipcore.errors import Malformed
from sipcore.message import Response
from sipcore.need import Pending
from sipcore.timers import T1, T2, Timer

if TYPE_CHECKING:
    from modules.proxy.module import Proxy

ANSWERED_ELSEWHERE = (b'Reason: SIP;cause=200;text="Call completed elsewhere"',)
"""Lets phones that lose a fork show no missed call (RFC 3326)."""


class ResponseContext:
    """All branches of one request, the server transaction they answer, and whoever waits for the end.

    `waiting` is None when the best response simply goes back (`relay`); with a `Pending` (`ring`) it is told True
    when somebody answered and False when nobody did, and the route goes on.
    """

    __slots__ = (
        "_ring_timer",
        "_since",
        "_via",
        "branches",
        "cancelling",
        "context",
        "is_invite",
        "loop",
        "proxy",
        "redirection",
        "returning",
        "server",
        "stamp",
        "timed_out",
        "upstream_name",
        "upstream_stamp",
        "variables",
        "waiting",
    )

    def __init__(self, proxy: Proxy, context: Context, stamp: str, loop: str) -> None:
        self.proxy = proxy
        self.context = context
        self.server = context.transaction
        request = context.request
        self.is_invite = request.method == "INVITE"
        self._via = request.lines[request.names.index("via")]
        self.stamp = self.upstream_stamp = stamp
        self.upstream_name = ""
        """The name of the connection that the caller has made, where requests must come back by it."""
        self.loop = loop
        self.branches: list[Branch] = []
        self.waiting: Pending[bool] | None = None
        self.cancelling = False
        self.timed_out = False
        routes = context.routes
        if routes is None:  # inside a dialog: as the routes are now
            routes = context.routes = proxy.platform.routes
        self.returning = None if routes is None or routes.on_reply is None else Returning(context, (routes.on_reply,))
        self.variables = variables_before(context) if routes is not None and routes.keeps_calls else None
        """What was kept with the call when this fork began; None where branches keep nothing of their own."""
        self.redirection: Redirection | None = None
        self._ring_timer: Timer | None = None
        self._since = proxy.timers.now

    def start(self, ring_seconds: float = 0.0, progress_seconds: float = 0.0) -> None:
        """Start all branches side by side; cancel them after `ring_seconds` when that is not zero.

        After `progress_seconds`, when not zero, branches that have not got a 101-199 are given up.
        """
        self.server.user = self
        self.context.forwarded = True
        self._report(0, "")
        if ring_seconds:
            self._ring_timer = self.proxy.timers.after(ring_seconds, _ring_over, self)
        if progress_seconds:
            self.proxy.timers.after(progress_seconds, _progress_over, self)
        for branch in self.branches:
            branch.start()

    def come_by(self, name: str) -> None:
        """Requests inside the dialog reach the caller by the connection of this name and by no other."""
        self.upstream_name = name
        self.upstream_stamp = self.proxy.tokens.stamp_flow(self.context.request.call_id, name)

    def sides_token(self, sides: Sides) -> str:
        """The token for the caller's side of a branch that shows the callee another From or To."""
        request = self.context.request
        holder = as_holder(request.from_.tag)
        return self.proxy.tokens.stamp_text(request.call_id, holder, self.upstream_name, sides.packed())

    # -- what branches tell -----------------------------------------------------------------------------------------

    def is_next(self, response: Response) -> bool:
        """Whether the topmost Via, ours taken off, is the one we got the request with (section 8.2.6.2).

        Whoever is asked may have changed it: then the response would lead to somebody else.
        """
        try:
            line = response.lines[response.names.index("via")]
        except ValueError:
            return False
        return line == self._via or self._is_same_hop(response)

    def _is_same_hop(self, response: Response) -> bool:
        """The same, however it is written now."""
        ours = self.context.request.via
        try:
            theirs = response.via
        except Malformed:
            return False
        return (ours.branch, ours.host, ours.port) == (theirs.branch, theirs.host, theirs.port)

    def progress(self, branch: Branch, response: Response) -> None:
        """A 101-199: forwarded at once (step 5); in a non-INVITE transaction there are none (RFC 4320)."""
        if self.is_invite and not self.server.answered():
            if self.returning is not None:
                admitted = self.returning.admit(response, branch)
                if admitted is None:
                    return
                response = admitted
            self._report(response.status, response.reason)
            self.server.respond(response)

    def answered(self, branch: Branch, response: Response, first: bool) -> None:
        """A 2xx: forwarded at once, every one of them for an INVITE (step 5), then all others are cancelled."""
        if self.returning is not None:
            response = self.returning.admit(response, branch) or response
        if first and not self.server.answered():
            self._report(response.status, response.reason)
        self.server.respond(response)
        if self.context.dialog is not None:
            self.context.answered(response.status)
        if first:
            self._overtake()
            self._stop_ringing()
            self._cancel_others(branch, ANSWERED_ELSEWHERE)
            self._tell(True)

    def _overtake(self) -> None:
        """A 2xx that crossed our CANCEL: what the route has begun since is cancelled."""
        later = self.server.user
        if later is self:
            return
        if isinstance(later, ResponseContext):
            later.overtaken()
        elif self.context.handle is not None:
            self.context.handle.stop()

    def overtaken(self) -> None:
        """An earlier fork answered after all: end these branches and the route that waits for them."""
        self.waiting = None
        self._stop_ringing()
        self._cancel_others(None, ANSWERED_ELSEWHERE)
        if self.context.handle is not None:
            self.context.handle.stop()

    def may_go_on(self) -> bool:
        """Whether a branch may try another target: not when nobody waits for the answer any more.

        A client gives a request that is no INVITE up after 64*T1 (RFC 3261 section 17.1.2.2); for an INVITE timer C
        bounds all targets together.
        """
        if self.cancelling or self.timed_out or self.server.answered():
            return False
        return self.is_invite or self.proxy.timers.now - self._since < 64 * T1

    def failed(self, branch: Branch) -> None:
        """A branch ended without a 2xx; after a 6xx the others are cancelled; after the last one it is decided."""
        final = branch.final
        if final is not None and final.status >= 600:
            self._cancel_others(branch)
        if self.redirection is not None and self.redirection.follow(self, branch):
            return
        if all(branch.final is not None for branch in self.branches):
            self._decide()

    def _cancel_others(self, winner: Branch | None, headers: tuple[bytes, ...] = ()) -> None:
        if self.is_invite:
            for branch in self.branches:
                if branch is not winner:
                    branch.cancel(headers)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _decide(self) -> None:
        followed = self.redirection.followed if self.redirection is not None else ()
        finals = [one.final for one in self.branches if one.final is not None and one not in followed]
        if any(200 <= final.status < 300 for final in finals):
            return
        self._stop_ringing()
        best = best_final(finals)
        if self.waiting is not None:
            self.context.outcome = self._outcome(best, finals)
            self.server.user = self.context
            self._tell(False)
            return
        self.context.ended = True
        if self.server.answered():
            return
        response = self._upstream(best, finals)
        self._report(response.status, response.reason)
        self.server.respond(response)
        if self.context.dialog is not None:
            self.context.answered(response.status)

    def _upstream(self, best: Final, finals: list[Final]) -> Response:
        if best.response is not None and best.status != 503:
            return collected(best.response, finals)
        # Section 16.7 step 6: a 503 would take us out of service upstream; 487 when it was cancelled (16.10).
        status = 487 if self.cancelling else 500 if best.status == 503 else best.status
        reason = best.reason if best.response is None and status == 500 else ""
        return self.server.request.response(status, reason, to_tag=self.context.tag())

    def _outcome(self, best: Final, finals: list[Final]) -> Outcome:
        status, reason, response = best.status, best.reason, best.response
        if self.timed_out and status in (408, 487):
            status, reason, response = 408, "", None  # the 487 answers our own CANCEL: nobody answered in time
        elif response is not None:
            response = collected(response, finals)
        attempts = [
            Attempt(branch.name, branch.final.status, branch.final.reason, branch.ended_at - self._since)
            for branch in self.branches
            if branch.final is not None
        ]
        before = self.context.outcome
        return ranked(Outcome(status, reason, response, [*before.attempts, *attempts]), before)

    def _tell(self, somebody_answered: bool) -> None:
        waiting, self.waiting = self.waiting, None
        if somebody_answered:
            self.context.ended = True
        if waiting is not None:
            waiting.done(somebody_answered)

    # -- what comes from above --------------------------------------------------------------------------------------

    def cancelled(self) -> None:
        """The caller gave up: the route stops, the branches are cancelled, their 487 goes back (section 16.10)."""
        self.cancelling = True
        self.waiting = None
        self._stop_ringing()
        if self.context.handle is not None:
            self.context.handle.stop()
        self._report(487, "Cancelled")
        if all(branch.final is not None for branch in self.branches):
            self.context.reply(487)
        else:
            self._cancel_others(None)

    def ring_over(self) -> None:
        """Nobody answered within the time of `ring(for:)`: cancel, and go on when the branches have said so."""
        self._ring_timer = None
        if not self.timed_out:
            self.timed_out = True
            self._cancel_others(None)
            # A phone that answers neither the INVITE nor the CANCEL does not hold up the route.
            self._ring_timer = self.proxy.timers.after(T2, _ring_over, self)
            return
        for branch in self.branches:
            branch.give_up()

    def progress_over(self) -> None:
        """Some branches are not even ringing within the time of `ring(progress:)`: go on without them."""
        if self.waiting is None:
            return  # it is over: nobody took the trouble to cancel this
        for branch in list(self.branches):
            if branch.final is None and not branch.ringing:
                branch.cancel()
                branch.give_up()

    def _stop_ringing(self) -> None:
        if self._ring_timer is not None:
            self._ring_timer.cancel()
            self._ring_timer = None

    def _report(self, status: int, reason: str) -> None:
        if self.proxy.platform.observe is not None:
            self.context.report_progress(status, reason)


def _progress_over(context: ResponseContext) -> None:
    context.progress_over()


def _ring_over(context: ResponseContext) -> None:
    context.ring_over()
