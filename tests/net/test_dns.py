"""Asking a DNS server on loopback: answers, none, silence, failures, lies, and what is remembered."""

from __future__ import annotations

import copy
from pathlib import Path

import dns.message
import dns.rrset
import pytest
import trio
import trio.testing

from sipcore.locate import Answer, Naptr, Question, Srv
from sipcore.net.dns import DnsResolver
from sipcore.net.dns_settings import DnsSettings, server_address
from sipcore.net.hosts import HostsFile
from tests.net.dns_server import DnsServer, dns_server

NAME = "sip.example.com"
A = Question(NAME, "A")
HOSTS = HostsFile(Path("/nonexistent/hosts"))


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Jumps ahead when nothing has happened for a while; an answer on loopback is faster than that."""
    return trio.testing.MockClock(autojump_threshold=0.03)


def resolver(*servers: DnsServer, **settings: float) -> DnsResolver:
    addresses = tuple(f"127.0.0.1:{server.port}" for server in servers)
    return DnsResolver(DnsSettings(servers=addresses, **settings), HOSTS)  # type: ignore[arg-type]


async def ask(asked: DnsResolver, question: Question = A) -> Answer:
    (answer,) = await asked.ask([question])
    return answer


async def test_each_kind_of_record() -> None:
    async with dns_server() as server:
        server.records = {
            (NAME, "A"): (60, ["192.0.2.1"]),
            (NAME, "AAAA"): (60, ["2001:DB8::1"]),
            ("_sip._udp.example.com", "SRV"): (60, ["10 60 5060 SIP.example.com.", "20 0 5060 ."]),
            ("example.com", "NAPTR"): (60, ['10 50 "s" "sip+D2U" "" _sip._udp.example.com.', '1 2 "u" "x" "!a!b!" .']),
        }
        questions = [
            A,
            Question(NAME, "AAAA"),
            Question("_sip._udp.example.com", "SRV"),
            Question("example.com", "NAPTR"),
        ]
        asked = resolver(server)
        assert [asked.known(question) for question in questions] == [None] * 4
        answers = await asked.ask(questions)
        assert [answer.failed for answer in answers] == [""] * 4
        assert [set(answer.records) for answer in answers] == [
            {"192.0.2.1"},
            {"2001:db8::1"},
            {Srv(10, 60, 5060, "sip.example.com"), Srv(20, 0, 5060, "")},
            {Naptr(10, 50, "S", "SIP+D2U", "", "_sip._udp.example.com"), Naptr(1, 2, "U", "X", "!a!b!", "")},
        ]
        assert [asked.known(question) for question in questions] == answers
        assert len(server.questions) == 4


async def test_an_alias_is_followed() -> None:
    async with dns_server() as server:
        server.aliases = {"www.example.com": NAME}
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        assert (await ask(resolver(server), Question("www.example.com", "A"))).records == ("192.0.2.1",)


@pytest.mark.row("C28")
async def test_aliases_that_go_round_in_a_circle_are_no_answer() -> None:
    async with dns_server() as server:
        server.aliases = {"a.example.com": "b.example.com", "b.example.com": "a.example.com"}
        with trio.fail_after(3):
            answer = await ask(resolver(server), Question("a.example.com", "A"))
        assert answer.records == ()
        assert len(server.questions) <= 3


@pytest.mark.row("C28")
@pytest.mark.parametrize(("life", "remembered"), [(0, 1.0), (60, 60.0), (2**31 - 1, 3_600.0), (2**31, 3_600.0)])
async def test_an_answer_is_remembered_as_long_as_it_lives(
    clock: trio.testing.MockClock, life: int, remembered: float
) -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (life, ["192.0.2.1"])}
        asked = resolver(server)
        answer = await ask(asked)
        assert 0.9 < answer.expires - trio.current_time() <= 3_600.0
        await trio.sleep(min(remembered, answer.expires - trio.current_time()) - 0.1)
        assert asked.known(A) == answer
        await trio.sleep(0.2)
        assert asked.known(A) is None
        assert len(server.questions) == 1


@pytest.mark.row("C28")
async def test_that_there_is_no_record_is_remembered_too(clock: trio.testing.MockClock) -> None:
    async with dns_server() as server:
        server.records = {("text.example.com", "TXT"): (60, [])}
        asked = resolver(server)
        for name in ("none.example.com", "text.example.com"):  # unknown, and known without such a record
            question = Question(name, "SRV")
            answer = await ask(asked, question)
            assert answer._replace(expires=0.0) == Answer((), 0.0)
            assert asked.known(question) == answer
        await trio.sleep(30.1)
        assert asked.known(Question("none.example.com", "SRV")) is None


async def test_the_domain_says_how_long_there_is_no_record(clock: trio.testing.MockClock) -> None:
    async with dns_server() as server:
        soa = dns.rrset.from_text("example.com.", 5, "IN", "SOA", "ns. me. 1 2 3 4 5")
        server.alter = lambda response: response.authority.append(soa)
        asked = resolver(server)
        answer = await ask(asked)
        assert 4.0 < answer.expires - trio.current_time() <= 5.0  # RFC 2308 section 5


async def test_callers_at_the_same_time_share_one_question() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        server.delay = 0.05
        asked = resolver(server)
        answers: list[Answer] = []

        async def ask_it() -> None:
            answers.append(await ask(asked))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask_it)
        assert [answer.records for answer in answers] == [("192.0.2.1",)] * 20
        assert server.questions == [(NAME, "A")]


async def test_when_whoever_asks_is_stopped_another_one_asks() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        server.silent = {NAME}
        asked = resolver(server, timeout=90.0)
        answers: list[Answer] = []

        async def ask_it() -> None:
            answers.append(await ask(asked))

        with trio.fail_after(3):
            async with trio.open_nursery() as nursery:
                first = trio.CancelScope()

                async def ask_first() -> None:
                    with first:
                        await ask(asked)

                nursery.start_soon(ask_first)
                await trio.testing.wait_all_tasks_blocked(0.01)
                nursery.start_soon(ask_it)
                await trio.testing.wait_all_tasks_blocked(0.01)
                server.silent.clear()
                first.cancel()
        assert answers[0].records == ("192.0.2.1",)


async def test_a_lost_question_is_repeated() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        server.lose = 1
        with trio.fail_after(3):
            assert (await ask(resolver(server, timeout=1.8))).records == ("192.0.2.1",)
        assert len(server.questions) == 2


@pytest.mark.row("C28")
@pytest.mark.parametrize(
    ("how", "why"), [("silent", "no DNS server answered in time"), ("failing", "no DNS server could answer")]
)
async def test_nobody_answers(clock: trio.testing.MockClock, how: str, why: str) -> None:
    async with dns_server() as server:
        getattr(server, how).add(NAME)
        asked = resolver(server, timeout=0.9)
        begun = trio.current_time()
        answer = await ask(asked)
        assert trio.current_time() - begun < 0.5
        assert (answer.records, answer.failed) == ((), why)
        questions = len(server.questions)
        assert questions <= 4
        assert await ask(asked) == answer
        assert len(server.questions) == questions  # no storm of questions to a server that is down
        getattr(server, how).clear()
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        await trio.sleep(5.1)
        assert (await ask(asked)).records == ("192.0.2.1",)


async def test_an_old_answer_is_used_while_nobody_answers(clock: trio.testing.MockClock) -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        asked = resolver(server, timeout=0.9, stale=1_000.0)
        await ask(asked)
        server.failing = {NAME}
        for _ in range(10):
            await trio.sleep(100)
            answer = await ask(asked)
            assert answer.records == ("192.0.2.1",)
            assert answer.failed
        await trio.sleep(100)
        assert (await ask(asked)).records == ()


async def test_another_server_is_asked_when_one_fails_or_is_silent() -> None:
    async with dns_server() as good, dns_server() as bad:
        good.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        for how in (bad.failing, bad.silent):
            how.add(NAME)
            with trio.fail_after(3):
                assert (await ask(resolver(bad, good, timeout=1.8))).records == ("192.0.2.1",)
        assert bad.questions


@pytest.mark.row("C28")
async def test_a_long_answer_comes_over_tcp_and_is_cut() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, [f"198.51.{number // 250}.{number % 250}" for number in range(500)])}
        answer = await ask(resolver(server))
        assert len(answer.records) == 128
        assert server.streams == 1
        assert server.edns == [1232, 1232]


@pytest.mark.row("C29")
@pytest.mark.parametrize("wrong", ["id", "question", "no question", "port"])
async def test_a_forged_answer_is_not_heard(wrong: str) -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}

        def forged(response: dns.message.Message) -> list[dns.message.Message]:
            lie = copy.deepcopy(response)
            lie.answer = [dns.rrset.from_text(NAME + ".", 60, "IN", "A", "203.0.113.66")]
            if wrong == "id":
                lie.id ^= 1
            elif wrong == "question":
                lie.question = [dns.rrset.from_text("evil.example.com.", 0, "IN", "A")]
            elif wrong == "no question":
                lie.question = []
            return [lie]

        server.before = forged
        server.elsewhere = wrong == "port"
        assert (await ask(resolver(server))).records == ("192.0.2.1",)


@pytest.mark.row("C29")
async def test_records_of_other_names_are_not_heard() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        other = dns.rrset.from_text("bank.example.org.", 60, "IN", "A", "203.0.113.66")

        def alter(response: dns.message.Message) -> None:
            response.answer.append(other)
            response.additional.append(other)

        server.alter = alter
        asked = resolver(server)
        assert (await ask(asked)).records == ("192.0.2.1",)
        assert asked.known(Question("bank.example.org", "A")) is None


async def test_the_cache_is_bounded() -> None:
    async with dns_server() as server:
        questions = [Question(f"n{number}.example.com", "A") for number in range(6)]
        server.records = {(question.name, "A"): (60, ["192.0.2.1"]) for question in questions}
        asked = resolver(server, entries=4)
        for question in questions:
            await ask(asked, question)
        assert [asked.known(question) is not None for question in questions] == [False, False, True, True, True, True]


async def test_the_hosts_file_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("192.0.2.77 sip.example.com\n2001:db8::77 sip.example.com\n")
    async with dns_server() as server:
        asked = DnsResolver(DnsSettings((f"127.0.0.1:{server.port}",)), HostsFile(file))
        known = {
            kind: asked.known(Question(name, kind))
            for name, kind in [(NAME, "A"), (NAME, "AAAA"), (NAME, "NAPTR"), (f"_sip._udp.{NAME}", "SRV")]
        }
        assert {kind: answer.records for kind, answer in known.items() if answer and answer.local} == {
            "A": ("192.0.2.77",),
            "AAAA": ("2001:db8::77",),
            "NAPTR": (),
            "SRV": (),
        }
        assert (await ask(asked, Question("localhost", "A"))).records == ("127.0.0.1",)
        assert server.questions == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_how_a_server_is_written(text: str, address: tuple[str, int]) -> None:
    assert server_address(text) == address


@pytest.mark.parametrize("text", ["", "dns.example.com", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:99999", "[::1]:x"])
def test_how_a_server_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="a DNS server is an IP address"):
        DnsSettings(servers=(text,))


def test_one_can_be_made_without_a_loop_and_with_the_servers_of_the_system() -> None:
    assert DnsResolver(hosts=HOSTS) is not None
