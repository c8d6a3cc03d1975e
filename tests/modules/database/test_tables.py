"""The tables as commands use them: accounts with their hashes, registrations with notes to the server."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection

from modules.database.accounts import (
    ListedAccount,
    account_of,
    add_account,
    change_password,
    list_accounts,
    remove_account,
)
from modules.database.engine import make_file, transaction
from modules.database.migrations import migrate
from modules.database.registrations import list_bindings, remove_bindings


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ringway.db'}"
    make_file(url)
    with transaction(url) as connection:
        migrate(connection)
    return url


def stored(connection: Connection) -> tuple[str, ...]:
    row = connection.exec_driver_sql("SELECT password, ha1, ha1b, ha1_sha256, ha1_sha512t256 FROM subscriber").one()
    return tuple(row)


def test_a_password_becomes_hashes_and_is_not_kept(url: str) -> None:
    with transaction(url) as connection:
        assert add_account(connection, "alice", "example.com", "s\u00e9cret")
        password, ha1, ha1b, sha256, sha512 = stored(connection)
    text = "alice:example.com:s\u00e9cret".encode()
    assert password == ""
    assert ha1 == hashlib.md5(text).hexdigest()
    assert ha1b == hashlib.md5("alice@example.com:example.com:s\u00e9cret".encode()).hexdigest()
    assert sha256 == hashlib.sha256(text).hexdigest()
    assert sha512 == hashlib.new("sha512_256", text).hexdigest()


def test_accounts_are_added_changed_listed_and_removed(url: str) -> None:
    with transaction(url) as connection:
        assert add_account(connection, "bob", "example.com", "x")
        assert add_account(connection, "alice", "example.net", "x")
        assert add_account(connection, "alice", "example.com", "x")
        assert not add_account(connection, "alice", "example.com", "y")
        all_of_them = ("MD5", "SHA-256", "SHA-512-256")
        assert list_accounts(connection) == [
            ListedAccount("alice", "example.com", all_of_them),
            ListedAccount("bob", "example.com", all_of_them),
            ListedAccount("alice", "example.net", all_of_them),
        ]
        assert remove_account(connection, "alice", "example.com")
        assert not remove_account(connection, "alice", "example.com")
        assert not change_password(connection, "alice", "example.com", "z")
        assert remove_account(connection, "alice", "example.net")
        before = stored(connection)
        assert change_password(connection, "bob", "example.com", "z")
        assert all(old != new for old, new in zip(before[1:], stored(connection)[1:], strict=True))


def test_a_plain_password_of_kamailio_works_for_every_algorithm(url: str) -> None:
    with transaction(url) as connection:
        add_account(connection, "alice", "example.com", "secret")
        hashes = stored(connection)[1:]
        connection.exec_driver_sql(
            "INSERT INTO subscriber (username, domain, password) VALUES ('plain', 'example.com', 'secret')"
        )
        assert list_accounts(connection)[1].algorithms == ("MD5", "SHA-256", "SHA-512-256")
    made = account_of(("alice", "example.com", "", "", None, None, "secret"))
    assert made[2:] == hashes


def test_hashes_go_before_a_plain_password_and_are_compared_in_lower_case() -> None:
    account = account_of(("alice", "example.com", "ABCDEF", "", None, "", "secret"))
    assert account[2:] == ("abcdef", "", "", "")


def insert(connection: Connection, ruid: str, user: str, contact: str, days: float = 1.0) -> None:
    connection.exec_driver_sql(
        "INSERT INTO location (ruid, username, domain, contact, expires) "
        "VALUES (?, ?, 'example.com', ?, julianday() + ?)",
        (ruid, user, contact, days),
    )


def test_bindings_are_listed(url: str) -> None:
    with transaction(url) as connection:
        insert(connection, "1", "bob", "sip:bob@10.0.0.2")
        insert(connection, "2", "alice", "sip:alice@10.0.0.3")
        insert(connection, "3", "alice", "sip:old@10.0.0.3", -1)
        assert [row.contact for row in list_bindings(connection)] == ["sip:alice@10.0.0.3", "sip:bob@10.0.0.2"]
        (row,) = list_bindings(connection, "bob", "example.com")
        assert row.expires == pytest.approx(time.time() + 86_400, abs=60)
        assert list_bindings(connection, "bob", "example.net") == []


def notes(connection: Connection) -> list[tuple[int, str, str]]:
    return [tuple(row) for row in connection.exec_driver_sql("SELECT id, username, domain FROM ringway_changes")]


def test_a_removal_leaves_a_note_for_the_server(url: str) -> None:
    with transaction(url) as connection:
        insert(connection, "1", "alice", "sip:a@10.0.0.2")
        insert(connection, "2", "alice", "sip:b@10.0.0.2")
        insert(connection, "3", "bob", "sip:c@10.0.0.2")
        assert remove_bindings(connection, "alice", "example.com", "sip:x@10.0.0.2") == 0
        assert notes(connection) == []
        assert remove_bindings(connection, "alice", "example.com", "sip:a@10.0.0.2") == 1
        assert remove_bindings(connection, "alice", "example.com") == 1
        assert notes(connection) == [(1, "alice", "example.com"), (2, "alice", "example.com")]
        assert [row.ruid for row in list_bindings(connection)] == ["3"]


def test_old_notes_are_thrown_away_and_numbers_are_never_used_again(url: str) -> None:
    with transaction(url) as connection:
        for number in range(3):
            insert(connection, str(number), "alice", "sip:a@10.0.0.2")
            remove_bindings(connection, "alice", "example.com")
            connection.exec_driver_sql("UPDATE ringway_changes SET at = julianday() - 2")
        insert(connection, "9", "bob", "sip:a@10.0.0.2")
        remove_bindings(connection, "bob", "example.com")
        assert notes(connection) == [(4, "bob", "example.com")]
