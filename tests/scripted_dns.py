"""A resolver that is told what to answer, and what the network layer would make of a need."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field

from sipcore.flow import Target
from sipcore.locate import Answer, Locator, Naptr, Question, Record, Srv
from sipcore.need import Need
from sipcore.uri import parse_uri

FOR_LONG = 1e9
SERVED: dict[str, tuple[int, ...]] = {"udp": (4, 6), "tcp": (4, 6)}
ALL = {**SERVED, "tls": (4, 6), "sctp": (4,), "ws": (4,), "wss": (4,)}


@dataclass
class ScriptedDns:
    """`zone` holds lines as in a zone file, names without a final dot: `example.com NAPTR 10 50 s SIP+D2U "" _sip...`.

    Names in `silent` get no answer; with `remote` nothing is known without asking.
    """

    zone: str = ""
    silent: set[str] = field(default_factory=set)
    remote: bool = False
    expires: float = FOR_LONG
    local: bool = False
    asked: list[Question] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def known(self, question: Question) -> Answer | None:
        return None if self.remote else self.answer(question)

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        self.batches.append(len(questions))
        return [self.answer(question) for question in questions]

    def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        if question.name in self.silent:
            return Answer((), 5.0, "nobody there")
        lines = [line.split() for line in self.zone.splitlines() if line.strip()]
        found = [record(kind, rest) for name, kind, *rest in lines if (name, kind) == question]
        return Answer(tuple(found), self.expires, local=self.local)


def record(kind: str, fields: list[str]) -> Record:
    """A record of a line of a zone."""
    if kind == "SRV":
        priority, weight, port = map(int, fields[:3])
        return Srv(priority, weight, port, "" if fields[3] == "." else fields[3])
    if kind == "NAPTR":
        order, preference = map(int, fields[:2])
        flags, service, regexp, replacement = (text.strip('"') for text in fields[2:])
        return Naptr(order, preference, flags.upper(), service.upper(), regexp, replacement.rstrip("."))
    return fields[0]


def performed(need: Need[tuple[Target, ...]]) -> tuple[Target, ...]:
    """What the network layer would give back for a need."""
    call = need.call(*need.arguments)
    assert isinstance(call, Coroutine)
    try:
        call.send(None)
    except StopIteration as end:
        found: tuple[Target, ...] = end.value
        return found
    raise AssertionError("it waits for something else than the resolver")


def located(locator: Locator, uri: str) -> tuple[Target, ...]:
    """The targets of a URI, asked for if need be."""
    found = locator.immediately(parse_uri(uri))
    return performed(locator.need(parse_uri(uri))) if found is None else found


def shown(targets: Sequence[Target]) -> list[str]:
    """Targets as `udp 192.0.2.1 5060`."""
    return [f"{target.transport} {target.host} {target.port}" for target in targets]
