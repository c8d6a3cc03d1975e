"""Where everybody in a story is: addresses that are given and chosen, and the URIs they make."""

from __future__ import annotations

import pytest

from routing.language.problem import Span
from routing.language.stories.story import Whom
from routing.program.rehearsal.directory import Directory
from routing.program.rehearsal.failure import StoryFailed
from tests.story_texts import given

HERE = Span(1, 1, 1, 2)


def directory(lines: str, domain: str = "example.com") -> Directory:
    return Directory(given(lines), domain, ["198.51.100.1"])


def test_addresses_are_chosen_in_the_order_of_the_story() -> None:
    found = directory(
        "given users alice, bob\ngiven peer carrier\ngiven peer other by tls\ngiven user carol at desk by tls"
    )
    assert [found.address(name) for name in ("alice", "bob", "desk")] == [
        ("198.51.100.11", 5060), ("198.51.100.12", 5060), ("198.51.100.13", 5061),
    ]  # fmt: skip
    assert [found.address(name) for name in ("carrier", "other")] == [("203.0.113.11", 5060), ("203.0.113.12", 5061)]


def test_addresses_that_are_given_are_nobody_elses() -> None:
    found = directory(
        'given users alice\ngiven peer x at 198.51.100.11\ngiven user bob from "198.51.100.12:5070"\ngiven users c'
    )
    assert found.address("x") == ("198.51.100.11", 5060)
    assert found.address("alice") == ("198.51.100.13", 5060)
    assert found.address("bob") == ("198.51.100.12", 5070)
    assert found.address("c") == ("198.51.100.14", 5060)


def test_nobody_has_the_address_of_the_server() -> None:
    with pytest.raises(StoryFailed, match="is the address of the server itself") as failed:
        directory("given peer x at 198.51.100.1")
    assert failed.value.span == Span(2, 12, 2, 13)


def test_there_is_room_for_many_and_an_end() -> None:
    names = [f"u{number}" for number in range(239)]
    found = directory(f"given users {', '.join(names)}")
    assert found.address("u238") == ("198.51.100.249", 5060)
    with pytest.raises(StoryFailed, match="at most 239 phones"):
        directory(f"given users {', '.join(names)}, more")


def test_names_of_peers_for_the_dns() -> None:
    found = directory('given peer a at "a.example.net"\ngiven peer b at "b.example.net" from 192.0.2.9\ngiven peer c')
    assert found.hosts() == {"a.example.net": "203.0.113.11", "b.example.net": "192.0.2.9"}
    assert found.address_of("a") == "203.0.113.11"
    assert found.address_of("192.0.2.77") == "192.0.2.77"


@pytest.mark.parametrize(
    ("lines", "name", "uri"),
    [
        ("given users alice", "alice", "sip:alice@example.com"),
        ("given user bob at desk", "desk", "sip:bob@example.com"),
        ('given user "bob@Example.ORG" at desk', "desk", "sip:bob@example.org"),
        ("given peer carrier at 192.0.2.1", "carrier", "sip:carrier@192.0.2.1"),
        ('given peer carrier at "192.0.2.1:5070"', "carrier", "sip:carrier@192.0.2.1:5070"),
        ("given peer carrier at 2001:db8::9", "carrier", "sip:carrier@[2001:db8::9]:5060"),
        ('given peer carrier at "sip.example.net"', "carrier", "sip:carrier@sip.example.net"),
    ],
)
def test_who_somebody_says_he_is(lines: str, name: str, uri: str) -> None:
    assert directory(lines).address_of_record(name) == uri


@pytest.mark.parametrize(
    ("text", "is_name", "uri"),
    [
        ("alice", True, "sip:alice@example.com"),
        ("carol", True, "sip:carol@example.com"),
        ("desk", True, "sip:carol@198.51.100.12:5060;transport=tcp"),
        ("carrier", True, "sip:carrier@sip.example.net"),
        ("dave@example.org", True, "sip:dave@example.org"),
        ("1001", False, "sip:1001@example.com"),
        ("x@elsewhere.net", False, "sip:x@elsewhere.net"),
        ("sips:x@y", False, "sips:x@y"),
        ("tel:+44", False, "tel:+44"),
    ],
)
def test_whom_somebody_means(text: str, is_name: bool, uri: str) -> None:
    lines = 'given users alice, "dave@example.org"\ngiven user carol at desk from 198.51.100.12 by tcp'
    found = directory(lines + '\ngiven peer carrier at "sip.example.net"')
    assert found.uri(Whom(text, is_name, HERE)) == uri


def test_contacts() -> None:
    found = directory("given users alice\ngiven user bob at desk by tls")
    assert found.contact("alice") == "sip:alice@198.51.100.11:5060"
    assert found.contact("desk") == "sip:bob@198.51.100.12:5061;transport=tls"
    assert found.contact("alice", "tcp", ("192.0.2.1", 5070)) == "sip:alice@192.0.2.1:5070;transport=tcp"


def test_accounts() -> None:
    found = directory('given users alice, "bob@Example.ORG"', "first.example")
    assert found.account("alice") == ("alice", "first.example")
    assert found.account("bob@Example.ORG") == ("bob", "example.org")
    user = found.user("bob")
    assert user is not None and user.name == "bob@Example.ORG"
