"""Tables of the configuration whose keys the operator chose: time windows and lists, which routes ask by name."""

from __future__ import annotations

from collections.abc import Container
from typing import TypeVar

from routing.language.hours import Hours
from routing.language.networks import Networks
from routing.language.problem import BadLiteral
from routing.program.expect import Check, Spot, list_of, text

T = TypeVar("T")
_name = text("a name of letters, digits and underscores", r"[A-Za-z_][A-Za-z0-9_]*")


class Named(dict[str, T]):
    """Values by name; never changed once it is read."""

    def __hash__(self) -> int:  # type: ignore[override]  # which lets a frozen dataclass have one as a default
        return hash(tuple(self))


def named(element: Check) -> Check:
    """A table of names, each with a value that passes `element`."""

    def check(value: object, spot: Spot) -> Named[object]:
        if not isinstance(value, dict):
            raise spot.expected("a table", value, f"write [{spot.path[-1]}] on a line above its keys")
        found: Named[object] = Named()
        for key, one in value.items():
            _name(key, spot.inside(key))
            found[key] = spot.inside(key).read(element, one)
        return found

    return check


def time_window(value: object, spot: Spot) -> Hours:
    """A time window as in a route."""
    if not isinstance(value, str):
        raise spot.expected("a time window", value, 'as in "Mon-Fri 09:00-17:30"')
    try:
        return Hours(value)
    except BadLiteral as mistake:
        raise spot.expected("a time window", value, f"{mistake.message}; {mistake.hint}".rstrip("; ")) from None


def members(value: object, spot: Spot) -> Container[str]:
    """A list of texts: of networks and addresses when all of them are."""
    found = list_of(text())(value, spot)
    if not found or None in found:
        return frozenset()
    try:
        return Networks(found)
    except ValueError:
        return frozenset(found)
