"""What routes call: `relay` and `ring`; and what the proxy does by itself: requests inside dialogs, ACK."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from modules.proxy.best_response import better, nobody_to_ring, ranked
from modules.proxy.branch import Branch
from modules.proxy.branch_variables import BranchVariables, edit_branch
from modules.proxy.contact import leads_to_sender
from modules.proxy.forwarding import DIALOG_METHODS, breadth_of, copy_for, count_hop, next_hop, only_secure
from modules.proxy.loop import is_loop, loop_hash
from modules.proxy.order import in_order
from modules.proxy.redirection import Redirection
from modules.proxy.response_context import ResponseContext
from modules.proxy.returning import prepare
from modules.proxy.route_set import OwnRoutes, Passage, strip_own_routes
from modules.proxy.sides import show
from routing.runtime import (
    BranchFunction,
    Context,
    Destination,
    DialogFunction,
    Duration,
    Effect,
    Ends,
    Module,
    Order,
    Outcome,
    Platform,
    ReplyFunction,
    function,
)
from sipcore.errors import Malformed, Refused, Unavailable, Unresolvable
from sipcore.facts import CallEnded
from sipcore.flow import SECURE, Flow, Target
from sipcore.locate import Locator
from sipcore.message import Request
from sipcore.need import Pending
from sipcore.transaction.user import ServerTransaction
from sipcore.uri import Uri, parse_uri

log = logging.getLogger("ringway.route")

Where = str | Uri | Destination | list[Destination]
"""What a route may give as the place to send to."""


_ITSELF = (None,)
"""The Request-URI, where no target is given."""


class Proxy(Module):
    """The stateful proxy.

    `most_branches` bounds how many targets one request is forked to; `longest_ringing`, in seconds, how long an INVITE
    may go without a final response, however often 180 is repeated.
    """

    name = "proxy"
    most_branches = 16
    longest_ringing = 600.0

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        stack = platform.stack
        self.timers = stack.timers
        self.tokens = platform.tokens
        self.send_request = stack.transactions.send_request
        self.open_flow = stack.transactions.open_flow
        self.locator = platform.get(Locator)
        self.own_routes = OwnRoutes(self.tokens, platform.is_own_endpoint)

    # -- functions of the language ----------------------------------------------------------------------------------

    @function(ends=Ends.ALWAYS, effect=Effect.SENDS)
    async def relay(
        self,
        context: Context,
        to: Where | None = None,
        *,
        edit: BranchFunction | None = None,
        replies: ReplyFunction | None = None,
    ) -> None:
        """Forward the request, to the Request-URI or to `to`, and give the best response back.

        A list of destinations is called side by side, up to 16 of them. The server stays in the path of calls and
        subscriptions.

        Arguments:
            to: where it goes; without it, to the Request-URI
            edit: the `branch` function that changes the request of each branch before it is sent
            replies: the `reply` function that changes every response on its way back
        Fails: 480 when `to` is an empty list, 404 for a telephone number that nobody has turned into an address, 483
            when no hops are left, 440 when it has been forked too often, 403 for a Route that a stranger has chosen,
            500 when no server of the domain can be reached
        Example:
            relay("sip:" + request.uri.user + "@gw.example.net")
        See: ring, lookup, reply
        """
        forks = await self._fork(context, to, edit, replies)
        forks.start()

    @function(ends=Ends.MAY, effect=Effect.SENDS)
    async def ring(
        self,
        context: Context,
        to: Where | None = None,
        *,
        for_: Duration | None = None,
        progress: Duration | None = None,
        order: Order | None = None,
        redirects: int = 0,
        edit: BranchFunction | None = None,
        replies: ReplyFunction | None = None,
    ) -> bool:
        """Ring all targets side by side; an answer ends the route, else `outcome` says why nobody answered.

        With the last two orders `for:` counts for each step, and a 6xx ends them all. A 3xx that is not followed is an
        outcome like any other. A request that is no INVITE is forwarded the same way, and ends the route with a 2xx.

        Arguments:
            to: whom to ring; without it, the Request-URI
            for: how long a target may ring, ten minutes at most
            progress: how long a target may take until it rings
            order: "at once", "one by one" or "by q" (those of the same q together)
            redirects: how many redirections are followed by themselves
            edit: the `branch` function that changes the request of each branch before it is sent
            replies: the `reply` function that changes every response on its way back
        Result: true when somebody answered and the route has ended
        Fails: `outcome.code` is 408 when nobody answered in time, 480 when there was nobody to ring, else that of the
            best answer; 404, 483, 440 and 403 end the route as with `relay`
        Example:
            ring(lookup(request.uri), for: 20s)
            if outcome.code == 486 { relay("sip:busy@voicemail.example.net") }
            reply(outcome)
        See: relay, lookup, reply
        """
        best: Outcome | None = None
        if to is not None:
            to = self._destinations(to)
            if not to:
                context.outcome = ranked(nobody_to_ring(context.outcome), context.outcome)
                return False
        groups = (to,) if order is None or to is None else in_order(to, order)
        for group in groups:
            forks = await self._fork(context, group, edit, replies)
            if redirects > 0:
                forks.redirection = Redirection(redirects, edit)
            waiting: Pending[bool] = Pending()
            forks.waiting = waiting
            forks.start(for_ or 0.0, progress or 0.0)
            if await waiting:
                return True
            outcome = context.outcome
            best = outcome if best is None else better(best, outcome)
            if outcome.code >= 600:
                break  # RFC 3261 section 16.7 step 5: nobody else is asked
        if best is not None and best is not context.outcome:
            context.outcome = replace(best, attempts=context.outcome.attempts, best=context.outcome.best)
        return False

    async def _fork(
        self,
        context: Context,
        to: Where | None,
        edit: BranchFunction | None = None,
        replies: ReplyFunction | None = None,
    ) -> ResponseContext:
        request = context.request
        destinations: Sequence[Destination | None] = _ITSELF if to is None else self._destinations(to)
        if not destinations:
            raise Refused(480)
        if request.uri_text[:5] == "sips:":
            destinations = only_secure(destinations)
        if to is not None and not context.user and "route" in request.names:
            # RFC 3261 section 26.1: a stranger's Route would lead the request past our own choice of target.
            raise Refused(403, "Preloaded Route Refused")
        in_dialog = bool(request.to.tag)
        stamp = "" if in_dialog or request.method not in DIALOG_METHODS else self.tokens.stamp(request.call_id)
        forks = ResponseContext(self, context, stamp, loop_hash(context.transaction.request))
        name = context.flow.name
        if stamp and name and leads_to_sender(request, context.flow):
            forks.come_by(name)
        breadth, more = divmod(breadth_of(request), len(destinations))
        if not breadth:
            raise Refused(440)  # RFC 5393 section 5.3.3: not enough breadth left for this fork
        before = forks.variables
        try:
            for number, destination in enumerate(destinations):
                copy = copy_for(request, destination, breadth + (number < more))
                variables = edit_branch(context, copy, edit, before) if edit is not None else before
                branch = await self._branch(forks, copy, destination)
                if variables is not None:
                    branch.variables = BranchVariables(self.platform.dialogs, variables.copy())
                forks.branches.append(branch)
            if edit is not None or replies is not None or before or request is not context.transaction.request:
                prepare(forks, replies)
        except BaseException:
            forks.branches.clear()  # each of them knows its fork: nothing but the collector would free them
            raise
        if in_dialog:
            context.keep()
        return forks

    def _destinations(self, to: Where) -> list[Destination]:
        if isinstance(to, str):
            to = parse_uri(to)
        if isinstance(to, Uri):
            return [Destination(to)]
        if isinstance(to, Destination):
            return [to]
        return list(to[: self.most_branches])

    async def _branch(self, forks: ResponseContext, copy: Request, destination: Destination | None) -> Branch:
        flow = _open_stream(destination)
        hop = next_hop(copy, destination)
        # With an open connection the address is a second choice: the peer may be closing it just now.
        targets = self._located(hop) or () if flow is not None else await self.locate(hop)
        if not targets and destination is not None and destination.flow is not None and destination.flow.closed:
            flow = destination.flow  # its end is why nobody can be reached
        return Branch(forks, copy.uri_text, copy, targets, flow)

    def _located(self, hop: Uri) -> tuple[Target, ...] | None:
        try:
            return self.locator.immediately(hop)
        except (Unresolvable, Unavailable):
            return ()

    async def locate(self, hop: Uri) -> tuple[Target, ...]:
        """The addresses of a next hop; none when there are none."""
        try:
            targets = self._located(hop)
            return targets if targets is not None else await self.locator.need(hop)
        except (Unresolvable, Unavailable):
            return ()  # this branch ends like a 503; the others go on

    # -- requests inside dialogs ------------------------------------------------------------------------------------

    def offer(self, request: Request, transaction: ServerTransaction) -> bool:
        """Take a request that belongs to a dialog which we let begin, or refuse what can't go on; False: not ours.

        Makes the checks of RFC 3261 section 16.3 that only a proxy makes, and takes our Routes off (16.4).
        """
        if is_loop(request, self.tokens.owner):
            raise Refused(482)
        passage = strip_own_routes(request, self.own_routes)
        if passage is None or not request.to.tag:
            return False
        context = Context(self.platform, request, transaction)
        context.in_dialog = True
        if self.platform.dialogs.entries:
            context.enter(self.platform.dialogs.find(request))
        routes = context.routes = self.platform.routes
        if routes is not None and routes.on_dialog is not None and self._ended_by(routes.on_dialog, context):
            return True
        forks = ResponseContext(self, context, "", loop_hash(request))
        transaction.user = forks
        hop = self._in_dialog_branch(forks, passage)
        if request.method == "BYE" and self.platform.observe is not None:
            self.platform.observe(CallEnded(request.call_id.decode("utf-8", "surrogateescape"), request.from_.uri_text))
        if hop is not None:
            context.handle = self.platform.runner.run(self._locate_then_start(forks, hop), context)
        return True

    def _ended_by(self, on_dialog: DialogFunction, context: Context) -> bool:
        """Run `on dialog`; True when it has answered or dropped the request, or failed."""
        try:
            ended = on_dialog(context)
        except Exception as failure:
            if context.request.method != "BYE":
                self.platform.runner.on_error(failure, context)
                return True
            # Whatever is wrong with a route: people must be able to hang up.
            log.warning("on dialog failed for call %r; its BYE goes on", context.request.call_id, exc_info=True)
            context.request, ended = context.transaction.request, False
        context.keep()
        return ended

    def _in_dialog_branch(self, forks: ResponseContext, passage: Passage) -> Uri | None:
        """Start the one branch when its way is known at once; else return the URI that must be looked up."""
        request, received = forks.context.request, forks.server.request
        name = passage.flow_name
        copy = copy_for(request, None, breadth_of(request))
        if passage.views:
            show(passage.views, received, copy)
        hop = next_hop(copy, None)
        flow = self._connection(name, request) if name else None
        try:
            targets = self.locator.immediately(hop)
        except (Unresolvable, Unavailable):
            targets = ()
        if name and flow is None and targets == ():
            raise Refused(430)  # RFC 5626 section 5.3.1: only the peer could make that connection again
        branch = Branch(forks, copy.uri_text, copy, targets or (), flow)
        forks.branches.append(branch)
        if passage.views or request is not received:
            prepare(forks, None)
        if targets is None and flow is None:
            return hop
        branch.start()
        return None

    def _connection(self, name: str, request: Request) -> Flow | None:
        """The open connection of this name, unless a Route leads elsewhere first."""
        flow = self.platform.stack.flows.get(name)
        if flow is None or flow.ending or "route" in request.names:
            return None
        return flow if flow.transport in SECURE or request.uri_text[:5] != "sips:" else None

    async def _locate_then_start(self, forks: ResponseContext, hop: Uri) -> None:
        branch = forks.branches[0]
        forks.branches[0] = branch = Branch(forks, branch.name, branch.request, await self.locate(hop), None)
        branch.start()

    def acknowledge(self, request: Request, flow: Flow) -> None:
        """Forward the ACK to a 2xx along its dialog, without state; any other ACK is dropped (never answered)."""
        try:
            passage = strip_own_routes(request, self.own_routes)
            if passage is None:
                return
            name = passage.flow_name
            for known, by_caller in passage.views:
                known.show(request, by_caller)
            count_hop(request)
            hop = next_hop(request, None)
            if name and (connection := self._connection(name, request)) is not None:
                self._send_statelessly(request, connection)
                return
            targets = self.locator.immediately(hop)
        except (Malformed, Refused, Unresolvable, Unavailable):
            return
        if targets is None:
            self.platform.runner.run(self._acknowledge_later(request, hop))
        else:
            self._acknowledge_at(request, targets)

    async def _acknowledge_later(self, request: Request, hop: Uri) -> None:
        self._acknowledge_at(request, await self.locate(hop))

    def _acknowledge_at(self, request: Request, targets: tuple[Target, ...]) -> None:
        try:
            flow = self.open_flow(targets[0])
        except (Unresolvable, IndexError):
            return
        self._send_statelessly(request, flow)

    def _send_statelessly(self, request: Request, flow: Flow) -> None:
        request.push_via(flow.via_prefix + self.tokens.branch().encode())
        self.platform.stack.outbox.append((flow, request.write()))


def _open_stream(destination: Destination | None) -> Flow | None:
    """The connection a binding came by, while it is open: a phone behind a NAT has no other way in."""
    if destination is None or destination.flow is None:
        return None
    flow = destination.flow
    if flow.closed or not flow.reliable:
        return None
    return flow if flow.transport in SECURE or destination.uri.scheme != "sips" else None
