"""`ringway quickstart` as a newcomer meets it: the printed account works, and everything that happens is told."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.phone import Phone

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "routing.program", "quickstart")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}


class Quickstart:
    """A running quickstart and what it has printed so far."""

    def __init__(self, folder: Path) -> None:
        self._log = folder.with_name(folder.name + ".log")
        with self._log.open("wb") as log:
            command = [*COMMAND, "--dir", str(folder), "--port", "0"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT)
        self.wait_for("What happens is shown below")

    def printed(self) -> str:
        return self._log.read_text("utf-8")

    def wait_for(self, pattern: str, limit: float = 15.0) -> re.Match[str]:
        end = time.monotonic() + limit
        while (match := re.search(pattern, self.printed())) is None:
            assert time.monotonic() < end and self.process.poll() is None, self.printed()
            time.sleep(0.02)
        return match

    @property
    def server(self) -> tuple[str, int]:
        match = self.wait_for(r"udp and tcp, ([0-9.]+):(\d+)\n")
        return match[1], int(match[2])

    def password(self, user: str) -> str:
        return self.wait_for(rf"user {user}   password (\S+)\n")[1]

    def phone(self, user: str, domain: str) -> Phone:
        # Loopback, so that the test stays on this machine; the printed address is the domain.
        return Phone(user, self.password(user), ("127.0.0.1", self.server[1]), domain)


@contextmanager
def quickstart(folder: Path) -> Iterator[Quickstart]:
    running = Quickstart(folder)
    try:
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0
    assert "Traceback" not in running.printed()


def test_two_phones_with_what_was_printed(tmp_path: Path) -> None:
    with quickstart(tmp_path / "first") as running:
        address, _ = running.server
        with running.phone("1001", address) as caller, running.phone("1002", address) as callee:
            assert callee.register(f"<{callee.contact}>").status == 200
            callee_uri = f"sip:1002@{address}"
            caller.call(callee_uri)
            challenge = caller.final()
            caller.acknowledge_failure(callee_uri, challenge)
            caller.call(callee_uri, challenge)
            invite = callee.receive()
            callee.answer(invite, 180, "Ringing")
            callee.answer(invite, 486, "Busy Here")
            assert caller.final().status == 486
        running.wait_for(r"\d\d:\d\d:\d\d  1002 registered from 127\.0\.0\.1:\d+ udp, \d+ s\n")
        running.wait_for("1001 calls 1002\n(.*\n)*.*1002 rings\n(.*\n)*.*1001 did not reach 1002: 486 Busy Here\n")


def test_a_rejection_says_why(tmp_path: Path) -> None:
    with quickstart(tmp_path / "first") as running:
        with Phone("1002", "wrong", ("127.0.0.1", running.server[1]), "127.0.0.1") as phone:
            assert phone.register(f"<{phone.contact}>").status == 401
        running.wait_for(r"1002 rejected: wrong password .*REGISTER from 127\.0\.0\.1:\d+ udp")


def test_the_second_start_keeps_passwords_and_registrations(tmp_path: Path) -> None:
    with quickstart(tmp_path / "again") as running:
        password = running.password("1001")
        with running.phone("1001", "127.0.0.1") as phone:
            assert phone.register("<sip:1001@127.0.0.9:5070>").status == 200
    with quickstart(tmp_path / "again") as running:
        assert running.password("1001") == password
        with running.phone("1001", "127.0.0.1") as phone:
            assert phone.bindings() == {"sip:1001@127.0.0.9:5070"}


def test_a_port_in_use_is_said_before_anything_else(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [*COMMAND, "--dir", str(tmp_path), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=ENVIRONMENT, check=False)
    assert done.returncode == 1
    assert f"tcp:0.0.0.0:{port}: the port is in use" in done.stderr
    assert "--port" in done.stderr
    assert "password" not in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_says_what_it_does(word: str) -> None:
    done = subprocess.run([*COMMAND, word], capture_output=True, text=True, timeout=30, env=ENVIRONMENT, check=False)
    assert done.returncode == 0
    assert "--port" in done.stdout and "--dir" in done.stdout
