"""Lines as a formatter writes them: indentation, comments behind them, and columns of neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH = 100
"""How long a line may be; a comment behind it is not counted."""
INDENT = 4
_GAP_BEFORE_COMMENT = 2
_MUCH = 24
"""How much longer than its neighbours a line may be to have its column followed by them."""


@dataclass(slots=True)
class Line:
    """One line; `mark` is where in `text` the part begins that stands in one column with that of its neighbours."""

    indent: int
    text: str = ""
    mark: int = 0
    kind: str = ""
    """Lines whose marks are of one kind can be neighbours."""
    comment: str = ""
    blank: bool = False
    """Whether an empty line stands before it."""


class Page:
    """Takes text from left to right. `depth` is how far the next line will be indented, in steps."""

    def __init__(self) -> None:
        self.depth = 0
        self.lines: list[Line] = []

    def row(self, *, blank: bool = False, deeper: int = 0) -> None:
        """Begin a line, unless an empty one was begun; `blank`: behind an empty line."""
        if self.lines and not self.lines[-1].text and not self.lines[-1].comment:
            self.lines.pop()
        self.lines.append(Line((self.depth + deeper) * INDENT, blank=blank and bool(self.lines)))

    @property
    def line(self) -> Line:
        """The line that is written now."""
        return self.lines[-1]

    @property
    def column(self) -> int:
        """How many characters stand in it."""
        return self.line.indent + len(self.line.text)

    def put(self, text: str, *, space: bool = False) -> None:
        """Write text, behind a space if one is wanted; what follows a comment begins a line of its own."""
        if self.line.comment and text != ",":
            self.row(deeper=0 if text[0] in "{}" else 1)
        self.line.text += f" {text}" if space and self.line.text else text

    def mark(self, kind: str) -> None:
        """What is written next stands in one column with that of the neighbours."""
        if self.line.comment:
            self.row(deeper=1)
        self.line.text += " "
        self.line.mark, self.line.kind = len(self.line.text), kind

    def comment(self, text: str) -> None:
        """Write a comment behind the line, or into a line of its own when there is one already."""
        if self.line.comment:
            self.row()
        self.line.comment = text

    def rendered(self) -> str:
        """The text, its columns brought in line."""
        for run in _runs(self.lines, lambda line: line.kind):
            tails = [line.indent + len(line.text) - line.mark for line in run]
            for line, column in zip(run, _columns([line.mark for line in run], tails), strict=True):
                line.text = line.text[: line.mark].ljust(column) + line.text[line.mark :]
        for run in _runs(self.lines, lambda line: "#" if line.comment and line.text else ""):
            widths = [len(line.text) for line in run]
            for line, column in zip(run, _columns(widths, [0] * len(run)), strict=True):
                line.text = line.text.ljust(column + _GAP_BEFORE_COMMENT) + line.comment
        return "".join(map(_shown, self.lines))


def _shown(line: Line) -> str:
    blank = "\n" if line.blank else ""
    return f"{blank}{' ' * line.indent}{line.text or line.comment}".rstrip(" ") + "\n"


def _runs(lines: Sequence[Line], kind: Callable[[Line], str]) -> Iterator[list[Line]]:
    """Neighbours: lines of one kind and one indentation with nothing between them."""
    run: list[Line] = []
    for line in lines:
        if run and (line.blank or kind(line) != kind(run[-1]) or line.indent != run[-1].indent):
            yield run
            run = []
        if kind(line):
            run.append(line)
    if run:
        yield run


def _columns(heads: Sequence[int], tails: Sequence[int]) -> list[int]:
    """Where neighbours go on behind their heads: in one column, except behind heads that are too long for it.

    Too long is what is much longer than all others, and what leaves a tail no room.
    """
    together = sorted(range(len(heads)), key=lambda one: heads[one])
    while len(together) > 1:
        widest, next_widest = heads[together[-1]], heads[together[-2]]
        if widest - next_widest <= _MUCH and widest + max(tails[one] for one in together) <= WIDTH:
            break
        together.pop()
    column = heads[together[-1]]
    kept = set(together)
    return [column if one in kept else head for one, head in enumerate(heads)]
