"""Following redirections (RFC 3261 section 16.7 step 4): a branch that got a 3xx is replaced by branches to its
contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modules.proxy.branch import Branch
from modules.proxy.branch_variables import BranchVariables, edit_branch
from modules.proxy.forwarding import breadth_of, copy_for, next_hop
from modules.proxy.returning import prepare_branch
from routing.runtime import BranchFunction
from routing.runtime.outcome import contacts
from sipcore.errors import Refused
from sipcore.message import Request
from sipcore.uri import Uri

if TYPE_CHECKING:
    from modules.proxy.response_context import ResponseContext


class Redirection:
    """What one fork may follow: `left` redirections more, to nobody twice."""

    __slots__ = ("_edit", "_tried", "followed", "left")

    def __init__(self, left: int, edit: BranchFunction | None) -> None:
        self.left = left
        self.followed: list[Branch] = []
        """Branches whose 3xx counts no more."""
        self._edit = edit
        self._tried: set[str] = set()

    def follow(self, forks: ResponseContext, branch: Branch) -> bool:
        """Make branches to the contacts of a 3xx; False when there is nothing to follow, so that the 3xx counts."""
        final = branch.final
        if final is None or final.response is None or final.status // 100 != 3:
            return False
        self._tried.update(one.name for one in forks.branches)
        room = forks.proxy.most_branches - len(forks.branches)
        secure = forks.context.request.uri_text[:5] == "sips:"  # may go to sips URIs only (RFC 5630 section 5.3)
        places = [one for one in contacts(final.response) if not secure or one.uri.scheme == "sips"]
        found = [one for one in places if one.uri.text not in self._tried][: max(room, 0)]
        if not found or not self.left or not forks.may_go_on():
            return False
        self.left -= 1
        breadth, more = divmod(breadth_of(branch.request), len(found))  # what the ended branch had is free again
        if not breadth:
            return False
        self.followed.append(branch)
        for number, destination in enumerate(found):
            try:
                copy = copy_for(forks.context.request, destination, breadth + (number < more))
                variables = edit_branch(forks.context, copy, self._edit, forks.variables)
                self._add(forks, copy, next_hop(copy, destination), variables)
            except Refused:
                continue  # no hops are left, say
        return True

    def _add(self, forks: ResponseContext, copy: Request, hop: Uri, variables: dict[str, Any] | None) -> None:
        branch = Branch(forks, copy.uri_text, copy, (), None)
        if variables is not None:
            branch.variables = BranchVariables(forks.proxy.platform.dialogs, variables.copy())
        prepare_branch(forks, branch)
        forks.branches.append(branch)
        forks.proxy.platform.runner.run(_locate_then_start(forks, branch, hop), forks.context)


async def _locate_then_start(forks: ResponseContext, branch: Branch, hop: Uri) -> None:
    targets = await forks.proxy.locate(hop)
    branch.start_with(targets if forks.may_go_on() else ())
