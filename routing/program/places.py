"""Where each key of a TOML text stands: tomllib gives values but no places.

The text has been accepted by tomllib before, so this scanner only has to find its way, not to judge.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import NamedTuple

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top: `("database", "url")`, `("listen", 0)`."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|("(?:[^"\\\n]|\\.)*"|'[^'\n]*'))[ \t]*""")
_STRING = re.compile(r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]*")


class Place(NamedTuple):
    """Line and column, both from 1, of a key (or list element) and of its value."""

    line: int
    column: int
    value_line: int
    value_column: int


class Places:
    """The places of all keys of one text."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self._starts = [0] + [match.end() for match in re.finditer("\n", text)]
        self._found = {path: self._place(*offsets) for path, offsets in _Scanner(text).scan().items()}

    def _place(self, key: int, value: int) -> Place:
        return Place(*self._line_column(key), *self._line_column(value))

    def _line_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def find(self, path: KeyPath) -> Place:
        """The place of a key, or of the nearest table around it; the first line when there is none."""
        while path:
            if path in self._found:
                return self._found[path]
            path = path[:-1]
        return Place(1, 1, 1, 1)


class _Scanner:
    """Walks over a TOML document and notes the offset of every key and value."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, tuple[int, int]] = {}
        self.tables: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, tuple[int, int]]:
        table: KeyPath = ()
        while self._skip_blank() < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _skip_blank(self) -> int:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at

    def _header(self) -> KeyPath:
        start = self.at
        double = self.text.startswith("[[", start)
        self.at += 2 if double else 1
        keys = self._keys()
        self.at += 2 if double else 1
        table: KeyPath = ()
        for key in keys[:-1]:
            table = self._latest((*table, key))
        table = (*table, keys[-1])
        self.found.setdefault(table, (start, start))
        if double:
            self.tables[table] = self.tables.get(table, -1) + 1
            table = self._latest(table)
            self.found[table] = (start, start)
        return table

    def _latest(self, table: KeyPath) -> KeyPath:
        """An array of tables means its last element when a header below it goes on."""
        return (*table, self.tables[table]) if table in self.tables else table

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            match = _KEY.match(self.text, self.at)
            assert match is not None, "tomllib accepted what is no key"
            self.at = match.end()
            keys.append(match[1] or tomllib.loads(f"key = {match[2]}")["key"])
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _pair(self, table: KeyPath) -> None:
        start = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, (start, start))
        self.at += 1  # the equals sign
        self._skip_blank()
        self.found[path] = (start, self.at)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self.text[self.at] == "[":
            self._array(path)
        elif self.text[self.at] == "{":
            self.at += 1
            while self._next_element("}"):
                self._pair(path)
        else:
            match = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            assert match is not None
            self.at = match.end()

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self._next_element("]"):
            self.found[*path, index] = (self.at, self.at)
            self._value((*path, index))
            index += 1

    def _next_element(self, end: str) -> bool:
        """Go to the next element; False, behind the closing bracket, when there is none."""
        self._skip_blank()
        if self.text[self.at] == ",":
            self.at += 1
            self._skip_blank()
        if self.text[self.at] != end:
            return True
        self.at += 1
        return False
