"""`save` as a whole: answers, order, durability before the 200, and what is refused (rows D01-D09, E11)."""

from __future__ import annotations

import random
import re

import pytest

from modules.registrar.module import Registrar
from modules.registrar.settings import RegistrarSettings
from routing.runtime.stores import SaveBindings
from sipcore.errors import Unavailable
from sipcore.facts import Registered, Rejected
from sipcore.flow import Flow
from sipcore.uri import parse_uri
from tests.platforms import Transaction, register
from tests.registrars import A, B, Office


@pytest.fixture
def office() -> Office:
    return Office()


def listed(transaction: Transaction) -> list[str]:
    return [value.decode() for value in transaction.response.all("contact")]


# -- answers ----


@pytest.mark.conformance("RFC 3261 10.3")
def test_a_200_lists_every_binding_with_its_expiry(office: Office) -> None:
    office.register(A + ';q=0.5;+sip.instance="<urn:uuid:1>";reg-id=1', "Expires: 600")
    office.bench.pass_time(100)
    done = office.register(B, "Expires: 300", call_id="other")
    assert done.status == 200
    assert listed(done) == [
        '<sip:alice@10.0.0.2>;expires=500;q=0.5;+sip.instance="<urn:uuid:1>";reg-id=1',
        "<sip:alice@10.0.0.3>;expires=300",
    ]
    assert done.response.to.tag
    assert "record-route" not in done.response.names


@pytest.mark.row("D01")
@pytest.mark.conformance("RFC 3261 10.2.3", "RFC 3261 10.3")
def test_a_query_lists_and_changes_nothing(office: Office) -> None:
    office.register(A)
    done = office.register(cseq=1)  # an old CSeq does no harm: there is nothing to put in order
    assert done.status == 200 and listed(done) == ["<sip:alice@10.0.0.2>;expires=3600"]
    assert len(office.store.operations) == 1
    assert listed(office.register(user="bob")) == []


def test_a_query_is_answered_from_memory_while_the_store_is_down(office: Office) -> None:
    office.register(A)
    office.store.trouble = Unavailable("down")
    assert listed(office.register()) == ["<sip:alice@10.0.0.2>;expires=3600"]


def test_removing_everything_lists_nothing(office: Office) -> None:
    office.register(A)
    done = office.register("Contact: *", "Expires: 0", cseq=2)
    assert done.status == 200 and listed(done) == [] and office.rows() == []
    assert office.contacts() == []


def test_removing_what_is_not_there_needs_no_store(office: Office) -> None:
    office.store.trouble = Unavailable("down")
    assert office.register(A + ";expires=0").status == 200


@pytest.mark.conformance("RFC 3327 5.3")
def test_the_path_goes_back_to_the_phone(office: Office) -> None:
    done = office.register(A, "Supported: path", "Path: <sip:p1.example.org;lr>, <sip:p2.example.org;lr>")
    assert done.response.elements("path") == [b"<sip:p1.example.org;lr>", b"<sip:p2.example.org;lr>"]
    (found,) = office.registrar.lookup(office.bench.contexts[-1], parse_uri("sip:alice@example.com"))
    assert found.route == ("sip:p1.example.org;lr", "sip:p2.example.org;lr")


def test_jitter_comes_from_the_one_source_of_chance() -> None:
    office = Office(RegistrarSettings())
    office.bench.platform.tokens.random_bytes = random.Random(1).randbytes
    granted = {int(re.findall("expires=([0-9]+)", listed(office.register(A, cseq=n))[0])[0]) for n in range(1, 30)}
    assert len(granted) > 20 and min(granted) >= 3240 and max(granted) <= 3600


# -- who and where ----


def test_domains_are_served_by_name_and_by_address(office: Office) -> None:
    assert office.register(A, domain="EXAMPLE.com.").status == 200
    assert office.register(A, domain="10.0.0.1", cseq=2).status == 200
    assert office.register(B, uri="sip:10.0.0.1;transport=udp", call_id="other").status == 200
    assert len(listed(office.register(uri="sip:10.0.0.1"))) == 2


@pytest.mark.row("D08")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize(
    ("domain", "uri"),
    [
        ("example.org", ""),
        ("example.com", "sip:example.org"),
        ("example.org", "sip:example.com"),
        ("example.com", "sip:example.net"),
    ],
)
def test_an_address_of_record_of_another_domain_is_not_found(office: Office, domain: str, uri: str) -> None:
    assert office.register(A, domain=domain, uri=uri).status == 404


def test_our_address_stands_for_the_domain_in_to(office: Office) -> None:
    office.register(A, domain="example.net", uri="sip:10.0.0.1")
    assert [row.domain for row in office.store.rows.values()] == ["example.net"]


