"""Names that are known in a block: parameters, `let`, loop variables."""

from __future__ import annotations

from dataclasses import dataclass

from routing.language.bound import Bound, Constant
from routing.language.problem import Span
from routing.language.types import UNKNOWN, Type


@dataclass(frozen=True, slots=True)
class Typed:
    """A checked expression: its type, and what it compiles to."""

    type: Type
    bound: Bound


MISTAKEN = Typed(UNKNOWN, Constant(None))
"""What a mistake was already reported about."""


@dataclass(slots=True)
class Variable:
    """One name of a block; `python_name` is what compiled code calls it."""

    type: Type
    python_name: str
    span: Span
    changes: bool
    """Whether it may be stored to: a `let` may, a parameter and a loop variable may not."""
    used: bool = False


class Scope:
    """The names of one block; what is not here is looked for in the block around it."""

    def __init__(self, around: Scope | None = None) -> None:
        self._around = around
        self.variables: dict[str, Variable] = {}

    def find(self, name: str) -> Variable | None:
        """The variable of this name, from the innermost block that has it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope._around
        return None

    def names(self) -> set[str]:
        """All names that can be used here."""
        return set(self.variables) | (self._around.names() if self._around is not None else set())
