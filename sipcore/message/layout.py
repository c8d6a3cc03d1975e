"""Where the headers of a message stand: worked out once for each order of headers that is met, then looked up.

A client writes its headers in the same order every time, so the names of a message are a key that nearly always hits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter

_COPIED = frozenset({"via", "from", "to", "call-id", "cseq", "timestamp"})
_HOPS = frozenset({"via", "route"})
_REQUIRED = {"via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
_NOT_TWICE = {name: _REQUIRED[name] for name in _REQUIRED if name != "via"} | {"max-forwards": "Max-Forwards"}


class Picked:
    """Some header lines of a message: `pick(message.lines)` gives them as a tuple, `names` are theirs.

    `to` is the place of To among them, or -1.
    """

    __slots__ = ("names", "pick", "to")

    def __init__(self, names: tuple[str, ...], wanted: frozenset[str]) -> None:
        places = [at for at, name in enumerate(names) if name in wanted]
        self.names = [names[at] for at in places]
        self.to = self.names.index("to") if "to" in self.names else -1
        self.pick: Callable[[Sequence[bytes]], tuple[bytes, ...]] = (
            itemgetter(*places) if len(places) > 1 else lambda lines: tuple(lines[at] for at in places)
        )


class Layout:
    """Places of headers among the names, and so among the lines, of a message.

    `fault` says which header is missing or is there twice, "" when all is well: only then `via`, `from_`, `to`,
    `call_id` and `cseq` are the places of their first lines. `max_forwards` is -1 when there is none. `hops` picks the
    lines of Via and Route, `many_hops` says that there are more than one. `copied` and `dialog_copied` are what a
    response copies (RFC 3261 sections 8.2.6.2 and 12.1.1).
    """

    __slots__ = (
        "call_id", "copied", "cseq", "dialog_copied", "fault", "from_", "hops", "many_hops", "max_forwards", "to",
        "via",
    )  # fmt: skip

    def __init__(self, names: tuple[str, ...]) -> None:
        first = {name: at for at, name in reversed([*enumerate(names)])}
        self.via, self.from_, self.to, self.call_id, self.cseq = (first.get(name, 0) for name in _REQUIRED)
        self.max_forwards = first.get("max-forwards", -1)
        hops = Picked(names, _HOPS)
        self.hops = hops.pick
        self.many_hops = len(hops.names) > 1
        self.fault = _fault(names)
        self.copied = Picked(names, _COPIED)
        self.dialog_copied = Picked(names, _COPIED | {"record-route"})


def _fault(names: tuple[str, ...]) -> str:
    for name, pretty in _REQUIRED.items():
        if name not in names:
            return f"No {pretty}"
    for name, pretty in _NOT_TWICE.items():
        if names.count(name) > 1:
            return f"More than one {pretty}"
    return ""


@lru_cache(maxsize=512)
def layout_of(names: tuple[str, ...]) -> Layout:
    """The layout of a message with these names."""
    return Layout(names)
