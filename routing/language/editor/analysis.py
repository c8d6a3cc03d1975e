"""Everything that can be known of one text with one environment: its mistakes, its tree, its names and their types."""

from __future__ import annotations

from functools import cached_property

from routing.language import tree
from routing.language.checker import check, check_tests
from routing.language.editor.mending import Block, MendedBlock, blocks, mended
from routing.language.editor.names import Names, Occurrence, Symbol, names_of
from routing.language.editor.source import Source
from routing.language.environment import Environment
from routing.language.notes import Notes
from routing.language.parser import parse
from routing.language.problem import Problem, Report, Span
from routing.language.types import UNKNOWN, Type

TOO_DEEP = "this file nests blocks or conditions too deeply"


class Analysis:
    """One text, looked at when something is asked; nothing of it is run."""

    def __init__(self, text: str, environment: Environment, file: str = "main.route", *, tests: bool = False) -> None:
        self.source = Source(text.removeprefix("\N{BYTE ORDER MARK}"))
        self.environment = environment
        self.name = file
        self.tests = tests
        """Whether it is a file that holds nothing but tests, of the routes in another file."""

    @cached_property
    def blocks(self) -> list[Block]:
        """The top-level blocks, as far as they can be told apart."""
        return blocks(self.source.text)

    @cached_property
    def parts(self) -> list[tuple[Block, MendedBlock]]:
        """The blocks with what they parse to."""
        return [(block, mended(block.text, block.line)) for block in self.blocks]

    @cached_property
    def file(self) -> tree.File:
        """The tree, mended where the text is wrong."""
        return tree.File(tuple(item for _, parts in self.parts for item in parts.items))

    @cached_property
    def parses(self) -> bool:
        """Whether the text is written as the grammar wants it."""
        return not any(parts.broken for _, parts in self.parts)

    @cached_property
    def names(self) -> Names:
        """Every name in the text."""
        return names_of(self.file)

    @cached_property
    def _checked(self) -> tuple[Notes, list[Problem]]:
        notes = Notes()
        return notes, self.examine(self.file, notes)

    def examine(self, file: tree.File, notes: Notes) -> list[Problem]:
        """Check a tree of this text, or one much like it, and write down what is learned of it."""
        report = Report(self.name, self.source.text)
        report.notes = notes
        try:
            if self.tests:
                check_tests(file, report)
            else:
                check(file, self.environment, report)
        except RecursionError:
            return [Problem(report.file, 1, 1, 1, TOO_DEEP)]
        return report.problems

    @property
    def notes(self) -> Notes:
        """What the checker learned."""
        return self._checked[0]

    @cached_property
    def problems(self) -> list[Problem]:
        """Every mistake: those that `ringway check` finds; and where a block is not finished, those in the others."""
        if self.parses:
            return self._checked[1]
        report = Report(self.name, self.source.text)
        parse(self.source.text, report)
        broken = [block for block, parts in self.parts if parts.broken]
        others = [one for one in self._checked[1] if not any(block.holds(one.line) for block in broken)]
        return sorted({*report.problems, *others}, key=lambda one: (one.line, one.column, one.message))

    def type_at(self, span: Span) -> Type:
        """What a path or a declared name holds."""
        return self.notes.held.get(span, UNKNOWN)

    def type_of(self, symbol: Symbol) -> Type:
        """What something with a name holds."""
        if symbol.declared is not None:
            return self.type_at(symbol.declared)
        held = (self.type_at(one.whole) for one in self.names.of(symbol))
        return next((type_ for type_ in held if type_ != UNKNOWN), UNKNOWN)

    def occurrence(self, offset: int) -> Occurrence | None:
        """The name at a place."""
        return self.names.at(*self.source.place(offset))
