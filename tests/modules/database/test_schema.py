"""The schema, the way to it from any earlier state, and what `db check` finds."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from modules.database.diagnosis import examine
from modules.database.engine import make_file, transaction
from modules.database.migrations import MIGRATIONS, migrate, number_of
from modules.database.sqlite_connection import file_of
from sipcore.errors import Unavailable

# What Kamailio 5.6's own scripts make of the tables that we share with it.
KAMAILIO = """
CREATE TABLE version (id INTEGER PRIMARY KEY NOT NULL, table_name VARCHAR(32) NOT NULL,
    table_version INTEGER DEFAULT 0 NOT NULL, CONSTRAINT version_table_name_idx UNIQUE (table_name));
CREATE TABLE subscriber (id INTEGER PRIMARY KEY NOT NULL, username VARCHAR(64) DEFAULT '' NOT NULL,
    domain VARCHAR(64) DEFAULT '' NOT NULL, password VARCHAR(64) DEFAULT '' NOT NULL,
    ha1 VARCHAR(128) DEFAULT '' NOT NULL, ha1b VARCHAR(128) DEFAULT '' NOT NULL,
    CONSTRAINT subscriber_account_idx UNIQUE (username, domain));
CREATE INDEX subscriber_username_idx ON subscriber (username);
CREATE TABLE location (id INTEGER PRIMARY KEY NOT NULL, ruid VARCHAR(64) DEFAULT '' NOT NULL,
    username VARCHAR(64) DEFAULT '' NOT NULL, domain VARCHAR(64) DEFAULT NULL,
    contact VARCHAR(512) DEFAULT '' NOT NULL, received VARCHAR(128) DEFAULT NULL, path VARCHAR(512) DEFAULT NULL,
    expires TIMESTAMP WITHOUT TIME ZONE DEFAULT '2030-05-28 21:32:15' NOT NULL, q REAL DEFAULT 1.0 NOT NULL,
    callid VARCHAR(255) DEFAULT 'Default-Call-ID' NOT NULL, cseq INTEGER DEFAULT 1 NOT NULL,
    last_modified TIMESTAMP WITHOUT TIME ZONE DEFAULT '2000-01-01 00:00:01' NOT NULL,
    flags INTEGER DEFAULT 0 NOT NULL, cflags INTEGER DEFAULT 0 NOT NULL, user_agent VARCHAR(255) DEFAULT '' NOT NULL,
    socket VARCHAR(64) DEFAULT NULL, methods INTEGER DEFAULT NULL, instance VARCHAR(255) DEFAULT NULL,
    reg_id INTEGER DEFAULT 0 NOT NULL, server_id INTEGER DEFAULT 0 NOT NULL, connection_id INTEGER DEFAULT 0 NOT NULL,
    keepalive INTEGER DEFAULT 0 NOT NULL, partition INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT location_ruid_idx UNIQUE (ruid));
CREATE INDEX location_account_contact_idx ON location (username, domain, contact);
CREATE INDEX location_expires_idx ON location (expires);
CREATE INDEX location_tcpcon_idx ON location (connection_id);
CREATE INDEX location_connection_idx ON location (server_id, connection_id);
INSERT INTO version (table_name, table_version) VALUES ('subscriber', 7), ('location', 9), ('acc', 5);
CREATE TABLE acc (id INTEGER PRIMARY KEY NOT NULL);
INSERT INTO acc VALUES (1);
INSERT INTO subscriber (username, domain, password) VALUES ('alice', 'example.com', 'secret');
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ringway.db'}"


def run(url: str, script: str) -> None:
    connection = sqlite3.connect(file_of(url))
    connection.executescript(script)
    connection.close()


def columns(url: str, table: str) -> dict[str, tuple[str, int, str | None]]:
    """Type, NOT NULL and default of each column."""
    connection = sqlite3.connect(file_of(url))
    found = connection.execute(f"PRAGMA table_info({table})").fetchall()
    connection.close()
    return {
        name: (kind.replace("FLOAT", "REAL"), not_null, None if default == "NULL" else default and default.strip("'"))
        for _, name, kind, not_null, default, _ in found
    }


def indexes(url: str, table: str) -> set[tuple[int, tuple[str, ...]]]:
    """Uniqueness and columns of each index."""
    connection = sqlite3.connect(file_of(url))
    listed = connection.execute(f"PRAGMA index_list({table})").fetchall()
    found = {
        (unique, tuple(row[2] for row in connection.execute(f"PRAGMA index_info({name})")))
        for _, name, unique, _, _ in listed
    }
    connection.close()
    return found


def init(url: str) -> list[str]:
    make_file(url)
    with transaction(url) as connection:
        return migrate(connection)


def problems(url: str) -> list[str]:
    with transaction(url) as connection:
        return [finding.problem for finding in examine(connection)]


def test_an_empty_file_becomes_a_database(url: str) -> None:
    assert init(url) == [migration.what for migration in MIGRATIONS]
    assert problems(url) == []
    assert init(url) == []


@pytest.mark.parametrize("table", ["version", "subscriber", "location"])
def test_our_tables_are_kamailios(url: str, tmp_path: Path, table: str) -> None:
    init(url)
    theirs = f"sqlite:///{tmp_path / 'kamailio.db'}"
    run(theirs, KAMAILIO)
    ours = columns(url, table)
    for name, expected in columns(theirs, table).items():
        assert ours[name] == expected, name
    assert indexes(url, table) == indexes(theirs, table)
    assert set(ours) - set(columns(theirs, table)) <= {"ha1_sha256", "ha1_sha512t256"}
    for extra in set(ours) - set(columns(theirs, table)):
        assert ours[extra] == ("VARCHAR(64)", 0, None)


