"""sips contacts: only what came by sips all the way is stored (RFC 5630 section 5.2)."""

from __future__ import annotations

import pytest

from sipcore.flow import Flow
from sipcore.uri import parse_uri
from tests.platforms import PHONE, SERVER
from tests.registrars import Office

SECURE = "Contact: <sips:alice@10.0.0.2>"
PATH, SECURE_PATH = "Path: <sip:edge.example.com;lr>", "Path: <sips:edge.example.com;lr>"


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.conformance("RFC 5630 5.2")
@pytest.mark.parametrize(
    ("uri", "headers", "status"),
    [
        ("sips:example.com", (SECURE,), 200),
        ("sips:example.com", ("Contact: <sips:alice@phone.example.org>",), 200),
        ("sip:example.com", (SECURE,), 400),
        ("sip:example.com", ("Contact: <sip:alice@10.0.0.2>, <sips:alice@10.0.0.3>",), 400),
        ("sips:example.com", (SECURE, SECURE_PATH, "Supported: path"), 200),
        ("sips:example.com", (SECURE, PATH, "Supported: path"), 400),
        ("sips:example.com", ("Contact: <sip:alice@10.0.0.2>", PATH, "Supported: path"), 200),
    ],
)
def test_every_hop_must_be_sips(office: Office, uri: str, headers: tuple[str, ...], status: int) -> None:
    done = office.register(*headers, uri=uri, flow=Flow("tls", SERVER, PHONE))
    assert done.status == status
    assert len(office.rows()) == (status == 200)


@pytest.mark.conformance("RFC 5630 4.1", "RFC 5630 5.2")
def test_the_later_of_two_forms_of_a_contact_replaces_the_other(office: Office) -> None:
    flow = Flow("tls", SERVER, PHONE)
    office.register("Contact: <sip:alice@10.0.0.2>", flow=flow)
    office.register(SECURE, uri="sips:example.com", flow=flow, cseq=2)
    assert office.rows() == ["sips:alice@10.0.0.2"]
    office.register("Contact: <sip:alice@10.0.0.2>", flow=flow, cseq=3)
    assert office.rows() == ["sip:alice@10.0.0.2"]


@pytest.mark.conformance("RFC 5630 4.1")
def test_a_user_is_one_by_either_scheme(office: Office) -> None:
    office.register(SECURE, uri="sips:example.com", flow=Flow("tls", SERVER, PHONE))
    for scheme in ("sip", "sips"):
        (found,) = office.registrar.lookup(office.bench.contexts[-1], parse_uri(f"{scheme}:alice@example.com"))
        assert found.uri.text == "sips:alice@10.0.0.2"
