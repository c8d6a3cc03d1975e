"""The table of all bindings in memory: what `lookup` reads, and what the store is written through to.

Rule 1: a binding is a plain tuple of strings and numbers, which the cyclic garbage collector stops to watch; a million
of them cost it nothing. Rule 2: nothing scans the table: an address of
record stands in the slot of time in which its first binding expires.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from modules.registrar.binding import Binding
from modules.registrar.connections import Connections
from sipcore.flow import Flow

_SLOT = 8
"""Seconds of expiry that share a slot."""
_Entry = tuple[Any, ...]
"""The slot in which this address of record stands, then a plain tuple for each of its bindings."""


class Location:
    """Addresses of record (`user@domain`) and their bindings. All times are Unix seconds of the steady clock."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._slots: dict[int, list[str]] = {}
        self._swept = 0
        self.connections = Connections()
        self.count = 0

    def bindings(self, address_of_record: str, now: float) -> tuple[Binding, ...]:
        """The bindings of an address of record that have not expired."""
        entry = self._entries.get(address_of_record)
        if entry is None:
            return ()
        return tuple([Binding._make(record) for record in entry[1:] if record[1] > now])

    def replace(self, address_of_record: str, bindings: Iterable[Binding]) -> None:
        """Let these be the bindings of an address of record; none removes it."""
        records: list[_Entry] = [tuple(binding) for binding in bindings]
        old = self._entries.get(address_of_record)
        if old is not None:
            self.count -= len(old) - 1
            if self.connections:
                self._forget_connections(old, records)
        if not records:
            self._entries.pop(address_of_record, None)
            return
        self.count += len(records)
        slot = min(record[1] for record in records) // _SLOT
        if old is not None and old[0] <= slot:
            slot = old[0]  # it is looked at early, finds its place then, and stands in one slot all the time
        else:
            self._place(address_of_record, slot)
        self._entries[address_of_record] = (slot, *records)

    def _place(self, address_of_record: str, slot: int) -> None:
        # A slot that was swept already (a binding that expires now) is never looked at again.
        self._slots.setdefault(max(slot, self._swept + 1), []).append(address_of_record)

    def _forget_connections(self, old: _Entry, records: list[_Entry]) -> None:
        kept = {record[-1] for record in records}
        for record in old[1:]:
            if record[-1] not in kept:
                self.connections.forget(record[-1])

    def connection(self, ruid: str) -> Flow | None:
        """The open connection a binding came by; one that its phone has finished with leads nowhere any more."""
        flow = self.connections.flow_of(ruid)
        return None if flow is None or flow.closed or flow.ending else flow

    def expire(self, now: float, most: int) -> bool:
        """Drop what has expired, looking at no more than `most` addresses or slots; False when there is more to do."""
        last = int(now) // _SLOT - 1
        if not self._swept:
            self._swept = min(self._slots, default=last) - 1
        for _ in range(most):
            if self._swept >= last:
                return True
            slot = self._swept + 1
            due = self._slots.get(slot)
            if due:
                self._look_at(due.pop(), slot, now)
            else:
                self._slots.pop(slot, None)
                self._swept = slot
        return self._swept >= last

    def _look_at(self, address_of_record: str, slot: int, now: float) -> None:
        entry = self._entries.get(address_of_record)
        if entry is None or entry[0] > slot:
            return  # removed, or it stands in another slot by now
        left = self.bindings(address_of_record, now)
        if len(left) < len(entry) - 1:
            self._entries[address_of_record] = (sys.maxsize, *entry[1:])
            self.replace(address_of_record, left)
        else:
            first = min(record[1] for record in entry[1:]) // _SLOT
            self._entries[address_of_record] = (first, *entry[1:])
            self._place(address_of_record, first)

    def addresses(self) -> Iterator[str]:
        """Every address of record that has bindings."""
        return iter(list(self._entries))

    def __len__(self) -> int:
        """How many addresses of record there are."""
        return len(self._entries)
