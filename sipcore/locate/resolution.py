"""From a hop to its candidates: NAPTR, then SRV, then A and AAAA (RFC 3263 section 4).

A resolution is a generator: it yields questions to be asked side by side, is sent their answers in the same order, and
returns a `Plan`. It raises `Unresolvable` when there is nothing to send to and `Unavailable` when nobody answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

from sipcore.errors import Malformed, Unavailable, Unresolvable
from sipcore.flow import Target
from sipcore.host import parse_host
from sipcore.locate.address import canonical_address, unfit
from sipcore.locate.asking import Asking
from sipcore.locate.naptr import Service, services_of, services_to_guess
from sipcore.locate.plan import Candidate, Choice, Plan, Skipped
from sipcore.locate.records import Answer, Naptr, Question, Srv
from sipcore.locate.srv import by_priority
from sipcore.locate.transport import DEFAULT_PORTS, SECURE, Hop, preferred

MOST_SERVERS = 64
"""SRV records of a hop that are used, the most wanted ones; NAPTR records too."""
MOST_ADDRESSES = 16
"""Addresses of each kind that are used of one host."""
_KINDS = {4: "A", 6: "AAAA"}


class Resolution:
    """One hop being located. `served` maps each transport to the IP versions it can be used on, preferred first.

    `loopback` says whether the DNS may lead to this machine itself.
    """

    def __init__(self, hop: Hop, served: Mapping[str, tuple[int, ...]], loopback: bool = False) -> None:
        self._hop = hop
        self._served = served
        self._loopback = loopback
        self._skipped: list[Skipped] = []
        self._unanswered = ""
        self._expires = inf

    def steps(self) -> Asking[Plan]:
        """Ask, and be told."""
        hop = self._hop
        if hop.port:
            ranks = yield from self._at_host(hop.transport, hop.port)
        elif hop.transport:
            ranks = yield from self._by_services(services_to_guess(hop.host, (hop.transport,)))
        else:
            ranks = yield from self._by_services((yield from self._services()))
        if not any(ranks):
            self._give_up()
        return Plan(ranks, self._skipped, self._expires)

    def _give_up(self) -> None:
        hop = self._hop
        if self._unanswered:
            raise Unavailable(f"can't reach {hop.host}: {self._unanswered}")
        reasons = "; ".join(f"{what}: {why}" for what, why in self._skipped[:3])
        raise Unresolvable(f"can't reach {hop.host}: {reasons or 'it has no address'}")

    def _ask(self, questions: Iterable[Question]) -> Asking[dict[Question, Answer]]:
        asked = tuple(dict.fromkeys(questions))
        answers = dict(zip(asked, (yield asked), strict=True))
        for question, answer in answers.items():
            self._expires = min(self._expires, answer.expires)
            if answer.failed and not answer.records:
                self._unanswered = f"no answer for {question.kind} {question.name}: {answer.failed}"
        return answers

    # -- which transport (section 4.1) ------------------------------------------------------------------------------

    def _services(self) -> Asking[list[Service]]:
        hop = self._hop
        question = Question(hop.host, "NAPTR")
        answer = (yield from self._ask((question,)))[question]
        if answer.failed and not answer.records:
            # Some forwarders know no NAPTR at all; whether anybody answers is seen in the next step.
            self._skipped.append(Skipped(f"NAPTR {hop.host}", answer.failed))
            self._unanswered = ""
        records = [record for record in answer.records if isinstance(record, Naptr)]
        found = services_of(hop.host, records[:MOST_SERVERS], hop.secure, self._served, self._skipped)
        if found:
            return found
        guesses = preferred(hop.secure, self._served)
        if not self._served.get(guesses[0]):
            raise Unresolvable(f"can't reach {hop.host}: no {guesses[0]} here")
        return services_to_guess(hop.host, guesses)

    # -- which servers (section 4.2) --------------------------------------------------------------------------------

    def _by_services(self, services: list[Service]) -> Asking[list[list[Choice]]]:
        answers = yield from self._ask(Question(one.name, "SRV") for one in services if not one.is_host)
        ranks: list[tuple[Service, list[Srv]]] = []
        for service in services:
            if service.is_host:
                ranks.append((service, [Srv(0, 0, DEFAULT_PORTS[service.transport], service.name)]))
            else:
                answer = answers[Question(service.name, "SRV")]
                records = [record for record in answer.records if isinstance(record, Srv)]
                ranks += [(service, group) for group in by_priority(records)]
        if ranks:
            return (yield from self._at_servers(ranks))
        if self._unanswered:
            return []  # there may be SRV records: what the domain itself points to would be a guess
        transport = services[0].transport
        return (yield from self._at_host(transport, DEFAULT_PORTS[transport]))

    def _at_servers(self, ranks: list[tuple[Service, list[Srv]]]) -> Asking[list[list[Choice]]]:
        used: list[tuple[Service, list[Srv]]] = []
        left = MOST_SERVERS
        for service, group in ranks:
            good = [record for record in group if self._is_usable(service, record)]
            used.append((service, good[:left]))
            left = max(0, left - len(good))
        answers = yield from self._ask(
            question for service, group in used for record in group for question in self._questions(service, record)
        )
        return [
            [Choice(record.weight, found) for record in group if (found := self._candidates(service, record, answers))]
            for service, group in used
        ]

    def _is_usable(self, service: Service, record: Srv) -> bool:
        what = f"SRV {service.name} {record.priority} {record.weight} {record.port} {record.target or '.'}"
        if not record.target:
            why = "the service is not offered"  # RFC 2782: "decidedly not available"
        elif not record.port:
            why = "port 0 is none"
        elif canonical_address(record.target) is not None or not _is_name(record.target):
            why = "its target is no host name"
        else:
            return True
        self._skipped.append(Skipped(what, why))
        return False

    # -- which addresses --------------------------------------------------------------------------------------------

    def _at_host(self, transport: str, port: int) -> Asking[list[list[Choice]]]:
        service = Service(transport, self._hop.host, True)
        record = Srv(0, 0, port, self._hop.host)
        answers = yield from self._ask(self._questions(service, record))
        found = self._candidates(service, record, answers)
        return [[Choice(0, found)]] if found else []

    def _questions(self, service: Service, record: Srv) -> list[Question]:
        return [Question(record.target, _KINDS[version]) for version in self._served[service.transport]]

    def _candidates(self, service: Service, record: Srv, answers: Mapping[Question, Answer]) -> tuple[Candidate, ...]:
        """The addresses of one server, those of the preferred IP version first (RFC 7984 section 3)."""
        found: list[Candidate] = []
        questions = self._questions(service, record)
        for question in questions:
            answer = answers[question]
            for address in answer.records[:MOST_ADDRESSES]:
                if isinstance(address, str) and self._is_fit(question, address, answer.local):
                    found.append(self._candidate(service, record, question, address))
        if not any(answers[question].records for question in questions):
            failed = next((answers[question].failed for question in questions if answers[question].failed), "")
            kinds = " and ".join(question.kind for question in questions)
            self._skipped.append(Skipped(f"{kinds} {record.target}", failed or "it has no address"))
        return tuple(found)

    def _is_fit(self, question: Question, address: str, local: bool) -> bool:
        why = "" if local else unfit(address, self._loopback)
        if why:
            self._skipped.append(Skipped(f"{question.kind} {question.name} {address}", why))
        return not why

    def _candidate(self, service: Service, record: Srv, question: Question, address: str) -> Candidate:
        transport = service.transport
        domain = self._hop.host if transport in SECURE else ""
        steps = [service.origin] if service.origin else []
        if not service.is_host:
            steps.append(f"SRV {service.name} {record.priority} {record.weight} {record.port}")
        steps.append(f"{question.kind} {question.name}")
        return Candidate(Target(transport, address, record.port, domain), ", ".join(steps))


def _is_name(text: str) -> bool:
    try:
        return parse_host(text) == text
    except Malformed:
        return False
