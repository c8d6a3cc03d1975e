"""What a running server does when it is told to reload, to show its counters, or to stop, and what systemd hears."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sipp_runner.server import Server

from tests.servers.conftest import DOMAIN, NewServer
from tests.servers.phone import Phone

NOWHERE = "on request { reply(404) }\n"
GONE = "on request { reply(410) }\n"


@pytest.fixture
def route(tmp_path: Path) -> Path:
    file = tmp_path / "first.route"
    file.write_text(NOWHERE)
    return file


@pytest.fixture
def simple(new_server: NewServer, route: Path) -> Server:
    """A server whose route answers everything with 404."""
    server = new_server(route=route)
    server.add_users([])
    server.start()
    return server


def status(server: Server) -> int:
    with Phone("1001", "", (server.host, server.port)) as phone:
        return phone.ask("OPTIONS", f"sip:nobody@{DOMAIN}").status


def tell(server: Server, number: signal.Signals) -> None:
    assert server.process is not None
    server.process.send_signal(number)


def wait_for(condition: Callable[[], bool], limit: float = 5.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.02)


def test_a_reload_uses_the_routes_as_they_are_now(simple: Server) -> None:
    assert status(simple) == 404
    (simple.folder / "main.route").write_text(GONE)
    assert status(simple) == 404
    tell(simple, signal.SIGHUP)
    wait_for(lambda: "version 2 is in force" in simple.printed())
    assert status(simple) == 410


@pytest.mark.row("E09")
def test_a_reload_with_a_mistake_changes_nothing_and_shows_it(simple: Server) -> None:
    (simple.folder / "main.route").write_text("on request { replay(410) }\n")
    tell(simple, signal.SIGHUP)
    wait_for(lambda: "nothing was changed: version 1 stays in force" in simple.printed())
    assert re.search(r"main\.route:1:14: .*did you mean `reply`", simple.printed())
    assert status(simple) == 404
    (simple.folder / "main.route").unlink()
    tell(simple, signal.SIGHUP)
    wait_for(lambda: simple.printed().count("nothing was changed") == 2)
    assert status(simple) == 404


def test_a_reload_says_which_settings_wait_for_the_next_start(simple: Server) -> None:
    simple.file.write_text(simple.file.read_text().replace("[database]", 'drain_timeout = 7\nnode = "b"\n[database]'))
    tell(simple, signal.SIGHUP)
    wait_for(lambda: "needs a restart: node" in simple.printed())
    assert "changed: drain_timeout\n" in simple.printed()


def test_the_counters_are_shown_on_request(simple: Server) -> None:
    assert status(simple) == 404
    tell(simple, signal.SIGUSR1)
    wait_for(lambda: "of=proxy" in simple.printed() or "of=registrar" in simple.printed())
    assert re.search(r'event=statistics of=stack counters="\{\\"requests\\": [1-9]', simple.printed())
    assert "of=edge" in simple.printed()


def test_sigquit_stops_at_once(simple: Server) -> None:
    tell(simple, signal.SIGQUIT)
    assert simple.process is not None
    assert simple.process.wait(5) == 0
    assert "Traceback" not in simple.printed()


def test_sigint_is_sigterm(simple: Server) -> None:
    tell(simple, signal.SIGINT)
    assert simple.process is not None
    assert simple.process.wait(5) == 0
    assert "stopping" in simple.printed()


def test_systemd_hears_ready_reloading_and_stopping(
    new_server: NewServer, route: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(15)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        server = new_server(route=route)
        server.add_users([])
        server.launch()
        ready = supervisor.recv(1000).decode()
        assert ready.startswith("READY=1\n")
        assert status(server) == 404  # it is ready when it says so
        assert [supervisor.recv(1000) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        tell(server, signal.SIGHUP)
        heard = [supervisor.recv(1000).decode() for _ in range(6)]
        reloading = next(at for at, text in enumerate(heard) if re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", text))
        assert "READY=1" in heard[reloading:]
        tell(server, signal.SIGTERM)
        while not (text := supervisor.recv(1000).decode()).startswith("STOPPING=1\n"):
            assert text == "WATCHDOG=1"
        assert server.process is not None
        assert server.process.wait(5) == 0


def test_on_a_terminal_what_happens_is_shown_in_words(simple: Server) -> None:
    """The same configuration once more, with a terminal in place of a log file."""
    assert simple.stop() == 0
    terminal, inside = os.openpty()
    process = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", 'exec "$0" -m routing.program run -f "$1" </dev/null', _python(), str(simple.file)],
        {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        file_actions=[(os.POSIX_SPAWN_DUP2, inside, 1), (os.POSIX_SPAWN_DUP2, inside, 2)],
    )
    os.close(inside)
    try:
        wait_for(lambda: _answers(simple), 15)
        with Phone("1001", "", (simple.host, simple.port)) as phone:
            assert phone.ask("INVITE", f"sip:nobody@{DOMAIN}").status == 404
    finally:
        os.kill(process, signal.SIGTERM)
        shown = _read_all(terminal)
        os.waitpid(process, 0)
    assert re.search(r"^\d\d:\d\d:\d\d  1001 did not reach 1001: 404 Not Found\r$", shown, re.MULTILINE), shown


def _python() -> str:
    import sys

    return sys.executable


def _answers(server: Server) -> bool:
    try:
        return status(server) == 404
    except Exception:
        return False


def _read_all(terminal: int) -> str:
    found = b""
    while True:
        try:
            part = os.read(terminal, 10_000)
        except OSError:  # the other side is closed
            return found.decode()
        if not part:
            return found.decode()
        found += part
