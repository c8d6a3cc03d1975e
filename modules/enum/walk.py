"""The walk through the records of a number (RFC 6116 section 5.2)."""

from __future__ import annotations

from modules.enum.rule import is_sip, uri_of
from sipcore.errors import Malformed, Unavailable
from sipcore.host import parse_host
from sipcore.locate import Asking, Naptr, Question
from sipcore.uri import Uri

MOST_RECORDS = 32
MOST_URIS = 8
MOST_DOMAINS = 6
"""Domains asked for one number: its own, and five that records without flags lead to (section 5.2.1)."""


def walk(domain: str, unique: str) -> Asking[list[Uri]]:
    """The SIP URIs of a number, most wanted first; raises `Unavailable` when nobody answers for its own domain."""
    return (yield from _Walk(unique).through(domain))


class _Walk:
    def __init__(self, unique: str) -> None:
        self._unique = unique
        self._entered: set[str] = set()

    def through(self, domain: str) -> Asking[list[Uri]]:
        self._entered.add(domain)
        question = Question(domain, "NAPTR")
        (answer,) = yield (question,)
        if answer.failed and not answer.records and len(self._entered) == 1:
            raise Unavailable(f"no answer for NAPTR {domain}: {answer.failed}")
        records = [record for record in answer.records if isinstance(record, Naptr)]
        found: list[Uri] = []
        # Records of the same order and preference stay as they came.
        for record in sorted(records, key=lambda one: (one.order, one.preference))[:MOST_RECORDS]:
            if not record.flags:
                found += yield from self._follow(record.replacement)
            elif record.flags == "U" and is_sip(record.service):
                found += self._applied(record)
            if len(found) >= MOST_URIS:
                break
        return found[:MOST_URIS]

    def _follow(self, replacement: str) -> Asking[list[Uri]]:
        try:
            domain = parse_host(replacement)
        except Malformed:
            return []
        if domain in self._entered or len(self._entered) >= MOST_DOMAINS:
            return []  # a circle, or as good as one
        return (yield from self.through(domain))

    def _applied(self, record: Naptr) -> list[Uri]:
        try:
            return [uri_of(record.regexp, self._unique)]
        except Malformed:
            return []  # section 5.2: one that is discarded does not end the query
