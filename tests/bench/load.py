"""SIPp as the load on a server, and what the server spent on it."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contestants import LOAD_CORE, PASSWORD, Contestant, core
from processes import cpu_seconds
from sipp_runner.accounts import Account, write_user_list
from sipp_runner.counts import Counts
from sipp_runner.ports import LOOPBACK, free_port
from sipp_runner.sipp import Load, Sipp

SCENARIOS = Path(__file__).resolve().parent / "sipp"
# Retransmissions and failures for each call that a measurement bears. RFC 7502 4.10 allows none, which one lost
# datagram breaks; registrations are made as fast as they are answered: a disk that stalls repeats all that are open.
LOST_CALLS = 0.001
LOST_REGISTRATIONS = 0.05
_SETTLE = 0.5  # seconds after the last call that still count, for the server's last work


@dataclass(frozen=True, slots=True)
class Measured:
    """One load on one server. Times in seconds, CPU time in microseconds."""

    server: str
    wanted: int
    seconds: float
    cpu: float
    """The server's CPU time for each call or registration that went right."""
    counts: Counts
    load_share: float
    """The part of its one core that SIPp used: above 0.8 it is SIPp that is measured."""
    tolerated: float

    @property
    def disturbed(self) -> bool:
        """Whether so much was lost that the numbers say little about the server's work."""
        return self.failed + self.counts.retransmissions > self.tolerated * self.wanted

    @property
    def rate(self) -> float:
        return self.counts.successful / self.seconds

    @property
    def failed(self) -> int:
        return self.wanted - self.counts.successful


class Phones:
    """SIPp processes that play the phones of one server. `folder` takes their files."""

    def __init__(self, server: Contestant, folder: Path, users: Sequence[str]) -> None:
        self._server = server
        self._folder = folder
        self._callee_port = free_port()
        self._runs = 0
        self._users = users
        self._user_list = folder / "users.csv"
        write_user_list([Account(user, PASSWORD) for user in users], self._user_list)

    def register(self, calls: int, in_flight: int, time_limit: float) -> Measured:
        """`calls` registrations, as fast as the server answers them, with at most `in_flight` open at a time."""
        options = ["-inf", str(self._user_list), "-auth_uri", "bench.example", "-l", str(in_flight)]
        return self._measure("register", Load(calls, 100_000, time_limit), options, callee=False)

    def call(self, calls: int, rate: float, time_limit: float) -> Measured:
        """`calls` calls to the users in turn, `rate` of them begun each second."""
        return self._measure("caller", Load(calls, rate, time_limit), ["-inf", str(self._user_list)], callee=True)

    def _measure(self, scenario: str, load: Load, options: Sequence[str], *, callee: bool) -> Measured:
        self._runs += 1
        spent = _spent_by_children()
        # SIPp takes a repeated INVITE for something unexpected once it has answered; the callee shall not end for that.
        patient = ("-default_behaviors", "all,-abortunexp")
        waiting = self._start("callee", load, self._callee_port, patient) if callee else None
        if waiting and not waiting.wait_until_bound():
            raise RuntimeError("the callee does not start: " + waiting.wait(0).errors)
        begin, before = time.monotonic(), cpu_seconds(self._server.pid)
        process = self._start(scenario, load, free_port(), options)
        counts = process.wait(load.time_limit + 2).counts
        seconds = time.monotonic() - begin
        time.sleep(_SETTLE)
        cpu = (cpu_seconds(self._server.pid) - before) / max(1, counts.successful) * 1e6
        if waiting:
            counts += Counts(retransmissions=waiting.wait(0.1).counts.retransmissions)
        share = (_spent_by_children() - spent) / seconds
        tolerated = LOST_CALLS if callee else LOST_REGISTRATIONS
        return Measured(self._server.name, load.calls, seconds, cpu, counts, share, tolerated)

    def _start(self, scenario: str, load: Load, port: int, options: Sequence[str]) -> Sipp:
        return Sipp(
            f"{scenario}-{self._runs}",
            SCENARIOS / f"{scenario}.xml",
            self._folder,
            f"{LOOPBACK}:{self._server.port}",
            (LOOPBACK, port),
            load,
            options=["-key", "callee_port", str(self._callee_port), "-timer_resol", "1", *options],
            prefix=core(LOAD_CORE),
        )


def _spent_by_children() -> float:
    """CPU seconds of every process we started and that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
