"""The servers that are compared. Each runs in a folder of its own, on one core, with the same users."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from sipp_runner import kamailio
from sipp_runner.ports import LOOPBACK, free_port
from sipp_runner.server import Server

HERE = Path(__file__).resolve().parent
DOMAIN = "bench.example"
PASSWORD = "secret"  # of every user


def core(number: int) -> tuple[str, ...]:
    """The prefix that keeps a command on one core; nothing when the machine has only one."""
    cores = sorted(os.sched_getaffinity(0))
    return ("taskset", "-c", str(cores[number])) if len(cores) > number and len(cores) > 1 else ()


SERVER_CORE = 0
LOAD_CORE = 1


class Contestant(Protocol):
    """A server under test; `pid` is the root of its processes once `start` has returned."""

    name: str
    port: int

    @property
    def pid(self) -> int: ...

    @property
    def database(self) -> Path: ...

    def start(self, limit: float = 30.0) -> None: ...

    def stop(self) -> None: ...


def add_users(database: Path, users: Iterable[str]) -> None:
    """Users straight into the `subscriber` table, whose columns both servers share; `user add` would take minutes."""
    rows = []
    for user in users:
        ha1 = hashlib.md5(f"{user}:{DOMAIN}:{PASSWORD}".encode()).hexdigest()
        ha1b = hashlib.md5(f"{user}@{DOMAIN}:{DOMAIN}:{PASSWORD}".encode()).hexdigest()
        rows.append((user, DOMAIN, ha1, ha1b))
    connection = sqlite3.connect(database)
    with connection:
        connection.executemany("insert into subscriber (username, domain, ha1, ha1b) values (?, ?, ?, ?)", rows)
    connection.close()


class Ringway:
    """Ringway with the route and the configuration every installation begins with."""

    def __init__(self, folder: Path, users: Iterable[str]) -> None:
        self.name = "Ringway"
        self._server = Server(folder, domain=DOMAIN, prefix=core(SERVER_CORE))
        self._server.add_users([])
        self.port = self._server.port
        add_users(self.database, users)

    @property
    def pid(self) -> int:
        assert self._server.process
        return self._server.process.pid

    @property
    def database(self) -> Path:
        return self._server.folder / "ringway.db"

    def start(self, limit: float = 30.0) -> None:
        self._server.start(limit)

    def stop(self) -> None:
        # What is measured has ended: there is nothing to drain.
        self._server.kill()


class Kamailio:
    """Kamailio in its fastest set-up: one UDP worker, TLSF memory that is touched before the first call."""

    def __init__(
        self, folder: Path, users: Iterable[str], *, write_through: bool, journal: str = "DELETE", touch: bool = True
    ) -> None:
        """`journal` is SQLite's journal_mode; `touch` takes the page faults of all its memory before the first call."""
        self.name = f"Kamailio ({journal} journal)" if write_through else "Kamailio"
        self.port = free_port()
        self._folder = folder
        definitions = {
            "LISTEN": f"udp:{LOOPBACK}:{self.port}",
            "DB_URL": f'"sqlite:///{self.database}"',
            "DB_MODE": "1" if write_through else "0",
            "DB_JOURNAL": f'"{self.database}={journal};"',
        }
        if touch:
            definitions["TOUCH_MEMORY"] = "1"
        # TLSF: the default allocator takes four times the CPU time.
        options = ("-x", "tlsf", "-X", "tlsf", "-m", "512", "-M", "512")
        file = HERE / "kamailio" / "kamailio.cfg"
        self._process = kamailio.Kamailio(
            folder, file, self.port, definitions, options=options, prefix=core(SERVER_CORE)
        )
        self._create()
        add_users(self.database, users)

    def _create(self) -> None:
        connection = sqlite3.connect(self.database)
        for part in ("standard", "usrloc", "auth_db"):
            connection.executescript(Path(f"/usr/share/kamailio/db_sqlite/{part}-create.sql").read_text("utf-8"))
        connection.close()

    @property
    def pid(self) -> int:
        assert self._process.process
        return self._process.process.pid

    @property
    def database(self) -> Path:
        return self._folder / "kamailio.db"

    def start(self, limit: float = 30.0) -> None:
        self._process.start(limit)

    def stop(self) -> None:
        self._process.stop()
