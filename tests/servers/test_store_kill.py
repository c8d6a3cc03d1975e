"""SIGKILL into the group commit: what was acknowledged is in the file, and no REGISTER is there by half."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from modules.database.engine import make_file, transaction
from modules.database.migrations import migrate
from modules.database.settings import DatabaseSettings
from modules.database.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[2]
KILLS = 24
LONGEST_START = 30.0


def prepared(file: Path) -> str:
    """A new database in this file."""
    url = f"sqlite:///{file}"
    make_file(url)
    with transaction(url) as connection:
        migrate(connection)
    return url


@pytest.fixture
def url(tmp_path: Path) -> str:
    return prepared(tmp_path / "ringway.db")


class History:
    """What the logs of all runs promise: the contacts of each user, and what an unanswered REGISTER may have made."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.read = 0
        self.acknowledged = 0
        self.promised: dict[str, list[str]] = defaultdict(list)
        self.open: dict[str, list[str]] = {}

    def follow(self) -> None:
        """Read what was written since."""
        with self.log.open("rb") as opened:
            opened.seek(self.read)
            content = opened.read()
        whole = content[: content.rfind(b"\n") + 1]
        self.read += len(whole)
        for line in whole.splitlines():
            kind, user, *rest = json.loads(line)
            if kind == "begin":
                self.open[user] = rest[0]
            elif kind == "done":
                self.promised[user] = self.open.pop(user)
                self.acknowledged += 1
            else:
                raise AssertionError(f"{user} was answered {rest}")

    def check(self, kept: dict[str, list[str]]) -> None:
        """Compare with what is in the file, and go on from there."""
        for user in set(self.promised) | set(self.open) | set(kept):
            allowed = [self.promised[user], *([self.open[user]] if user in self.open else [])]
            assert kept.get(user, []) in allowed, user
            self.promised[user] = kept.get(user, [])
        self.open.clear()


def kept_bindings(url: str) -> dict[str, list[str]]:
    """What a server would load."""
    store = SqliteStore(DatabaseSettings(url=url), lambda call: None)
    found: dict[str, list[str]] = defaultdict(list)
    for row in store.load_bindings():
        found[row.username].append(row.contact)
    return {user: sorted(contacts) for user, contacts in found.items()}


def kill_once(url: str, history: History, run: int, seconds: float) -> None:
    """Start the writer, let it acknowledge for some time, and kill it."""
    command = [sys.executable, "-m", "tests.servers.store_writer", url, str(history.log), str(run)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        before, end = history.acknowledged, time.monotonic() + LONGEST_START
        while history.acknowledged == before:
            assert time.monotonic() < end and process.poll() is None, "the writer does not write"
            time.sleep(0.01)
            history.follow()
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    history.follow()


@pytest.mark.row("E13")
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(url: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    log = tmp_path / "log"
    log.touch()
    history = History(log)
    for run in range(KILLS):
        kill_once(url, history, run, chance.uniform(0.0, 0.15))
        history.check(kept_bindings(url))
    assert history.acknowledged >= KILLS  # at least one before each kill, however slow the machine
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# Root may write what others may only read, so the attempt is made as somebody else, who may not read this checkout.
_ATTEMPT = """
import os, sys, queue
from modules.database.settings import DatabaseSettings
from modules.database.sqlite import SqliteStore
from routing.runtime.stores import BindingRow, SaveBindings
calls = queue.SimpleQueue()
store = SqliteStore(DatabaseSettings(url=sys.argv[1], busy_timeout=0.2, poll=60), calls.put)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
store.start()
row = BindingRow("r", "alice", "example.com", "sip:a", None, None, 4e9, 1.0, "c", 1, 0.0, 0, 0, "", None, None, None,
                 0, 0, 0, 0, 0)
store.submit(SaveBindings((row,), ()), lambda result, error: print(repr(error)))
calls.get(timeout=20)()
store.stop()
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user can reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize("folder_too", [False, True])
def test_a_file_that_this_user_may_not_write(public_folder: Path, folder_too: bool) -> None:
    file = public_folder / "ringway.db"
    made = prepared(file)
    file.chmod(0o444)
    public_folder.chmod(0o555 if folder_too else 0o777)
    attempt = subprocess.run(
        [sys.executable, "-c", _ATTEMPT, made], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    public_folder.chmod(0o700)
    assert attempt.stdout.startswith("Unavailable("), attempt.stderr
    assert "read-only" in attempt.stdout or "check the permissions" in attempt.stdout
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM location").fetchone() == (0,)
