"""How large a message may be; each limit has a name, a default and the status that answers a message beyond it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds checked before anything is parsed further. Sizes in bytes."""

    message: int = 65_535
    """Whole message; 513."""
    head: int = 32_768
    """Start line and header section; 513. On a stream the connection is closed, since the end can't be found."""
    line: int = 10_240
    """One header line after unfolding; 513. A tag, branch or Call-ID of 8 KB is carried whole."""
    uri: int = 4_096
    """Request-URI; 414."""
    headers: int = 256
    """Header lines; 513."""
    vias: int = 70
    """Via values, one hop each (RFC 3261 section 8.1.1.6 starts Max-Forwards at 70); 513."""
    routes: int = 32
    """Route values; 513."""
    body: int = 65_535
    """Body; 413. On a stream it is read over, since its end is certain."""
    unquestioned: int = field(init=False, repr=False, compare=False)
    """A message of this size can be too large in no way: the one look that nearly every message takes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unquestioned", min(self.message, self.body))


DEFAULT_LIMITS = Limits()
