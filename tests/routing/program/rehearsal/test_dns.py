"""The DNS of a story."""

from __future__ import annotations

from collections.abc import Coroutine
from math import inf
from typing import Any

from routing.language.problem import Span
from routing.language.stories.story import DnsRecord
from routing.program.rehearsal.dns import StoryDns
from routing.program.rehearsal.slow_call import Delay
from sipcore.locate import Answer, Naptr, Question, Srv
from tests.story_texts import given

HERE = Span(1, 1, 1, 2)
A, SRV, NAPTR = (
    Question("sip.example.net", "A"),
    Question("_sip._udp.example.net", "SRV"),
    Question("example.net", "NAPTR"),
)


def dns(*lines: str) -> StoryDns:
    records = given("given peer gateway\n" + "\n".join(f"given dns {line}" for line in lines)).records
    return StoryDns(records, lambda value: "203.0.113.11" if value == "gateway" else value, lambda: 7.0)


def ask(resolver: StoryDns, *questions: Question) -> tuple[float, list[Answer]]:
    """How long it takes, and the answers."""
    asking: Coroutine[Any, Any, Any] = resolver.ask(questions)
    waited = 0.0
    try:
        while True:
            delay = asking.send(None)
            assert isinstance(delay, Delay)
            waited += delay.seconds
    except StopIteration as end:
        return waited, list(end.value)


def test_records_of_each_kind() -> None:
    found = dns(
        '"sip.example.net" A 192.0.2.7, gateway', '"_SIP._UDP.example.net." SRV 10 60 5060 "One.example.net."',
        '"_sip._udp.example.net" SRV 20 1 5070 "."',
        '"example.net" NAPTR 10 50 "s" "sip+d2t" "" "_sip._tcp.Example.net"',
        '"sip.example.net" AAAA 2001:db8::7',
    )  # fmt: skip
    assert found.known(A) == Answer(("192.0.2.7", "203.0.113.11"), inf)
    assert found.known(SRV) == Answer((Srv(10, 60, 5060, "one.example.net"), Srv(20, 1, 5070, "")), inf)
    assert found.known(NAPTR) == Answer((Naptr(10, 50, "S", "SIP+D2T", "", "_sip._tcp.example.net"),), inf)
    assert found.known(Question("sip.example.net", "AAAA")) == Answer(("2001:db8::7",), inf)


def test_what_is_not_given_does_not_exist() -> None:
    assert dns().known(A) == Answer((), inf)
    assert ask(dns(), A, SRV) == (0.0, [Answer((), inf), Answer((), inf)])


def test_a_record_that_takes_its_time_does_so_once() -> None:
    found = dns('"sip.example.net" A 192.0.2.7 after 2s', '"example.net" NAPTR 1 1 "s" "SIP+D2T" "" "x" after 3s')
    assert found.known(A) is None
    assert found.known(Question("sip.example.net", "SRV")) == Answer((), inf)  # another kind takes no time
    assert ask(found, A, NAPTR)[0] == 3.0
    assert found.known(A) == Answer(("192.0.2.7",), inf)
    assert ask(found, A)[0] == 0.0


def test_a_name_that_fails() -> None:
    found = dns('"sip.example.net" fails')
    answer = found.known(A)
    assert answer == Answer((), 12.0, "the server failed")
    assert found.known(SRV) == Answer((), inf)


def test_a_name_that_fails_after_a_while_does_so_each_time() -> None:
    found = dns('"sip.example.net" fails after 4s')
    assert found.known(A) is None
    assert ask(found, A) == (4.0, [Answer((), 12.0, "the server failed")])
    assert found.known(A) is None


def test_a_failing_name_wins_over_its_records() -> None:
    found = StoryDns(
        [DnsRecord("a.net", "A", ("192.0.2.7",), 0.0, False, HERE), DnsRecord("a.net", "", (), 0.0, True, HERE)],
        str, lambda: 0.0,
    )  # fmt: skip
    answer = found.known(Question("a.net", "A"))
    assert answer is not None and answer.failed
