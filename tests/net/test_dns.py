"""Asking a DNS server on loopback: answers, none, silence, failures, and what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing

from sipcore.errors import Unavailable, Unresolvable
from sipcore.net.dns import DnsResolver, DnsSettings
from sipcore.net.hosts import HostsFile
from tests.net.dns_server import DnsServer, dns_server

NAME = "sip.example.com"
HOSTS = HostsFile(Path("/nonexistent/hosts"))


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Jumps ahead when nothing has happened for a while; an answer on loopback is faster than that."""
    return trio.testing.MockClock(autojump_threshold=0.03)


def resolver(server: DnsServer, versions: tuple[int, ...] = (4, 6), **settings: float) -> DnsResolver:
    known = DnsSettings(nameservers=("127.0.0.1",), port=server.port, versions=versions, **settings)  # type: ignore[arg-type]
    return DnsResolver(known, HOSTS)


async def test_a_and_aaaa_are_asked_for() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1", "192.0.2.2"]), (NAME, "AAAA"): (60, ["2001:db8::1"])}
        asked = resolver(server)
        assert asked.cached(NAME) is None
        found = await asked.addresses(NAME)
        assert sorted(found) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
        assert found[-1] == "2001:db8::1"
        assert sorted(server.questions) == [(NAME, "A"), (NAME, "AAAA")]


async def test_only_the_versions_in_use_are_asked_for() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"]), (NAME, "AAAA"): (60, ["2001:db8::1"])}
        assert await resolver(server, (6,)).addresses(NAME) == ("2001:db8::1",)
        assert server.questions == [(NAME, "AAAA")]


async def test_an_alias_is_followed_and_a_loop_of_them_is_no_address() -> None:
    async with dns_server() as server:
        server.aliases = {"www.example.com": NAME, "a.example.com": "b.example.com", "b.example.com": "a.example.com"}
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        asked = resolver(server, (4,))
        assert await asked.addresses("www.example.com") == ("192.0.2.1",)
        with pytest.raises((Unresolvable, Unavailable)):
            await asked.addresses("a.example.com")


@pytest.mark.parametrize(("life", "remembered"), [(0, 1.0), (60, 60.0), (2**31 - 1, 3_600.0)])
async def test_an_answer_is_remembered_as_long_as_it_lives(
    clock: trio.testing.MockClock, life: int, remembered: float
) -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (life, ["192.0.2.1"])}
        asked = resolver(server, (4,))
        await asked.addresses(NAME)
        await trio.sleep(remembered - 0.1)
        assert asked.cached(NAME) == ("192.0.2.1",)
        assert await asked.addresses(NAME) == ("192.0.2.1",)
        await trio.sleep(0.2)
        assert asked.cached(NAME) is None
        assert len(server.questions) == 1


async def test_that_a_name_has_no_address_is_remembered_too(clock: trio.testing.MockClock) -> None:
    async with dns_server() as server:
        server.records = {("text.example.com", "TXT"): (60, [])}
        asked = resolver(server)
        for name in ("none.example.com", "text.example.com"):  # unknown, and known without addresses
            with pytest.raises(Unresolvable, match=f"{name} has no address"):
                await asked.addresses(name)
            questions = len(server.questions)
            assert asked.cached(name) == ()
            with pytest.raises(Unresolvable):
                await asked.addresses(name)
            assert len(server.questions) == questions
        await trio.sleep(30.1)
        assert asked.cached("none.example.com") is None


async def test_callers_at_the_same_time_share_one_question() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        server.delay = 0.05
        asked = resolver(server, (4,))
        answers: list[tuple[str, ...]] = []

        async def ask() -> None:
            answers.append(await asked.addresses(NAME))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask)
        assert answers == [("192.0.2.1",)] * 20
        assert server.questions == [(NAME, "A")]


