"""`shared.name[key]`: read, stored, asked for and removed; keys are texts, a number is one too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.language import tree
from routing.language.bound import Bound, Expansion, Local, Step, Store
from routing.language.scope import MISTAKEN, Scope, Typed
from routing.language.types import ENTRY, NUMBER, TEXT, TRUTH, UNKNOWN, Container, Type, shared_of

if TYPE_CHECKING:
    from routing.language.expressions import Expressions

_NOW = "context.platform.now()"


def is_shared(typed: Typed) -> bool:
    """Whether this is a shared table as a whole."""
    return typed.type.container is Container.SHARED


def shared_table(expressions: Expressions, node: tree.SharedTable) -> Typed:
    """A table by its name."""
    known = expressions.known
    element = known.shared.get(node.name)
    if element is None:
        hint = expressions.report.nearest(node.name, known.shared).replace("`", "`shared.", 1)
        hint = hint or f"declare it: `shared {node.name}: number for 10m`"
        expressions.report.error(node.span, f"there is no table `shared.{node.name}`", hint)
        return MISTAKEN
    known.used.add(f"shared.{node.name}")
    return MISTAKEN if element == UNKNOWN else Typed(shared_of(element), Local(f"shared_{node.name}"))


def entry(expressions: Expressions, table: Typed, key: tree.Expression, scope: Scope, wanted: Type | None) -> Typed:
    """One entry: its value, or the entry itself where a function takes that."""
    parts = {"table": table.bound, "key": _key(expressions, key, scope)}
    if wanted is not None and ENTRY in (wanted, *wanted.alternatives):
        return Typed(ENTRY, Expansion("shared_entry(table, key)", parts))
    return Typed(table.type.element or UNKNOWN, Expansion(f"table.get(key, {_NOW})", parts))


def contains(expressions: Expressions, table: Typed, key: tree.Expression, scope: Scope) -> Typed:
    """`key in shared.name`."""
    parts = {"table": table.bound, "key": _key(expressions, key, scope)}
    return Typed(TRUTH, Expansion(f"table.has(key, {_NOW})", parts))


def store(expressions: Expressions, table: Typed, target: tree.Index, node: tree.Assign, scope: Scope) -> list[Step]:
    """`shared.name[key] = value`."""
    parts = {
        "table": table.bound,
        "key": _key(expressions, target.key, scope),
        "value": expressions.value(node.value, scope, table.type.element).bound,
    }
    return [Store(f"table.put(key, value, {_NOW})", parts, node.span)]


def _key(expressions: Expressions, node: tree.Expression, scope: Scope) -> Bound:
    typed = expressions.value(node, scope)
    if typed.type.is_a(NUMBER):
        return Expansion("str(it)", {"it": typed.bound})
    return expressions.fit(typed, TEXT, node).bound
