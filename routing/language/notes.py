"""What the checker learns about a file, written down for an editor."""

from __future__ import annotations

from routing.language.problem import Span
from routing.language.types import UNKNOWN, Type


class Notes:
    """Types by where they stand: `held` by paths and declared names, `wanted` of expressions."""

    def __init__(self) -> None:
        self.held: dict[Span, Type] = {}
        self.wanted: dict[Span, Type] = {}

    def holds(self, span: Span, type_: Type) -> None:
        """Note what a path, or a name that is declared, holds."""
        if type_ != UNKNOWN:
            self.held[span] = type_

    def wants(self, span: Span, type_: Type | None) -> None:
        """Note what type an expression is to have."""
        if type_ is not None:
            self.wanted[span] = type_
