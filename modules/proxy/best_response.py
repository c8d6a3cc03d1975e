"""Which of several final responses goes back (RFC 3261 section 16.7 steps 6 and 7)."""

from __future__ import annotations

from typing import NamedTuple

from sipcore.message import Response

# Within the 4xx class these tell the client how to repair its request (section 16.7 step 6).
_REPAIRABLE = frozenset({401, 407, 415, 420, 484})
_CHALLENGES = {401: "www-authenticate", 407: "proxy-authenticate"}


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


def with_challenges(best: Response, finals: list[Final]) -> Response:
    """The best response with the challenges of all 401 and 407 responses (section 16.7 step 7)."""
    if best.status not in _CHALLENGES:
        return best
    best = best.copy()
    for final in finals:
        response = final.response
        if response is None or response.status not in _CHALLENGES:
            continue
        header = _CHALLENGES[response.status]
        present = best.all(header)
        for value in response.all(header):
            if value not in present:
                best.append(header, value)
    return best
