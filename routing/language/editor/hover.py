"""What a word in a text is, in a few lines of Markdown."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from routing.language import tree
from routing.language.editor.analysis import Analysis
from routing.language.editor.described import (
    KEYWORDS,
    attributes_of,
    code,
    comment_above,
    dotted,
    function_text,
    property_text,
    route_line,
    table_text,
)
from routing.language.editor.names import Kind, Occurrence, declarations
from routing.language.editor.source import Range
from routing.language.editor.walking import nodes_at, place_of
from routing.language.literals import BadLiteral, read_quantity
from routing.language.problem import Span
from routing.language.signature import Signature
from routing.language.types import UNKNOWN

_WORD = re.compile(r"[A-Za-z_]\w*")


class Hover(NamedTuple):
    """A text, and what of the file it is about."""

    range: Range
    text: str


def hover(analysis: Analysis, offset: int) -> Hover | None:
    """What stands at an offset; None where nothing is to be said."""
    occurrence = analysis.occurrence(offset)
    if occurrence is not None:
        return Hover(analysis.source.range(occurrence.span), _symbol(analysis, occurrence))
    nodes = nodes_at(analysis.file, *analysis.source.place(offset))
    return _node(analysis, nodes) or _keyword(analysis, offset)


def table_at(analysis: Analysis, offset: int) -> str:
    """The table of the configuration that is named at an offset, or ""."""
    for node in reversed(nodes_at(analysis.file, *analysis.source.place(offset))):
        if isinstance(node, tree.Name | tree.Attribute) and dotted(node) in analysis.environment.tables:
            return dotted(node)
    return ""


def function_of(analysis: Analysis, nodes: list[Any], call: tree.Call) -> Signature | None:
    """The function that a call means where it stands."""
    signature = analysis.environment.functions.get(call.name.text)
    return signature.at(place_of(nodes)) if signature is not None else None


# -- names ------------------------------------------------------------------------------------------------------------


def _symbol(analysis: Analysis, occurrence: Occurrence) -> str:
    symbol = occurrence.symbol
    found = declarations(analysis.names.of(symbol))
    line = found[0].span.line if found else 0
    type_ = analysis.type_of(symbol)
    shown = "" if type_ == UNKNOWN else f": {type_}"
    if symbol.kind is Kind.LOCAL:
        return f"{code(f'{symbol.name}{shown}')}\n\nDeclared in line {line}."
    if symbol.kind is Kind.CALL:
        where = f" First stored in line {line}." if line else " Nothing is ever stored in it."
        return f"{code(f'call.{symbol.name}{shown}')}\n\nKept with the call; empty until something is stored.{where}"
    return _item(analysis, symbol.kind, symbol.name)


def _item(analysis: Analysis, kind: Kind, name: str) -> str:
    """A top-level block with the comment above it."""
    for item in analysis.file.items:
        if isinstance(item, tree.On | tree.Test) or item.name.text != name:
            continue
        if isinstance(item, tree.Shared) and kind is Kind.SHARED:
            line = f"shared {name}: {item.type.text} for {item.lifetime.text}"
        elif isinstance(item, tree.Route) and kind is Kind.ROUTE:
            line = route_line(item)
        elif isinstance(item, tree.Branch | tree.Reply) and kind is Kind.EDIT:
            line = f"{'branch' if isinstance(item, tree.Branch) else 'reply'} {name}({item.subject.text})"
        else:
            continue
        comment = comment_above(analysis.source.text.split("\n"), item.span.line)
        return f"{code(line)}\n\n{comment}".rstrip()
    return f"There is no `{name}` in this file."


# -- everything else --------------------------------------------------------------------------------------------------


def _node(analysis: Analysis, nodes: list[Any]) -> Hover | None:
    if not nodes:
        return None
    node, above = nodes[-1], nodes[-2] if len(nodes) > 1 else None
    text = ""
    if isinstance(node, tree.Word):
        text = _word(analysis, nodes, node, above)
    elif isinstance(node, tree.Name):
        text = _first_word(analysis, node)
    elif isinstance(node, tree.Quantity):
        text = _quantity(node)
    elif isinstance(node, tree.Pattern):
        text = "A pattern: Python's regular expressions; `$` is the very end."
    if not text:
        return None
    return Hover(analysis.source.range(node.span), text)


def _word(analysis: Analysis, nodes: list[Any], node: tree.Word, above: Any) -> str:
    if isinstance(above, tree.Call):
        signature = function_of(analysis, nodes, above)
        return function_text(signature) if signature is not None else ""
    if isinstance(above, tree.Attribute):
        return _attribute(analysis, above)
    if isinstance(above, tree.Argument):
        return _label(analysis, nodes, node)
    return KEYWORDS["on"] if isinstance(above, tree.On) else ""


def _attribute(analysis: Analysis, node: tree.Attribute) -> str:
    path = dotted(node)
    table = analysis.environment.tables.get(path)
    if table is not None:
        return table_text(path, table)
    found = attributes_of(analysis.environment, analysis.type_at(node.owner.span)).get(node.name.text)
    return property_text(path or f"... .{node.name.text}", found) if found is not None else ""


def _first_word(analysis: Analysis, node: tree.Name) -> str:
    root = analysis.environment.roots.get(node.text)
    if root is not None:
        return property_text(node.text, root)
    table = analysis.environment.tables.get(node.text)
    return table_text(node.text, table) if table is not None else ""


def _label(analysis: Analysis, nodes: list[Any], label: tree.Word) -> str:
    call = next((one for one in reversed(nodes) if isinstance(one, tree.Call)), None)
    signature = function_of(analysis, nodes, call) if call is not None else None
    for parameter in signature.parameters if signature is not None else ():
        if parameter.name == label.text:
            return code(f"{parameter.name}: {parameter.type}{'' if parameter.required else '?'}")
    return ""


def _quantity(node: tree.Quantity) -> str:
    try:
        return f"A {read_quantity(node.text)[0]}."
    except BadLiteral:
        return ""


def _keyword(analysis: Analysis, offset: int) -> Hover | None:
    line, column = analysis.source.place(offset)
    text = analysis.source.line(line)
    for match in _WORD.finditer(text.partition("#")[0]):
        if match.start() <= column - 1 <= match.end() and match[0] in KEYWORDS and text.count('"', 0, column) % 2 == 0:
            span = Span(line, match.start() + 1, line, match.end() + 1)
            return Hover(analysis.source.range(span), KEYWORDS[match[0]])
    return None
