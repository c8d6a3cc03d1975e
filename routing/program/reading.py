"""TOML tables into frozen typed objects: every unknown key, missing key and wrong value is reported at its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from routing.language.problem import MOST_SHOWN, nearest
from routing.program.expect import Check, Document, Spot, dotted, seconds, text, whole_number, yes_or_no
from routing.program.places import KeyPath

T = TypeVar("T")

_BY_TYPE: dict[object, Check] = {int: whole_number(1), float: seconds(), bool: yes_or_no, str: text()}
"""How a field without a check of its own is read."""


def setting(check: Check, default: object = dataclasses.MISSING, *, hidden: bool = False, example: str = "") -> Any:
    """A field of a settings dataclass; the value of a hidden one is never shown in messages.

    `example` is the value, as written in TOML, that is proposed when a field without a default is missing.
    """
    return dataclasses.field(default=default, metadata={"check": check, "hidden": hidden, "example": example})


def settings_of(kind: type[T], **checks: Check) -> T:
    """A field that is a table of its own; `checks` are for fields of a dataclass that knows nothing of checks."""
    made: T = dataclasses.field(default_factory=kind, metadata={"checks": checks})
    return made


def fields(kind: type) -> list[dataclasses.Field[Any]]:
    """The fields that a file can set; `field(metadata={"internal": True})` takes one out."""
    return [field for field in dataclasses.fields(kind) if not field.metadata.get("internal")]


def section(field: dataclasses.Field[Any]) -> type | None:
    """The dataclass of a field that is a table of its own: `log: LogSettings = settings_of(LogSettings)`."""
    kind = field.default_factory
    return kind if isinstance(kind, type) and dataclasses.is_dataclass(kind) else None


def read(
    kind: type[T],
    table: Mapping[str, object],
    document: Document,
    path: KeyPath = (),
    checks: Mapping[str, Check] | None = None,
) -> T | None:
    """Make a `kind` of a table; None when something was reported. `checks` go before those of the fields."""
    before = len(document.problems)
    _report_unknown(kind, table, document, path)
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):
        spot = Spot(document, (*path, field.name), field.metadata.get("hidden", False))
        inner = section(field)
        if inner is not None:
            inner_checks = field.metadata.get("checks", {})
            values[field.name] = spot.read(_section_check(inner, inner_checks), table.get(field.name, {}))
        elif field.name in table:
            check = (checks or {}).get(field.name) or field.metadata.get("check") or _BY_TYPE[hints[field.name]]
            values[field.name] = spot.read(check, table[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            hint = f"add {field.name} = {field.metadata.get('example', '...')}"
            document.report(path, f"`{field.name}` is missing{_where(path)}", hint, at_value=False)
    if len(document.problems) > before:
        return None
    try:
        return kind(**values)
    except ValueError as error:  # what several fields must agree on
        document.report(path, str(error), at_value=False)
        return None


def table_of(kind: type, **checks: Check) -> Check:
    """One of several tables of a kind; `checks` as for `settings_of`."""

    def check(value: object, spot: Spot) -> object:
        if not isinstance(value, dict):
            raise spot.expected("a table", value, f"write [[{dotted(spot.path[:-1])}]] on a line above its keys")
        return read(kind, value, spot.document, spot.path, checks)

    return check


def _section_check(kind: type, checks: Mapping[str, Check]) -> Check:
    def check(value: object, spot: Spot) -> object:
        if not isinstance(value, dict):
            raise spot.expected("a table", value, f"write [{spot.path[-1]}] on a line above its keys")
        return read(kind, value, spot.document, spot.path, checks)

    return check


def _report_unknown(kind: type, table: Mapping[str, object], document: Document, path: KeyPath) -> None:
    known = [field.name for field in fields(kind)]
    for key in table:
        if key not in known:
            many = len(document.problems) > MOST_SHOWN  # nobody reads those, and finding the nearest takes time
            hint = "" if many else nearest(key, known) or _elsewhere(key, kind) or f"known here: {', '.join(known)}"
            document.report((*path, key), f"unknown key `{key}`{_where(path)}", hint, at_value=False)


def _elsewhere(key: str, kind: type) -> str:
    for field in fields(kind):
        inner = section(field)
        if inner is not None and any(key == field.name for field in fields(inner)):
            return f"it belongs in [{field.name}]"
    return ""


def _where(path: KeyPath) -> str:
    if not path:
        return ""
    return f" in {dotted(path)}" if isinstance(path[-1], int) else f" in [{dotted(path)}]"
