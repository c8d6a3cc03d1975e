"""What happened in a story: who sent what to whom, which lines of the routes ran, what was noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from routing.program.logs import escape

_CSEQ = re.compile(rb"^(?:CSeq)[ \t]*:[ \t]*[0-9]+[ \t]+([^\s]+)", re.MULTILINE | re.IGNORECASE)
_LONGEST = 100
_SHOWN = 80
"""Lines of a ladder that are shown: of a longer one the beginning and the end."""


class Sent(NamedTuple):
    """A message on its way; `again` when the same was sent before."""

    time: float
    source: str
    target: str
    text: str
    again: bool


class Ran(NamedTuple):
    """A line of the route file ran."""

    time: float
    line: int


class Noted(NamedTuple):
    """Something else happened."""

    time: float
    text: str


Rung: TypeAlias = Sent | Ran | Noted


class Ladder:
    """All of a story, in its order."""

    def __init__(self, rungs: Sequence[Rung] = ()) -> None:
        self.rungs = list(rungs)
        self._seen: set[tuple[str, str, bytes]] = set()

    def sent(self, time: float, source: str, target: str, data: bytes) -> None:
        """A message was sent."""
        key = source, target, data
        self.rungs.append(Sent(time, source, target, title(data), key in self._seen))
        self._seen.add(key)

    def ran(self, time: float, line: int) -> None:
        """A statement ran; a line with several of them is told once."""
        last = self.rungs[-1] if self.rungs else None
        if not isinstance(last, Ran) or last.line != line:
            self.rungs.append(Ran(time, line))

    def note(self, time: float, text: str) -> None:
        """Something to be told between the messages."""
        self.rungs.append(Noted(time, text))

    def lines(self, source: Callable[[int], str]) -> list[str]:
        """For people; `source` gives a line of the route file."""
        names = [one.source for one in self.rungs if isinstance(one, Sent)]
        targets = [one.target for one in self.rungs if isinstance(one, Sent)]
        wide = max(map(len, names), default=0), max(map(len, targets), default=0)
        return _shortened([escape(_line(one, wide, source)) for one in self.rungs])


def _line(rung: Rung, wide: tuple[int, int], source: Callable[[int], str]) -> str:
    if isinstance(rung, Sent):
        again = " (again)" if rung.again else ""
        return f"{rung.time:9.3f}  {rung.source:>{wide[0]}} -> {rung.target:<{wide[1]}}  {rung.text}{again}"
    if isinstance(rung, Ran):
        return f"{rung.line:>15}  {source(rung.line).strip()}"
    return f"             --  {rung.text}"


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= _SHOWN:
        return lines
    half = _SHOWN // 2
    return [*lines[:half], f"          ...  {len(lines) - 2 * half} lines left out", *lines[-half:]]


def title(data: bytes) -> str:
    """The first line without its version; of a response also the method, unless it is INVITE."""
    first = data.split(b"\r\n", 1)[0].decode("utf-8", "replace")
    if not first.startswith("SIP/2.0 "):
        shown = first.removesuffix(" SIP/2.0")
    else:
        method = _CSEQ.search(data)
        which = method[1].decode("utf-8", "replace") if method else ""
        shown = first.removeprefix("SIP/2.0 ") + (f" ({which})" if which not in ("", "INVITE") else "")
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."


def as_documents(rungs: Sequence[Rung]) -> list[dict[str, object]]:
    """For programs."""
    kinds = {Sent: "message", Ran: "line", Noted: "note"}
    return [{"kind": kinds[type(one)], **one._asdict()} for one in rungs]
