"""The SQLite store with real files and real threads: durability, groups, and every kind of trouble (row E11)."""

from __future__ import annotations

import hashlib
import queue
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.database.accounts import add_account, change_password
from modules.database.engine import make_file, transaction
from modules.database.migrations import migrate
from modules.database.registrations import list_bindings, remove_bindings
from modules.database.settings import DatabaseSettings
from modules.database.sqlite import SqliteStore
from routing.runtime.stores import Account, BindingRow, Operation, PurgeBindings, SaveBindings
from sipcore.errors import ConfigurationError, Unavailable
from sipcore.need import Pending

NOW = time.time()


def row(ruid: str, user: str = "alice", expires: float = 600.0, **changes: Any) -> BindingRow:
    made = BindingRow(
        ruid, user, "example.com", f"sip:{user}@10.0.0.2", None, None, NOW + expires, -1.0, "c", 1, NOW, 0, 0,
        "Phone/1", "udp:10.0.0.1:5060", None, None, 0, 0, -1, 0, 0,
    )  # fmt: skip
    return made._replace(**changes)


class Desk:
    """A store, and the stack's thread that its answers come to: the test's own."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.url = url
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        options = {"window": 0.0, "poll": 0.05, "busy_timeout": 0.05} | settings
        self.store = SqliteStore(DatabaseSettings(url=url, **options), self.calls.put)
        self.changed: list[tuple[str, str]] = []
        self.opened = 0
        self.accounts_changed = 0
        self.store.watch_bindings(lambda user, domain: self.changed.append((user, domain)), self._count_opened)
        self.store.watch_accounts(self._count_accounts)

    def _count_opened(self) -> None:
        self.opened += 1

    def _count_accounts(self) -> None:
        self.accounts_changed += 1

    def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Do what the threads post until something is true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited too long"
            try:
                self.calls.get(timeout=0.05)()
            except queue.Empty:
                pass

    def wait(self, pending: Pending[Any]) -> Any:
        """The result of a Pending."""
        answers: list[tuple[Any, BaseException | None]] = []
        if pending._finished:
            answers.append((pending._result, pending._error))
        pending.subscribe(lambda result, error: answers.append((result, error)))
        self.until(lambda: answers)
        result, error = answers[0]
        if error is not None:
            raise error
        return result

    def submit(self, operation: Operation) -> Pending[None]:
        pending: Pending[None] = Pending()
        self.store.submit(operation, pending.done)
        return pending

    def save(self, *rows: BindingRow, removed: tuple[str, ...] = ()) -> None:
        self.wait(self.submit(SaveBindings(rows, removed)))

    def ruids(self) -> list[str]:
        return sorted(found.ruid for found in self.store.load_bindings())


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ringway.db'}"
    make_file(url)
    with transaction(url) as connection:
        migrate(connection)
    return url


@pytest.fixture
def file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def desks() -> Iterator[Callable[..., Desk]]:
    """Makes desks and stops them."""
    made: list[Desk] = []

    def make(url: str, **settings: Any) -> Desk:
        made.append(Desk(url, **settings))
        made[-1].store.start()
        return made[-1]

    yield make
    for desk in made:
        desk.store.stop()


# -- the usual way ----


def test_what_is_saved_is_there_and_what_is_removed_is_not(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"), row("b"))
    assert desk.ruids() == ["a", "b"]
    desk.save(row("c"), removed=("a",))
    assert desk.ruids() == ["b", "c"]
    assert desk.ruids() == sorted(one.ruid for one in desk.wait(desk.store.fetch_all_bindings()))


def test_every_column_comes_back_as_it_went(url: str, desks: Callable[..., Desk]) -> None:
    full = row(
        "a", received="sip:192.0.2.1:5062;transport=tcp", path="<sip:p;lr>", q=0.7, callid="\u20ac\0", cseq=2**31 - 1,
        flags=1, cflags=64, methods=7135, instance="<urn:uuid:1>", reg_id=2, keepalive=1, partition=3,
    )  # fmt: skip
    desk = desks(url)
    desk.save(full)
    (found,) = desk.store.load_bindings()
    assert found.expires == pytest.approx(full.expires, abs=0.001)
    assert found.last_modified == pytest.approx(full.last_modified, abs=0.001)
    assert found._replace(expires=full.expires, last_modified=full.last_modified) == full
    assert desk.wait(desk.store.fetch_bindings("alice", "example.com")) == [found]
    assert desk.wait(desk.store.fetch_bindings("alice", "example.net")) == []


def test_the_same_row_is_brought_up_to_date(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"), row("a", cseq=2, q=0.5))
    desk.save(row("a", cseq=3, user_agent="New/2"))
    (found,) = desk.store.load_bindings()
    assert (found.cseq, found.q, found.user_agent) == (3, -1.0, "New/2")


def test_times_are_julian_days_in_the_file_as_kamailio_writes_them(
    url: str, file: Path, desks: Callable[..., Desk]
) -> None:
    desks(url).save(row("a", expires=0.0))
    with sqlite3.connect(file) as connection:
        kind, seconds = connection.execute(
            "SELECT typeof(expires), (expires - julianday('1970-01-01')) * 86400 FROM location"
        ).fetchone()
    connection.close()
    assert kind == "real" and seconds == pytest.approx(NOW, abs=0.001)


def test_what_has_expired_is_not_loaded_and_0_never_expires(url: str, file: Path, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a", expires=-1.0), row("b"), row("c"), row("d"))
    connection = sqlite3.connect(file)
    connection.execute("UPDATE location SET expires = 0, domain = NULL WHERE ruid = 'c'")
    connection.execute("UPDATE location SET expires = '2100-01-01 00:00:00' WHERE ruid = 'd'")
    connection.commit()
    connection.close()
    found = {one.ruid: one for one in desk.store.load_bindings()}
    assert sorted(found) == ["b", "c", "d"]
    assert found["c"].expires == 0.0 and found["c"].domain == ""
    assert found["d"].expires == pytest.approx(4102444800.0)


def test_expired_rows_are_purged_a_few_at_a_time(url: str, file: Path, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(*(row(f"old{number}", expires=-100.0) for number in range(5)), row("new"))
    desk.wait(desk.submit(PurgeBindings(NOW, 3)))
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT count(*) FROM location").fetchone() == (3,)
    connection.close()
    desk.wait(desk.submit(PurgeBindings(NOW, 3)))
    assert desk.ruids() == ["new"]


def test_a_new_store_finds_what_the_old_one_committed(url: str, desks: Callable[..., Desk]) -> None:
    first = desks(url)
    first.save(*(row(str(number)) for number in range(500)))
    assert len(desks(url).ruids()) == 500


def test_stopping_finishes_what_waits(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url, window=0.05)
    for number in range(100):
        desk.submit(SaveBindings((row(str(number)),), ()))
    desk.store.stop()
    with pytest.raises(Unavailable):
        desk.submit(SaveBindings((row("late"),), ()))
    assert len(desks(url).ruids()) == 100


# -- groups ----


def test_waiting_operations_share_a_commit_and_one_wake_up(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url, window=0.1)
    pending = [desk.submit(SaveBindings((row(str(number)),), ())) for number in range(300)]
    for one in pending:
        desk.wait(one)
    writer, _ = desk.store.counters()
    assert writer.jobs == 300 and writer.groups <= 3 and writer.failed == 0
    assert len(desk.ruids()) == 300


def test_operations_of_a_group_keep_their_order(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url, window=0.1)
    for cseq in range(1, 100):
        last = desk.submit(SaveBindings((row("a", cseq=cseq),), ()))
    desk.submit(SaveBindings((row("b"),), ()))
    last = desk.submit(SaveBindings((), ("b",)))
    desk.wait(last)
    assert [(one.ruid, one.cseq) for one in desk.store.load_bindings()] == [("a", 99)]


@pytest.mark.parametrize(
    "wrong",
    [{"username": None}, {"callid": "\udcff"}, {"cseq": 2**70}, {"contact": object()}],
    ids=lambda one: next(iter(one)),
)
def test_one_wrong_operation_fails_alone(url: str, desks: Callable[..., Desk], wrong: dict[str, Any]) -> None:
    desk = desks(url, window=0.1)
    good = desk.submit(SaveBindings((row("good"),), ()))
    bad = desk.submit(SaveBindings((row("half"), row("bad", **wrong)), ("good",)))
    other = desk.submit(SaveBindings((row("other"),), ()))
    desk.wait(good)
    with pytest.raises(Unavailable):
        desk.wait(bad)
    desk.wait(other)
    assert desk.ruids() == ["good", "other"]  # and nothing of the wrong one


def test_the_queue_is_bounded(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url, window=0.3, queue=5)
    desk.submit(SaveBindings((row("a"),), ()))
    with pytest.raises(Unavailable, match="too slow"):
        for number in range(20):
            desk.submit(SaveBindings((row(str(number)),), ()))
    assert desk.store.counters()[0].waiting == 5


# -- accounts ----


def test_accounts(url: str, desks: Callable[..., Desk]) -> None:
    with transaction(url) as connection:
        add_account(connection, "alice", "example.com", "secret")
    desk = desks(url)
    found = desk.wait(desk.store.fetch_credentials("alice", "example.com"))
    ha1 = hashlib.md5(b"alice:example.com:secret").hexdigest()
    assert isinstance(found, Account) and (found.username, found.domain, found.ha1) == ("alice", "example.com", ha1)
    for user in ("Alice", "' OR 1=1--", "", "\udcff", "a\0b"):
        assert desk.wait(desk.store.fetch_credentials(user, "example.com")) is None


# -- other programs ----


def test_a_removal_by_another_program_is_noticed(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"), row("b", "bob"))
    with transaction(url) as connection:
        assert remove_bindings(connection, "alice", "example.com") == 1
        assert [one.username for one in list_bindings(connection)] == ["bob"]
    desk.until(lambda: desk.changed)
    assert desk.changed == [("alice", "example.com")]


def test_a_change_of_accounts_is_noticed(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"))
    with transaction(url) as connection:
        add_account(connection, "alice", "example.com", "secret")
    desk.until(lambda: desk.accounts_changed == 1)
    with transaction(url) as connection:
        change_password(connection, "alice", "example.com", "other")
    desk.until(lambda: desk.accounts_changed == 2)
    desk.save(row("b"))
    desk.store.stop()
    while not desk.calls.empty():
        desk.calls.get()()
    assert desk.changed == [] and desk.accounts_changed == 2  # its own commits are none of another program


def test_changes_before_the_start_are_old(url: str, desks: Callable[..., Desk]) -> None:
    desks(url).save(row("a"), row("b", "bob"))
    with transaction(url) as connection:
        remove_bindings(connection, "alice", "example.com")
    desk = desks(url)
    with transaction(url) as connection:
        remove_bindings(connection, "bob", "example.com")
    desk.until(lambda: desk.changed)
    assert desk.changed == [("bob", "example.com")]


# -- trouble ----


def fails(desk: Desk, match: str) -> None:
    """Both a change and a look fail with a sentence that says why."""
    with pytest.raises(Unavailable, match=match):
        desk.save(row("x"))
    with pytest.raises(Unavailable, match=match):
        desk.wait(desk.store.fetch_credentials("alice", "example.com"))


def test_a_missing_file_is_no_reason_not_to_start(url: str, file: Path, desks: Callable[..., Desk]) -> None:
    moved = file.rename(file.with_suffix(".moved"))
    desk = desks(url)
    fails(desk, "does not exist; make it with `ringway db init`")
    with pytest.raises(Unavailable, match="does not exist"):
        list(desk.store.load_bindings())
    assert not file.exists(), "a file was made where there was none"
    moved.rename(file)
    desk.until(lambda: desk.opened == 1)
    desk.save(row("a"))
    assert desk.ruids() == ["a"]


def test_a_file_that_is_removed_while_in_use_gives_no_false_success(
    url: str, file: Path, desks: Callable[..., Desk]
) -> None:
    desk = desks(url)
    desk.save(row("a"))
    for path in file.parent.iterdir():
        path.unlink()
    with pytest.raises(Unavailable, match="does not exist"):
        desk.save(row("b"))


def test_a_file_that_is_replaced_while_in_use_is_opened_anew(url: str, file: Path, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"))
    for path in file.parent.iterdir():
        path.unlink()
    make_file(url)
    with transaction(url) as connection:
        migrate(connection)
    with pytest.raises(Unavailable):
        desk.save(row("b"))
    desk.save(row("c"))
    assert desk.ruids() == ["c"]


def test_a_locked_database(url: str, file: Path, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="is locked by another program"):
        desk.save(row("b"))
    assert desk.wait(desk.store.fetch_credentials("alice", "example.com")) is None  # readers don't wait for writers
    other.execute("ROLLBACK")
    other.close()
    desk.save(row("c"))
    assert desk.ruids() == ["a", "c"]


def test_a_full_disk(url: str, file: Path, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"))
    # The limit is one of a connection, so it is set on the one that writes, in its thread.
    writer = desk.store._writing
    real = writer._open

    def bounded() -> sqlite3.Connection:
        connection = real()
        connection.execute("PRAGMA max_page_count=20")
        return connection

    writer._open = bounded  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="the disk is full"):
        desk.save(*(row(str(number), path="x" * 500) for number in range(500)))
    assert desk.ruids() == ["a"]
    desk.save(row("b"))  # a small one still fits
    assert desk.ruids() == ["a", "b"]


def test_a_database_that_can_only_be_read(url: str, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(row("a"))
    writer = desk.store._writing
    real = writer._open

    def read_only() -> sqlite3.Connection:
        connection = real()
        connection.execute("PRAGMA query_only=1")
        return connection

    writer._open = read_only  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="is read-only"):
        desk.save(row("b"))
    assert desk.ruids() == ["a"]


@pytest.mark.parametrize(
    "content", [b"this is no database, but it is long enough to be one" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_refused_at_the_start(url: str, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"damaged|not an SQLite database"):
        Desk(url).store.start()


def test_damage_within_the_file_is_refused_at_the_start(url: str, file: Path, desks: Callable[..., Desk]) -> None:
    desk = desks(url)
    desk.save(*(row(str(number)) for number in range(200)))
    desk.store.stop()
    with file.open("r+b") as opened:
        opened.seek(4096 * 8)
        opened.write(b"\xa5" * 4096 * 4)
    with pytest.raises(ConfigurationError, match="damaged"):
        Desk(url).store.start()


def test_a_file_without_our_tables_is_refused_at_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    make_file(url)
    with pytest.raises(ConfigurationError, match=r"lacks a table .* run `ringway db init`"):
        Desk(url).store.start()


@pytest.mark.parametrize("url", ["sqlite:///", "postgresql://x/y", ""])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"database\.url"):
        SqliteStore(DatabaseSettings(url=url), lambda call: None)


def test_a_closed_store_answers_that_it_is_closed(url: str) -> None:
    store = SqliteStore(DatabaseSettings(url=url), lambda call: None)
    pending = store.fetch_credentials("alice", "example.com")
    assert isinstance(pending._error, Unavailable)


def test_trouble_is_logged_when_it_begins_and_when_it_ends(
    url: str, file: Path, desks: Callable[..., Desk], caplog: pytest.LogCaptureFixture
) -> None:
    desk = desks(url)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for number in range(3):
        with pytest.raises(Unavailable):
            desk.save(row(str(number)))
    other.execute("ROLLBACK")
    other.close()
    desk.save(row("a"))
    desk.save(row("b"))
    assert [record.message.split(" ", 3)[3] for record in caplog.records] == [
        "is locked by another program",
        "works again",
    ]


@pytest.mark.row("E08", "E11")
def test_a_question_has_a_deadline_beyond_the_busy_time_out(tmp_path: Path) -> None:
    store = SqliteStore(DatabaseSettings(f"sqlite:///{tmp_path}/none.db", busy_timeout=5.0), lambda call: None)
    for pending in (store.fetch_credentials("a", "b"), store.fetch_bindings("a", "b"), store.fetch_all_bindings()):
        assert pending.timeout == 8.0
