"""What the kernel knows of a process and all its children: CPU time and memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Row:
    parent: int
    cpu: float


def _rows() -> dict[int, _Row]:
    rows = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text("latin-1")
            except OSError:
                continue  # it ended meanwhile
            # The command's name stands in parentheses and may hold anything, also parentheses.
            fields = stat.rpartition(")")[2].split()
            rows[int(folder.name)] = _Row(int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS)
    return rows


def family(pid: int) -> set[int]:
    """The process and all that descend from it."""
    rows = _rows()
    members = {pid}
    while True:
        more = {each for each, row in rows.items() if row.parent in members} - members
        if not more:
            return members
        members |= more


def cpu_seconds(pid: int) -> float:
    """User and system time of the process, its threads and its living children, to a hundredth of a second."""
    rows = _rows()
    return sum(rows[each].cpu for each in family(pid) if each in rows)


def resident_bytes(pid: int) -> int:
    """Memory in use (the kernel's "proportional set size": a page that several of them share counts once)."""
    total = 0
    for each in family(pid):
        try:
            rollup = Path("/proc", str(each), "smaps_rollup").read_text("latin-1")
        except OSError:
            continue  # it ended meanwhile
        total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total
