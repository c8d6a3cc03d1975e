"""What a route file may use: functions, properties and tables, all handed in by whoever loads it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from routing.language.signature import Signature
from routing.language.types import Type


@dataclass(frozen=True, slots=True)
class Property:
    """Something that can be read, and perhaps set: `request.method`.

    `read` is a Python expression in which `it` is the owner's value (for a first word, `context` is at hand). One of
    these makes it writable: `write`, a statement in `it` and `value`; or `replace`, an expression in `it` and `value`
    for what the owner becomes, when the owner itself can be set. Names in them stand in `Environment.names`.
    """

    name: str
    type: Type
    read: str
    summary: str
    write: str = ""
    replace: str = ""
    edit: str = ""
    """What is read in place of `read` where the value is about to be changed."""
    choices: tuple[str, ...] = ()
    """Texts that it often is."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """Something that is asked by name: `request.header["X"]`; Python in `it`, `key` and `value` as in `Property`.

    `noun` is what one of them is called. `key` turns the written name into the one used at run time and raises
    `Malformed`; `locked` names can't be changed.
    """

    noun: str
    type: Type
    read: str
    contains: str
    key: Callable[[str], str]
    write: str = ""
    replace: str = ""
    locked: frozenset[str] = frozenset()
    reference: str = ""
    """What stands for the thing itself, for functions that take it and not its text."""
    choices: tuple[str, ...] = ()
    """Names that are often asked for."""


@dataclass(frozen=True, slots=True)
class Table:
    """A configured table: `x in name`, `for x in name`."""

    value: Container[object]
    element: Type


@dataclass(frozen=True, slots=True)
class Environment:
    """All that a checker needs to know. `attributes` and `keyed` are by name of the owner's type."""

    functions: Mapping[str, Signature]
    roots: Mapping[str, Property]
    attributes: Mapping[str, Mapping[str, Property]]
    keyed: Mapping[str, Keyed]
    tables: Mapping[str, Table] = field(default_factory=dict)
    parameter_types: Mapping[str, Type] = field(default_factory=dict)
    names: Mapping[str, object] = field(default_factory=dict)
