"""All cases of one invocation: the folder they write to and the servers of our own they are run against."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sipp_runner.accounts import Account, write_user_list
from sipp_runner.case import Case
from sipp_runner.performance import Performance, Result
from sipp_runner.server import DEFAULT_ROUTE, NotStarted, Server
from sipp_runner.target import Target

FOLDER = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of every case; `calls` and `rate` stand in place of the case's own when given."""

    domain: str
    caller: Account
    callee: Account
    users: Sequence[Account]
    target: Target | None = None
    """A server that is running; without one, a Ringway is started for each route file that the cases need."""
    calls: int | None = None
    rate: float | None = None


class Session:
    """A context: at its end the servers that it started have ended, and their files are gone unless `keep` has them."""

    def __init__(self, wishes: Wishes, keep: Path | None = None) -> None:
        self._wishes = wishes
        self._keep = keep
        self._stack = contextlib.ExitStack()
        self._targets: dict[Path, Target] = {}

    def __enter__(self) -> Session:
        if self._keep is None:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sipp-")))
        else:
            self._keep.mkdir(parents=True, exist_ok=True)
            self._folder = self._keep.resolve()
        self._user_list = self._folder / "users.sipp.csv"
        write_user_list(self._wishes.users, self._user_list)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def perform(self, case: Case) -> Result:
        """Run one case; a server that does not start is a problem of the case."""
        calls = self._wishes.calls or case.calls
        folder = self._folder / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            target = self.server_for(case)
        except NotStarted as error:
            return Result(case.name, calls, problems=[str(error)])
        return Performance(case, target, folder, self._user_list, calls, self._wishes.rate or case.rate).run()

    def server_for(self, case: Case) -> Target:
        """The server that the case is run against, started now when no case before needed it."""
        if self._wishes.target:
            return self._wishes.target
        route = case.folder / case.route if case.route else DEFAULT_ROUTE
        if route not in self._targets:
            self._targets[route] = self._start(route, case.name if case.route else "default")
        return self._targets[route]

    def _start(self, route: Path, name: str) -> Target:
        folder = self._folder / f"server-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        wishes = self._wishes
        server = self._stack.enter_context(Server(folder, domain=wishes.domain, route=route))
        server.add_users([wishes.caller, wishes.callee, *wishes.users])
        server.start()
        return Target(server.host, server.port, wishes.domain, wishes.caller, wishes.callee)
