"""What a SIPp process counted, from the file that `-trace_stat` writes."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path

_COLUMNS = {
    "successful": "SuccessfulCall(C)",
    "failed": "FailedCall(C)",
    "retransmissions": "Retransmissions(C)",
    "unexpected": "FailedUnexpectedMessage(C)",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Whole numbers over the life of one process or of several."""

    successful: int = 0
    failed: int = 0
    retransmissions: int = 0
    unexpected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Counts)))


def read_counts(file: Path) -> Counts:
    """The last row of the statistics; nothing was counted when SIPp ended before it wrote one."""
    try:
        text = file.read_text("latin-1")
    except FileNotFoundError:
        return Counts()
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    if not rows:
        return Counts()
    return Counts(**{name: int(rows[-1][column]) for name, column in _COLUMNS.items()})
