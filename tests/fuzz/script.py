"""How an input is read: as one datagram, or as a small script.

An input that does not begin with `@` is one datagram. A script is made of steps; each begins with a line of its own:

    @udp 2          what follows is a datagram of peer 192.0.2.2
    @tcp 2 100      what follows are bytes on its connection, handed in 100 at a time
    @ws 2           what follows is one message on its WebSocket
    @lost udp 2     a datagram to it was refused, `@lost tcp 2`, `@lost ws 2`: its connection was reset
    @wait 31        so many seconds pass; slow look-ups and databases have answered
    @slow           the database answers at the next `@wait` only
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_STEPS = 40
_HEAD = re.compile(rb"@?(udp|tcp|ws|lost udp|lost tcp|lost ws|wait|slow)(?: ([0-9]{1,3}))?(?: ([0-9]{1,5}))?\n?")


class Step(NamedTuple):
    """One thing that happens. `number` is the last one of the peer's address, or seconds; `size`: bytes at a time."""

    kind: str
    data: bytes = b""
    number: int = 1
    size: int = 65_536


def steps_of(data: bytes) -> Iterator[Step]:
    """The steps of an input, at most `MOST_STEPS`; what is no step is a datagram."""
    if not data.startswith(b"@"):
        yield Step("udp", data)
        return
    for part in data.split(b"\n@")[:MOST_STEPS]:
        head = _HEAD.match(part)
        if head is None:
            yield Step("udp", part)
            continue
        kind, number, size = head[1].decode(), int(head[2] or 1), max(int(head[3] or 65_536), 1)
        yield Step(kind, part[head.end() :], number, size)