async def test_when_whoever_asks_is_stopped_another_one_asks() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        server.silent = {NAME}
        asked = resolver(server, (4,), lifetime=30.0)
        answers: list[tuple[str, ...]] = []

        async def ask() -> None:
            answers.append(await asked.addresses(NAME))

        with trio.fail_after(3):
            async with trio.open_nursery() as nursery:
                first = trio.CancelScope()

                async def ask_first() -> None:
                    with first:
                        await asked.addresses(NAME)

                nursery.start_soon(ask_first)
                await trio.testing.wait_all_tasks_blocked(0.01)
                nursery.start_soon(ask)
                await trio.testing.wait_all_tasks_blocked(0.01)
                server.silent.clear()
                first.cancel()
        assert answers == [("192.0.2.1",)]


async def test_a_lost_question_is_repeated() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        server.lose = 1
        with trio.fail_after(3):
            assert await resolver(server, (4,), lifetime=0.6).addresses(NAME) == ("192.0.2.1",)
        assert len(server.questions) == 2


@pytest.mark.parametrize("how", ["silent", "failing"])
async def test_nobody_answers(clock: trio.testing.MockClock, how: str) -> None:
    async with dns_server() as server:
        getattr(server, how).add(NAME)
        asked = resolver(server, (4,), lifetime=0.3)
        with pytest.raises(Unavailable, match=NAME):
            await asked.addresses(NAME)
        questions = len(server.questions)
        assert asked.cached(NAME) is None
        with pytest.raises(Unavailable):
            await asked.addresses(NAME)
        assert len(server.questions) == questions  # no storm of questions to a server that is down
        getattr(server, how).clear()
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        await trio.sleep(5.1)
        assert await asked.addresses(NAME) == ("192.0.2.1",)


async def test_an_old_answer_is_used_while_nobody_answers(clock: trio.testing.MockClock) -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        asked = resolver(server, (4,), lifetime=0.3, stale=1_000.0)
        await asked.addresses(NAME)
        server.failing = {NAME}
        for _ in range(10):
            await trio.sleep(100)
            assert await asked.addresses(NAME) == ("192.0.2.1",)
        await trio.sleep(100)
        with pytest.raises(Unavailable):
            await asked.addresses(NAME)


async def test_one_version_that_nobody_answers_for_does_not_hide_the_other(clock: trio.testing.MockClock) -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, ["192.0.2.1"])}
        answer = server.answer
        server.answer = lambda wire: None if b"\x00\x1c\x00\x01" in wire else answer(wire)  # type: ignore[method-assign]
        asked = resolver(server, lifetime=0.3)
        assert await asked.addresses(NAME) == ("192.0.2.1",)
        assert asked.cached(NAME) == ("192.0.2.1",)
        await trio.sleep(5.1)
        assert asked.cached(NAME) is None


async def test_five_hundred_records_are_cut() -> None:
    async with dns_server() as server:
        server.records = {(NAME, "A"): (60, [f"198.51.{number // 250}.{number % 250}" for number in range(500)])}
        found = await resolver(server, (4,)).addresses(NAME)
        assert len(found) == 32


async def test_the_cache_is_bounded() -> None:
    async with dns_server() as server:
        names = [f"n{number}.example.com" for number in range(6)]
        server.records = {(name, "A"): (60, ["192.0.2.1"]) for name in names}
        asked = resolver(server, (4,), most=4)
        for name in names:
            await asked.addresses(name)
        assert [asked.cached(name) is not None for name in names] == [False, False, True, True, True, True]


async def test_the_hosts_file_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("192.0.2.77 sip.example.com\n")
    async with dns_server() as server:
        asked = DnsResolver(DnsSettings(("127.0.0.1",), server.port), HostsFile(file))
        assert asked.cached(NAME) == ("192.0.2.77",)
        assert await asked.addresses("localhost") == ("127.0.0.1", "::1")
        assert server.questions == []


def test_one_can_be_made_without_a_loop_and_with_the_servers_of_the_system() -> None:
    assert DnsResolver(hosts=HOSTS) is not None
