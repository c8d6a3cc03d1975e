"""Every name in a file: where it is declared, where it is used, and what of them is known where."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from routing.language import tree
from routing.language.problem import Span


class Kind(enum.Enum):
    """What a name is of."""

    LOCAL = "local"
    ROUTE = "route"
    EDIT = "edit"
    """A branch or reply function."""
    SHARED = "shared"
    CALL = "call"
    """A variable that is kept with the call."""


class Symbol(NamedTuple):
    """Something with a name; a local is known by where it is declared, all others by their names."""

    kind: Kind
    name: str
    declared: Span | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name where it stands; `declares`: here it is declared, or stored to when nothing else declares it."""

    symbol: Symbol
    span: Span
    whole: Span
    """With what stands before the name: `call.` or `shared.`."""
    declares: bool


@dataclass(frozen=True, slots=True)
class Local:
    """A name of a block; it is known in `known`, which begins behind its declaration."""

    symbol: Symbol
    known: Span
    changes: bool
    """Whether it may be stored to."""


@dataclass(slots=True)
class Names:
    """All names of a file."""

    occurrences: list[Occurrence] = field(default_factory=list)
    locals: list[Local] = field(default_factory=list)

    def at(self, line: int, column: int) -> Occurrence | None:
        """The name at a place, its end included."""
        for one in self.occurrences:
            if one.span[:2] <= (line, column) <= one.span[2:]:
                return one
        return None

    def of(self, symbol: Symbol) -> list[Occurrence]:
        """Where something is named, in the order of the text."""
        return sorted((one for one in self.occurrences if one.symbol == symbol), key=lambda one: one.span)

    def known_at(self, line: int, column: int) -> list[Local]:
        """The locals that can be used at a place."""
        return [one for one in self.locals if one.known[:2] <= (line, column) <= one.known[2:]]

    def symbols(self, kind: Kind) -> list[Symbol]:
        """Everything of one kind, each once."""
        return list(dict.fromkeys(one.symbol for one in self.occurrences if one.symbol.kind is kind))


def names_of(file: tree.File) -> Names:
    """Find every name of a file; those that it has up to what is nested too deeply to be right."""
    finder = _Finder(file)
    try:
        finder.find()
    except RecursionError:
        return finder.names
    return finder.names


class _Finder:
    def __init__(self, file: tree.File) -> None:
        self._file = file
        self.names = Names()
        self._edits = {one.name.text for one in file.items if isinstance(one, tree.Branch | tree.Reply)}
        self._parameters = {
            (one.name.text, parameter.name.text): Symbol(Kind.LOCAL, parameter.name.text, parameter.name.span)
            for one in file.items
            if isinstance(one, tree.Route)
            for parameter in one.parameters
        }
        self._scopes: list[dict[str, Symbol]] = []

    def find(self) -> None:
        """Go through all blocks."""
        for item in self._file.items:
            self._item(item)

    # -- what declares --------------------------------------------------------------------------------------------

    def _item(self, item: tree.Item) -> None:
        self._scopes = [{}]
        if isinstance(item, tree.Shared):
            self._found(Symbol(Kind.SHARED, item.name.text), item.name.span, declares=True)
        elif isinstance(item, tree.Route):
            self._found(Symbol(Kind.ROUTE, item.name.text), item.name.span, declares=True)
            for parameter in item.parameters:
                self._declare(parameter.name, item.body.span)
            self._block(item.body)
        elif isinstance(item, tree.Branch | tree.Reply):
            self._found(Symbol(Kind.EDIT, item.name.text), item.name.span, declares=True)
            self._declare(item.subject, item.body.span)
            self._block(item.body)
        elif isinstance(item, tree.On):
            if item.event.text == "reply":
                self._declare(item.event, item.body.span)
            self._block(item.body)

    def _found(self, symbol: Symbol, span: Span, *, declares: bool = False) -> None:
        name = Span(span.end_line, span.end_column - len(symbol.name), *span[2:])
        self.names.occurrences.append(Occurrence(symbol, name, span, declares))

    def _declare(self, name: tree.Word, known: Span, *, changes: bool = False) -> None:
        symbol = Symbol(Kind.LOCAL, name.text, name.span)
        self._scopes[-1][name.text] = symbol
        self._found(symbol, name.span, declares=True)
        self.names.locals.append(Local(symbol, known, changes))

    # -- statements -----------------------------------------------------------------------------------------------

    def _block(self, block: tree.Block) -> None:
        self._scopes.append({})
        for statement in block.statements:
            self._statement(statement, block.span)
        self._scopes.pop()

    def _statement(self, node: tree.Statement, around: Span) -> None:
        if isinstance(node, tree.Let):
            self._expression(node.value)
            self._declare(node.name, Span(*node.span[2:], *around[2:]), changes=True)
        elif isinstance(node, tree.Assign):
            self._expression(node.target, declares=isinstance(node.target, tree.CallVariable))
            self._expression(node.value)
        elif isinstance(node, tree.Act):
            self._expression(node.call)
            if node.otherwise is not None:
                self._block(node.otherwise)
        elif isinstance(node, tree.Invoke):
            self._invoke(node)
        elif isinstance(node, tree.If):
            self._expression(node.condition)
            for block in (node.then, node.otherwise):
                if block is not None:
                    self._block(block)
        elif isinstance(node, tree.Match):
            self._match(node)
        else:
            self._expression(node.items)
            self._scopes.append({})
            self._declare(node.name, node.body.span)
            self._block(node.body)
            self._scopes.pop()

    def _invoke(self, node: tree.Invoke) -> None:
        self._found(Symbol(Kind.ROUTE, node.name.text), node.name.span)
        for argument in node.arguments:
            if argument.label is not None:
                parameter = self._parameters.get((node.name.text, argument.label.text))
                if parameter is not None:
                    self._found(parameter, argument.label.span)
            self._expression(argument.value)

    def _match(self, node: tree.Match) -> None:
        self._expression(node.subject)
        for arm in node.arms:
            for case in (*arm.cases, arm.within):
                if case is not None:
                    self._expression(case)
            self._block(arm.body)

    # -- expressions ----------------------------------------------------------------------------------------------

    def _expression(self, node: tree.Expression, *, declares: bool = False) -> None:
        waiting: list[tree.Expression] = [node]
        while waiting:
            one = waiting.pop()
            if isinstance(one, tree.CallVariable):
                self._found(Symbol(Kind.CALL, one.name), one.span, declares=declares)
            elif isinstance(one, tree.SharedTable):
                self._found(Symbol(Kind.SHARED, one.name), one.span)
            elif isinstance(one, tree.Name):
                self._name(one)
            waiting.extend(reversed(list(parts(one))))

    def _name(self, node: tree.Name) -> None:
        for scope in reversed(self._scopes):
            if node.text in scope:
                self._found(scope[node.text], node.span)
                return
        if node.text in self._edits:
            self._found(Symbol(Kind.EDIT, node.text), node.span)


def parts(node: tree.Expression) -> Iterator[tree.Expression]:
    """The expressions that an expression is made of."""
    if isinstance(node, tree.Attribute):
        yield node.owner
    elif isinstance(node, tree.Index):
        yield from (node.owner, node.key)
    elif isinstance(node, tree.ListOf):
        yield from node.items
    elif isinstance(node, tree.Call):
        yield from (argument.value for argument in node.arguments)
    elif isinstance(node, tree.Not):
        yield node.operand
    elif isinstance(node, tree.Logic | tree.Calculation | tree.Comparison):
        yield from (node.left, node.right)


def declarations(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """Those that declare."""
    return [one for one in occurrences if one.declares]
