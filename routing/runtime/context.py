"""The Context: everything one request carries through its route."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from routing.runtime.outcome import NOTHING_TRIED, Attempt, Outcome
from sipcore.facts import CallProgress
from sipcore.flow import Flow
from sipcore.message import Request
from sipcore.message.tag import tag_for
from sipcore.need import Handle
from sipcore.transaction.user import ServerTransaction

__all__ = ["CHALLENGES", "Attempt", "Context", "Outcome", "RouteSet"]

if TYPE_CHECKING:
    from routing.runtime.dialogs import Dialog
    from routing.runtime.platform import Platform
    from routing.runtime.values import DialogFunction, ReplyFunction


class RouteSet(Protocol):
    """One version of the routes.

    `on_reply` is asked about every response that a proxy gives back, `on_dialog` about every request inside a dialog.
    """

    @property
    def on_reply(self) -> ReplyFunction | None:
        """`on reply`, when the file has one."""

    @property
    def on_dialog(self) -> DialogFunction | None:
        """`on dialog`, when the file has one."""

    @property
    def keeps_calls(self) -> bool:
        """Whether the file stores anything with a call."""

    def run(self, context: Context) -> Coroutine[Any, Any, object]:
        """Run the request through `on request`."""


class Context:
    """One request on its way through a route.

    `user` is the authenticated address of record ("" before `authenticate` succeeded). `forwarded` turns True when
    somebody else is asked; `in_dialog` is True inside a dialog that we have let begin. `ended` turns True with the
    outcome; functions that end a route set it through `reply`, or themselves when the outcome is no response.
    """

    __slots__ = (
        "call", "dialog", "ended", "flow", "forwarded", "handle", "in_dialog", "outcome", "platform", "request",
        "routes", "steps", "transaction", "user",
    )  # fmt: skip

    def __init__(self, platform: Platform, request: Request, transaction: ServerTransaction) -> None:
        self.platform = platform
        self.request = request
        self.transaction = transaction
        self.flow: Flow = transaction.flow
        self.outcome = NOTHING_TRIED
        self.user = ""
        self.forwarded = self.ended = self.in_dialog = False
        self.call: dict[str, Any] = {}
        """What the routes keep with the call: inside a dialog that has something kept, the dialog's own."""
        self.dialog: Dialog | None = None
        self.handle: Handle | None = None
        self.routes: RouteSet | None = None
        """The version of the routes that this request runs through: kept as long as anything may run of it."""
        self.steps = 0  # turns of loops, counted against a limit

    def reply(self, status: int, reason: str = "", *headers: tuple[str, bytes], body: bytes = b"") -> None:
        """Answer the request; a final status ends the route. `headers` are (key, value) pairs."""
        response = self.transaction.request.response(status, reason, to_tag=self.tag())
        for name, value in headers:
            response.append(name, value)
        response.body = body
        if status >= 200:
            self.ended = True
        if self.platform.observe is not None and status not in CHALLENGES:
            self.report_progress(status, response.reason)
        if status >= 300 and self.is_refusable():
            self.transaction.refuse(response)
        else:
            self.transaction.respond(response)
        if status >= 200 and (self.dialog is not None or self.call):
            self.answered(status)

    def enter(self, dialog: Dialog | None) -> None:
        """Take over what was kept for the dialog of the request."""
        if dialog is not None:
            self.dialog = dialog
            self.call = dialog.variables

    def keep(self) -> None:
        """Keep what was stored with the call until its dialog ends, if the request is inside one."""
        request = self.request
        if self.dialog is not None or not self.call or not request.to.tag or request.method == "BYE":
            return
        dialogs = self.platform.dialogs
        found = dialogs.find(request)  # another request of the dialog may have been quicker
        if found is None:
            self.dialog = dialogs.begin(request, self.call)
        else:
            found.variables.update(self.call)
            self.enter(found)

    def answered(self, status: int) -> None:
        """The request has its final answer, which may end the dialog it is in."""
        if self.dialog is not None:
            self.platform.dialogs.answered(self.dialog, self.request, status)
        elif self.call and status < 300:
            self.keep()

    def tag(self) -> str:
        """Our tag in the responses to this request."""
        return tag_for(self.request, self.platform.tokens)

    def is_refusable(self) -> bool:
        """Whether a refusal needs no state: nothing was done for it yet, and who sent it is not proved."""
        return not (self.user or self.forwarded or self.in_dialog)

    def report_progress(self, status: int, reason: str) -> None:
        """Tell the observer how a call goes; 0 is the attempt itself."""
        observe, request = self.platform.observe, self.request
        if observe is not None and request.method == "INVITE":
            call_id = request.call_id.decode("utf-8", "surrogateescape")
            observe(CallProgress(call_id, request.from_.uri_text, request.to.uri_text, status, reason, self.flow))

    def cancelled(self) -> None:
        """A CANCEL came while the route still runs: stop it and answer 487 (RFC 3261 section 9.2)."""
        if self.handle is not None:
            self.handle.stop()
        if not self.ended:
            self.reply(487)


CHALLENGES = frozenset({401, 407})
"""Statuses that ask for credentials: the call is not over."""