@pytest.mark.row("D08")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize("to", ["<sip:example.com>", f"<sip:{'x' * 65}@example.com>", "<sip:%ff%fe@example.com>"])
def test_an_address_of_record_that_nobody_can_have(office: Office, to: str) -> None:
    request = register(A)
    request.set("to", to.encode())
    assert office.bench.run(office.route, request).status == 404


@pytest.mark.conformance("RFC 3261 10.3", "RFC 4475 3.3.4")
def test_to_must_be_a_sip_uri(office: Office) -> None:
    request = register(A)
    request.set("to", b"<isbn:2983792873>")
    assert office.bench.run(office.route, request).status == 400


@pytest.mark.row("B31")
@pytest.mark.conformance("RFC 3261 10.3", "RFC 3261 19.1.4")
def test_users_are_compared_without_escapes_and_parameters(office: Office) -> None:
    office.register(A, user="al%69ce")
    request = register(B, call_id="other")
    request.set("to", b"<sip:alice@example.com;user=phone>;tag=2")
    assert len(listed(office.bench.run(office.route, request))) == 2
    assert listed(office.register(user="Alice")) == []


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 4475 3.1.1.4")
def test_a_nul_in_a_user_name_does_not_cut_it(office: Office) -> None:
    office.register(A, user="null-%00-null")
    assert [row.username for row in office.store.rows.values()] == ["null-\0-null"]
    assert listed(office.register(user="null-")) == []


@pytest.mark.row("C15")
@pytest.mark.conformance("RFC 3261 8.2.2.3", "RFC 3261 10.3")
def test_unknown_extensions_are_refused(office: Office) -> None:
    done = office.register(A, "Require: path, outbound", "Require: x")
    assert done.status == 420 and done.response.get("unsupported") == b"outbound, x"
    assert office.register(A, "Require: path").status == 200


def test_other_methods_can_not_be_saved(office: Office) -> None:
    done = office.register(A, method="INVITE")
    assert done.status == 405 and done.response.get("allow") == b"REGISTER"


# -- contacts that are refused (row D07) ----


@pytest.mark.row("C13", "D07")
@pytest.mark.parametrize(
    ("contact", "status"),
    [
        ("sip:alice@0.0.0.0", 403),
        ("sip:alice@255.255.255.255", 403),
        ("sip:alice@224.0.1.75", 403),
        ("sip:alice@[ff02::1]", 403),
        ("sip:alice@127.0.0.1:5070", 403),
        ("sip:alice@[::1]", 403),
        ("sip:alice@10.0.0.1", 403),
        ("sip:alice@10.0.0.1:5060", 403),
        ("sip:bob@example.com", 403),
        ("mailto:alice@example.com", 403),
        ("tel:+442079460000", 403),
        ("sip:alice@10.0.0.2;x=" + "y" * 10_000, 400),
        ("sip:alice@10.0.0.2;x=" + "y" * 492, 400),
        ("sip:\u00e4@10.0.0.2", 400),
        ("sip:alice@10.0.0.2:x", 400),
    ],
)
def test_contacts_that_lead_nowhere_or_back(office: Office, contact: str, status: int) -> None:
    assert office.register(f"{A}, <{contact}>").status == status
    assert office.rows() == [] and office.contacts() == []


@pytest.mark.parametrize(
    "contact",
    [
        "sip:alice@10.0.0.2;x=" + "y" * 491,  # just as long as the column
        "sip:alice@10.0.0.1:5070",  # another program on this machine
        "sip:alice@example.com:5070",
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",  # RFC 4475 section 3.3.14
        "sip:df7jal23ls0d.invalid;transport=ws",
    ],
)
def test_contacts_that_are_accepted(office: Office, contact: str) -> None:
    assert office.register(f"Contact: <{contact}>").status == 200
    assert office.rows() == [contact]


def test_a_phone_on_the_same_machine_may_use_the_loopback_address(office: Office) -> None:
    flow = Flow("udp", ("127.0.0.1", 5060), ("127.0.0.1", 5066))
    assert office.register("Contact: <sip:alice@127.0.0.1:5066>", flow=flow).status == 200


# -- durability ----


@pytest.mark.row("E11")
@pytest.mark.conformance("RFC 3261 10.3")
def test_nothing_is_answered_or_visible_before_it_is_durable(office: Office) -> None:
    office.store.held = True
    waiting = office.register(A)
    assert waiting.responses == [] and office.contacts() == []
    office.store.release()
    assert waiting.status == 200 and office.contacts() == ["sip:alice@10.0.0.2"]


