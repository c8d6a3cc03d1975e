"""Shared tables: what requests tell each other, kept for a while and never without bounds.

An entry lives for the table's lifetime after it was last stored. The entry stored longest ago stands first, so what has
run out, and what has to go when a table is full, is always at the front.
"""

from __future__ import annotations

from typing import NamedTuple

from routing.language.bound import SharedTable as Declared


class SharedTable:
    """One table; `now` is the stack's time in seconds.

    It holds at most `most` entries: a further one drives out the one that was stored longest ago.
    """

    __slots__ = ("_entries", "default", "lifetime", "most", "name")

    def __init__(self, name: str, default: object, lifetime: float, most: int = 100_000) -> None:
        self.name = name
        self.default = default
        self.lifetime = lifetime
        self.most = most
        self._entries: dict[str, tuple[float, object]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str, now: float) -> object:
        """The value, or the default when nothing is stored or it has run out."""
        entry = self._entries.get(key)
        return self.default if entry is None or entry[0] + self.lifetime <= now else entry[1]

    def has(self, key: str, now: float) -> bool:
        """Whether something is stored."""
        entry = self._entries.get(key)
        return entry is not None and entry[0] + self.lifetime > now

    def put(self, key: str, value: object, now: float) -> None:
        """Store a value; its lifetime begins anew."""
        entries = self._entries
        entries.pop(key, None)
        entries[key] = (now, value)
        oldest = next(iter(entries))
        while len(entries) > self.most or entries[oldest][0] + self.lifetime <= now:
            del entries[oldest]
            oldest = next(iter(entries))

    def remove(self, key: str) -> None:
        """Take an entry out, if there is one."""
        self._entries.pop(key, None)


class SharedEntry(NamedTuple):
    """One entry, for functions that take the entry and not its value."""

    table: SharedTable
    key: str


class SharedTables:
    """The tables of a server: they stay when its routes are loaded again.

    A table that is declared with another type begins empty; with another lifetime it keeps what it has.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._tables: dict[str, SharedTable] = {}

    def bound(self, most: int) -> None:
        """Let each table hold so many entries."""
        self._most = most
        for table in self._tables.values():
            table.most = most

    def open(self, declared: Declared) -> SharedTable:
        """The table for a declaration."""
        table = self._tables.get(declared.name)
        if table is None or type(table.default) is not type(declared.default):
            table = self._tables[declared.name] = SharedTable(
                declared.name, declared.default, declared.lifetime, self._most
            )
        table.lifetime = declared.lifetime
        return table
