"""What a route keeps with a call (`call.x`), for one branch of a fork and each dialog that its responses make."""

from __future__ import annotations

from typing import Any

from routing.runtime import BranchFunction, Context
from routing.runtime.dialogs import Dialogs, Key
from sipcore.message import Request, Response

KEEPING = frozenset({"INVITE", "SUBSCRIBE", "REFER"})
"""Requests whose answers make dialogs for which something can be kept."""
MOST_DIALOGS = 16
"""Dialogs of one branch that have variables of their own: whoever is asked could invent any number of tags."""

Variables = dict[str, Any]


class BranchVariables:
    """The variables of one branch: what was stored before the fork, and by the branch function.

    Every tag in a response is a dialog (RFC 3261 section 12.1), which begins with a copy of these. A dialog that was
    not confirmed ends with its branch.
    """

    __slots__ = ("_confirmed", "_dialogs", "stored")

    def __init__(self, dialogs: Dialogs, stored: Variables) -> None:
        self._dialogs = dialogs
        self._confirmed: dict[Key, bool] = {}
        self.stored = stored

    def of(self, response: Response, key: Key) -> Variables:
        """What reply functions read and store in: the dialog's, or for a refusal that made none, the branch's."""
        dialog = self._dialogs.of(key) if self._dialogs.entries else None
        if dialog is not None:
            return dialog.variables
        return self.stored.copy() if self._makes_dialog(response, key) else self.stored

    def keep(self, response: Response, key: Key, variables: Variables) -> None:
        """Keep these for the dialog that a response makes, if it makes one; a 2xx confirms it."""
        if not self._makes_dialog(response, key) or self._confirmed.get(key):
            return  # a 2xx that is repeated must not bring back what has ended since
        self._confirmed[key] = response.status >= 200
        if key not in self._dialogs.entries:
            self._dialogs.begin(response, variables)

    def _makes_dialog(self, response: Response, key: Key) -> bool:
        if response.status >= 300 or not response.to.tag:
            return False
        return len(self._confirmed) < MOST_DIALOGS or key in self._confirmed

    def end(self) -> None:
        """The branch has ended, and with it what was not confirmed."""
        for key, confirmed in self._confirmed.items():
            if not confirmed:
                self._dialogs.end(key)


def variables_before(context: Context) -> Variables | None:
    """What is kept with a call as a fork begins, for each branch to have of its own; None where they have nothing."""
    request = context.request
    return context.call.copy() if request.method in KEEPING and not request.to.tag else None


def edit_branch(
    context: Context, copy: Request, edit: BranchFunction | None, before: Variables | None
) -> Variables | None:
    """Let a branch function edit the copy of a branch; returns the call's variables as this branch has them.

    `before` is what they were when the fork began; with None, all share those of the request.
    """
    if edit is None:
        return before
    if before is None:
        edit(context, copy)
        return None
    shared, own = context.call, before.copy()
    context.call = own
    try:
        edit(context, copy)
    finally:
        context.call = shared
    tell(shared, before, own)
    return own


def tell(shared: Variables, before: Variables, now: Variables) -> None:
    """Let the lines behind `ring` see what a branch function or a reply function has stored."""
    for name, value in now.items():
        if name not in before or before[name] is not value:
            shared[name] = value
