"""What a newcomer does: `ringway quickstart`, two real phones with the printed passwords, calls in both directions."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sipp_runner.probe import wait_until_answered
from sipp_runner.server import CHECKOUT, COMMAND

from tests.servers.baresip import Baresip

pytestmark = pytest.mark.program("baresip")


@dataclass
class Quickstart:
    """A running `ringway quickstart` and what it printed for people to type in."""

    process: subprocess.Popen[bytes]
    output: Path
    server: str
    passwords: dict[str, str]

    def printed(self) -> str:
        return self.output.read_text("utf-8", "replace")

    def wait_for_line(self, pattern: str, limit: float = 10) -> str:
        """The first line it prints that the pattern is found in."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for line in self.printed().splitlines():
                if re.search(pattern, line):
                    return line
            time.sleep(0.05)
        raise AssertionError(f"no line with {pattern}:\n{self.printed()}")


def read_welcome(process: subprocess.Popen[bytes], output: Path) -> Quickstart:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        text = output.read_text("utf-8", "replace")
        server = re.search(r"^ *SIP +udp and tcp, (\S+)$", text, re.MULTILINE)
        passwords = dict(re.findall(r"user (\S+) +password (\S+)", text))
        if server and len(passwords) == 2:
            host, _, port = server[1].rpartition(":")
            if wait_until_answered(host, int(port), 10):
                return Quickstart(process, output, server[1], passwords)
        time.sleep(0.05)
    raise AssertionError(f"quickstart does not say where it is:\n{output.read_text('utf-8', 'replace')}")


@pytest.fixture
def quickstart(tmp_path: Path) -> Iterator[Quickstart]:
    output = tmp_path / "quickstart.log"
    command = [*COMMAND, "quickstart", "--dir", str(tmp_path / "var"), "--port", "0"]
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
    try:
        yield read_welcome(process, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        print(output.read_text("utf-8", "replace"))


@pytest.fixture
def phones(quickstart: Quickstart, tmp_path: Path) -> Iterator[tuple[Baresip, Baresip]]:
    """1001 on UDP and 1002 on TCP, registered; both answer by themselves."""
    made: list[Baresip] = []
    try:
        for user, transport in (("1001", "udp"), ("1002", "tcp")):
            folder = tmp_path / user
            made.append(Baresip(folder, user, quickstart.passwords[user], quickstart.server, transport))
        for phone in made:
            phone.wait_until_registered()
        yield made[0], made[1]
    finally:
        for phone in made:
            phone.close()


def call(caller: Baresip, callee: Baresip, server: str) -> tuple[int, int]:
    """Dial and wait until both talk; the places in their events from which the call's end is to be looked for."""
    from_caller, from_callee = caller.mark(), callee.mark()
    caller.command("dial", f"sip:{callee.user}@{server}")
    for phone, since in ((caller, from_caller), (callee, from_callee)):
        phone.wait_for("CALL_ESTABLISHED", since)
        phone.wait_for("CALL_RTPESTAB", since)  # sound comes in
    return from_caller, from_callee


@pytest.mark.parametrize("caller", [0, 1], ids=["udp calls tcp", "tcp calls udp"])
@pytest.mark.parametrize("hangs_up", [0, 1], ids=["udp hangs up", "tcp hangs up"])
def test_two_phones_call_hold_and_hang_up(
    phones: tuple[Baresip, Baresip], quickstart: Quickstart, caller: int, hangs_up: int
) -> None:
    first, second = phones[caller], phones[1 - caller]
    began = call(first, second, quickstart.server)

    for command, held in (("hold", True), ("resume", False)):
        marks = first.mark(), second.mark()
        first.command(command)
        assert second.wait_for("CALL_REMOTE_SDP", marks[1])["param"] == "offer"
        assert first.wait_for("CALL_REMOTE_SDP", marks[0])["param"] == "answer"
        assert first.is_holding() is held

    phones[hangs_up].command("hangup")
    for phone, since in zip((first, second), began, strict=True):
        phone.wait_for("CALL_CLOSED", since)
        assert not phone.has_call()


def test_quickstart_shows_registrations_and_calls(phones: tuple[Baresip, Baresip], quickstart: Quickstart) -> None:
    """One line each, with who and what."""
    _, since = call(*phones, quickstart.server)
    phones[0].command("hangup")
    phones[1].wait_for("CALL_CLOSED", since)
    for user in quickstart.passwords:
        quickstart.wait_for_line(rf"{user}.*registered")
    quickstart.wait_for_line(r"1001.*1002")
    # Everything after the welcome, whose last line names the files.
    shown = quickstart.printed().partition("passwords.txt")[2]
    assert not any(password in shown for password in quickstart.passwords.values())


def test_a_wrong_password_is_refused_and_the_reason_shown(quickstart: Quickstart, tmp_path: Path) -> None:
    phone = Baresip(tmp_path / "wrong", "1001", "not-the-password", quickstart.server, "udp")
    try:
        shown = quickstart.wait_for_line(r"1001.*wrong password")
        assert "not-the-password" not in shown
        assert "OK " not in phone.command("reginfo")
    finally:
        phone.close()
