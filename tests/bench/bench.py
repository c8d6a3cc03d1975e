"""Compares Ringway with Debian's Kamailio on this machine: CPU time for each call and registration, rates, memory.

Each round runs every server once, one after another, with the same SIPp scenarios; the ratio is taken round by round,
so that what else the machine does hits both alike. The server is kept on one core, SIPp on another.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# Run as a script, from wherever: our own folder is in the path, the scenario runner's is not.
sys.path.insert(0, str(HERE.parents[1] / "sipp-scenarios"))

import memory  # noqa: E402
import route_speed  # noqa: E402
import table  # noqa: E402
from contestants import Contestant, Kamailio, Ringway  # noqa: E402
from load import Measured  # noqa: E402
from sipp_runner import kamailio  # noqa: E402
from works import Calls, Registrations  # noqa: E402

WORKS = ("calls", "register", "memory", "routes", "ramp")
_Make = Callable[[Path], Contestant]


def parser() -> argparse.ArgumentParser:
    """The options of `./dev bench`."""
    own = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    own.add_argument("work", nargs="*", help=f"some of {', '.join(WORKS)}; without: all but ramp")
    own.add_argument("--rounds", type=int, default=3, help="quiet rounds of each work (%(default)s)")
    own.add_argument("--calls", type=int, default=10_000, help="proxied calls of a round (%(default)s)")
    own.add_argument("--rate", type=float, default=1_000, help="calls begun each second (%(default)s)")
    own.add_argument("--registrations", type=int, default=5_000, help="users that refresh in a round (%(default)s)")
    own.add_argument("--in-flight", type=int, default=50, help="registrations open at a time (%(default)s)")
    own.add_argument("--bindings", type=int, default=100_000, help="bindings in the memory test (%(default)s)")
    own.add_argument("--quick", action="store_true", help="a tenth of the load: tells whether it works, not how fast")
    own.add_argument("--only", choices=("ringway", "kamailio"), help="measure one of them alone")
    own.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    own.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the files of servers and SIPp there")
    return own


class Bench:
    """One invocation."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self._arguments = arguments
        self._folder = folder
        self._share = 10 if arguments.quick else 1
        self._runs = 0

    def run(self) -> dict[str, Any]:
        """Do the works, print the tables, return all numbers."""
        facts = table.machine()
        say(*(f"{name}: {value}" for name, value in facts.items()))
        rounds: list[table.Rounds] = []
        others: dict[str, Any] = {}
        for work in self._arguments.work or WORKS[:4]:
            say("")
            if work == "calls":
                rounds.append(self._calls())
            elif work == "register":
                rounds.append(self._register())
            elif work == "memory":
                others["memory"] = self._memory()
            elif work == "routes":
                say(*route_speed.lines())
            else:
                others["highest_rate"] = self._ramp()
        return table.as_json(facts, rounds, others)

    def _calls(self) -> table.Rounds:
        work = Calls(self._arguments.calls // self._share, self._arguments.rate)
        title = f"proxied call over UDP, {work.calls} calls, {work.rate:.0f} a second"
        return self._rounds(title, work, [self._kamailio(work.users, False), self._ringway(work.users)])

    def _register(self) -> table.Rounds:
        work = Registrations(self._arguments.registrations // self._share, self._arguments.in_flight)
        title = (
            f"REGISTER with digest, durable in SQLite before its 200, {work.count} users, {work.in_flight} at a time"
        )
        servers = [
            self._kamailio(work.users, True),
            self._kamailio(work.users, True, "WAL"),
            self._ringway(work.users),
        ]
        return self._rounds(title, work, servers)

    def _rounds(self, title: str, work: Calls | Registrations, servers: Sequence[_Make]) -> table.Rounds:
        rounds = table.Rounds(title)
        wanted = self._arguments.rounds
        # A disturbed round is repeated, but not for ever: the rate may be too high for this machine.
        while len(rounds.quiet()) < wanted and len(rounds.rows) < 2 * wanted:
            rounds.rows.append([self._measure(make, work) for make in self._wanted(servers)])
        say(*table.lines(rounds))
        return rounds

    def _measure(self, make: _Make, work: Calls | Registrations) -> Measured:
        folder = self._new_folder()
        server = make(folder)
        try:
            server.start()
            return work.measure(server, folder)
        finally:
            server.stop()

    def _memory(self) -> list[dict[str, Any]]:
        count = self._arguments.bindings // self._share
        say(f"memory and start with {count} bindings")
        held = []
        for make in self._wanted([self._kamailio([], True, touch=False), self._ringway([])]):
            held.append(memory.hold(make(self._new_folder()), count))
            say(memory.line(held[-1]))
        return [{"server": each.server, "bytes_each": each.bytes_each, "seconds": each.seconds} for each in held]

    def _ramp(self) -> dict[str, float]:
        work = Calls(0, self._arguments.rate)
        say(f"highest rate of proxied calls, from {work.rate:.0f} a second on")
        best = {}
        for make in self._wanted([self._kamailio(work.users, False), self._ringway(work.users)]):
            folder = self._new_folder()
            server = make(folder)
            try:
                server.start()
                best[server.name] = work.highest_rate(server, folder, say)
            finally:
                server.stop()
        say(*(f"  {name}: {rate:.0f} calls a second" for name, rate in best.items()))
        return best

    def _wanted(self, servers: Sequence[_Make]) -> list[_Make]:
        only = self._arguments.only
        return [make for make in servers if not only or make.__name__ == only]

    def _kamailio(
        self, users: Sequence[str], write_through: bool, journal: str = "DELETE", touch: bool = True
    ) -> _Make:
        def kamailio(folder: Path) -> Contestant:
            return Kamailio(folder, users, write_through=write_through, journal=journal, touch=touch)

        return kamailio

    def _ringway(self, users: Sequence[str]) -> _Make:
        def ringway(folder: Path) -> Contestant:
            return Ringway(folder, users)

        return ringway

    def _new_folder(self) -> Path:
        self._runs += 1
        folder = self._folder / f"run-{self._runs}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def say(*lines: str) -> None:
    """Print at once, so that a long run shows how far it is."""
    for line in lines:
        print(line, flush=True)


def missing() -> list[str]:
    """What a comparison needs and this machine lacks, as Debian names it."""
    packages = [] if shutil.which("sipp") else ["sip-tester"]
    return packages if kamailio.is_installed() else [*packages, "kamailio", "kamailio-sqlite-modules"]


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 2 when something that is needed is missing."""
    arguments = parser().parse_args(words)
    unknown = [work for work in arguments.work if work not in WORKS]
    if unknown:
        print(f"there is no work {unknown[0]}; there are {', '.join(WORKS)}", file=sys.stderr)
        return 2
    if set(arguments.work) != {"routes"} and missing():  # the language alone needs nobody
        print(f"missing: apt-get install --no-install-recommends {' '.join(missing())}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        numbers = Bench(arguments, arguments.keep or Path(temporary)).run()
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
