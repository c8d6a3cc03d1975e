"""The functions of the language: found on loaded modules, their types read from annotations."""

from __future__ import annotations

import collections.abc
import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Union

from routing.language.signature import Ends, Parameter, Place, Signature
from routing.language.types import (
    ADDRESS,
    ANYTHING,
    BRANCH_FUNCTION,
    CODE,
    DURATION,
    ENTRY,
    FINAL_CODE,
    HEADER,
    NETWORK,
    NOTHING,
    NUMBER,
    OUTCOME,
    PATTERN,
    RATE,
    REPLY_FUNCTION,
    TEXT,
    TRUTH,
    URI,
    Type,
    list_of,
    one_of,
)
from routing.runtime.context import Outcome
from routing.runtime.module import Declaration, Module
from routing.runtime.numbering import PLANS, country
from routing.runtime.properties import DESTINATION
from routing.runtime.shared import SharedEntry
from routing.runtime.texts import replacement, replacement_at_run_time
from routing.runtime.values import (
    ORDERS,
    BranchFunction,
    CallSite,
    Country,
    Destination,
    Duration,
    FinalCode,
    HeaderField,
    HeaderName,
    Networks,
    Order,
    Rate,
    Replacement,
    ReplyFunction,
    header_name,
    header_name_at_run_time,
    order,
)
from sipcore.errors import ConfigurationError
from sipcore.message import NameAddr
from sipcore.uri import Uri

COUNTRY = Type("country", base=TEXT, parse=country, choices=tuple(sorted(PLANS)))
HEADER_NAME = Type("header name", base=TEXT, parse=header_name, converts=(("text", header_name_at_run_time),))
ORDER = Type("order", base=TEXT, parse=order, choices=ORDERS)
REPLACEMENT = Type("replacement", base=TEXT, parse=replacement, converts=(("text", replacement_at_run_time),))

TYPES: Mapping[object, Type] = {
    str: TEXT,
    int: NUMBER,
    float: NUMBER,
    bool: TRUTH,
    Duration: DURATION,
    Rate: RATE,
    Networks: NETWORK,
    Uri: URI,
    NameAddr: ADDRESS,
    Destination: DESTINATION,
    Outcome: OUTCOME,
    FinalCode: FINAL_CODE,
    HeaderField: HEADER,
    HeaderName: HEADER_NAME,
    SharedEntry: ENTRY,
    BranchFunction: BRANCH_FUNCTION,
    ReplyFunction: REPLY_FUNCTION,
    Country: COUNTRY,
    Order: ORDER,
    Replacement: REPLACEMENT,
    re.Pattern: PATTERN,
    object: ANYTHING,
    Any: ANYTHING,
    None: NOTHING,
    types.NoneType: NOTHING,
}
"""Annotation to type. An `int` called `code` is a status code."""

_LISTS = frozenset({list, tuple, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection})


def function_table(modules: Iterable[Module | type[Module]]) -> dict[str, Signature]:
    """All functions of these modules by name; raises `ConfigurationError` when one can't be offered.

    A class in place of an instance is enough for checking a file, not for running it.
    """
    table: dict[str, Signature] = {}
    problems: list[str] = []
    for module in modules:
        for signature in _signatures(module, problems):
            earlier = table.setdefault(signature.name, signature)
            if earlier is signature:
                continue
            if earlier.elsewhere is None and not earlier.places & signature.places:
                table[signature.name] = replace(earlier, elsewhere=signature)
            else:
                problems.append(f"function `{signature.name}`: offered by {earlier.module} and {signature.module}")
    if problems:
        raise ConfigurationError(problems)
    return table


def _signatures(module: Module | type[Module], problems: list[str]) -> Iterable[Signature]:
    kind = module if isinstance(module, type) else type(module)
    for name in dir(kind):
        method = getattr(kind, name, None)
        declaration = getattr(method, "__declaration__", None)
        if isinstance(declaration, Declaration):
            try:
                yield _signature(module, kind, name, declaration)
            except _Unfit as unfit:
                problems.append(f"function `{declaration.name}` of {kind.name or kind.__name__}: {unfit}")


class _Unfit(Exception):
    """A method can't be offered to routes; the message says why."""


def _signature(module: Module | type[Module], kind: type[Module], name: str, declaration: Declaration) -> Signature:
    method = getattr(kind, name)
    described = inspect.signature(method)
    waits = inspect.iscoroutinefunction(method)
    result = _type(described.return_annotation, method, "its result")
    if waits and declaration.places & (Place.BRANCH | Place.REPLY):
        raise _Unfit("it may wait, so it can't be offered to branch and reply functions")
    if declaration.ends is Ends.MAY and result != TRUTH:
        raise _Unfit("it may end the route, so it returns bool")
    written = list(described.parameters.values())[2:]
    site = next((one.name for one in written if one.annotation in (CallSite, "CallSite")), "")
    parameters = tuple(_parameter(one, method) for one in written if one.name != site)
    return Signature(
        declaration.name,
        parameters,
        result,
        declaration.ends,
        declaration.places,
        waits,
        getattr(module, name),
        kind.name or kind.__name__,
        inspect.getdoc(method) or "",
        declaration.check,
        site,
        declaration.effect,
    )


def _parameter(parameter: inspect.Parameter, method: Any) -> Parameter:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        raise _Unfit(f"`**{parameter.name}` has no meaning in a route")
    type_ = _type(parameter.annotation, method, f"`{parameter.name}`")
    if parameter.name == "code" and type_ == NUMBER:
        type_ = CODE
    return Parameter(
        name=parameter.name.removesuffix("_"),
        type=type_,
        keyword=parameter.name,
        required=parameter.default is inspect.Parameter.empty,
        labelled=parameter.kind is inspect.Parameter.KEYWORD_ONLY,
        repeated=parameter.kind is inspect.Parameter.VAR_POSITIONAL,
    )


def _type(annotation: object, method: Any, what: str) -> Type:
    """The type of an annotation, which is a string in a module with postponed annotations."""
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, inspect.unwrap(method).__globals__)
        except NameError as error:
            raise _Unfit(f"{what}: {error}; import it outside `if TYPE_CHECKING`") from None
    found = _known(annotation)
    if found is None:
        raise _Unfit(f"{what}: the language has no type for {annotation}")
    return found


def _known(annotation: object) -> Type | None:
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        found = [_known(one) for one in arguments if one is not types.NoneType]
        kept = [one for one in found if one is not None]
        return one_of(*kept) if len(kept) == len(found) else None
    if annotation in _LISTS:
        return list_of(ANYTHING)
    if origin in _LISTS:
        element = _known(arguments[0])
        return list_of(element) if element is not None else None
    if origin is re.Pattern:
        return PATTERN
    return TYPES.get(annotation) if isinstance(annotation, collections.abc.Hashable) else None
