"""TOML tables into frozen typed objects: every unknown key, missing key and wrong value is reported at its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from routing.program.expect import Check, Document, Spot, nearest, seconds, text, whole_number, yes_or_no
from routing.program.places import KeyPath

T = TypeVar("T")

_BY_TYPE: dict[object, Check] = {int: whole_number(1), float: seconds(), bool: yes_or_no, str: text()}
"""How a field without a check of its own is read."""


def setting(check: Check, default: object = dataclasses.MISSING, *, hidden: bool = False, example: str = "") -> Any:
    """A field of a settings dataclass; the value of a hidden one is never shown in messages.

    `example` is the value, as written in TOML, that is proposed when a field without a default is missing.
    """
    return dataclasses.field(default=default, metadata={"check": check, "hidden": hidden, "example": example})


def fields(kind: type) -> list[dataclasses.Field[Any]]:
    """The fields that a file can set; `field(metadata={"internal": True})` takes one out."""
    return [field for field in dataclasses.fields(kind) if not field.metadata.get("internal")]


def section(field: dataclasses.Field[Any]) -> type | None:
    """The dataclass of a field that is a table of its own: `log: LogSettings = field(default_factory=LogSettings)`."""
    kind = field.default_factory
    return kind if isinstance(kind, type) and dataclasses.is_dataclass(kind) else None


def read(kind: type[T], table: Mapping[str, object], document: Document, path: KeyPath = ()) -> T | None:
    """Make a `kind` of a table; None when something was reported."""
    before = len(document.problems)
    _report_unknown(kind, table, document, path)
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):
        spot = Spot(document, (*path, field.name), field.metadata.get("hidden", False))
        inner = section(field)
        if inner is not None:
            values[field.name] = spot.read(_section_check(inner), table.get(field.name, {}))
        elif field.name in table:
            check = field.metadata.get("check") or _BY_TYPE[hints[field.name]]
            values[field.name] = spot.read(check, table[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            example = f": add {field.name} = {field.metadata['example']}"
            document.report(path, f'"{field.name}" is missing{_where(path)}{example}', at_value=False)
    return kind(**values) if len(document.problems) == before else None


def _section_check(kind: type) -> Check:
    def check(value: object, spot: Spot) -> object:
        if not isinstance(value, dict):
            raise spot.expected(f"a table: write [{spot.path[-1]}] above its keys", value)
        return read(kind, value, spot.document, spot.path)

    return check


def _report_unknown(kind: type, table: Mapping[str, object], document: Document, path: KeyPath) -> None:
    known = [field.name for field in fields(kind)]
    for key in table:
        if key not in known:
            hint = nearest(key, known) or _elsewhere(key, kind) or f" (known: {', '.join(known)})"
            document.report((*path, key), f'unknown key "{key}"{_where(path)}{hint}', at_value=False)


def _elsewhere(key: str, kind: type) -> str:
    for field in fields(kind):
        inner = section(field)
        if inner is not None and any(key == field.name for field in fields(inner)):
            return f" (it belongs in [{field.name}])"
    return ""


def _where(path: KeyPath) -> str:
    return f" in [{'.'.join(str(key) for key in path)}]" if path else ""
