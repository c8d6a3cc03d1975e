"""The Module contract: one class a feature, its functions declared with types, places and whether they end a route."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from routing.language.signature import ConstantCheck, Effect, Ends, Place

if TYPE_CHECKING:
    from routing.runtime.platform import Platform

__all__ = ["Declaration", "Effect", "Ends", "Module", "Place", "function"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@function` says about a method; the signature's annotations give parameter and result types."""

    name: str
    ends: Ends
    places: Place
    check: ConstantCheck | None = None
    effect: Effect = Effect.NONE


def function(
    *,
    ends: Ends = Ends.NEVER,
    places: Place = Place.REQUEST,
    name: str = "",
    check: ConstantCheck | None = None,
    effect: Effect = Effect.NONE,
) -> Callable[[F], F]:
    """Declare a module's method as a function of the routing language.

    The method takes `self`, `context`, then its parameters: positional ones, then keyword-only ones for named
    arguments. A trailing underscore is cut from names (`as_` is written `as:`), further underscores stay. The first
    line of the docstring is what hover, completion and the reference show. An `async def` may wait; it is refused in
    BRANCH and REPLY places. `check` is asked when a file is loaded, with the arguments that are written out; what it
    says is a mistake of the call. `effect` is what it means for who may use the server.
    """

    def declare(method: F) -> F:
        method.__declaration__ = Declaration(  # type: ignore[attr-defined]
            name or method.__name__.rstrip("_"), ends, places, check, effect
        )
        return method

    return declare


class Module:
    """One role or feature. Subclasses set `name`, declare functions, and override what they need."""

    name: str = ""
    tables: Mapping[str, Container[object] | type] = MappingProxyType({})
    """Tables that routes can ask, by name: on the class what kind they are, on an instance they themselves."""
    adaptable: ClassVar[frozenset[str]] = frozenset()
    """The settings that can change while the server runs; a change of any other waits for the next start."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def start(self) -> None:
        """Make ready, before any listener opens; may block (load tables). Raise ConfigurationError to refuse."""

    def stop(self) -> None:
        """Let go of what `start` took, after all listeners closed; may block (flush)."""

    def adapt(self, settings: Any) -> None:
        """Use these settings from now on; they differ in `adaptable` fields only. Must not fail, wait or block."""

    def statistics(self) -> object:
        """Counters of this module as a frozen dataclass, or None."""
        return None
