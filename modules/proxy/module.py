"""What routes call: `relay` and `ring`; and what the proxy does by itself: requests inside dialogs, ACK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from modules.proxy.best_response import better
from modules.proxy.branch import Branch
from modules.proxy.contact import leads_to_sender
from modules.proxy.forwarding import DIALOG_METHODS, breadth_of, copy_for, count_hop, next_hop, only_secure
from modules.proxy.loop import is_loop, loop_hash
from modules.proxy.order import in_order
from modules.proxy.redirection import Redirection
from modules.proxy.response_context import ResponseContext
from modules.proxy.returning import returning
from modules.proxy.route_set import OwnRoutes, strip_own_routes
from routing.runtime import (
    BranchFunction,
    Context,
    Destination,
    Duration,
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

    @function(ends=Ends.ALWAYS)
    async def relay(
        self,
        context: Context,
        to: Where | None = None,
        *,
        edit: BranchFunction | None = None,
        replies: ReplyFunction | None = None,
    ) -> None:
        """Forward the request, to the Request-URI or to `to`, and give the best response back.

        `edit` changes the request of each branch, `replies` every response on its way back.
        """
        forks = await self._fork(context, to, edit, replies)
        forks.start()

    @function(ends=Ends.MAY)
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

        `for` is how long a target may ring, `progress` how long it may take until it does. `order` is "at once",
        "one by one" or "by q" (those of the same q together). `redirects` is how many redirections are followed by
        themselves; others are an outcome. A request that is no INVITE is forwarded the same way, and ends the route
        with a 2xx.
        """
        best: Outcome | None = None
        groups = (to,) if order is None or to is None else in_order(self._destinations(to), order)
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
            forks.upstream_stamp = self.tokens.stamp_flow(request.call_id, name)
        breadth, more = divmod(breadth_of(request), len(destinations))
        if not breadth:
            raise Refused(440)  # RFC 5393 section 5.3.3: not enough breadth left for this fork
        for number, destination in enumerate(destinations):
            copy = copy_for(request, destination, breadth + (number < more))
            if edit is not None:
                edit(context, copy)
            forks.branches.append(await self._branch(forks, copy, destination))
        if edit is not None or replies is not None or request is not context.transaction.request:
            forks.returning = returning(context, replies, forks.branches)
        return forks

    def _destinations(self, to: Where) -> list[Destination]:
        if isinstance(to, str):
            to = parse_uri(to)
        if isinstance(to, Uri):
            return [Destination(to)]
        if isinstance(to, Destination):
            return [to]
        if not to:
            raise Refused(480)
        return list(to[: self.most_branches])

    async def _branch(self, forks: ResponseContext, copy: Request, destination: Destination | None) -> Branch:
        flow = _open_stream(destination)
        hop = next_hop(copy, destination)
        # With an open connection the address is a second choice: the peer may be closing it just now.
        targets = self._located(hop) or () if flow is not None else await self.locate(hop)
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
        name = strip_own_routes(request, self.own_routes)
        if name is None or not request.to.tag:
            return False
        context = Context(self.platform, request, transaction)
        forks = ResponseContext(self, context, "", loop_hash(request))
        transaction.user = forks
        hop = self._in_dialog_branch(forks, request, name)
        if request.method == "BYE" and self.platform.observe is not None:
            self.platform.observe(CallEnded(request.call_id.decode("utf-8", "surrogateescape"), request.from_.uri_text))
        if hop is not None:
            context.handle = self.platform.runner.run(self._locate_then_start(forks, hop), context)
        return True

    def _in_dialog_branch(self, forks: ResponseContext, request: Request, name: str) -> Uri | None:
        """Start the one branch when its way is known at once; else return the URI that must be looked up.

        `name` is that of the connection by which the other side came, or "".
        """
        copy = copy_for(request, None, breadth_of(request))
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
            name = strip_own_routes(request, self.own_routes)
            if name is None:
                return
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
