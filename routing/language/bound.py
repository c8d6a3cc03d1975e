"""The checked tree: names resolved, constants converted, every statement known to be right; the compiler reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from routing.language.problem import Span
from routing.language.signature import Ends, Signature
from routing.language.stories.story import Story

# -- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known at load."""

    value: object


@dataclass(frozen=True, slots=True)
class Local:
    """A Python local or global by its Python name."""

    name: str


@dataclass(frozen=True, slots=True)
class Expansion:
    """A Python expression whose names are `parts`, or stand in the environment's names, or are `context`."""

    template: str
    parts: Mapping[str, Bound]


@dataclass(frozen=True, slots=True)
class Chain:
    """Conditions joined by `and`, or by `or`; there are at least two."""

    operator: str
    items: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list made at run time."""

    items: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A function called with everything in place."""

    signature: Signature
    positional: tuple[Bound, ...]
    labelled: Mapping[str, Bound]
    span: Span


Bound: TypeAlias = Constant | Local | Expansion | Chain | Items | Invocation

# -- statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Store:
    """A Python statement with the same rules for names as in `Expansion`."""

    template: str
    parts: Mapping[str, Bound]
    span: Span


@dataclass(frozen=True, slots=True)
class SetLocal:
    """A local gets a value."""

    name: str
    value: Bound
    span: Span


@dataclass(frozen=True, slots=True)
class Act:
    """A function called for what it does."""

    invocation: Invocation
    otherwise: tuple[Step, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Go:
    """A route called, by its Python name."""

    route: str
    ends: Ends
    waits: bool
    arguments: tuple[Bound, ...]
    span: Span


class Way(NamedTuple):
    """One way of several: it is taken when its condition is true and no way before it was."""

    condition: Bound
    steps: tuple[Step, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Choose:
    """The first way that is open, else the last resort; a `match` or a row of `else if` is one of these."""

    ways: tuple[Way, ...]
    otherwise: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A loop over a finite list."""

    name: str
    items: Bound
    body: tuple[Step, ...]
    span: Span


Step: TypeAlias = Store | SetLocal | Act | Go | Choose | Repeat


@dataclass(frozen=True, slots=True)
class Function:
    """One block of a route file: `name` is its Python name, `ends` whether it ends the request it is called for."""

    name: str
    parameters: tuple[str, ...]
    steps: tuple[Step, ...]
    ends: Ends
    waits: bool
    span: Span


@dataclass(frozen=True, slots=True)
class SharedTable:
    """A table that all requests share: `default` is read where nothing is stored, `lifetime` is in seconds."""

    name: str
    default: object
    lifetime: float


@dataclass(frozen=True, slots=True)
class Program:
    """All blocks of a route file, callees before callers, its shared tables, and the stories of its tests.

    `keeps_calls` says that something is stored in a `call.x`.
    """

    functions: tuple[Function, ...]
    tables: tuple[SharedTable, ...] = ()
    stories: tuple[Story, ...] = ()
    keeps_calls: bool = False
