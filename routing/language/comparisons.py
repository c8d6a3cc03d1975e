"""What `==`, `<`, `in` and `matches` mean for each pair of types.

Domains are compared without regard to case and to a trailing dot (RFC 3261 section 19.1.4, RFC 4343), codecs without
regard to case, addresses by value, everything else as it is. Written values are brought to that form at load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from routing.language import tree
from routing.language.bound import Bound, Constant, Expansion, Items
from routing.language.networks import Networks, address_number
from routing.language.scope import MISTAKEN, Scope, Typed
from routing.language.shared_tables import contains, shared_table
from routing.language.types import (
    CODE,
    CODEC,
    DIRECTION,
    DOMAIN,
    DURATION,
    IP_ADDRESS,
    MEDIA_ADDRESS,
    MOMENT,
    NETWORK,
    NUMBER,
    PATTERN,
    TEXT,
    TIME_WINDOW,
    TRUTH,
    UNKNOWN,
    URI,
    Container,
    Type,
    fits,
    one_of,
)

if TYPE_CHECKING:
    from routing.language.expressions import Expressions

_LITERALS = (tree.Text, tree.Quantity, tree.Pattern, tree.Truth, tree.Range, tree.ListOf)
_LARGEST_SET = 1024


def comparison(expressions: Expressions, node: tree.Comparison, scope: Scope) -> Typed:
    """Check a comparison of any kind."""
    if node.operator == "matches":
        bound = _matches(expressions, expressions.value(node.left, scope), node.left, node.right, scope)
    elif node.operator == "in" and isinstance(node.right, tree.SharedTable):
        table = shared_table(expressions, node.right)
        bound = MISTAKEN.bound if table is MISTAKEN else contains(expressions, table, node.left, scope).bound
    elif node.operator == "in" and isinstance(node.left, tree.Text):
        bound = _member_of_named(expressions, node.left, node.right, scope)
    elif node.operator == "in":
        bound = _member(expressions, expressions.value(node.left, scope), node.left, node.right, scope)
    elif node.operator in ("==", "!="):
        left, right = node.left, node.right
        if isinstance(left, _LITERALS) and not isinstance(right, _LITERALS):
            left, right = right, left  # a written value takes the type of the other side
        bound = _equal(expressions, expressions.value(left, scope), left, right, scope)
    else:
        bound = _ordered(expressions, node, scope)
    negated = node.negated or node.operator == "!="
    return Typed(TRUTH, Expansion("not it", {"it": bound}) if negated else bound)


def arm(expressions: Expressions, subject: Typed, node: tree.Match, case: tree.Expression, scope: Scope) -> Bound:
    """The condition of one value of an arm of `match`: what the value is decides how it is compared."""
    if isinstance(case, tree.Pattern):
        return _matches(expressions, subject, node.subject, case, scope)
    if isinstance(case, tree.ListOf | tree.Range):
        return _member(expressions, subject, node.subject, case, scope)
    return _equal(expressions, subject, node.subject, case, scope)


def within(expressions: Expressions, subject: Typed, node: tree.Match, items: tree.Expression, scope: Scope) -> Bound:
    """The condition of an arm `in items =>`."""
    return _member(expressions, subject, node.subject, items, scope)


# -- equality ---------------------------------------------------------------------------------------------------------


def _equal(
    expressions: Expressions, left: Typed, left_node: tree.Expression, right_node: tree.Expression, scope: Scope
) -> Bound:
    wanted = _equal_to(left.type)
    if left.type == MEDIA_ADDRESS and isinstance(right_node, tree.Text) and not _is_address(right_node):
        wanted = TEXT  # the name of a host, or empty text
    if wanted is None:
        expressions.value(right_node, scope)
        expressions.report.error(left_node.span, f"a value of type {left.type} can't be compared with ==")
        return MISTAKEN.bound
    return _same(left, expressions.value(right_node, scope, wanted))


def _equal_to(type_: Type) -> Type | None:
    """What a value of this type may be equal to."""
    if type_.is_a(IP_ADDRESS):
        return one_of(NETWORK, TEXT)
    if type_ == DIRECTION:
        return DIRECTION
    if type_.is_a(TEXT):
        return TEXT
    for kind in (UNKNOWN, CODE, NUMBER, DURATION, TRUTH, URI):
        if type_.is_a(kind):
            return kind
    return None


def _same(left: Typed, right: Typed) -> Bound:
    parts = {"left": left.bound, "right": right.bound}
    if right.type == NETWORK:
        return _in_networks(left, right.bound)
    if left.type == URI:
        return Expansion("equivalent(left, right)", parts)
    if left.type == MEDIA_ADDRESS and right.type == TEXT and isinstance(right.bound, Constant):
        return Expansion("left == right", {"left": left.bound, "right": _in_lower_case(right)})
    if left.type.is_a(IP_ADDRESS) or right.type.is_a(IP_ADDRESS):
        return Expansion("same_address(left, right)", parts)
    for kind, fold in _FOLDED.items():
        if kind in (left.type, right.type):
            return Expansion("left == right", {"left": fold(left), "right": fold(right)})
    return Expansion("left == right", parts)


def _is_address(node: tree.Text) -> bool:
    """Whether a written text is an address or a network."""
    return address_number(node.raw.partition("/")[0]) is not None


def as_domain(typed: Typed) -> Bound:
    """A text in the form in which domains are compared; what has type domain is in lower case already."""
    if isinstance(typed.bound, Constant):
        return Constant(str(typed.bound.value).lower().rstrip("."))
    lower = "" if typed.type == DOMAIN else ".lower()"
    return Expansion(f"it{lower}.rstrip('.')", {"it": typed.bound})


def _in_lower_case(typed: Typed) -> Bound:
    """A text in the form in which codecs are compared, which are in lower case already."""
    if isinstance(typed.bound, Constant):
        return Constant(str(typed.bound.value).lower())
    return typed.bound if typed.type == CODEC else Expansion("it.lower()", {"it": typed.bound})


_FOLDED = {DOMAIN: as_domain, CODEC: _in_lower_case}
"""Types whose values are compared in one form."""


def _ordered(expressions: Expressions, node: tree.Comparison, scope: Scope) -> Bound:
    left = expressions.value(node.left, scope)
    wanted = next((kind for kind in (UNKNOWN, NUMBER, DURATION) if left.type.is_a(kind)), None)
    if wanted is None:
        expressions.report.error(node.left.span, f"`{node.operator}` compares numbers and durations, not {left.type}")
        return MISTAKEN.bound
    right = expressions.value(node.right, scope, wanted)
    return Expansion(f"left {node.operator} right", {"left": left.bound, "right": right.bound})


def _matches(
    expressions: Expressions, left: Typed, left_node: tree.Expression, right_node: tree.Expression, scope: Scope
) -> Bound:
    expressions.fit(left, TEXT, left_node)
    right = expressions.value(right_node, scope, PATTERN).bound
    if isinstance(right, Constant) and right.value is not None:
        search = Constant(right.value.search)  # type: ignore[attr-defined]  # a Constant of type PATTERN
        return Expansion("search(left) is not None", {"search": search, "left": left.bound})
    return Expansion("right.search(left) is not None", {"right": right, "left": left.bound})


# -- membership -------------------------------------------------------------------------------------------------------


def _member(
    expressions: Expressions, left: Typed, left_node: tree.Expression, right_node: tree.Expression, scope: Scope
) -> Bound:
    if isinstance(right_node, tree.ListOf):
        return _one_of_written(expressions, left, left_node, right_node.items, scope)
    if isinstance(right_node, tree.Range):
        return _one_of_written(expressions, left, left_node, (right_node,), scope)
    wanted = TIME_WINDOW if left.type == MOMENT and isinstance(right_node, tree.Text) else None
    right = expressions.value(right_node, scope, wanted)
    element = right.type.element
    if right.type == TIME_WINDOW and left.type == MOMENT:
        return Expansion("left in right", {"left": left.bound, "right": right.bound})
    if NETWORK in (right.type, element) or (isinstance(right.bound, Constant) and type(right.bound.value) is Networks):
        expressions.fit(left, TEXT, left_node)
        return _in_networks(left, right.bound)
    if element is None and right.type != UNKNOWN:
        hint = "write `text matches /.../`" if fits(right.type, TEXT) or right.type == PATTERN else ""
        message = f"`in` asks a list, a table, a network or named headers; this is of type {right.type}"
        expressions.report.error(right_node.span, message, hint)
    elif element is not None:
        expressions.fit(left, element, left_node)
    if element == CODEC:
        return Expansion("left in right", {"left": _in_lower_case(left), "right": right.bound})
    if left.type == DOMAIN and right.type.container is Container.LIST:
        parts = {"left": as_domain(left), "right": right.bound}
        return Expansion("left in [one.lower().rstrip('.') for one in right]", parts)
    return Expansion("left in right", {"left": left.bound, "right": right.bound})


def _member_of_named(expressions: Expressions, left: tree.Text, right_node: tree.Expression, scope: Scope) -> Bound:
    """`"X" in request.header`; any other right side takes the text as a value."""
    if not isinstance(right_node, tree.Name | tree.Attribute | tree.Index | tree.CallVariable):
        return _member(expressions, expressions.value(left, scope), left, right_node, scope)
    right = expressions.path(right_node, scope)
    asked = expressions.environment.keyed.get(right.type.name)
    if asked is None:
        return _member(expressions, expressions.value(left, scope), left, right_node, scope)
    key = expressions.key(left, asked)
    return Expansion(asked.contains, {"it": right.bound, "key": Constant(key)})


def _one_of_written(
    expressions: Expressions,
    left: Typed,
    left_node: tree.Expression,
    nodes: Sequence[tree.Expression],
    scope: Scope,
) -> Bound:
    """Membership of a list that stands right there: its values take the type of the left side, and are a set."""
    wanted = _equal_to(left.type)
    if wanted is None or wanted == URI:
        expressions.report.error(left_node.span, f"a value of type {left.type} can't be looked for in a list")
        return MISTAKEN.bound
    bounds = [expressions.bounds(node, wanted) for node in nodes if isinstance(node, tree.Range)]
    items = [expressions.value(node, scope, wanted) for node in nodes if not isinstance(node, tree.Range)]
    ranges = [one for one in bounds if one is not None]
    if len(ranges) < len(bounds):
        return MISTAKEN.bound
    if left.type.is_a(IP_ADDRESS):
        return Expansion("left in right", {"left": left.bound, "right": _networks(expressions, items, nodes)})
    fold = _FOLDED.get(left.type)
    if fold is not None:
        items = [Typed(TEXT, fold(item)) for item in items]
    subject = fold(left) if fold is not None else left.bound
    constants = [item.bound.value for item in items if isinstance(item.bound, Constant)]
    if len(constants) < len(items) and not ranges:
        return Expansion("left in right", {"left": subject, "right": Items(tuple(item.bound for item in items))})
    if len(constants) < len(items):
        expressions.report.error(left_node.span, "a list with ranges holds written numbers only")
    right = Constant(_number_set(ranges, constants))
    return Expansion("left in right", {"left": subject, "right": right})


def _in_networks(left: Typed, networks: Bound) -> Bound:
    if isinstance(networks, Constant) and isinstance(networks.value, Networks):
        return Expansion("has(left)", {"has": Constant(networks.value.has), "left": left.bound})
    return Expansion("left in right", {"left": left.bound, "right": networks})


def _networks(expressions: Expressions, items: list[Typed], nodes: Sequence[tree.Expression]) -> Constant:
    texts: list[str] = []
    for item, node in zip(items, nodes, strict=True):
        if item.type == NETWORK and isinstance(item.bound, Constant) and isinstance(item.bound.value, Networks):
            texts += item.bound.value.texts
        elif item.type != UNKNOWN:
            expressions.report.error(node.span, "addresses and networks in a list are written out")
    return Constant(Networks(texts))


class NumberRanges:
    """Numbers of a few large ranges."""

    __slots__ = ("_numbers", "_ranges")

    def __init__(self, ranges: Sequence[range], numbers: frozenset[object]) -> None:
        self._ranges = tuple(ranges)
        self._numbers = numbers

    def __contains__(self, number: object) -> bool:
        return number in self._numbers or any(number in one for one in self._ranges)


def _number_set(ranges: Sequence[range], constants: Sequence[object]) -> frozenset[object] | NumberRanges:
    if sum(map(len, ranges)) > _LARGEST_SET:
        return NumberRanges(ranges, frozenset(constants))
    return frozenset(constants).union(*ranges)
