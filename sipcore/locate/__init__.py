"""Locating SIP servers: which addresses a URI stands for, in the order to try (RFC 3263).

Rule 1: a resolution asks and is told; it never waits, so every rule of the RFC is tested without a network.
Rule 2: what is remembered is what the DNS said (a `Plan`); each request draws its own order from it, and keeps for
itself which targets it has tried.
Rule 3: what the DNS says is of strangers: it is bounded, checked, and a part that can't be used is left out with a
reason that `ringway resolve` shows.
"""

from sipcore.locate.address import canonical_address
from sipcore.locate.asking import Asking, found_at_once, found_by_asking
from sipcore.locate.locator import Locator
from sipcore.locate.plan import Candidate, Explanation, Skipped
from sipcore.locate.records import Answer, Naptr, Question, Record, Resolver, Srv
from sipcore.locate.transport import DEFAULT_PORTS

__all__ = [
    "DEFAULT_PORTS",
    "Answer",
    "Asking",
    "Candidate",
    "Explanation",
    "Locator",
    "Naptr",
    "Question",
    "Record",
    "Resolver",
    "Skipped",
    "Srv",
    "canonical_address",
    "found_at_once",
    "found_by_asking",
]
