"""What a registrar refuses before it looks at a contact: other methods, copies, unreadable bodies."""

from __future__ import annotations

import pytest

from modules.registrar import merged
from modules.registrar.merged import Merged
from sipcore.message import Request
from tests.platforms import Transaction, register
from tests.registrars import A, Office


def by(branch: str, *headers: str, cseq: int = 1, tag: str = "1", body: bytes = b"") -> Request:
    """A REGISTER with this branch."""
    request = register(*headers, cseq=cseq)
    request.set("via", f"SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{branch}".encode())
    request.set("from", f"<sip:alice@example.com>;tag={tag}".encode())
    request.body = body
    return request


def status(office: Office, request: Request) -> int:
    return office.bench.run(office.route, request).status


# -- methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("B04")
@pytest.mark.conformance("RFC 3261 8.2.1")
@pytest.mark.parametrize(("method", "refusal"), [("INVITE", 405), ("PUBLISH", 405), ("FROBNICATE", 501)])
def test_other_methods_are_refused_with_what_is_allowed(method: str, refusal: int) -> None:
    answer: Transaction = Office().register(method=method)
    assert (answer.status, answer.response.get("allow")) == (refusal, b"REGISTER")


# -- merged requests --------------------------------------------------------------------------------------------------


@pytest.mark.row("C02")
@pytest.mark.conformance("RFC 3261 8.2.2.2")
def test_a_register_that_comes_by_two_ways_is_served_once() -> None:
    office = Office()
    assert status(office, by("a", A)) == 200
    assert status(office, by("b", A)) == 482
    assert office.bench.platform.now() == 50.0 and len(office.store.operations) == 1
    assert status(office, by("c", A, cseq=2)) == 200


@pytest.mark.row("C02")
def test_another_client_or_a_later_request_is_no_copy() -> None:
    memory = Merged()
    assert not memory.is_copy(by("a"), 0.0)
    assert not memory.is_copy(by("a"), 0.1)  # the same transaction
    assert not memory.is_copy(by("b", tag="2"), 0.2)
    assert not memory.is_copy(by("c", cseq=2), 0.3)
    assert memory.is_copy(by("d"), 0.4)


def test_a_request_inside_a_dialog_is_no_copy() -> None:
    memory = Merged()
    memory.is_copy(by("a"), 0.0)
    inside = by("b")
    inside.set("to", b"<sip:alice@example.com>;tag=t")
    assert not memory.is_copy(inside, 0.1)


@pytest.mark.parametrize(("later", "copy"), [(31.0, True), (33.0, True), (100.0, False)])
def test_it_is_remembered_for_the_life_of_a_transaction(later: float, copy: bool) -> None:
    memory = Merged()
    memory.is_copy(by("a"), 50.0)
    assert memory.is_copy(by("b"), 50.0 + later) is copy


def test_a_flood_makes_the_memory_shorter_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged, "_MOST", 10)
    memory = Merged()
    for number in range(25):
        assert not memory.is_copy(by("a", cseq=number), 50.0)
    assert not memory.is_copy(by("b", cseq=1), 50.0)
    assert memory.is_copy(by("b", cseq=24), 50.0)


# -- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.row("B24")
@pytest.mark.conformance("RFC 3261 8.2.3")
@pytest.mark.parametrize("encoding", ["gzip", "identity, x-unknown", ""])
def test_an_encoded_body_is_415(encoding: str) -> None:
    office = Office()
    answer = office.bench.run(office.route, by("a", A, f"Content-Encoding: {encoding}", body=b"\x1f\x8b\x08"))
    if encoding:
        assert (answer.status, answer.response.get("accept-encoding")) == (415, b"identity")
        assert office.contacts() == []
    else:
        assert answer.status == 200


@pytest.mark.parametrize(
    "headers", [("Content-Type: application/x-phone-report",), ("Content-Encoding: identity",), ()]
)
def test_a_body_in_clear_is_not_looked_at(headers: tuple[str, ...]) -> None:
    assert status(Office(), by("a", A, *headers, body=b"report")) == 200


def test_an_encoding_without_a_body_means_nothing() -> None:
    assert status(Office(), by("a", A, "Content-Encoding: gzip")) == 200
