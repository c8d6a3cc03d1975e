from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.message import Request, parse_contact, parse_contacts, parse_expires
from sipcore.message.contact import LONGEST_EXPIRES


def message(*values: bytes) -> Request:
    return Request("REGISTER", "sip:h", ["contact"] * len(values), [b"m:" + value for value in values])


def test_everything_a_contact_says_is_kept_as_it_came() -> None:
    contact = parse_contact(
        b'"Mr. Watson" <sip:w@h;transport=tcp?Route=%3Csip:x%3E>;Q=0.7;expires=3600;+sip.instance="<urn:x>"'
    )
    assert (contact.display, contact.uri_text) == ("Mr. Watson", "sip:w@h;transport=tcp?Route=%3Csip:x%3E")
    assert contact.uri.headers == "?Route=%3Csip:x%3E"
    assert (contact.q, contact.expires) == (0.7, 3600)
    assert contact.parameters == (("q", "0.7"), ("expires", "3600"), ("+sip.instance", '"<urn:x>"'))


@pytest.mark.conformance("RFC 3261 20", "RFC 3261 20.10")
def test_without_brackets_parameters_are_the_header_s() -> None:
    contact = parse_contact(b"sip:+1972@gw1.example.net;unknownparam")
    assert (contact.uri.parameters, contact.parameters) == ((), (("unknownparam", None),))
    contact = parse_contact(b"<sip:+1972@gw1.example.net;unknownparam>")
    assert (contact.uri.parameters, contact.parameters) == ((("unknownparam", None),), ())


def test_defaults() -> None:
    contact = parse_contact(b"<sip:a@h>")
    assert (contact.q, contact.expires, contact.tag) == (1.0, None, "")


@pytest.mark.conformance("RFC 3261 20.10")
@pytest.mark.parametrize(
    ("text", "q"),
    [(b"0", 0.0), (b"1", 1.0), (b"0.", 0.0), (b"0.5", 0.5), (b"0.123", 0.123), (b"1.", 1.0), (b"1.000", 1.0)],
)
def test_q(text: bytes, q: float) -> None:
    assert parse_contact(b"<sip:a@h>;q=" + text).q == q


@pytest.mark.row("B19")
@pytest.mark.conformance("RFC 3261 20.10")
@pytest.mark.parametrize(
    "text", [b"1.5", b".5", b"0.1234", b"abc", b"-1", b"1.001", b"2", b"00.5", b'"0.5"', b"0.5x", "٠".encode()]
)
def test_a_broken_q_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        parse_contact(b"<sip:a@h>;q=" + text)


@pytest.mark.row("B18")
@pytest.mark.conformance("RFC 3261 10.2.1.1", "RFC 3261 20.19")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"0", 0), (b"3600", 3600), (b"4294967295", LONGEST_EXPIRES), (b"4294967296", LONGEST_EXPIRES),
        (b"280297596632815", LONGEST_EXPIRES),
        (b"1" + b"0" * 100, LONGEST_EXPIRES), (b"9" * 6000, LONGEST_EXPIRES), (b"0" * 6000 + b"7", 7), (b"-5", 3600),
        (b"abc", 3600),
        (b"1e3", 3600), (b"+5", 3600), (b"0x10", 3600), ("٥".encode(), 3600), (b"5_0", 3600),
    ],
)  # fmt: skip
def test_expires_is_clamped_and_never_wraps(text: bytes, seconds: int) -> None:
    assert parse_contact(b"<sip:a@h>;expires=" + text).expires == seconds
    assert parse_expires(text) == parse_expires(text.decode()) == seconds


@pytest.mark.row("B18")
@pytest.mark.conformance("RFC 3261 10.2.1.1")
def test_an_empty_expires_header_stands_for_an_hour() -> None:
    assert parse_expires(b"") == 3600


@pytest.mark.row("B20")
@pytest.mark.conformance("RFC 3261 20.10")
@pytest.mark.parametrize(
    "value",
    [b"", b"*x", b"sip:a@h?Route=x", b"<sip:a@h", b"<sip:%zz@h>", b"<sip:a@[::1>", b"<>", b"Joe <sip:a@h>;;;;", b"<a>"],
)
def test_broken_contacts(value: bytes) -> None:
    with pytest.raises(Malformed):
        parse_contact(value)


@pytest.mark.conformance("RFC 3261 7.3.1")
def test_all_contacts_of_a_message_in_order() -> None:
    found = parse_contacts(message(b"<sip:a@h>;q=0.1, <sip:b,c@h>", b'"x, y" <sip:d@h>'))
    assert not found.wildcard
    assert [contact.uri.user for contact in found.contacts] == ["a", "b,c", "d"]
    assert parse_contacts(message()) == (False, ())


@pytest.mark.row("B30")
@pytest.mark.conformance("RFC 4475 3.1.1.4")
def test_escaped_nuls_give_two_different_contacts() -> None:
    found = parse_contacts(message(b"<sip:%00@host5.example.com>", b"<sip:%00%00@host5.example.com>"))
    assert [contact.uri.address_of_record() for contact in found.contacts] == [
        "\0@host5.example.com",
        "\0\0@host5.example.com",
    ]


@pytest.mark.conformance("RFC 3261 10.2.2")
def test_a_lone_star_stands_for_all() -> None:
    assert parse_contacts(message(b" * ")) == (True, ())


@pytest.mark.row("D02")
@pytest.mark.conformance("RFC 3261 10.3")
@pytest.mark.parametrize("values", [(b"*", b"<sip:a@h>"), (b"<sip:a@h>, *",), (b"*", b"*"), (b"*;expires=0",)])
def test_a_star_with_anything_else_is_refused(values: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed):
        parse_contacts(message(*values))


def test_one_broken_contact_refuses_all() -> None:
    with pytest.raises(Malformed):
        parse_contacts(message(b"<sip:a@h>", b"<sip:b@h>;q=7"))
