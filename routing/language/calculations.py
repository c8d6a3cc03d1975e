"""What `+`, `-` and `*` mean: numbers and durations are reckoned with, texts are joined.

Both stay within bounds that a loop over a sender's text can't blow up: `joined` and `counted` raise when it gets too
long or too large.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.language import tree
from routing.language.bound import Expansion
from routing.language.scope import MISTAKEN, Scope, Typed
from routing.language.types import DURATION, NUMBER, TEXT, UNKNOWN, Type
from sipcore.errors import RingwayError

if TYPE_CHECKING:
    from routing.language.expressions import Expressions

_LONGEST_TEXT = 65_536
_LARGEST_NUMBER = 10**15
_KINDS = (UNKNOWN, TEXT, DURATION, NUMBER)


def calculation(expressions: Expressions, node: tree.Calculation, scope: Scope) -> Typed:
    """Check a calculation."""
    left, right = expressions.value(node.left, scope), expressions.value(node.right, scope)
    kinds = _kind(left.type), _kind(right.type)
    if UNKNOWN in kinds:
        _guess(expressions, node, kinds)
        return MISTAKEN
    type_ = _result(node.operator, *kinds)
    if type_ is None:
        shown = f"`{node.operator}` can't take {left.type} and {right.type}"
        expressions.report.error(node.span, shown, _hint(node.operator, left.type, right.type))
        return MISTAKEN
    parts = {"left": left.bound, "right": right.bound}
    if type_ == TEXT:
        as_text = ["it" if kind == TEXT else "str(it)" for kind in kinds]
        texts = [Expansion(one, {"it": side.bound}) for one, side in zip(as_text, (left, right), strict=True)]
        return Typed(TEXT, Expansion("joined(left, right)", {"left": texts[0], "right": texts[1]}))
    return Typed(type_, Expansion(f"counted(left {node.operator} right)", parts))


def _guess(expressions: Expressions, node: tree.Calculation, kinds: tuple[Type | None, Type | None]) -> None:
    """Note what the calculation gives if the side of unknown type fits the other: `call.count = call.count + 1`."""
    likely = expressions.known.likely
    sides = [
        likely.get(id(side), UNKNOWN) if kind == UNKNOWN else kind
        for kind, side in zip(kinds, (node.left, node.right), strict=True)
    ]
    known = [kind for kind in sides if kind is not None and kind != UNKNOWN]
    if len(known) == 1:
        likely[id(node)] = known[0]
    elif len(known) == 2 and (both := _result(node.operator, *known)) is not None:
        likely[id(node)] = both


def _kind(type_: Type) -> Type | None:
    return next((kind for kind in _KINDS if type_.is_a(kind)), None)


def _result(operator: str, left: Type | None, right: Type | None) -> Type | None:
    kinds = {left, right}
    if operator == "+" and TEXT in kinds and kinds <= {TEXT, NUMBER}:
        return TEXT
    if kinds == {NUMBER}:
        return NUMBER
    if kinds == {DURATION} and operator != "*":
        return DURATION
    return DURATION if kinds == {DURATION, NUMBER} and operator == "*" else None


def _hint(operator: str, left: Type, right: Type) -> str:
    names = {left.name, right.name}
    if "uri" in names or "address" in names:
        return "take a part of it, such as `.user`, `.domain` or `.text`"
    if operator == "+" and names == {"duration", "number"}:
        return "a duration has a unit: 20s"
    return "texts take `+`, numbers and durations `+`, `-` and `*`"


def joined(left: str, right: str) -> str:
    """Two texts as one."""
    text = left + right
    if len(text) > _LONGEST_TEXT:
        raise RingwayError(f"a text is longer than {_LONGEST_TEXT} characters")
    return text


def counted(number: float) -> float:
    """A number that stays in bounds."""
    if not -_LARGEST_NUMBER <= number <= _LARGEST_NUMBER:
        raise RingwayError(f"a number is larger than {_LARGEST_NUMBER}")
    return number
