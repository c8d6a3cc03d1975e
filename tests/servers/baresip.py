"""baresip, a real phone without a screen: started on loopback and told what to do over its control connection."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sipp_runner.ports import LOOPBACK, free_port

# The phones run on the server's machine and use its address; `net_interface` takes no name for loopback.
_CONFIGURATION = """\
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module uuid.so
module_tmp account.so
module_app menu.so
module_app contact.so
module ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
sip_listen {own}:0
net_interface {own}
audio_source aufile,{folder}/tone.wav
audio_player aufile,/dev/null
audio_alert aufile,/dev/null
audio_channels 1
rtp_ports {rtp}-{rtp_end}
"""
_ACCOUNT = (
    "<sip:{user}@{server};transport={transport}>;auth_pass={password};regint=60;answermode={answer};audio_codecs=PCMU\n"
)
_SECOND = 8_000  # samples


class NotSeen(AssertionError):
    """What was waited for did not happen in time."""


class Baresip:
    """One phone with one account. `server` is HOST or HOST:PORT, as people type it; reports are kept in `events`."""

    def __init__(
        self, folder: Path, user: str, password: str, server: str, transport: str, *, answers: bool = True
    ) -> None:
        self.user = user
        self.events: list[dict[str, Any]] = []
        self._folder = folder
        self._control_port = free_port()
        self._buffer = b""
        folder.mkdir()
        rtp = free_port() & ~1
        (folder / "config").write_text(
            _CONFIGURATION.format(
                host=LOOPBACK, own=server.partition(":")[0], control=self._control_port, folder=folder, rtp=rtp,
                rtp_end=rtp + 98,
            )
        )  # fmt: skip
        (folder / "accounts").write_text(
            _ACCOUNT.format(
                user=user, server=server, transport=transport, password=password,
                answer="auto" if answers else "manual",
            )
        )  # fmt: skip
        (folder / "contacts").touch()
        _write_tone(folder / "tone.wav")
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["baresip", "-f", str(folder), "-v"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._control = self._connect()

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection((LOOPBACK, self._control_port), 1)
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.close()
                    raise NotSeen(f"baresip does not start\n{self.log()}") from None
                time.sleep(0.05)

    def log(self) -> str:
        """What it printed, without the echo of our commands."""
        lines = (self._folder / "log").read_text("utf-8", "replace").splitlines()
        return "\n".join(line for line in lines if "ctrl_tcp: handle_command" not in line)

    def close(self) -> None:
        """End the process; its registration is taken back on the way out."""
        if hasattr(self, "_control"):
            self._control.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)

    # -- control ------------------------------------------------------------------------------------------------------

    def command(self, name: str, parameters: str = "") -> str:
        """Give a command and return what it printed."""
        token = f"{name}-{time.monotonic_ns()}"
        text = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))
        answer = self._wait(lambda message: message.get("token") == token, f"an answer to {name}", 5)
        assert answer["ok"], answer
        return str(answer["data"])

    def mark(self) -> int:
        """A place in `events`: `wait_for` begins there."""
        return len(self.events)

    def wait_for(self, kind: str, since: int = 0, limit: float = 8) -> dict[str, Any]:
        """The first event of this type after `since`, which may have come already."""
        for event in self.events[since:]:
            if event.get("type") == kind:
                return event
        return self._wait(lambda message: message.get("type") == kind, kind, limit)

    def _wait(self, wanted: Callable[[dict[str, Any]], bool], name: str, limit: float) -> dict[str, Any]:
        deadline = time.monotonic() + limit
        while True:
            message = self._next(deadline)
            if message is None:
                kinds = [event.get("type") for event in self.events]
                raise NotSeen(f"{self.user}: no {name} within {limit} s; there were {kinds}\n{self.log()}")
            if message.get("event"):
                self.events.append(message)
            if wanted(message):
                return message

    def _next(self, deadline: float) -> dict[str, Any] | None:
        """The next netstring: LENGTH:JSON,"""
        while True:
            length, colon, rest = self._buffer.partition(b":")
            if colon and len(rest) > int(length):
                self._buffer = rest[int(length) + 1 :]
                message: dict[str, Any] = json.loads(rest[: int(length)])
                return message
            self._control.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._control.recv(65_536)
            except TimeoutError:
                return None
            if not data:
                return None
            self._buffer += data

    # -- registering and calling --------------------------------------------------------------------------------------

    def wait_until_registered(self, limit: float = 10) -> None:
        """Ask until the registration is confirmed: it may have been before the control connection was there."""
        deadline = time.monotonic() + limit
        while "OK " not in self.command("reginfo"):
            if time.monotonic() > deadline:
                raise NotSeen(f"{self.user} is not registered\n{self.log()}")
            time.sleep(0.05)

    def is_holding(self) -> bool:
        return "(on hold)" in self.command("listcalls")

    def has_call(self) -> bool:
        return "ESTABLISHED" in self.command("listcalls")


def _write_tone(file: Path) -> None:
    with wave.open(str(file), "wb") as tone:
        tone.setnchannels(1)
        tone.setsampwidth(2)
        tone.setframerate(_SECOND)
        tone.writeframes(bytes([0, 64, 0, 192]) * (_SECOND * 10))
