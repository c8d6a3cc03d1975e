"""Lists for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from routing.program.logs import escape


def show(columns: Sequence[str], rows: Sequence[Mapping[str, object]], as_json: bool, nothing: str) -> None:
    """Print rows: JSON with all they hold, or the named columns as a table; `nothing` when there are none."""
    if as_json:
        print(json.dumps(rows, indent=2))
    elif rows:
        print("\n".join(table(columns, rows)))
    else:
        print(nothing)


def table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Aligned lines with a heading; what phones sent is escaped."""
    cells = [[column.upper().replace("_", " ") for column in columns]]
    cells += [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    return escape(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
