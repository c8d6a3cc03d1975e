"""Arguments brought to their parameters: positional ones first, then those with a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from routing.language import tree
from routing.language.bound import Bound
from routing.language.problem import Span
from routing.language.scope import Scope
from routing.language.signature import Parameter, shape

if TYPE_CHECKING:
    from routing.language.expressions import Expressions


def bind(
    expressions: Expressions,
    name: str,
    parameters: Sequence[Parameter],
    place: Span,
    arguments: Sequence[tree.Argument],
    scope: Scope,
) -> tuple[tuple[Bound, ...], dict[str, Bound]]:
    """Check the arguments of a call; returns the positional ones, and the others by their Python names."""
    positional: list[Bound] = []
    labelled: dict[str, Bound] = {}
    given: set[str] = set()
    for argument in arguments:
        parameter = _parameter(expressions, name, parameters, argument, len(positional), bool(labelled))
        if parameter is None:
            expressions.value(argument.value, scope)  # its own mistakes are still found
            continue
        value = expressions.value(argument.value, scope, parameter.type).bound
        if parameter.name in given and not parameter.repeated:
            expressions.report.error(argument.span, f"`{parameter.name}` is given twice")
        given.add(parameter.name)
        if argument.label is None:
            positional.append(value)
        else:
            labelled[parameter.keyword or parameter.name] = value
    missing = [one for one in parameters if one.required and not one.repeated and one.name not in given]
    if missing:
        names = ", ".join(f"`{one.name}` ({one.type})" for one in missing)
        expressions.report.error(place, f"`{name}` also needs {names}", shape(name, parameters))
    return tuple(positional), labelled


def _parameter(
    expressions: Expressions,
    name: str,
    parameters: Sequence[Parameter],
    argument: tree.Argument,
    position: int,
    after_label: bool,
) -> Parameter | None:
    """The parameter that an argument is for; None when a mistake was reported."""
    report = expressions.report
    if argument.label is not None:
        for parameter in parameters:
            if parameter.name == argument.label.text and not parameter.repeated:
                return parameter
        hint = report.nearest(argument.label.text, [one.name for one in parameters]) or shape(name, parameters)
        report.error(argument.label.span, f"`{name}` has no parameter `{argument.label.text}`", hint)
        return None
    if after_label:
        report.error(argument.span, "an argument without a label can't follow one with a label")
        return None
    places = [one for one in parameters if not one.labelled]
    if position < len(places):
        return places[position]
    if places and places[-1].repeated:
        return places[-1]
    limit = f"up to {len(places)}" if places else "no"
    label = next((f"; `{one.name}:` needs its label" for one in parameters if one.labelled), "")
    message = f"`{name}` takes {limit} argument{'' if len(places) == 1 else 's'} without a label{label}"
    report.error(argument.span, message, shape(name, parameters))
    return None
