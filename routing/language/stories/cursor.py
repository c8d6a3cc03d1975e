"""Goes through one sentence of a test: takes what it is asked for, and remembers what could have stood there."""

from __future__ import annotations

import re
from collections.abc import Collection

from routing.language import tree
from routing.language.literals import BadLiteral, read_pattern, read_quantity, read_text
from routing.language.problem import Span, nearest
from routing.language.types import DURATION, NUMBER, Type

_LISTED = 6
"""So many words are named; of more, what they have in common."""


class BadStep(Exception):
    """A sentence can't be understood, or says what can't be."""

    def __init__(self, span: Span, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.span = span
        self.message = message
        self.hint = hint


class Cursor:
    """The parts of a sentence from left to right."""

    def __init__(self, sentence: tree.Sentence) -> None:
        self.span = sentence.span
        self._parts = sentence.parts
        self._at = 0
        self._words: list[str] = []
        self._others: list[str] = []

    # -- where it stands --------------------------------------------------------------------------------------------

    @property
    def next(self) -> tree.Part | None:
        """What stands here; None at the end."""
        return self._parts[self._at] if self._at < len(self._parts) else None

    @property
    def here(self) -> Span:
        """The place of what stands here, or of what is missing at the end."""
        part = self.next
        if part is not None:
            return part.span
        end = self._parts[-1].span
        return Span(end.end_line, end.end_column, end.end_line, end.end_column + 1)

    @property
    def before(self) -> Span:
        """The place of what was taken last."""
        return self._parts[max(0, self._at - 1)].span

    def follows(self, word: str) -> bool:
        """Whether this word stands behind what stands here."""
        parts = self._parts[self._at + 1 : self._at + 2]
        return bool(parts) and isinstance(parts[0], tree.Word) and parts[0].text == word

    def since(self, start: Span) -> Span:
        """From a place to the last part that was taken."""
        return Span._make((*start[:2], *self.before[2:]))

    def _take(self) -> None:
        self._at += 1
        self._words.clear()
        self._others.clear()

    # -- words ------------------------------------------------------------------------------------------------------

    def word(self, *known: str) -> str:
        """Take one of these words, or return ""."""
        part = self.next
        if isinstance(part, tree.Word) and part.text in known:
            self._take()
            return part.text
        self._words += known
        return ""

    def words(self, *phrase: str) -> bool:
        """Take these words if all of them stand here."""
        parts = self._parts[self._at : self._at + len(phrase)]
        if [getattr(part, "text", "") if isinstance(part, tree.Word) else "" for part in parts] != list(phrase):
            self._words.append(" ".join(phrase))
            return False
        for _ in phrase:
            self._take()
        return True

    def need(self, *known: str) -> str:
        """Take one of these words; there must be one."""
        found = self.word(*known)
        if not found:
            raise self.wrong()
        return found

    def name(self, what: str) -> tree.Word | tree.Text | None:
        """Take a name: a word, or a text for what is no word."""
        part = self.next
        if isinstance(part, tree.Text) or (isinstance(part, tree.Word) and part.text != ","):
            self._take()
            return part
        self._others.append(what)
        return None

    def need_name(self, what: str) -> tree.Word | tree.Text:
        """Take a name; there must be one."""
        found = self.name(what)
        if found is None:
            raise self.wrong()
        return found

    # -- values -----------------------------------------------------------------------------------------------------

    def text(self, what: str) -> str | None:
        """Take what a text says."""
        part = self.next
        if not isinstance(part, tree.Text):
            self._others.append(what)
            return None
        self._take()
        return said(part)

    def need_text(self, what: str) -> str:
        """Take a text; there must be one."""
        found = self.text(what)
        if found is None:
            raise self.wrong()
        return found

    def pattern(self, what: str) -> re.Pattern[str] | None:
        """Take a pattern."""
        part = self.next
        if not isinstance(part, tree.Pattern):
            self._others.append(what)
            return None
        self._take()
        try:
            return read_pattern(part.text, part.ignore_case)
        except BadLiteral as mistake:
            raise bad(part.span, mistake, 1) from None

    def raw(self, what: str) -> str | None:
        """Take a quantity as it was written: an address."""
        part = self.next
        if not isinstance(part, tree.Quantity):
            self._others.append(what)
            return None
        self._take()
        return part.text

    def duration(self, what: str = "a duration like 10s") -> float | None:
        """Take a duration."""
        return self._quantity(DURATION, what)  # type: ignore[return-value]

    def need_duration(self, what: str = "a duration like 10s") -> float:
        """Take a duration; there must be one."""
        found = self.duration(what)
        if found is None:
            raise self.wrong()
        return found

    def number(self, what: str, low: int, high: int) -> int | None:
        """Take a whole number between two others."""
        place = self.here
        found = self._quantity(NUMBER, what)
        if found is not None and (not isinstance(found, int) or not low <= found <= high):
            raise BadStep(place, f"{what} is a whole number from {low} to {high}")
        return found

    def fraction(self, what: str) -> float:
        """Take a number from 0 to 1; there must be one."""
        place = self.here
        found = self._quantity(NUMBER, what)
        if found is None:
            raise self.wrong()
        if not 0 <= found <= 1:  # type: ignore[operator]
            raise BadStep(place, f"{what} is a number from 0 to 1")
        return float(found)  # type: ignore[arg-type]

    def range(self, wanted: Type, what: str) -> tuple[object, object] | None:
        """Take a range, both ends of one type."""
        part = self.next
        if not isinstance(part, tree.Range):
            self._others.append(what)
            return None
        self._take()
        ends = _read(part.low), _read(part.high)
        for end, written in zip(ends, (part.low, part.high), strict=True):
            if end[0] != wanted:
                raise BadStep(written.span, f"expected {what}")
        return ends[0][1], ends[1][1]

    def value(self) -> object:
        """Take a text, number, duration, address or truth, as the configuration has it; there must be one."""
        part = self.next
        if isinstance(part, tree.Text):
            self._take()
            return said(part)
        if isinstance(part, tree.Truth):
            self._take()
            return part.value
        if not isinstance(part, tree.Quantity):
            self._others.append("a value")
            raise self.wrong()
        self._take()
        type_, value = _read(part)
        return value if type_ == NUMBER else part.text

    def _quantity(self, wanted: Type, what: str) -> object:
        part = self.next
        if isinstance(part, tree.Quantity):
            type_, value = _read(part)
            if type_ == wanted:
                self._take()
                return value
        self._others.append(what)
        return None

    # -- the end ----------------------------------------------------------------------------------------------------

    def comma(self) -> bool:
        """Take a comma."""
        return bool(self.word(","))

    def end(self) -> None:
        """Nothing more may stand here."""
        if self.next is not None:
            raise self.wrong("the end of the line")

    def wrong(self, *also: str) -> BadStep:
        """What stands here is none of what was asked for."""
        part = self.next
        words = [word for word in dict.fromkeys(self._words) if word != ","]
        expected = list(dict.fromkeys([*self._others, *also]))
        listed = [f"`{word}`" for word in words] if len(words) <= _LISTED or not expected else []
        shown = _joined([*listed, *expected]) or _joined([f"`{word}`" for word in words])
        before = "the end of the line" if part is None else f"`{_written(part)}`"
        hint = nearest(part.text, words) if isinstance(part, tree.Word) else ""
        if part is not None:
            hint = self.goes_on(part) or hint
        return BadStep(self.here, f"expected {shown} before {before}", hint)

    def goes_on(self, part: tree.Part) -> str:
        """A hint, when the line of a part goes on because of a comma before it."""
        before = [one for one in self._parts if one.span.line < part.span.line]
        if before and isinstance(before[-1], tree.Word) and before[-1].text == ",":
            return "the comma at the end of the line before says that it goes on here"
        return ""


def _joined(shown: Collection[str]) -> str:
    *first, last = shown or ("",)
    return f"{', '.join(first)} or {last}" if first else last


def _written(part: tree.Part) -> str:
    if isinstance(part, tree.Text):
        return f'"{part.raw}"'
    if isinstance(part, tree.Range):
        return f"{part.low.text}..{part.high.text}"
    if isinstance(part, tree.Truth):
        return "true" if part.value else "false"
    return "[" if isinstance(part, tree.ListOf) else part.text


def said(text: tree.Text) -> str:
    """What a text says; BadStep for an unknown escape."""
    try:
        return read_text(text.raw)
    except BadLiteral as mistake:
        raise bad(text.span, mistake, 1) from None


def _read(written: tree.Quantity) -> tuple[Type, object]:
    try:
        return read_quantity(written.text)
    except BadLiteral as mistake:
        raise bad(written.span, mistake) from None


def bad(span: Span, mistake: BadLiteral, offset: int = 0) -> BadStep:
    """A mistake inside of a literal that begins at `span`; `offset` skips its quote."""
    return BadStep(span.part(offset + mistake.offset, max(1, mistake.length)), mistake.message, mistake.hint)
