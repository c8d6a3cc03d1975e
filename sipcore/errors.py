"""Every error Ringway raises, as one tree; each error knows how it is answered."""

from __future__ import annotations


class RingwayError(Exception):
    """The root of all errors that Ringway itself raises."""


class Malformed(RingwayError):
    """Bytes from the network that can't be understood: the only exception they may cause.

    `status` is the SIP status that answers a request which is malformed in this way; `reason` is fit for the
    reason phrase (one line of printable ASCII, no bytes of the peer in it).
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Refused(RingwayError):
    """A request can't be served; carries the SIP status, the reason phrase and extra header lines of the answer."""

    def __init__(self, status: int, reason: str = "", headers: tuple[bytes, ...] = ()) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.headers = headers


class Unavailable(RingwayError):
    """A backend (database, resolver, directory) gave no answer: 503 unless the route decides otherwise."""


class Unresolvable(RingwayError):
    """No address was found for a next hop: the branch fails like a 503 (RFC 3263 section 4.3)."""


class ConfigurationError(RingwayError):
    """The configuration or a route file is wrong; `problems` holds every mistake, one readable text each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
