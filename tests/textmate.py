"""A small reader of TextMate grammars: enough of them to see which scope each character of a line gets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Grammar:
    """A grammar file; its patterns are given to Python's `re`, which they are written for as well."""

    def __init__(self, file: Path) -> None:
        self.data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        self.top = list(self._flat(self.data["patterns"]))

    def _flat(self, patterns: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Patterns in their order, what they include in its place."""
        for one in patterns:
            if "include" in one:
                yield from self._flat([self.data["repository"][one["include"].removeprefix("#")]])
            elif "match" in one or "begin" in one:
                yield one
            else:
                yield from self._flat(one["patterns"])

    def scopes(self, line: str) -> list[str]:
        """The innermost scope of each character."""
        found = [""] * len(line)
        self._scan(line, 0, self.top, None, found)
        return found

    def _scan(
        self, line: str, at: int, patterns: list[dict[str, Any]], end: re.Pattern[str] | None, found: list[str]
    ) -> int:
        """Give scopes from `at` to where `end` matches; the first match wins, of equals the first pattern."""
        while at <= len(line):
            matches = [(match.start(), number, match, one) for number, one, match in _matches(line, at, patterns)]
            best = min(matches, key=lambda given: given[:2], default=None)
            closing = end.search(line, at) if end is not None else None
            if closing is not None and (best is None or closing.start() <= best[0]):
                return closing.end()
            if best is None:
                return len(line)
            _, _, match, one = best
            until = match.end()
            if "begin" in one:
                inner = list(self._flat(one.get("patterns", [])))
                nested = [""] * len(line)
                until = self._scan(line, match.end(), inner, re.compile(one["end"]), nested)
                for place in range(match.start(), until):
                    found[place] = nested[place] or one["name"]
            else:
                _paint(match, one, found)
            at = max(until, match.start() + 1)
        return len(line)


def _matches(line: str, at: int, patterns: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any], re.Match[str]]]:
    for number, one in enumerate(patterns):
        match = re.compile(one.get("match") or one["begin"]).search(line, at)
        if match is not None:
            yield number, one, match


def _paint(match: re.Match[str], one: Mapping[str, Any], found: list[str]) -> None:
    for place in range(*match.span()):
        found[place] = one.get("name", "")
    for group, capture in one.get("captures", {}).items():
        for place in range(*match.span(int(group))):
            found[place] = capture["name"]
