"""The parameters of the call that is being written, and which of them is next."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from routing.language import tree
from routing.language.editor.analysis import Analysis
from routing.language.editor.cursor import cursor_at
from routing.language.editor.described import route_line, signature_line
from routing.language.editor.walking import nodes_at, place_of
from routing.language.signature import shape


class Parameters(NamedTuple):
    """How a function or route is called; `active` is the number of the parameter that is written now, -1 for none."""

    line: str
    text: str
    parameters: tuple[str, ...]
    active: int


def parameters_at(analysis: Analysis, offset: int) -> Parameters | None:
    """The innermost call around an offset."""
    cursor = cursor_at(analysis, offset)
    chain = cursor.chain if cursor is not None else nodes_at(analysis.file, *analysis.source.place(offset))
    for call, argument in reversed(list(pairwise(chain))):
        if isinstance(argument, tree.Argument):
            return _shown(analysis, chain, call, argument)
    return None


def _shown(
    analysis: Analysis, chain: list[Any], call: tree.Call | tree.Invoke, argument: tree.Argument
) -> Parameters | None:
    name = call.name.text
    if isinstance(call, tree.Invoke):
        routes = (one for one in analysis.file.items if isinstance(one, tree.Route))
        route = next((one for one in routes if one.name.text == name), None)
        if route is None:
            return None
        names = [one.name.text for one in route.parameters]
        shown = tuple(f"{one.name.text}: {one.type.text}" for one in route.parameters)
        line = route_line(route).removeprefix("route ")
        return Parameters(line, "", shown, _active(call, argument, names, len(names)))
    signature = analysis.environment.functions.get(name)
    if signature is None:
        return None
    signature = signature.at(place_of(chain))
    shown = tuple(shape("", [one])[1:-1] for one in signature.parameters)
    names = [one.name for one in signature.parameters]
    unlabelled = sum(not one.labelled for one in signature.parameters)
    active = _active(call, argument, names, unlabelled)
    if active < 0 and argument.label is None and signature.parameters and signature.parameters[-1].repeated:
        active = len(names) - 1
    return Parameters(signature_line(signature), signature.summary, shown, active)


def _active(call: tree.Call | tree.Invoke, argument: tree.Argument, names: list[str], unlabelled: int) -> int:
    if argument.label is not None:
        return names.index(argument.label.text) if argument.label.text in names else -1
    place = call.arguments.index(argument)
    return place if place < unlabelled else -1
