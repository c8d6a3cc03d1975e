"""Listeners that are added, changed and taken out while the edge runs."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace

import pytest
import trio
import trio.testing

from sipcore.errors import ConfigurationError
from sipcore.flow import Target
from sipcore.net.changing import AFTERLIFE
from sipcore.net.edge import Edge
from sipcore.net.settings import EdgeSettings
from tests.net.echo import TCP4, UDP4, UDP6, Listen, message, running
from tests.net.test_udp import phone

OTHER = Listen("udp", "127.0.0.2")
OTHER_TCP = Listen("tcp", "127.0.0.2")


def change(edge: Edge, *listens: Listen, **bounds: int) -> None:
    edge.change(replace(EdgeSettings(tuple(listens)), **bounds))  # type: ignore[arg-type]


async def test_a_listener_that_is_added_serves() -> None:
    async with running(UDP4) as (edge, _):
        change(edge, UDP4, OTHER, TCP4)
        first, added, tcp = edge.addresses()
        assert (first.host, added.host, tcp.transport) == ("127.0.0.1", "127.0.0.2", "tcp")
        for address in (first, added):
            async with phone(address) as alice:
                await alice.send(b"hello")
                assert await alice.recv(10) == b"hello"
        async with await trio.open_tcp_stream(tcp.host, tcp.port) as bob:
            await bob.send_all(message())
            assert await bob.receive_some() == message()


async def test_a_tcp_listener_that_is_taken_out_keeps_its_connections() -> None:
    async with running(UDP4, TCP4) as (edge, _):
        tcp = edge.addresses()[1]
        async with await trio.open_tcp_stream(tcp.host, tcp.port) as alice:
            await alice.send_all(message())
            await alice.receive_some()
            change(edge, UDP4)
            with pytest.raises(OSError, match="all attempts to connect"):
                await trio.open_tcp_stream(tcp.host, tcp.port)
            await alice.send_all(message())
            assert await alice.receive_some() == message()
        assert [address.transport for address in edge.addresses()] == ["udp"]


async def test_a_udp_listener_that_is_taken_out_ends_when_what_it_began_has_ended(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with running(UDP4, OTHER, limit=1_000) as (edge, stack):
        old, kept = edge.addresses()
        held = edge.open_flow(Target("udp", "127.0.0.1", 5999))
        change(edge, OTHER)
        assert edge.addresses() == (kept,)
        assert edge.open_flow(Target("udp", "127.0.0.1", 5999)).local == (kept.host, kept.port)
        await trio.sleep(AFTERLIFE - 1)
        with pytest.raises(OSError) as in_use:
            bind(old)
        assert in_use.value.errno == errno.EADDRINUSE
        assert (held.closed, stack.lost) == (False, [])
        await trio.sleep(2)
        assert (held.closed, stack.lost) == (True, [held])
        bind(old)


def bind(address: Target) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address.host, address.port))


async def test_a_listener_that_is_wanted_again_goes_on(autojump_clock: trio.testing.MockClock) -> None:
    async with running(UDP4, OTHER, limit=1_000) as (edge, _):
        before = edge.addresses()
        for _ in range(3):  # the end of an earlier leave must not end the last one
            change(edge, OTHER)
            await trio.sleep(AFTERLIFE - 1)
            change(edge, UDP4, OTHER)
            await trio.sleep(AFTERLIFE + 5)
            assert sorted(edge.addresses()) == sorted(before)
        change(edge, OTHER)
        await trio.sleep(AFTERLIFE / 2)
        change(edge, UDP4, OTHER)
        change(edge, OTHER)
        await trio.sleep(AFTERLIFE * 0.75)
        change(edge, UDP4, OTHER)
        assert sorted(edge.addresses()) == sorted(before)


async def test_when_one_cannot_be_opened_nothing_changes() -> None:
    async with running(UDP4) as (edge, _):
        before = edge.addresses()
        with pytest.raises(ConfigurationError, match=r"udp:192\.0\.2\.77:5060: this machine has no such address"):
            change(edge, OTHER, OTHER_TCP, Listen("udp", "192.0.2.77", 5060))
        assert edge.addresses() == before
        async with phone(before[0]) as alice:
            await alice.send(b"hello")
            assert await alice.recv(10) == b"hello"
        change(edge, UDP4, OTHER)
        assert len(edge.addresses()) == 2


async def test_another_advertised_name_is_used_by_the_same_socket() -> None:
    async with running(UDP4, TCP4) as (edge, _):
        before = edge.addresses()
        target = Target("udp", "127.0.0.1", 5999)
        assert edge.open_flow(target).sent_by == f"127.0.0.1:{before[0].port}"
        change(edge, replace(UDP4, advertise="sip.example.com"), replace(TCP4, advertise="sip.example.com:7"))
        assert edge.addresses() == before
        assert edge.open_flow(target).sent_by == f"sip.example.com:{before[0].port}"
        async with await trio.open_tcp_stream(before[1].host, before[1].port) as alice:
            await alice.send_all(message())
            await alice.receive_some()
        assert edge.open_flow(Target("tcp", "127.0.0.1", 9)).sent_by == "sip.example.com:7"


async def test_the_bound_of_remembered_peers_changes() -> None:
    async with running(UDP4, peers=1_000) as (edge, _):
        change(edge, UDP4, peers=4)
        for port in range(6_000, 6_100):
            edge.open_flow(Target("udp", "127.0.0.1", port))
        edge.change(EdgeSettings((UDP4,), peers=4))  # the opener forgets its targets too
        assert edge.statistics().udp[0].peers <= 4


async def test_other_ip_versions_can_be_reached_with_a_new_listener() -> None:
    async with running(UDP4) as (edge, _):
        assert edge.reachable()["udp"] == (4,)
        change(edge, UDP4, UDP6)
        assert edge.reachable()["udp"] == (4, 6)
        change(edge, UDP6)
        assert edge.reachable()["udp"] == (6,)


async def test_a_wildcard_that_is_added_is_watched(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr("sipcore.net.edge.interface_addresses", lambda: asked.append(trio.current_time()) or [])
    async with running(UDP4, limit=1_000) as (edge, _):
        await trio.sleep(25)
        assert asked == []
        change(edge, UDP4, Listen("udp", "0.0.0.0"))
        change(edge, UDP4, Listen("udp", "0.0.0.0"))
        await trio.sleep(25)
        assert len(asked) == 3
