"""What a function of the language looks like to a caller."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from routing.language.types import Type


class Place(enum.Flag):
    """Where in a route file a function may be called."""

    REQUEST = enum.auto()
    BRANCH = enum.auto()
    REPLY = enum.auto()
    DIALOG = enum.auto()


class Ends(enum.Enum):
    """Whether a call ends the route it stands in."""

    NEVER = "never"
    MAY = "may"
    """Returns True when it ended the route (challenge sent; somebody answered), False when the next line runs."""
    ALWAYS = "always"


class Effect(enum.Enum):
    """What a call means for who may use the server: the check walks the paths of a file with it."""

    NONE = "none"
    VOUCHES = "vouches"
    """The route goes on only when the request proved who it is from."""
    SENDS = "sends"
    """The request is sent, to the Request-URI or to the first argument."""
    OURS = "ours"
    """True only when the request is for a user of a served domain."""


ConstantCheck = Callable[[Mapping[str, object]], str]
"""Looks at the arguments of a call that are known at load, by their Python names; returns what is wrong, or ""."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `keyword` is its name in Python, where it may end in an underscore."""

    name: str
    type: Type
    keyword: str = ""
    required: bool = True
    labelled: bool = False
    """Given by name only."""
    repeated: bool = False
    """Takes all further positional arguments."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A function: `target(context, ...)` is what compiled code calls, and awaits when `waits`."""

    name: str
    parameters: tuple[Parameter, ...]
    result: Type
    ends: Ends
    places: Place
    waits: bool
    target: Callable[..., Any]
    module: str = ""
    docstring: str = ""
    check: ConstantCheck | None = None
    site: str = ""
    """The Python name of a parameter that is told where the call stands, if there is one."""
    effect: Effect = Effect.NONE
    elsewhere: Signature | None = None
    """Another function of the same name, for places where this one can't be called."""

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return self.docstring.partition("\n")[0]

    def at(self, place: Place) -> Signature:
        """The function of this name for a place, when there is one; else this one."""
        other = self.elsewhere
        return other if other is not None and place & other.places else self

    def __str__(self) -> str:
        return shape(self.name, self.parameters)


def shape(name: str, parameters: Iterable[Parameter]) -> str:
    """A function or route with its parameters, as messages show it: `ban(address: text, for: duration?)`."""
    shown = (
        f"{'...' if one.repeated else ''}{one.name}: {one.type}{'' if one.required or one.repeated else '?'}"
        for one in parameters
    )
    return f"{name}({', '.join(shown)})"