@pytest.mark.row("E11")
@pytest.mark.conformance("RFC 3261 10.3")
def test_a_failed_commit_is_500_and_memory_stays_as_it_was(office: Office) -> None:
    office.register(A)
    office.store.trouble = Unavailable("the disk is full")
    for headers in ((B,), (A + ";expires=0",), ("Contact: *", "Expires: 0")):
        done = office.register(*headers, cseq=2)
        assert done.status == 500 and done.response.get("retry-after") == b"5"
        assert office.contacts() == ["sip:alice@10.0.0.2"]
    office.store.trouble = None
    assert office.register(B, cseq=2).status == 200  # the failed ones left no CSeq behind


@pytest.mark.row("E11")
def test_a_full_queue_is_503(office: Office) -> None:
    office.store.full = True
    assert office.register(A).status == 503 and office.contacts() == []
    office.store.full = False
    assert office.register(A).status == 200


def test_what_was_loaded_is_there_with_its_order_and_its_remaining_life(office: Office) -> None:
    office.register(A + ";q=0.7", "Expires: 600", cseq=5)
    again = Office(store=office.store)
    again.bench.wall_clock += 100
    again.registrar = Registrar(again.bench.platform)
    again.registrar.start()
    assert again.register(A, cseq=5).status == 500
    assert listed(again.register()) == ["<sip:alice@10.0.0.2>;expires=500;q=0.7"]


@pytest.mark.row("E12")
def test_a_jump_of_the_wall_clock_changes_no_remaining_life(office: Office) -> None:
    office.register(A, "Expires: 600")
    for jump in (3600, -7200):
        office.bench.wall_clock += jump
        assert listed(office.register()) == ["<sip:alice@10.0.0.2>;expires=600"]
    office.register(B, "Expires: 100", cseq=2)
    (row,) = (row for row in office.store.rows.values() if row.contact == "sip:alice@10.0.0.3")
    assert row.expires == office.bench.wall_clock + 100


def test_without_a_database_at_the_start_it_is_503_until_there_is_one() -> None:
    filled = Office()
    filled.register(A)
    filled.store.trouble = Unavailable("missing")
    office = Office(store=filled.store)
    assert office.register(B).status == 503
    assert office.register().status == 503
    with pytest.raises(Unavailable):
        office.contacts()
    office.store.opened()  # opened, but still not to be read: it is tried again
    assert office.register().status == 503
    office.store.trouble = None
    office.bench.pass_time(6)
    assert office.contacts() == ["sip:alice@10.0.0.2"]
    assert office.register(B, call_id="other").status == 200


# -- two at a time ----


@pytest.mark.conformance("RFC 3261 10.3")
def test_registers_of_one_user_happen_one_after_another(office: Office) -> None:
    office.store.held = True
    first, second = office.register(A, cseq=2), office.register(B, cseq=3)
    assert len(office.store.waiting) == 1
    office.store.release(1)
    assert first.status == 200 and second.responses == []
    office.store.release(1)
    assert second.status == 200 and len(listed(second)) == 2


@pytest.mark.row("D04")
@pytest.mark.conformance("RFC 3261 10.3")
def test_an_older_register_that_waited_is_checked_against_what_came_before_it(office: Office) -> None:
    office.store.held = True
    newer, older = office.register(A, cseq=3), office.register(A + ";expires=0", cseq=2)
    office.store.release()
    assert newer.status == 200 and older.status == 500
    assert office.contacts() == ["sip:alice@10.0.0.2"]


def test_registers_of_different_users_do_not_wait_for_each_other(office: Office) -> None:
    office.store.held = True
    office.register(A)
    office.register("Contact: <sip:bob@10.0.0.4>", user="bob")
    assert len(office.store.waiting) == 2


def test_only_so_many_wait_for_their_turn() -> None:
    office = Office(RegistrarSettings(waiting=2))
    office.store.held = True
    started = [office.register(A, cseq=number) for number in range(1, 5)]
    assert [transaction.status for transaction in started if transaction.responses] == [503]
    office.store.release(1)
    office.store.release(1)
    office.store.release(1)
    assert [transaction.status for transaction in started] == [200, 200, 200, 503]
    assert office.registrar.statistics().busy == 0


def test_a_handler_that_is_stopped_while_it_waits_for_its_turn_leaves_the_queue(office: Office) -> None:
    office.store.held = True
    first = office.register(A)
    office.register(B, cseq=2)
    office.bench.handle.stop()
    last = office.register(B, cseq=3)
    office.store.release()
    office.store.release()
    assert first.status == last.status == 200
    assert office.registrar.statistics().busy == 0


