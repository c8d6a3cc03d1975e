"""When the database can't keep a binding, the phone must hear it: 500 or 503, and never a 200 that is not true."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sipp_runner.probe import answers
from sipp_runner.server import NotStarted, Server

from tests.servers.conftest import PASSWORD
from tests.servers.phone import Phone

TROUBLE = (500, 503)
# Longer than the server waits for a lock before it gives up.
PATIENCE = 15.0


@pytest.fixture
def phone(server: Server) -> Iterator[Phone]:
    with Phone("1001", PASSWORD, (server.host, server.port), wait=PATIENCE) as made:
        yield made


def database(server: Server) -> Path:
    return server.folder / "ringway.db"


def restarted_bindings(server: Server, phone: Phone) -> set[str]:
    """What is really kept: bindings after the process was killed and started again."""
    server.kill()
    server.start()
    return phone.bindings()


@pytest.mark.row("E11")
def test_a_locked_database(server: Server, phone: Phone) -> None:
    assert phone.register("<sip:first@127.0.0.9>").status == 200
    with closing(sqlite3.connect(database(server), isolation_level=None)) as other:
        other.execute("begin immediate")
        assert phone.register("<sip:second@127.0.0.9>").status in TROUBLE
        assert answers(server.host, server.port, 1)  # the rest goes on
        other.execute("rollback")
    assert phone.bindings() == {"sip:first@127.0.0.9"}
    assert phone.register("<sip:third@127.0.0.9>").status == 200
    assert restarted_bindings(server, phone) == {"sip:first@127.0.0.9", "sip:third@127.0.0.9"}


@pytest.mark.row("E11")
def test_a_disk_that_is_full(server: Server, phone: Phone) -> None:
    """The limit on a file's size stands in for the disk: every write beyond it fails."""
    assert phone.register("<sip:first@127.0.0.9>").status == 200
    assert server.process
    unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
    assert phone.register("<sip:second@127.0.0.9>").status in TROUBLE
    assert answers(server.host, server.port, 1)
    assert phone.bindings() == {"sip:first@127.0.0.9"}
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert phone.register("<sip:third@127.0.0.9>").status == 200
    assert restarted_bindings(server, phone) == {"sip:first@127.0.0.9", "sip:third@127.0.0.9"}


@pytest.mark.row("E11")
def test_a_database_that_vanished(server: Server, phone: Phone) -> None:
    """Somebody removed the file while the server had it open: what it writes now is lost with the process."""
    assert phone.register("<sip:first@127.0.0.9>").status == 200
    for file in server.folder.glob("ringway.db*"):
        if file.suffix != ".secret":
            file.unlink()
    assert phone.register("<sip:second@127.0.0.9>").status in TROUBLE


def start_or_complain(server: Server) -> bool:
    """True when it runs; False when it ended by itself and named the database."""
    try:
        server.start()
    except NotStarted:
        assert server.process and server.process.returncode in (1, 75, 78), server.printed()
        assert "ringway.db" in server.printed()
        assert "Traceback" not in server.printed()
        return False
    return True


@pytest.mark.row("E11")
def test_a_read_only_database(server: Server, phone: Phone) -> None:
    """Read-only for everybody, root too: the file says that only a newer SQLite may write it (file format 1.3)."""
    assert phone.register("<sip:first@127.0.0.9>").status == 200
    assert server.stop() == 0
    with closing(sqlite3.connect(database(server))) as other:
        other.execute("pragma wal_checkpoint(truncate)")
    with database(server).open("r+b") as file:
        file.seek(18)  # the write version
        file.write(b"\x09")
    if start_or_complain(server):
        assert phone.register("<sip:second@127.0.0.9>").status in TROUBLE
        assert phone.bindings() == {"sip:first@127.0.0.9"}


@pytest.mark.row("E11")
def test_a_missing_database(server: Server, phone: Phone) -> None:
    assert server.stop() == 0
    database(server).unlink()
    if start_or_complain(server):
        # Without the table of users nobody can be who he says.
        assert phone.register("<sip:first@127.0.0.9>").status in (*TROUBLE, 401)


@pytest.mark.row("E11")
def test_a_file_that_is_no_database(server: Server, phone: Phone) -> None:
    assert server.stop() == 0
    for file in server.folder.glob("ringway.db-*"):
        file.unlink()
    database(server).write_bytes(b"nothing of the kind\n" * 1000)
    if start_or_complain(server):
        assert phone.register("<sip:first@127.0.0.9>").status in TROUBLE
