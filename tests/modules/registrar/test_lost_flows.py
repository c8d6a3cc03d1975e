"""When a connection ends, what only it led to leaves at once: in memory, in the store, for whoever watches."""

from __future__ import annotations

import pytest

from modules.registrar.connections import Connections
from sipcore.errors import Unavailable
from sipcore.facts import Registered
from sipcore.flow import Flow
from tests.platforms import PHONE, SERVER
from tests.registrars import Office

WEB = "Contact: <sip:x@y1.invalid;transport=ws>"
FAR = ("192.0.2.7", 34_275)


@pytest.fixture
def office() -> Office:
    return Office()


def flow_of(transport: str = "ws", remote: tuple[str, int] = PHONE) -> Flow:
    return Flow(transport, SERVER, remote)


def end(office: Office, flow: Flow) -> None:
    """What the stack does when a connection has ended."""
    flow.closed = True
    for hear in office.bench.platform.stack.when_flow_ends:
        hear(flow)


@pytest.mark.conformance("RFC 5626 4.2", "RFC 7118 5")
@pytest.mark.parametrize(
    ("transport", "contact", "via", "remote", "leaves"),
    [
        ("ws", "sip:x@y1.invalid;transport=ws", "y1.invalid", PHONE, True),
        ("wss", "sip:x@y1.invalid;transport=ws", "y1.invalid", PHONE, True),
        ("ws", "sip:x@somewhere.example;transport=ws", "y1.invalid", PHONE, True),
        ("tcp", "sip:x@192.168.1.5;transport=tcp", "192.168.1.5", FAR, True),  # behind a NAT
        ("tls", "sip:x@10.0.0.2:5061;transport=tls", "10.0.0.2", PHONE, True),  # no certificate is for an address
        ("tls", "sip:x@10.0.0.2:5060", "10.0.0.2", PHONE, False),  # listens by UDP
        ("tcp", "sip:x@10.0.0.2:5060;transport=tcp", "10.0.0.2", PHONE, False),  # a new connection can be made
        ("tls", "sip:x@gateway.example;transport=tls", "gateway.example", PHONE, False),  # and its name be checked
    ],
)
def test_what_leaves_with_a_connection(
    office: Office, transport: str, contact: str, via: str, remote: tuple[str, int], leaves: bool
) -> None:
    flow = flow_of(transport, remote)
    office.register(f"Contact: <{contact}>", via=via, flow=flow)
    assert office.contacts() == [contact]
    end(office, flow)
    assert office.contacts() == office.rows() == ([] if leaves else [contact])
    gone = [fact for fact in office.bench.facts_of(Registered) if not fact.expires]
    assert [(fact.contact, fact.flow) for fact in gone] == ([(contact, flow)] if leaves else [])
    assert len(office.registrar.location.connections) == 0


def test_only_the_bindings_of_that_connection_leave(office: Office) -> None:
    first, second = flow_of(), flow_of()
    office.register(WEB, via="y1.invalid", flow=first)
    office.register(WEB.replace("y1", "y2"), via="y2.invalid", flow=second, call_id="other")
    office.register("Contact: <sip:alice@10.0.0.2>", call_id="desk")
    office.register(WEB.replace("y1", "y3"), via="y3.invalid", flow=first, user="bob", call_id="bob")
    end(office, first)
    assert sorted(office.contacts()) == ["sip:alice@10.0.0.2", "sip:x@y2.invalid;transport=ws"]
    assert office.contacts("bob") == []
    assert len(office.rows()) == 2


def test_a_phone_that_has_come_again_stays(office: Office) -> None:
    first, second = flow_of(), flow_of()
    office.register(WEB, via="y1.invalid", flow=first)
    office.register(WEB, via="y1.invalid", flow=second, cseq=2)
    end(office, first)
    assert len(office.contacts()) == 1
    end(office, second)
    assert office.contacts() == []


