"""How `ring` ended: the best final response, every attempt, and where a redirection leads."""

from __future__ import annotations

from dataclasses import dataclass, field

from routing.runtime.values import Destination
from sipcore.errors import Malformed
from sipcore.message import Response, parse_contacts


@dataclass(slots=True)
class Attempt:
    """One branch that was tried; `seconds` are those from the beginning of its `ring` to its end."""

    target: str
    status: int
    reason: str
    seconds: float


@dataclass(slots=True)
class Outcome:
    """How `ring` ended: the best final response, and every attempt. `code` is 0 before anything was tried.

    `best` is the best outcome of all that the request has had so far; None when it is this one.
    """

    code: int = 0
    reason: str = ""
    response: Response | None = None
    attempts: list[Attempt] = field(default_factory=list)
    best: Outcome | None = field(default=None, repr=False)


NOTHING_TRIED = Outcome()
_NO_RESPONSE = Response(100, "", [], [])


def best_of(outcome: Outcome) -> Outcome:
    """The best outcome of all that the request has had."""
    return outcome.best or outcome


def response_of(outcome: Outcome) -> Response:
    """The response behind an outcome; one without headers when none came."""
    return outcome.response or _NO_RESPONSE


def contacts(response: Response) -> list[Destination]:
    """Where a response says the user can be reached, most wanted first; what can't be read is left out."""
    try:
        found = parse_contacts(response).contacts
    except Malformed:
        return []
    kept = [Destination(one.uri, one.q) for one in found if one.uri.scheme in ("sip", "sips")]
    return sorted(kept, key=lambda destination: -destination.q)
