"""What happens to a response between a branch and the choice of the best one: reply functions, From and To.

A route may show the callee another From or To than the caller sent. Whoever asked must get back what it wrote
(RFC 3261 section 8.2.6.2), so a response carries the original fields again, with the tag of its own To. What was
changed goes into the Record-Route too, so that the same holds for requests inside the dialog (`sides`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from modules.proxy.branch_variables import BranchVariables, tell
from modules.proxy.sides import sides, tagged
from routing.runtime import Context, ReplyFunction
from routing.runtime.dialogs import key_of
from sipcore.message import Response

if TYPE_CHECKING:
    from modules.proxy.branch import Branch
    from modules.proxy.response_context import ResponseContext

log = logging.getLogger("ringway.route")


class Returning:
    """The way back of one request's responses: `functions` are asked in their order."""

    __slots__ = ("_context", "_in_dialog", "_recipient", "_sender", "functions")

    def __init__(self, context: Context, functions: tuple[ReplyFunction, ...]) -> None:
        self._context = context
        self.functions = functions
        self._sender = self._recipient = b""
        self._in_dialog = False

    def restore(self) -> None:
        """Some branch goes out with another From or To: give back what was written, in every response."""
        # Noted now: a transaction that was answered lets go of its request, but more of its 2xx may come.
        original = self._context.transaction.request
        self._sender = original.get("from") or self._sender
        self._recipient = original.get("to") or self._recipient
        self._in_dialog = bool(self._context.request.to.tag)

    def admit(self, response: Response, branch: Branch) -> Response | None:
        """The response as it goes on, or None when it goes no further; a fault of a function leaves it as it was."""
        if self._sender:
            self._restore(response)
        kept = branch.variables
        if kept is not None:
            return self._with_variables(response, kept)
        admitted = self._edited(response)
        if self._context.call:
            self._context.keep()
        return admitted

    def _with_variables(self, response: Response, kept: BranchVariables) -> Response | None:
        """The same while `call.x` is that of the dialog which the response belongs to."""
        context, key = self._context, key_of(response)
        variables = kept.of(response, key)
        if self.functions:
            shared, before = context.call, variables.copy()
            context.call = variables
            admitted = self._edited(response)
            context.call = shared
            tell(shared, before, variables)
        else:
            admitted = response
        if variables:
            kept.keep(response, key, variables)
        return admitted

    def _edited(self, response: Response) -> Response | None:
        for function in self.functions:
            edited = response.copy()
            try:
                dropped = function(self._context, edited)
            except Exception:
                log.warning("a reply function failed for call %r", response.call_id, exc_info=True)
                continue
            if not dropped:
                response = edited
            elif response.status < 200:
                return None
            else:
                log.warning("a reply function can't drop a final response: call %r", response.call_id)
        return response

    def _restore(self, response: Response) -> None:
        tag = "" if self._in_dialog else response.to.tag
        response.set("from", self._sender)
        response.set("to", tagged(self._recipient, tag))


def prepare(forks: ResponseContext, replies: ReplyFunction | None) -> None:
    """Set up the way back for the branches of a new fork; there is none when nothing happens on it."""
    routes = forks.context.routes
    on_reply = routes.on_reply if routes is not None else None
    functions = tuple(one for one in (replies, on_reply) if one is not None)
    forks.returning = Returning(forks.context, functions) if functions else None
    for branch in forks.branches:
        prepare_branch(forks, branch)


def prepare_branch(forks: ResponseContext, branch: Branch) -> None:
    """See to it that From and To of one more branch, and what it keeps, find their way back."""
    received, sent = forks.context.transaction.request, branch.request
    if received.get("from") != sent.get("from") or received.get("to") != sent.get("to"):
        changed = sides(received, sent) if forks.stamp else None
        if changed is not None:
            branch.sides = forks.sides_token(changed)
        _returning(forks).restore()
    if branch.variables is not None and branch.variables.stored:
        _returning(forks)


def _returning(forks: ResponseContext) -> Returning:
    if forks.returning is None:
        forks.returning = Returning(forks.context, ())
    return forks.returning
