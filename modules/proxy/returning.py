"""What happens to a response between a branch and the choice of the best one: reply functions, From and To.

A route may show the callee another From or To than the caller sent. Whoever asked must get back what it wrote
(RFC 3261 section 8.2.6.2), so a response carries the original fields again, with the tag of its own To.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from routing.runtime import Context, ReplyFunction
from sipcore.message import Response

if TYPE_CHECKING:
    from modules.proxy.branch import Branch

log = logging.getLogger("ringway.route")


class Returning:
    """The way back of one request's responses: `functions` are asked in their order.

    `restoring` says that some branch went out with another From or To.
    """

    __slots__ = ("_context", "functions", "restoring")

    def __init__(self, context: Context, functions: tuple[ReplyFunction, ...], restoring: bool = False) -> None:
        self._context = context
        self.functions = functions
        self.restoring = restoring

    def admit(self, response: Response) -> Response | None:
        """The response as it goes on, or None when it goes no further; a fault of a function leaves it as it was."""
        if self.restoring:
            self._restore(response)
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
        original = self._context.transaction.request
        sender, recipient = original.get("from"), original.get("to")
        tag = response.to.tag
        if sender is not None and recipient is not None:
            response.set("from", sender)
            in_dialog = bool(original.to.tag) or not tag
            response.set(
                "to", recipient if in_dialog else recipient + b";tag=" + tag.encode("utf-8", "surrogateescape")
            )


def returning(context: Context, replies: ReplyFunction | None, branches: Sequence[Branch]) -> Returning | None:
    """The way back for these branches; None when nothing happens on it."""
    routes = context.routes
    on_reply = routes.on_reply if routes is not None else None
    functions = tuple(one for one in (replies, on_reply) if one is not None)
    original = context.transaction.request
    sender, recipient = original.get("from"), original.get("to")
    restoring = any(
        branch.request.get("from") != sender or branch.request.get("to") != recipient for branch in branches
    )
    return Returning(context, functions, restoring) if functions or restoring else None
