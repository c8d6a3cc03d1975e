"""From a place in a text to the nodes of the tree around it, outermost first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from routing.language import tree
from routing.language.problem import Span
from routing.language.signature import Place


def children(node: Any) -> Iterator[Any]:
    """The nodes right below a node."""
    for field in fields(node):
        value = getattr(node, field.name)
        for one in value if isinstance(value, tuple) and not isinstance(value, Span) else (value,):
            if hasattr(one, "__dataclass_fields__"):
                yield one


def span_of(node: Any) -> Span:
    """Where a node stands; a parameter has no span of its own."""
    if isinstance(node, tree.Parameter):
        return Span(*node.name.span[:2], *node.type.span[2:])
    if isinstance(node, tree.Arm):
        return Span(*node.span[:2], *node.body.span[2:])
    span: Span = node.span
    return span


def nodes_at(file: tree.File, line: int, column: int) -> list[Any]:
    """The nodes that hold a place, its end included; where two touch, the one that begins there."""
    found: list[Any] = []
    below: Iterator[Any] = iter(file.items)
    while True:
        holding = [one for one in below if span_of(one)[:2] <= (line, column) <= span_of(one)[2:]]
        if not holding:
            return found
        found.append(holding[-1])
        below = children(holding[-1])


def place_of(nodes: list[Any]) -> Place:
    """What kind of block some nodes stand in."""
    item = nodes[0] if nodes else None
    if isinstance(item, tree.Branch):
        return Place.BRANCH
    if isinstance(item, tree.Reply):
        return Place.REPLY
    event = item.event.text if isinstance(item, tree.On) else ""
    return {"reply": Place.REPLY, "dialog": Place.DIALOG}.get(event, Place.REQUEST)
