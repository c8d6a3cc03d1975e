"""What an operator may set about registration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegistrarSettings:
    """Times in seconds."""

    default_expires: int = 3600
    """For a REGISTER that names no expiry (RFC 3261 section 10.3 step 7)."""
    min_expires: int = 60
    """A shorter one is refused with 423; at most 3600, since only less than an hour may be called too brief."""
    max_expires: int = 86_400
    """A longer one is cut to this."""
    jitter: float = 0.1
    """What is granted is up to this fraction less than asked, so that phones don't all come back at once."""
    contacts: int = 12
    """Bindings of one address of record; one more is refused with 403."""
    contact_size: int = 512
    """Bytes of a Contact URI; also the width of the column."""
    waiting: int = 16
    """REGISTERs that may wait for their turn at one address of record; the next one is refused with 503."""

    def __post_init__(self) -> None:
        if not 0 < self.min_expires <= 3600 or self.max_expires < self.min_expires or not 0 <= self.jitter < 1:
            raise ValueError("registrar: min_expires is 1 to 3600, max_expires not below it, jitter 0 to 1")
