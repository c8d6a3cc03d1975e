"""What `ringway user`, `reg` and `db` do, as functions."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from modules.database.engine import transaction
from routing.program.accounts import (
    NotDone,
    User,
    add_user,
    list_users,
    prepare_database,
    remove_user,
    set_password,
    split_address,
)
from routing.program.config import Config
from routing.program.databases import check, initialise
from routing.program.registrations import list_registrations, remove_registrations
from sipcore.errors import Unavailable

ALGORITHMS = ("MD5", "SHA-256", "SHA-512-256")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = Config(domains=("example.com", "Example.NET."), file=tmp_path / "ringway.toml")
    prepare_database(config)
    return config


def hashes(config: Config) -> set[str]:
    connection = sqlite3.connect(config.database_file)
    found = {row[0] for row in connection.execute("SELECT ha1 FROM subscriber")}
    connection.close()
    return found


# -- users ----


def test_a_user_is_added_with_a_generated_password(config: Config) -> None:
    added = add_user(config, "1001")
    assert added.address == "1001@example.com" and added.generated and len(added.password) >= 12
    assert add_user(config, "1002").password != added.password
    assert list_users(config) == [User("1001@example.com", ALGORITHMS), User("1002@example.com", ALGORITHMS)]


def test_a_user_is_added_with_a_given_password(config: Config) -> None:
    added = add_user(config, "sip:alice@EXAMPLE.net", "secret")
    assert (added.address, added.password, added.generated) == ("alice@example.net", "secret", False)


def test_a_user_is_not_added_twice(config: Config) -> None:
    add_user(config, "1001", "secret")
    before = hashes(config)
    with pytest.raises(NotDone, match=r"1001@example.com exists already; `ringway user passwd 1001@example.com`"):
        add_user(config, "1001", "other")
    assert hashes(config) == before


def test_a_password_is_changed(config: Config) -> None:
    add_user(config, "1001", "secret")
    before = hashes(config)
    assert set_password(config, "1001", "secret").password == "secret"
    assert hashes(config) == before
    assert set_password(config, "1001").generated
    assert not hashes(config) & before


def test_a_user_is_removed(config: Config) -> None:
    add_user(config, "1001")
    assert remove_user(config, "1001") == User("1001@example.com", ALGORITHMS)
    assert list_users(config) == []


def test_an_unknown_user_is_named_with_the_nearest_known_one(config: Config) -> None:
    add_user(config, "alice")
    with pytest.raises(NotDone, match=r"no user alise@example.com: did you mean `alice@example.com`"):
        remove_user(config, "alise")
    with pytest.raises(NotDone, match=r"no user zzz@example.net$"):
        set_password(config, "zzz@example.net")


@pytest.mark.parametrize("password", ["", "a\nb", "a\0b", "\t"])
def test_passwords_that_no_phone_can_hold(config: Config, password: str) -> None:
    with pytest.raises(NotDone, match="password"):
        add_user(config, "1001", password)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("1001", ("1001", "example.com")),
        (" 1001@example.net ", ("1001", "example.net")),
        ("sips:a.b+c@EXAMPLE.COM.", ("a.b+c", "example.com")),
    ],
)
def test_addresses_as_people_write_them(config: Config, address: str, expected: tuple[str, str]) -> None:
    assert split_address(config, address) == expected


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "is no address"),
        ("@example.com", "is no address"),
        ("a b@example.com", "is no address"),
        ("\u00e4@example.com", "is no address"),
        ("a@b@example.com", "is no address"),
        ("x" * 65, "at most 64 characters"),
        ("alice@exampel.com", "did you mean `example.com`"),
        ("alice@other.org", "served are example.com, example.net"),
    ],
)
def test_what_is_no_address_of_ours(config: Config, address: str, sentence: str) -> None:
    with pytest.raises(NotDone, match=sentence):
        split_address(config, address)


# -- registrations ----


def register(config: Config, ruid: str, user: str, contact: str, seconds: float = 600.0, received: str = "") -> None:
    with transaction(config.database_url) as connection:
        connection.exec_driver_sql(
            "INSERT INTO location (ruid, username, domain, contact, received, expires, q, user_agent, socket)"
            " VALUES (?, ?, 'example.com', ?, ?, ? / 86400.0 + 2440587.5, -1.0, 'Phone/1', 'udp:10.0.0.1:5060')",
            (ruid, user, contact, received or None, time.time() + seconds),
        )


def test_registrations_are_listed(config: Config) -> None:
    register(config, "1", "bob", "sip:bob@10.0.0.3", received="sip:192.0.2.1:5062")
    register(config, "2", "alice", "sip:alice@10.0.0.2")
    register(config, "3", "alice", "sip:gone@10.0.0.2", -1)
    alice, bob = list_registrations(config)
    assert (alice.address, alice.contact, alice.q, alice.received) == (
        "alice@example.com",
        "sip:alice@10.0.0.2",
        None,
        "",
    )
    assert alice.expires_in is not None and 595 <= alice.expires_in <= 600
    assert (bob.received, bob.user_agent, bob.socket) == ("sip:192.0.2.1:5062", "Phone/1", "udp:10.0.0.1:5060")
    assert list_registrations(config, "bob") == [bob]
    assert list_registrations(config, "carol") == []


def test_registrations_are_removed(config: Config) -> None:
    register(config, "1", "alice", "sip:a@10.0.0.2")
    register(config, "2", "alice", "sip:b@10.0.0.2")
    assert remove_registrations(config, "alice", "sip:a@10.0.0.2") == 1
    with pytest.raises(NotDone, match=r"alice@example.com has no contact sip:a@10.0.0.2; its contacts: sip:b@10.0.0.2"):
        remove_registrations(config, "alice", "sip:a@10.0.0.2")
    assert remove_registrations(config, "alice") == 1
    assert remove_registrations(config, "alice") == 0
    with pytest.raises(NotDone, match="its contacts: none"):
        remove_registrations(config, "alice", "sip:a@10.0.0.2")


# -- databases ----


def test_a_database_is_made_and_checked(tmp_path: Path) -> None:
    config = Config(domains=("example.com",), file=tmp_path / "ringway.toml")
    with pytest.raises(Unavailable, match="does not exist; make it with `ringway db init`"):
        check(config)
    made = initialise(config)
    assert made.url == f"sqlite:///{tmp_path}/ringway.db" and len(made.added) >= 3
    assert initialise(config).added == ()
    assert check(config) == []
    connection = sqlite3.connect(config.database_file)
    connection.execute("DROP TABLE subscriber")
    connection.close()
    (finding,) = check(config)
    assert "subscriber is missing" in finding.problem and "db init" in finding.remedy
    with pytest.raises(Unavailable, match="lacks a table or column"):
        add_user(config, "1001")
