"""The DNS: questions through dnspython on Trio, with a cache of our own (the Resolver of sipcore.locate)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import trio

from sipcore.locate.records import Answer, Question, Record
from sipcore.net.dns_query import Questioner, Reply
from sipcore.net.dns_settings import DnsSettings
from sipcore.net.hosts import HostsFile

BRIEFLY = 5.0
"""How long a question that nobody answered is not asked again, in seconds."""
_ADDRESSES = ("A", "AAAA")

__all__ = ["BRIEFLY", "DnsResolver", "DnsSettings"]


class _Remembered(NamedTuple):
    """An answer, and until when its records are good enough while nobody answers (RFC 8767)."""

    answer: Answer
    stale_until: float


class DnsResolver:
    """Answers from the hosts file, from its cache, and from the DNS, asking once for callers at the same time."""

    def __init__(self, settings: DnsSettings | None = None, hosts: HostsFile | None = None) -> None:
        self._settings = settings or DnsSettings()
        self._hosts = hosts or HostsFile()
        self._questioner = Questioner(self._settings)
        self._cache: OrderedDict[Question, _Remembered] = OrderedDict()
        self._under_way: dict[Question, trio.Event] = {}
        self._limiter = trio.CapacityLimiter(self._settings.questions)

    def known(self, question: Question) -> Answer | None:
        """What is known without asking; None when the question must be asked."""
        now = trio.current_time()
        found = self._from_hosts_file(question, now)
        if found is not None:
            return found
        remembered = self._cache.get(question)
        return None if remembered is None or remembered.answer.expires <= now else remembered.answer

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """The answers in the order of the questions; a failure is an answer too."""
        answers: dict[Question, Answer] = {}

        async def ask(question: Question) -> None:
            answers[question] = await self._answer(question)

        async with trio.open_nursery() as nursery:
            for question in questions:
                known = self.known(question)
                if known is None:
                    nursery.start_soon(ask, question)
                else:
                    answers[question] = known
        return [answers[question] for question in questions]

    def _from_hosts_file(self, question: Question, now: float) -> Answer | None:
        name, kind = question
        host = name.split(".", 2)[-1] if kind == "SRV" and name.startswith("_sip") else name
        addresses = self._hosts.addresses(host, now)
        if addresses is None:
            return None
        # A host of that file is found there alone: nobody is asked for services of it.
        version = kind in _ADDRESSES and (":" if kind == "AAAA" else ".")
        found = tuple(address for address in addresses if version and version in address)
        return Answer(found, now + BRIEFLY, local=True)

    async def _answer(self, question: Question) -> Answer:
        while True:
            known = self.known(question)
            if known is not None:
                return known
            if question in self._under_way:
                # When whoever asks is stopped in between, one of those who wait asks anew.
                await self._under_way[question].wait()
            else:
                await self._lead(question)

    async def _lead(self, question: Question) -> None:
        """Ask for others too, and remember what came."""
        event = self._under_way[question] = trio.Event()
        try:
            async with self._limiter:
                reply = await self._questioner.ask(question)
            self._remember(question, self._judged(question, reply))
        finally:
            del self._under_way[question]
            event.set()

    def _judged(self, question: Question, reply: Reply) -> _Remembered:
        settings, now = self._settings, trio.current_time()
        if reply.failed:
            before = self._cache.get(question)
            records: tuple[Record, ...] = ()
            stale_until = now
            if before is not None and before.stale_until > now:  # an old answer is better than none
                records, stale_until = before.answer.records, before.stale_until
            return _Remembered(Answer(records, now + BRIEFLY, reply.failed), stale_until)
        longest = settings.cache if reply.records else min(settings.negative, settings.cache)
        expires = now + max(min(reply.life, longest), settings.at_least)
        return _Remembered(Answer(reply.records, expires), expires + settings.stale)

    def _remember(self, question: Question, found: _Remembered) -> None:
        self._cache[question] = found
        self._cache.move_to_end(question)
        if len(self._cache) > self._settings.entries:
            self._cache.popitem(last=False)
