"""Which statements of a route file ran, over all tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from routing.language.problem import Span


@dataclass(slots=True)
class Coverage:
    """How often each statement of one file ran."""

    runs: dict[Span, int] = field(default_factory=dict)

    @property
    def ran(self) -> int:
        """How many statements ran at least once."""
        return sum(1 for times in self.runs.values() if times)

    @property
    def percent(self) -> float:
        """The same of a hundred; a file without statements is covered."""
        return 100.0 * self.ran / len(self.runs) if self.runs else 100.0

    def never_ran(self) -> list[Span]:
        """The statements that no test reached, in the order of the file."""
        return sorted(span for span, times in self.runs.items() if not times)


class Watching:
    """The `Watch` of one story: counts, and tells `hear` the line of each statement that runs."""

    def __init__(self, coverage: Coverage, hear: Callable[[int], None]) -> None:
        self._runs = coverage.runs
        self._hear = hear

    def there_is(self, step: Span) -> None:
        """A statement stands here."""
        self._runs.setdefault(step, 0)

    def runs(self, step: Span) -> None:
        """It is about to run."""
        self._runs[step] += 1
        self._hear(step.line)