def test_a_phone_that_comes_again_while_its_end_waits_for_its_turn_stays(office: Office) -> None:
    first, second = flow_of(), flow_of()
    office.register(WEB, via="y1.invalid", flow=first)
    office.store.held = True
    office.register(WEB, via="y1.invalid", flow=second, cseq=2)
    end(office, first)
    assert office.contacts() == []  # the old connection leads nowhere, the new one is not durable yet
    office.store.held = False
    office.store.release()
    assert len(office.contacts()) == len(office.rows()) == 1


def test_nobody_is_led_to_a_lost_connection_while_the_store_works(office: Office) -> None:
    flow = flow_of()
    office.register(WEB, via="y1.invalid", flow=flow)
    office.store.held = True
    end(office, flow)
    assert office.contacts() == []
    assert len(office.rows()) == 1
    office.store.held = False
    office.store.release()
    assert office.rows() == []
    assert office.registrar.location.count == 0


def test_a_connection_that_ends_before_its_binding_is_stored(office: Office) -> None:
    flow = flow_of()
    office.store.held = True
    office.register(WEB, via="y1.invalid", flow=flow)
    end(office, flow)
    office.store.held = False
    office.store.release()
    assert office.contacts() == office.rows() == []
    assert len(office.registrar.location.connections) == 0


@pytest.mark.parametrize("trouble", ["full", "down"])
def test_without_a_store_nobody_is_led_to_it_either(office: Office, trouble: str) -> None:
    flow = flow_of()
    office.register(WEB, via="y1.invalid", flow=flow)
    office.store.full = trouble == "full"
    office.store.trouble = Unavailable("down") if trouble == "down" else None
    end(office, flow)
    assert office.contacts() == []
    office.store.full, office.store.trouble = False, None
    newer = flow_of()
    assert office.register(WEB, via="y1.invalid", flow=newer, cseq=2).status == 200  # its turn was given back
    assert len(office.contacts()) == 1


def test_when_too_many_wait_for_their_turn_the_binding_is_left_to_expire(office: Office) -> None:
    flow = flow_of()
    office.register(WEB, via="y1.invalid", flow=flow)
    office.store.held = True
    for number in range(17):
        office.register("Contact: <sip:alice@10.0.0.2>", call_id=f"c{number}")
    end(office, flow)
    office.store.held = False
    office.store.release()
    assert "sip:x@y1.invalid;transport=ws" not in office.contacts()


def test_after_a_restart_a_binding_without_its_connection_is_no_way_to_anybody() -> None:
    before = Office()
    before.register(WEB.replace("y1.invalid", "phone.example"), via="y1.invalid", flow=flow_of())
    before.register("Contact: <sip:x@10.0.0.2;transport=tls>", flow=flow_of("tls"), call_id="tls")
    assert len(before.contacts()) == 2
    after = Office(store=before.store)
    after.register(cseq=9)
    assert after.contacts() == []


def test_a_phone_behind_a_proxy_is_reached_by_its_path(office: Office) -> None:
    flow = flow_of("tls")
    path = "Path: <sip:edge.example.com;lr>"
    office.register(
        WEB, path, "Supported: path", "Via: SIP/2.0/WS y1.invalid;branch=z9hG4bK0", via="10.0.0.2", flow=flow
    )
    end(office, flow)
    assert len(office.contacts()) == 1


# -- the table --------------------------------------------------------------------------------------------------------


def test_connections_are_found_both_ways() -> None:
    connections, first, second = Connections(), flow_of(), flow_of()
    for ruid, flow in (("a", first), ("b", first), ("c", second)):
        connections.connect(f"{ruid}@example.com", ruid, flow)
    connections.connect("a@example.com", "a", second)
    connections.connect("c@example.com", "c", second)
    assert (connections.flow_of("a"), connections.flow_of("b"), len(connections)) == (second, first, 3)
    assert connections.end(first) == {"b": "b@example.com"}
    assert connections.end(first) == {}
    connections.forget("b")
    connections.connect("c@example.com", "c", None)
    assert connections.end(second) == {"a": "a@example.com"}
    assert (len(connections), connections._bindings) == (0, {})
