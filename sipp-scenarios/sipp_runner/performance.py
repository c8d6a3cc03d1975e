"""Performs one case: starts its parties in order, waits for their ends, judges."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from sipp_runner.case import Case, Party
from sipp_runner.counts import Counts
from sipp_runner.ports import free_port
from sipp_runner.sipp import Load, Outcome, Sipp
from sipp_runner.target import Target


@dataclass(slots=True)
class Result:
    """What became of a case; it is right when `problems` is empty. `seconds` counts from its first process on."""

    name: str
    calls: int
    seconds: float = 0.0
    counts: Counts = field(default_factory=Counts)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def line(self) -> str:
        counts = f"{self.counts.failed} failed  {self.counts.retransmissions} retransmissions"
        return f"{self.name:<28} {'ok' if self.ok else 'FAILED':<7} {self.calls} calls  {counts}  {self.seconds:.1f} s"


class Performance:
    """One run of one case. SIPp's files are written to `folder`; `user_list` is a file in SIPp's form."""

    def __init__(self, case: Case, target: Target, folder: Path, user_list: Path, calls: int, rate: float) -> None:
        self._case = case
        self._target = target
        self._folder = folder
        self._user_list = user_list
        self._rate = rate
        self._ports = {party.name: free_port() for party in case.party}
        self._own_address = target.own_address()
        self._limit = case.seconds_for(calls, rate)
        self._running: list[tuple[Party, Sipp]] = []
        self._result = Result(case.name, calls)

    def run(self) -> Result:
        """Perform it to its end; every process it started has ended then."""
        begin = time.monotonic()
        deadline = begin + self._limit
        try:
            for party in self._case.party:
                if self._result.ok:
                    self._perform(party, deadline)
            for party, process in self._running:
                # When something went wrong already, what still waits for calls waits in vain.
                self._judge(party, process.wait(deadline - time.monotonic() if self._result.ok else 0.5))
        finally:
            for _, process in self._running:
                process.end()
        self._result.seconds = time.monotonic() - begin
        self._check_retransmissions()
        return self._result

    def _perform(self, party: Party, deadline: float) -> None:
        process = self._start(party, deadline - time.monotonic())
        if not party.background:
            self._judge(party, process.wait(deadline - time.monotonic()))
            return
        self._running.append((party, process))
        if not process.wait_until_bound():
            self._result.problems.append(f"{party.name}: did not open its port {process.port}")

    def _calls(self, party: Party) -> int:
        return party.calls or self._result.calls

    def _start(self, party: Party, time_left: float) -> Sipp:
        # SIPp's own limit ends a second earlier, so that it still writes what it counted.
        return Sipp(
            party.name,
            self._case.folder / party.scenario,
            self._folder,
            self._target.remote,
            (self._own_address, self._ports[party.name]),
            Load(self._calls(party), self._rate, time_left - 1),
            transport=party.transport,
            options=self._options(party),
        )

    def _options(self, party: Party) -> list[str]:
        """What the XML files may name: [domain], [caller], [callee], and [NAME_port] of every party."""
        names = {
            "domain": self._target.domain,
            "caller": self._target.caller.user,
            "callee": self._target.callee.user,
        }
        keys = {**names, **{f"{name}_port": str(port) for name, port in self._ports.items()}}
        options = [word for key, value in keys.items() for word in ("-key", key, value)]
        if party.account:
            account = self._target.caller if party.account == "caller" else self._target.callee
            options += ["-au", account.user, "-ap", account.password]
        if party.digest_uri:
            options += ["-auth_uri", party.digest_uri.format(**names)]
        if party.users:
            options += ["-inf", str(self._user_list)]
        return options

    def _judge(self, party: Party, outcome: Outcome) -> None:
        self._result.counts += outcome.counts
        right = f"{outcome.counts.successful} of {self._calls(party)} calls went right"
        problem = ""
        if outcome.exit is None:
            problem = f"did not end in time; {right}\n{outcome.errors}"
        elif outcome.exit != party.exit:
            problem = f"exit code {outcome.exit} instead of {party.exit}; {right}\n{outcome.errors}"
        elif party.exit == 0 and outcome.counts.successful != self._calls(party):
            problem = right
        if problem:
            self._result.problems.append(f"{party.name}: {problem}".rstrip())

    def _check_retransmissions(self) -> None:
        allowed = round(self._case.retransmissions * self._result.calls)
        if self._result.ok and self._result.counts.retransmissions > allowed:
            self._result.problems.append(f"{self._result.counts.retransmissions} retransmissions, more than {allowed}")