def test_what_the_store_kept_is_true_though_the_handler_was_stopped(office: Office) -> None:
    office.store.held = True
    stopped = office.register(A)
    office.bench.handle.stop()
    office.store.release()
    assert stopped.responses == [] and office.contacts() == ["sip:alice@10.0.0.2"]
    office.store.held = False
    assert office.register(B, cseq=2).status == 200


# -- what others do ----


def test_a_change_by_another_program_is_followed(office: Office) -> None:
    office.register(A)
    office.store.rows.clear()
    office.store.changed("alice", "example.com")
    assert office.contacts() == []
    office.store.changed("nobody", "example.com")
    assert len(office.registrar.location) == 0


def test_such_a_change_waits_for_its_turn(office: Office) -> None:
    office.store.held = True
    first = office.register(A)
    office.store.changed("alice", "example.com")
    office.store.release(1)
    assert first.status == 200 and len(office.store.waiting) == 1
    office.store.release()
    assert office.contacts() == ["sip:alice@10.0.0.2"]


def test_a_change_that_can_not_be_read_leaves_memory_alone(office: Office) -> None:
    office.register(A)
    office.store.trouble = Unavailable("down")
    office.store.changed("alice", "example.com")
    assert office.contacts() == ["sip:alice@10.0.0.2"]
    office.store.trouble = None
    assert office.register(A, cseq=2).status == 200


# -- time, facts, counters ----


def test_bindings_expire_in_memory_and_are_purged_from_the_store(office: Office) -> None:
    office.register(A, "Expires: 60")
    office.bench.pass_time(59)
    assert office.contacts() == ["sip:alice@10.0.0.2"]
    office.bench.pass_time(1)
    assert office.contacts() == []
    office.bench.pass_time(20)
    assert office.registrar.statistics().bindings == 0
    purge = office.store.operations[-1]
    assert not isinstance(purge, SaveBindings)
    assert purge.before == pytest.approx(office.bench.wall_clock - 60, abs=5)


def test_many_that_expire_together_leave_in_parts(office: Office) -> None:
    for number in range(3000):
        office.register(A, "Expires: 60", user=f"u{number}")
    office.bench.pass_time(100)
    assert office.registrar.statistics().bindings == 0


def test_the_sweep_goes_on_when_the_store_is_full(office: Office) -> None:
    office.store.full = True
    office.bench.pass_time(30)
    assert office.bench.timers.pending() == 1


def test_facts_for_the_operator(office: Office) -> None:
    office.register(A, "Expires: 600", "User-Agent: Phone/1")
    office.register(A + ";expires=0", cseq=2)
    office.register("Contact: <sip:alice@10.0.0.2;x=1>", cseq=3)
    office.register("Contact: <sip:alice@10.0.0.2;x=1;y=2>", cseq=4)  # replaces it: nothing was removed
    office.register(A, cseq=1)
    facts = [(fact.address_of_record, fact.contact, fact.expires) for fact in office.bench.facts_of(Registered)]
    assert facts == [
        ("alice@example.com", "sip:alice@10.0.0.2", 600),
        ("alice@example.com", "sip:alice@10.0.0.2", 0),
        ("alice@example.com", "sip:alice@10.0.0.2;x=1", 3600),
        ("alice@example.com", "sip:alice@10.0.0.2;x=1;y=2", 3600),
    ]
    (rejected,) = office.bench.facts_of(Rejected)
    assert rejected.status == 500 and "CSeq" in rejected.why
    assert office.bench.facts_of(Registered)[0].user_agent == "Phone/1"


def test_nothing_is_reported_when_nobody_looks(office: Office) -> None:
    office.bench.platform.observe = None
    assert office.register(A).status == 200 and office.bench.facts == []


def test_counters(office: Office) -> None:
    office.register(A)
    office.register()
    office.store.trouble = Unavailable("down")
    office.register(B, cseq=2)
    counted = office.registrar.statistics()
    assert (counted.registers, counted.queries, counted.failed) == (1, 1, 1)
    assert (counted.addresses_of_record, counted.bindings, counted.busy) == (1, 1, 0)


@pytest.mark.row("E08", "E11")
def test_a_store_that_gives_no_answer_at_all(office: Office) -> None:
    """The disk hangs: a refusal while somebody still waits for it; what is written after all counts all the same."""
    office.store.held = True
    done = office.register(A)
    office.bench.pass_time(29)
    assert done.responses == []
    office.bench.pass_time(1)
    assert done.status == 500 and office.contacts() == []
    office.store.held = False
    office.store.release()
    assert office.contacts() == ["sip:alice@10.0.0.2"]
    assert office.register(B, cseq=2, call_id="other").status == 200  # the turn was given back
