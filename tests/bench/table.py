"""The results as a table for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from load import Measured
from sipp_runner.kamailio import PATH

RINGWAY = "Ringway"
BUSY = 0.8  # of SIPp's core


@dataclass(slots=True)
class Rounds:
    """One work, done by every server in turn, several times over: a row for each round."""

    work: str
    rows: list[list[Measured]] = field(default_factory=list)

    def quiet(self) -> list[list[Measured]]:
        """The rounds in which nothing was disturbed."""
        return [row for row in self.rows if not any(each.disturbed for each in row)]

    def ratios(self, other: str) -> list[float]:
        """Ringway's CPU time for each call over the other's, quiet round by quiet round; all rounds if none was."""
        ratios = []
        for row in self.quiet() or self.rows:
            cpu = {each.server: each.cpu for each in row}
            if RINGWAY in cpu and cpu.get(other):
                ratios.append(cpu[RINGWAY] / cpu[other])
        return ratios

    def servers(self) -> list[str]:
        return list(dict.fromkeys(each.server for row in self.rows for each in row))


def lines(rounds: Rounds) -> list[str]:
    """The table of one work, and under it the ratios."""
    out = [rounds.work, f"  {'round':<6}{'server':<28}{'CPU us each':>12}{'a second':>10}{'retrans.':>10}{'failed':>8}"]
    for number, row in enumerate(rounds.rows, 1):
        out += [f"  {number:<6}{_columns(each)}" for each in row]
    for other in rounds.servers():
        ratios = rounds.ratios(other) if other != RINGWAY else []
        if ratios:
            each = " ".join(f"{ratio:.2f}" for ratio in ratios)
            out.append(f"  CPU of Ringway / {other}: {each}  median {statistics.median(ratios):.2f}x")
    if rounds.quiet() != rounds.rows:
        out.append("  (of the quiet rounds)" if rounds.quiet() else "  No round was quiet: the ratios say little.")
    return out


def _columns(each: Measured) -> str:
    numbers = f"{each.cpu:>12.0f}{each.rate:>10.0f}{each.counts.retransmissions:>10}{each.failed:>8}"
    return f"{each.server:<28}{numbers}{_doubt(each)}"


def _doubt(each: Measured) -> str:
    """Why a row says little about the server."""
    if each.load_share >= BUSY:
        return f"  SIPp used {each.load_share:.0%} of its core: not the server's limit"
    if each.disturbed:
        return "  disturbed, or too high a rate"
    return ""


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "machine": f"{len(os.sched_getaffinity(0))} cores of {model}, Linux {platform.release()}",
        "python": platform.python_version(),
        "kamailio": _version("kamailio", "-v"),
        "sipp": _version("sipp", "-v"),
    }


def _version(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=False, env={**os.environ, "PATH": PATH}
        )
    except FileNotFoundError:
        return "missing"
    return next((line.strip() for line in done.stdout.splitlines() if line.strip()), "unknown")


def as_json(facts: Mapping[str, str], works: Iterable[Rounds], others: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was measured."""
    return {
        **facts,
        "works": [
            {
                "work": each.work,
                "rounds": [[_plain(measured) for measured in row] for row in each.rows],
                "median_ratio": {other: _median(each.ratios(other)) for other in each.servers() if other != RINGWAY},
            }
            for each in works
        ],
        **others,
    }


def _plain(each: Measured) -> dict[str, Any]:
    return {
        "server": each.server,
        "cpu_us": round(each.cpu, 1),
        "per_second": round(each.rate, 1),
        "seconds": round(each.seconds, 2),
        "wanted": each.wanted,
        "failed": each.failed,
        "retransmissions": each.counts.retransmissions,
        "sipp_share_of_its_core": round(each.load_share, 2),
    }


def _median(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 3) if values else None
