"""One question to the DNS servers, and what came of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
import dns.rrset
import trio

from sipcore.locate.address import canonical_address
from sipcore.locate.records import Naptr, Question, Record, Srv
from sipcore.net.dns_settings import DnsSettings, server_address

MOST_RECORDS = 128
"""Records of one answer that are looked at."""
_PAYLOAD = 1232
"""Bytes of an answer over UDP that arrive in one piece everywhere (EDNS, RFC 6891); longer ones come over TCP."""
_STEPS = 3
"""Questions after one another at most: NAPTR, SRV, addresses."""


class Reply(NamedTuple):
    """What came of one question; `life` is the time to live in seconds, `failed` says why nobody answered."""

    records: tuple[Record, ...] = ()
    life: float = 0.0
    failed: str = ""


class Questioner:
    """Asks the servers in turn until one answers, each more than once, within the time that one question has."""

    def __init__(self, settings: DnsSettings) -> None:
        self._lifetime = settings.timeout / _STEPS
        self._negative = settings.negative
        self._resolver = _resolver(settings, self._lifetime)

    async def ask(self, question: Question) -> Reply:
        """The reply to a question; never raises for what the network did."""
        try:
            # dnspython measures its lifetime with the wall clock, which may jump: hence a second limit.
            with trio.fail_after(self._lifetime + 0.1):
                answer = await self._resolver.resolve(question.name + ".", question.kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as unknown:
            return Reply((), self._life_of_nothing(unknown))
        except (dns.exception.DNSException, trio.TooSlowError, OSError) as failure:
            return Reply(failed=_readable(failure))
        records = () if answer.rrset is None else _records(answer.rrset, question.kind)
        return Reply(records, answer.chaining_result.minimum_ttl)

    def _life_of_nothing(self, unknown: dns.resolver.NXDOMAIN) -> float:
        """RFC 2308 section 5: as long as the SOA record of the answer says."""
        responses = unknown.kwargs["responses"].values()
        lives = [rrset.ttl for response in responses for rrset in response.authority]
        return float(min(lives, default=self._negative))


def _readable(failure: Exception) -> str:
    if isinstance(failure, dns.resolver.LifetimeTimeout | trio.TooSlowError):
        return "no DNS server answered in time"
    if isinstance(failure, dns.resolver.NoNameservers):
        return "no DNS server could answer"
    return str(failure) or type(failure).__name__


def _resolver(settings: DnsSettings, lifetime: float) -> dns.asyncresolver.Resolver:
    try:
        resolver = dns.asyncresolver.Resolver(configure=not settings.servers)
    except dns.resolver.NoResolverConfiguration:  # what resolv.conf(5) says of a missing file
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
    if settings.servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*server_address(server)) for server in settings.servers]
    resolver.use_edns(0, 0, _PAYLOAD)
    resolver.lifetime = lifetime
    resolver.timeout = lifetime / 3  # so that a lost packet leaves time to ask again
    return resolver


def _records(rrset: dns.rrset.RRset, kind: str) -> tuple[Record, ...]:
    rows = list(rrset)[:MOST_RECORDS]
    if kind == "SRV":
        return tuple(Srv(row.priority, row.weight, row.port, _host(row.target)) for row in rows)
    if kind == "NAPTR":
        return tuple(map(_naptr, rows))
    return tuple(canonical_address(row.address) or row.address for row in rows)


def _naptr(row: Any) -> Naptr:
    flags, service = (text.decode("ascii", "replace").upper() for text in (row.flags, row.service))
    regexp = row.regexp.decode("utf-8", "replace")
    return Naptr(row.order, row.preference, flags, service, regexp, _host(row.replacement))


def _host(name: dns.name.Name) -> str:
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()
