"""`given ...`: who there is, and how the world around the server is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from routing.language.stories.story import DnsRecord, Phone, Setting, User
from tests.story_texts import given


def phone(lines: str, name: str) -> Phone:
    return given(lines).phones[name]


# -- users ------------------------------------------------------------------------------------------------------------


def test_users_have_a_phone_of_their_own_name() -> None:
    found = given("given users alice, bob")
    assert found.users == {"alice": User("alice", ("alice",)), "bob": User("bob", ("bob",))}
    assert list(found.phones) == ["alice", "bob"]
    alice = found.phones["alice"]
    assert (alice.user, alice.registered, alice.transport, alice.address, alice.q) == ("alice", True, "udp", "", None)


def test_a_user_with_several_phones() -> None:
    found = given("given user bob at desk q 0.5, mobile by tcp, old unregistered, far from 192.0.2.7")
    assert found.users["bob"].phones == ("desk", "mobile", "old", "far")
    assert "bob" not in found.phones
    assert found.phones["desk"].q == 0.5
    assert found.phones["mobile"].transport == "tcp"
    assert not found.phones["old"].registered
    assert found.phones["far"].address == "192.0.2.7"
    assert {one.user for one in found.phones.values()} == {"bob"}


def test_options_may_stand_together() -> None:
    desk = phone('given user bob at desk by tls q 1 from "192.0.2.7:5070" unregistered', "desk")
    assert (desk.transport, desk.q, desk.address, desk.port, desk.registered) == ("tls", 1.0, "192.0.2.7", 5070, False)


def test_a_user_without_a_word_on_phones_may_have_options_too() -> None:
    assert not phone("given user bob unregistered", "bob").registered
    assert phone("given user bob q 0.2", "bob").q == 0.2


def test_a_password() -> None:
    found = given('given user bob with password "se\\"cret" at desk')
    assert found.users["bob"].password == 'se"cret'
    assert found.users["bob"].phones == ("desk",)


def test_names_that_are_no_words() -> None:
    found = given('given users "1001", "+442079460000"\ngiven user "bob@example.org"\ngiven user "2.3" at "desk-1"')
    assert list(found.users) == ["1001", "+442079460000", "bob@example.org", "2.3"]
    assert list(found.phones) == ["1001", "+442079460000", "bob", "desk-1"]


def test_a_word_of_the_language_may_be_a_name() -> None:
    assert list(given("given users route, call").users) == ["route", "call"]


# -- peers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "host", "address", "port", "transport"),
    [
        ("", "", "", 0, "udp"),
        ("at 192.0.2.1", "", "192.0.2.1", 0, "udp"),
        ("from 192.0.2.1 by tcp", "", "192.0.2.1", 0, "tcp"),
        ('at "192.0.2.1:5070"', "", "192.0.2.1", 5070, "udp"),
        ("at 2001:db8::7", "", "2001:db8::7", 0, "udp"),
        ('at "[2001:db8::7]:5070"', "", "2001:db8::7", 5070, "udp"),
        ('at "SIP.Example.net" by tls', "sip.example.net", "", 0, "tls"),
        ('at "sip.example.net:5070"', "sip.example.net", "", 5070, "udp"),
        ('at "sip.example.net" from 192.0.2.1', "sip.example.net", "192.0.2.1", 0, "udp"),
    ],
)
def test_a_peer_has_an_address_or_a_name(words: str, host: str, address: str, port: int, transport: str) -> None:
    peer = phone(f"given peer carrier {words}", "carrier")
    assert (peer.host, peer.address, peer.port, peer.transport) == (host, address, port, transport)
    assert peer.user == "" and not peer.registered


# -- DNS --------------------------------------------------------------------------------------------------------------


def records(line: str) -> list[tuple[str, str, tuple[str, ...], float, bool]]:
    found: list[DnsRecord] = given("given peer gateway\n" + line).records
    return [(one.name, one.kind, one.values, one.delay, one.fails) for one in found]


def test_dns_records() -> None:
    assert records('given dns "SIP.example.net." A 192.0.2.7') == [("sip.example.net", "A", ("192.0.2.7",), 0.0, False)]
    assert records('given dns "a.net" AAAA 2001:db8::7') == [("a.net", "AAAA", ("2001:db8::7",), 0.0, False)]
    assert records('given dns "a.net" A gateway, 192.0.2.8 after 2s') == [
        ("a.net", "A", ("gateway",), 2.0, False), ("a.net", "A", ("192.0.2.8",), 2.0, False),
    ]  # fmt: skip
    assert records('given dns "_sip._udp.a.net" SRV 10 60 5060 "one.a.net"') == [
        ("_sip._udp.a.net", "SRV", ("10", "60", "5060", "one.a.net"), 0.0, False)
    ]
    assert records('given dns "a.net" NAPTR 10 50 "s" "SIP+D2T" "" "_sip._tcp.a.net" after 500ms') == [
        ("a.net", "NAPTR", ("10", "50", "s", "SIP+D2T", "", "_sip._tcp.a.net"), 0.5, False)
    ]


def test_a_name_may_fail() -> None:
    assert records('given dns "a.net" fails') == [("a.net", "", (), 0.0, True)]
    assert records('given dns "a.net" fails after 10s') == [("a.net", "", (), 10.0, True)]


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_the_time() -> None:
    assert given('given time "2026-12-24 23:00 UTC"').time == datetime(2026, 12, 24, 23, tzinfo=UTC).timestamp()
    summer = datetime(2026, 7, 1, 8, 30, 15, tzinfo=UTC).timestamp()
    assert given('given time "2026-07-01 9:30:15 Europe/London"').time == summer
    assert given('given time "2026-07-01 09:30"').time == datetime(2026, 7, 1, 9, 30).timestamp()
    assert given("given users alice").time is None


def test_the_last_time_counts() -> None:
    found = given('given time "2026-12-24 23:00 UTC"\ngiven time "2026-12-25 23:00 UTC"')
    assert found.time == datetime(2026, 12, 25, 23, tzinfo=UTC).timestamp()


def test_the_database_may_fail() -> None:
    assert given("given database fails").failing == {"database"}
    assert given("given users alice").failing == set()


@pytest.mark.parametrize(
    ("line", "key", "values"),
    [
        ('domains "example.org", "example.net"', ("domains",), ("example.org", "example.net")),
        ("lists.trunks 192.0.2.0/28, 198.51.100.7", ("lists", "trunks"), ("192.0.2.0/28", "198.51.100.7")),
        ('hours.office "Mon-Fri 09:00-17:30"', ("hours", "office"), ("Mon-Fri 09:00-17:30",)),
        ("registrar.min_expires 60", ("registrar", "min_expires"), (60,)),
        ("auth.nonce_lifetime 5m", ("auth", "nonce_lifetime"), ("5m",)),
        ("registrar.jitter 0.5", ("registrar", "jitter"), (0.5,)),
        ("some.switch true", ("some", "switch"), (True,)),
    ],
)
def test_settings_have_other_values(line: str, key: tuple[str, ...], values: tuple[object, ...]) -> None:
    (setting,) = given(f"given {line}").settings
    assert isinstance(setting, Setting)
    assert (setting.key, setting.values) == (key, values)
    assert (setting.span.line, setting.span.column) == (2, 7)


def test_what_is_given_may_come_in_any_order() -> None:
    found = given('given lists.a "x"\ngiven users alice\ngiven time "2026-01-01 00:00"\ngiven peer b')
    assert list(found.phones) == ["alice", "b"]
