"""Which of several final responses goes back (RFC 3261 section 16.7 steps 6 and 7)."""

from __future__ import annotations

from typing import NamedTuple

from routing.runtime import Outcome
from sipcore.message import Response
from sipcore.message.status import reason_phrase

# Within the 4xx class these tell the client how to repair its request (section 16.7 step 6).
_REPAIRABLE = frozenset({401, 407, 415, 420, 484})
_CHALLENGES = {401: "www-authenticate", 407: "proxy-authenticate"}
_REDIRECTIONS = dict.fromkeys((300, 301, 302), "contact")
_MOST_VALUES = 64
"""Header lines beyond which nothing is added to a response: a branch can send as many as it likes."""


class Final(NamedTuple):
    """How a branch ended: `response` is None when no response came and `status` was made up here."""

    status: int
    reason: str
    response: Response | None


def best_final(finals: list[Final]) -> Final:
    """The final response to forward: a 6xx, else the lowest class; real responses before a local 408.

    Raises ValueError when there is none.
    """
    return min(finals, key=_rank)


def _rank(final: Final) -> tuple[int, int, int, int]:
    status = final.status
    group = 0 if status >= 600 else status // 100
    # A 503 says only that one element is overloaded: within its class everything else is better (section 21.5.4).
    within = 0 if status in _REPAIRABLE else 2 if status == 503 else 1
    made_up = final.response is None
    # A response that was really received says more than our own time-out, whatever its class.
    return (1 if made_up else 0, group, within, status)


def ranked(outcome: Outcome, before: Outcome) -> Outcome:
    """An outcome that knows the best one of all that its request has had."""
    earlier = before.best or before
    if earlier.code and better(outcome, earlier) is earlier:
        outcome.best = earlier
    return outcome


def nobody_to_ring(before: Outcome) -> Outcome:
    """What comes of ringing no targets at all: the user is there, but has no phone (RFC 3261 section 16.5)."""
    return Outcome(480, reason_phrase(480), None, list(before.attempts))


def better(one: Outcome, other: Outcome) -> Outcome:
    """The one to give back of two outcomes; the first of two alike."""
    return other if _rank(_final(other)) < _rank(_final(one)) else one


def _final(outcome: Outcome) -> Final:
    return Final(outcome.code, outcome.reason, outcome.response)


def collected(best: Response, finals: list[Final]) -> Response:
    """The best response with what others of its kind tell the client too: challenges, or other places to ask."""
    if best.status in _CHALLENGES:
        return _with_others(best, finals, _CHALLENGES)  # section 16.7 step 7 demands it
    if best.status in _REDIRECTIONS:
        return _with_others(best, finals, _REDIRECTIONS)  # and step 6 speaks of it
    return best


def _with_others(best: Response, finals: list[Final], headers: dict[int, str]) -> Response:
    best = best.copy()
    for final in finals:
        response = final.response
        if response is None or response.status not in headers:
            continue
        header = headers[response.status]
        present = best.all(header)
        for value in response.all(header):
            if value not in present and len(present) < _MOST_VALUES:
                best.append(header, value)
                present.append(value)
    return best