def test_a_kamailio_database_becomes_ours_and_stays_theirs(url: str) -> None:
    run(url, KAMAILIO)
    assert "column subscriber.ha1_sha256 is missing" in problems(url)
    assert len(init(url)) == len(MIGRATIONS)
    assert problems(url) == []
    connection = sqlite3.connect(file_of(url))
    rows = dict(connection.execute("SELECT table_name, table_version FROM version").fetchall())
    assert rows == {"subscriber": 7, "location": 9, "acc": 5, "ringway": MIGRATIONS[-1].number}
    assert connection.execute("SELECT count(*) FROM acc").fetchone() == (1,)
    assert connection.execute("SELECT username, password FROM subscriber").fetchall() == [("alice", "secret")]
    connection.close()


@pytest.mark.parametrize("number", range(len(MIGRATIONS)))
def test_from_every_earlier_number(url: str, number: int) -> None:
    make_file(url)
    with transaction(url) as connection:
        for migration in MIGRATIONS[:number]:
            migration.apply(connection)
        if number:
            connection.exec_driver_sql(f"INSERT INTO version (table_name, table_version) VALUES ('ringway', {number})")
    assert init(url) == [migration.what for migration in MIGRATIONS[number:]]
    assert problems(url) == []


def test_a_migration_that_fails_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(url)

    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (x)")
        raise ZeroDivisionError

    broken = (*MIGRATIONS[:-1], MIGRATIONS[-1]._replace(apply=fail))
    monkeypatch.setattr("modules.database.migrations.MIGRATIONS", broken)
    with pytest.raises(ZeroDivisionError), transaction(url) as connection:
        migrate(connection)
    connection = sqlite3.connect(file_of(url))
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_a_database_from_the_future_is_left_alone(url: str) -> None:
    init(url)
    run(url, "UPDATE version SET table_version = 99 WHERE table_name = 'ringway'")
    with pytest.raises(Unavailable, match="newer Ringway"):
        init(url)
    assert any("newer" in problem for problem in problems(url))
    with transaction(url) as connection:
        assert number_of(connection) == 99


@pytest.mark.parametrize(
    ("script", "problem", "remedy"),
    [
        ("DROP TABLE subscriber", "table subscriber is missing", "ringway db init"),
        ("DROP TABLE version", "table version is missing", "ringway db init"),
        ("ALTER TABLE location DROP COLUMN methods", "column location.methods is missing", "ringway db init"),
        (
            "DROP INDEX location_expires_idx",
            "index location_expires_idx is missing",
            "CREATE INDEX location_expires_idx",
        ),
        (
            "UPDATE version SET table_version = 8 WHERE table_name = 'location'",
            "version of location is 8",
            "UPDATE version",
        ),
        ("DELETE FROM version WHERE table_name = 'subscriber'", "version of subscriber is None", "ringway db init"),
        ("UPDATE version SET table_version = 1 WHERE table_name = 'ringway'", "schema 1 is older", "ringway db init"),
        (
            "DROP TABLE location; CREATE TABLE location AS SELECT 1 AS ruid",
            "location has no unique index on ruid",
            "CREATE UNIQUE INDEX location_ruid_idx ON location (ruid)",
        ),
    ],
)
def test_every_difference_is_found_with_what_to_do(url: str, script: str, problem: str, remedy: str) -> None:
    init(url)
    run(url, script)
    with transaction(url) as connection:
        found = [finding for finding in examine(connection) if finding.problem.startswith(problem)]
    assert len(found) == 1 and remedy in found[0].remedy


def test_init_mends_what_it_says_it_mends(url: str) -> None:
    init(url)
    run(url, "DELETE FROM version WHERE table_name IN ('subscriber', 'ringway'); DROP TABLE ringway_changes")
    init(url)
    assert problems(url) == []


def test_damage_is_the_only_finding(url: str) -> None:
    init(url)
    run(url, "".join(f"INSERT INTO subscriber (username) VALUES ('{number}');" for number in range(500)))
    run(url, "PRAGMA wal_checkpoint(TRUNCATE)")
    file = file_of(url)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"499", b"49x", 1))  # in the table or in an index, but not in both
    with transaction(url) as connection:
        found = examine(connection)
    assert found and all("damaged" in finding.problem for finding in found)
    file.write_bytes(content[:-4096] + b"\xa5" * 4096)
    with pytest.raises(Unavailable, match="is damaged: restore a copy"):
        problems(url)


def test_only_owner_and_group_may_read_the_file(url: str) -> None:
    old = os.umask(0)
    try:
        assert make_file(url)
    finally:
        os.umask(old)
    assert stat.S_IMODE(file_of(url).stat().st_mode) == 0o640
    assert not make_file(url)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="can't be made: No such file or directory"):
        make_file(f"sqlite:///{tmp_path / 'none' / 'ringway.db'}")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda file: file.unlink(), "does not exist"),
        (lambda file: file.write_bytes(b"x" * 5000), "is not an SQLite database"),
        (lambda file: file.write_bytes(b""), "lacks a table"),
    ],
)
def test_a_command_says_what_is_wrong(url: str, spoil: Callable[[Path], None], sentence: str) -> None:
    init(url)
    spoil(file_of(url))
    with pytest.raises(Unavailable, match=sentence), transaction(url) as connection:
        connection.exec_driver_sql("SELECT * FROM subscriber")


def test_a_command_changes_all_or_nothing(url: str) -> None:
    init(url)
    with pytest.raises(ZeroDivisionError), transaction(url) as connection:
        connection.exec_driver_sql("INSERT INTO subscriber (username) VALUES ('x')")
        raise ZeroDivisionError
    with transaction(url) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM subscriber").scalar() == 0
