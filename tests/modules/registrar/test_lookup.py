"""`lookup` and `exists`: the devices of a user, and the ways to them."""

from __future__ import annotations

import pytest

from routing.runtime import Context
from routing.runtime.stores import Account
from sipcore.flow import Flow
from sipcore.uri import parse_uri
from tests.platforms import PHONE, SERVER, MemoryStore, register
from tests.registrars import A, Office


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.conformance("RFC 3261 16.5", "RFC 3261 20.10")
def test_lookup_gives_the_most_wanted_first(office: Office) -> None:
    office.register("Contact: <sip:a@10.0.0.2>;q=0.2, <sip:b@10.0.0.2>, <sip:c@10.0.0.2>;q=0.9, <sip:d@10.0.0.2>;q=0.9")
    assert office.contacts() == ["sip:b@10.0.0.2", "sip:c@10.0.0.2", "sip:d@10.0.0.2", "sip:a@10.0.0.2"]


@pytest.mark.row("B31")
@pytest.mark.conformance("RFC 3261 19.1.4")
@pytest.mark.parametrize("uri", ["sip:alice@example.com;x=y", "sips:alice@EXAMPLE.com:5061", "sip:%61lice@10.0.0.1"])
def test_lookup_by_any_spelling(office: Office, uri: str) -> None:
    office.register(A)
    assert len(office.registrar.lookup(office.bench.contexts[-1], parse_uri(uri))) == 1


@pytest.mark.parametrize("uri", ["sip:alice@example.org", "sip:bob@example.com", "tel:+4420", "sip:example.com", "x:y"])
def test_lookup_of_nobody(office: Office, uri: str) -> None:
    office.register(A)
    assert office.registrar.lookup(office.bench.contexts[-1], parse_uri(uri)) == []


def test_a_phone_behind_a_nat_is_found_where_it_came_from(office: Office) -> None:
    flow = Flow("udp", SERVER, ("192.0.2.7", 34275))
    office.register("Contact: <sip:alice@192.168.1.5:5060>", via="192.168.1.5:5060", flow=flow)
    (found,) = office.registrar.lookup(office.bench.contexts[-1], parse_uri("sip:alice@example.com"))
    assert found.received == "sip:192.0.2.7:34275" and found.flow is None
    assert found.uri.text == "sip:alice@192.168.1.5:5060"
    assert [row.received for row in office.store.rows.values()] == ["sip:192.0.2.7:34275"]


def test_a_connection_is_used_while_it_is_open(office: Office) -> None:
    flow = Flow("tcp", SERVER, PHONE)
    office.register("Contact: <sip:alice@10.0.0.2:5060;transport=tcp>", flow=flow)
    uri = parse_uri("sip:alice@example.com")
    (found,) = office.registrar.lookup(office.bench.contexts[-1], uri)
    assert found.flow is flow
    flow.closed = True
    (found,) = office.registrar.lookup(office.bench.contexts[-1], uri)
    assert found.flow is None and found.received == ""  # a new connection to where the phone listens


def test_a_lost_connection_behind_a_nat_is_no_way_to_the_phone(office: Office) -> None:
    flow = Flow("tcp", SERVER, ("192.0.2.7", 34275))
    office.register("Contact: <sip:alice@192.168.1.5;transport=tcp>", via="192.168.1.5:5060", flow=flow)
    assert len(office.contacts()) == 1
    flow.closed = True
    assert office.contacts() == []
    newer = Flow("tcp", SERVER, ("192.0.2.7", 34300))
    office.register("Contact: <sip:alice@192.168.1.5;transport=tcp>", via="192.168.1.5:5060", flow=newer, cseq=2)
    assert len(office.contacts()) == 1


def test_exists_asks_for_the_account() -> None:
    office = Office(store=MemoryStore(Account("alice", "example.com")))
    answers: list[bool] = []

    async def route(context: Context) -> None:
        for uri in ("sip:%61lice@10.0.0.1", "sip:bob@example.com", "sip:alice@example.org"):
            answers.append(await office.registrar.exists(context, parse_uri(uri)))

    office.bench.run(route, register())
    assert answers == [True, False, False]
