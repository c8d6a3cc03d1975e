"""The tree of a route file: what was written and where, before anything is known about names and types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from routing.language.problem import Span


@dataclass(frozen=True, slots=True)
class Word:
    """A name as written."""

    text: str
    span: Span


# -- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """`"..."`; `raw` is what stands between the quotes, escapes kept."""

    raw: str
    span: Span


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, duration, rate, network or address; which of them, the checker says."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Pattern:
    """`/.../` or `/.../i`; `text` is what stands between the slashes."""

    text: str
    ignore_case: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""

    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`600..699`: both ends belong to it."""

    low: Quantity
    high: Quantity
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b, 600..699]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """The first word of a path: a local, a property, a table."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class CallVariable:
    """`call.x`."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class SharedTable:
    """`shared.name`."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Attribute:
    """`owner.name`."""

    owner: Path
    name: Word
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`owner[key]`."""

    owner: Path
    key: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; `label` is None for a positional one."""

    label: Word | None
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`: a function."""

    name: Word
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Logic:
    """`left and right`, `left or right`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Calculation:
    """`left + right`, `left - right`, `left * right`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and one of `== != < <= > >= in matches`; `negated` for `not in`."""

    operator: str
    left: Expression
    right: Expression
    negated: bool
    span: Span


Path: TypeAlias = Name | CallVariable | SharedTable | Attribute | Index
Literal: TypeAlias = Text | Quantity | Pattern | Truth | Range | ListOf
Expression: TypeAlias = Literal | Path | Call | Not | Logic | Calculation | Comparison


# -- statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """`{ ... }`; `end` is its closing brace."""

    statements: tuple[Statement, ...]
    end: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = value`."""

    name: Word
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Assign:
    """`path = value`."""

    target: Path
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Act:
    """A function called for what it does; `otherwise` runs when it answers false."""

    call: Call
    otherwise: Block | None
    span: Span


@dataclass(frozen=True, slots=True)
class Invoke:
    """`call name(arguments)`: a route."""

    name: Word
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class If:
    """`if condition { } else { }`; an `else if` is an If alone in the `otherwise` block."""

    condition: Expression
    then: Block
    otherwise: Block | None
    span: Span


@dataclass(frozen=True, slots=True)
class Arm:
    """One line of a `match`: `cases` are literals to be equal to; `within` what to be in; with neither it is `else`."""

    cases: tuple[Literal, ...]
    within: Expression | None
    body: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Match:
    """`match subject { arms }`."""

    subject: Expression
    arms: tuple[Arm, ...]
    end: Span
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    """`for name in items { }`."""

    name: Word
    items: Expression
    body: Block
    span: Span


Statement: TypeAlias = Let | Assign | Act | Invoke | If | Match | For


# -- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter:
    """`name: type` of a route; `type` holds its words joined by single spaces."""

    name: Word
    type: Word


@dataclass(frozen=True, slots=True)
class On:
    """`on request { }`, `on reply { }`."""

    event: Word
    body: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Route:
    """`route name(parameters) { }`."""

    name: Word
    parameters: tuple[Parameter, ...]
    body: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Branch:
    """`branch name(subject) { }`: edits one branch."""

    name: Word
    subject: Word
    body: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Reply:
    """`reply name(subject) { }`: edits a response on its way back."""

    name: Word
    subject: Word
    body: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Shared:
    """`shared name: type for lifetime`: a table that all requests share."""

    name: Word
    type: Word
    lifetime: Quantity
    span: Span


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of a test as it was written; a comma is a word, and so is a name with dots."""

    parts: tuple[Part, ...]
    span: Span


Part: TypeAlias = Word | Literal


@dataclass(frozen=True, slots=True)
class Test:
    """`test "name" { sentences }`; what stands in one without a name is how every test of the file begins."""

    name: Text | None
    sentences: tuple[Sentence, ...]
    end: Span
    span: Span


Item: TypeAlias = On | Route | Branch | Reply | Shared | Test


@dataclass(frozen=True, slots=True)
class File:
    """A whole route file."""

    items: tuple[Item, ...]


def else_if(node: If) -> If | None:
    """The `else if` behind an `if`, when there is one."""
    rest = node.otherwise
    if rest is None or len(rest.statements) != 1 or rest.span != rest.statements[0].span:
        return None
    only = rest.statements[0]
    return only if isinstance(only, If) else None


def written(node: Expression) -> str:
    """A path or text as the operator wrote it."""
    if isinstance(node, Attribute):
        return f"{written(node.owner)}.{node.name.text}"
    if isinstance(node, Index):
        return f'{written(node.owner)}["{written(node.key)}"]'
    if isinstance(node, Name):
        return node.text
    return node.raw if isinstance(node, Text) else "..."
