"""Peers of a UDP socket are remembered within a bound, and never twice at a time."""

from __future__ import annotations

import gc

from sipcore.net.flows import FlowTable, SocketAddress, UdpFlow


def new_table(most: int) -> FlowTable:
    def make(address: SocketAddress) -> UdpFlow:
        flow = UdpFlow("udp", ("192.0.2.1", 5060), (address[0], address[1]))
        flow.address = address
        return flow

    return FlowTable(make, most)


def peer(number: int) -> SocketAddress:
    return ("198.51.100.1", 1024 + number)


def test_at_most_so_many_are_kept() -> None:
    table = new_table(100)
    for number in range(10_000):
        table.find(peer(number))
    gc.collect()
    assert 50 <= len(table) <= 100


def test_a_peer_that_is_heard_often_stays() -> None:
    table = new_table(100)
    regular = table.find(peer(0))
    identity = id(regular)
    del regular
    for number in range(1, 1_000):
        table.find(peer(number))
        if number % 40 == 0:
            assert id(table.find(peer(0))) == identity


def test_a_flow_that_somebody_holds_is_found_again() -> None:
    table = new_table(10)
    held = table.find(peer(0))
    for number in range(1, 1_000):
        table.find(peer(number))
    assert peer(0) not in table.recent
    assert table.known(peer(0)) is held
    assert table.find(peer(0)) is held
    assert table.recent[peer(0)] is held


def test_a_flow_that_nobody_holds_goes_away() -> None:
    table = new_table(10)
    table.find(peer(0))
    for number in range(1, 20):
        table.find(peer(number))
    gc.collect()
    assert table.known(peer(0)) is None


def test_after_clear_a_new_flow_is_made() -> None:
    table = new_table(10)
    before = table.find(peer(0))
    table.clear()
    assert len(table) == 0
    assert table.find(peer(0)) is not before
