"""Real programs: a Ringway process for each test, and which programs this machine has to drive it with."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sipp_runner.accounts import Account
from sipp_runner.kamailio import PATH
from sipp_runner.server import DEFAULT_ROUTE, Server

from tests.servers.phone import md5

# Program, and the Debian package it comes in.
PROGRAMS = {
    "sipp": "sip-tester",
    "sipsak": "sipsak",
    "baresip": "baresip-core",
    "kamailio": "kamailio",
    "named": "bind9",
    "openssl": "openssl",
    "chromium": "chromium",
    "node": "nodejs",
}
DOMAIN = "example.com"
PASSWORD = "a password"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which of the programs were there."""
    states = [f"{name} {'ok' if shutil.which(name, path=PATH) else 'missing'}" for name in PROGRAMS]
    terminalreporter.write_line("services: " + ", ".join(states))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`@pytest.mark.program("sipp")` skips a test where the program is missing, and says how to get it."""
    for item in items:
        for mark in item.iter_markers("program"):
            (name,) = mark.args
            if not shutil.which(name, path=PATH):
                reason = f"{name} is missing: apt-get install --no-install-recommends {PROGRAMS[name]}"
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "program(name): needs this program; skipped where it is missing")


NewServer = Callable[..., Server]


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[NewServer]:
    """Makes servers, each in a folder of its own; not started. They are ended, and their log shown, with the test."""
    servers: list[Server] = []

    def make(*, route: Path = DEFAULT_ROUTE, configuration: str = "", listen: Sequence[str] = ()) -> Server:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, domain=DOMAIN, route=route, configuration=configuration, listen=listen))
        return servers[-1]

    with ExitStack() as stack:
        yield make
        for server in servers:
            stack.enter_context(server)
    for server in servers:
        print(f"-- {server.log}\n{server.printed()}")


@pytest.fixture
def server(new_server: NewServer) -> Server:
    """A server that runs, with the users 1001 and 1002."""
    made = new_server()
    made.add_users([Account("1001", PASSWORD), Account("1002", PASSWORD)])
    made.start()
    return made


def add_many_users(server: Server, users: list[str]) -> None:
    """Straight into the table, since a `user add` for each would take minutes."""
    server.add_users([])
    rows = [(user, DOMAIN, md5(user, DOMAIN, PASSWORD), md5(f"{user}@{DOMAIN}", DOMAIN, PASSWORD)) for user in users]
    with closing(sqlite3.connect(server.folder / "ringway.db")) as database, database:
        database.executemany("insert into subscriber (username, domain, ha1, ha1b) values (?, ?, ?, ?)", rows)
