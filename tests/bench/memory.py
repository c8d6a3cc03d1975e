"""How much memory a binding takes, and how long a start with many of them lasts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from contestants import DOMAIN, Contestant
from processes import resident_bytes

_UNIX_EPOCH = 2_440_587.5  # as a Julian day, the form in which both servers keep times in SQLite
_COLUMNS = (
    "ruid, username, domain, contact, expires, q, callid, cseq, last_modified, user_agent, socket, methods, "
    "connection_id"
)


@dataclass(frozen=True, slots=True)
class Held:
    """What a server with and without bindings takes."""

    server: str
    bindings: int
    seconds: float
    """From the start of the process to the first answer, less the same without bindings."""
    bytes_each: float


def hold(server: Contestant, bindings: int) -> Held:
    """Start it empty, fill its table, start it again."""
    empty_seconds, empty_bytes = _start(server)
    _fill(server.database, bindings)
    full_seconds, full_bytes = _start(server)
    return Held(server.name, bindings, full_seconds - empty_seconds, (full_bytes - empty_bytes) / bindings)


def _start(server: Contestant) -> tuple[float, int]:
    begin = time.monotonic()
    server.start(120)
    seconds = time.monotonic() - begin
    time.sleep(1)
    used = resident_bytes(server.pid)
    server.stop()
    return seconds, used


def _rows(count: int) -> Iterator[tuple[object, ...]]:
    now = time.time() / 86_400 + _UNIX_EPOCH
    for number in range(count):
        user = f"u{number:06}"
        contact = f"sip:{user}@10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:5060;transport=udp"
        yield (
            f"bench-{number:x}", user, DOMAIN, contact, now + 1 / 24, -1.0, f"{number:032x}@phone", 2, now,
            "Bench/1.0", None, 8159, -1,
        )  # fmt: skip


def _fill(database: Path, count: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        marks = ", ".join("?" * (_COLUMNS.count(",") + 1))
        connection.executemany(f"insert into location ({_COLUMNS}) values ({marks})", _rows(count))


def line(held: Held) -> str:
    """For people."""
    return f"  {held.server:<28}{held.bytes_each:>8.0f} bytes a binding, {held.bindings} loaded in {held.seconds:.2f} s"
