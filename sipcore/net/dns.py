"""The DNS: A and AAAA records through dnspython on Trio, with a cache of our own (the Resolver of sipcore.locate)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import dns.asyncresolver
import dns.exception
import dns.resolver
import trio

from sipcore.errors import Unavailable, Unresolvable
from sipcore.net.hosts import HostsFile

_RECORDS = {4: "A", 6: "AAAA"}
_MOST_ADDRESSES = 32
_BRIEFLY = 5.0
"""How long a name that nobody answered for is not asked again."""


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """How names are asked for and remembered. Times in seconds; no `nameservers` means those of the system."""

    nameservers: tuple[str, ...] = ()
    port: int = 53
    lifetime: float = 2.0
    """Longest wait for an answer, with all retries."""
    most: int = 4_096
    """Names remembered."""
    at_least: float = 1.0
    at_most: float = 3_600.0
    """Bounds of the time to live of a record."""
    negative: float = 30.0
    """How long it is remembered that a name has no address."""
    stale: float = 3_600.0
    """How long an old answer is used when nobody answers (RFC 8767)."""
    queries: int = 128
    """Names asked for at the same time; further ones wait."""
    versions: tuple[int, ...] = (4, 6)
    """IP versions asked for."""


class _Remembered(NamedTuple):
    """What is known of a name until `expires`: its addresses, () when it has none.

    `failed` says why nobody answered; the addresses are then those of before, good enough until `stale_until`.
    """

    addresses: tuple[str, ...]
    expires: float
    stale_until: float
    failed: str = ""


class _Answer(NamedTuple):
    """What came of one query; `lives` is the time to live."""

    addresses: tuple[str, ...]
    lives: float
    failed: str = ""


class DnsResolver:
    """Answers from the hosts file, from its cache, and from the DNS, asking once for callers at the same time."""

    def __init__(self, settings: DnsSettings | None = None, hosts: HostsFile | None = None) -> None:
        self._settings = settings or DnsSettings()
        self._hosts = hosts or HostsFile()
        self._asked = _system_resolver(self._settings)
        self._cache: OrderedDict[str, _Remembered] = OrderedDict()
        self._under_way: dict[str, trio.Event] = {}
        self._limiter = trio.CapacityLimiter(self._settings.queries)

    def cached(self, host: str) -> tuple[str, ...] | None:
        """What is known without asking: addresses, () for a name without any, None for one to ask for."""
        now = trio.current_time()
        known = self._hosts.addresses(host, now)
        if known is not None:
            return known
        found = self._cache.get(host)
        return None if found is None or found.failed or found.expires <= now else found.addresses

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Ask; raises `Unresolvable` when there is no address and `Unavailable` when nobody answers."""
        while True:
            known = self.cached(host)
            if known is None:
                known = self._failed_lately(host)
            if known is not None:
                break
            if host in self._under_way:
                # When whoever asks is stopped in between, one of those who wait asks anew.
                await self._under_way[host].wait()
            else:
                await self._lead(host)
        if not known:
            raise Unresolvable(f"{host} has no address")
        return known

    def _failed_lately(self, host: str) -> tuple[str, ...] | None:
        found = self._cache.get(host)
        if found is None or not found.failed or found.expires <= trio.current_time():
            return None
        if not found.addresses:
            raise Unavailable(f"no answer for {host}: {found.failed}")
        return found.addresses  # an old answer is better than none

    async def _lead(self, host: str) -> None:
        """Ask for others too, and remember what came."""
        event = self._under_way[host] = trio.Event()
        try:
            async with self._limiter:
                self._remember(host, await self._ask(host))
        finally:
            del self._under_way[host]
            event.set()

    async def _ask(self, host: str) -> _Remembered:
        answers: dict[int, _Answer] = {}

        async def ask(version: int) -> None:
            answers[version] = await self._query(host, version)

        async with trio.open_nursery() as nursery:
            for version in self._settings.versions:
                nursery.start_soon(ask, version)
        return self._judge(host, [answers[version] for version in self._settings.versions])

    async def _query(self, host: str, version: int) -> _Answer:
        try:
            # dnspython measures its lifetime with the wall clock, which may jump: hence a second limit.
            with trio.fail_after(self._settings.lifetime + 0.5):
                answer = await self._asked.resolve(host + ".", _RECORDS[version], raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return _Answer((), self._settings.negative)
        except (dns.exception.DNSException, trio.TooSlowError, OSError) as failure:
            return _Answer((), 0.0, str(failure) or type(failure).__name__)
        if answer.rrset is None:
            return _Answer((), self._settings.negative)
        found = tuple(record.address for record in answer.rrset)
        return _Answer(found[:_MOST_ADDRESSES], answer.chaining_result.minimum_ttl)

    def _judge(self, host: str, answers: Sequence[_Answer]) -> _Remembered:
        settings, now = self._settings, trio.current_time()
        found = tuple(address for answer in answers for address in answer.addresses)
        failed = next((answer.failed for answer in answers if answer.failed), "")
        if failed and not found:
            before = self._cache.get(host)
            if before is None or before.stale_until <= now:
                return _Remembered((), now + _BRIEFLY, now, failed)
            return _Remembered(before.addresses, now + _BRIEFLY, before.stale_until, failed)
        lives = [answer.lives for answer in answers if answer.addresses or not found]
        bounded = min(max(min(lives), settings.at_least), settings.at_most) if found else settings.negative
        # When only one of the versions was answered for, the other is asked for again soon.
        expires = now + (min(bounded, _BRIEFLY) if failed else bounded)
        return _Remembered(found, expires, expires + settings.stale)

    def _remember(self, host: str, found: _Remembered) -> None:
        self._cache[host] = found
        self._cache.move_to_end(host)
        if len(self._cache) > self._settings.most:
            self._cache.popitem(last=False)


def _system_resolver(settings: DnsSettings) -> dns.asyncresolver.Resolver:
    try:
        resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
    except dns.resolver.NoResolverConfiguration:  # what resolv.conf(5) says of a missing file
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
    if settings.nameservers:
        resolver.nameservers = list(settings.nameservers)
        resolver.port = settings.port
    resolver.lifetime = settings.lifetime
    resolver.timeout = settings.lifetime / 3  # so that a lost packet leaves time to ask again
    return resolver
