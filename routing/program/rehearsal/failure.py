"""A story that did not go as it was told."""

from __future__ import annotations

from routing.language.problem import Problem, Span


class StoryFailed(Exception):
    """What was expected did not happen, or a step can't be done; the place is that of the step, or a part of it."""

    def __init__(self, span: Span, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.span = span
        self.message = message
        self.hint = hint

    def problem(self, file: str) -> Problem:
        """The same as a mistake in a file."""
        span = self.span
        length = span.end_column - span.column if span.line == span.end_line else 1
        return Problem(file, span.line, span.column, max(1, length), self.message, self.hint)
