"""One SIPp process: its command line, its end, and what it leaves behind."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sipp_runner.counts import Counts, read_counts
from sipp_runner.ports import is_bound

SOCKET_BUFFER = 4_000_000  # bytes; SIPp's own 64 kB overflow at a thousand calls a second


@dataclass(frozen=True, slots=True)
class Load:
    """How many calls, how many of them begin each second, and after how many seconds SIPp gives up."""

    calls: int
    rate: float
    time_limit: float

    def arguments(self) -> list[str]:
        rate = ["-r", str(round(self.rate))] if self.rate >= 10 else ["-r", "1", "-rp", str(round(1000 / self.rate))]
        return [*rate, "-m", str(self.calls), "-timeout", f"{max(1, round(self.time_limit))}s", "-timeout_error"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one process ended. `exit` is None when it had to be ended by us."""

    exit: int | None
    counts: Counts
    errors: str
    """What it wrote about calls that went wrong."""


class Sipp:
    """A running SIPp. Its files lie in `folder` and begin with `name`."""

    def __init__(
        self,
        name: str,
        scenario: Path,
        folder: Path,
        remote: str,
        local: tuple[str, int],
        load: Load,
        *,
        transport: str = "udp",
        options: Sequence[str] = (),
        prefix: Sequence[str] = (),
        program: str = "sipp",
    ) -> None:
        self.name = name
        self.port = local[1]
        self.transport = transport
        self._folder = folder
        self._screen = folder / f"{name}.screen"
        command = [
            *prefix, program, remote, "-sf", str(scenario), "-t", {"udp": "u1", "tcp": "t1"}[transport],
            "-i", local[0], "-p", str(local[1]), *load.arguments(), "-nostdin", "-buff_size", str(SOCKET_BUFFER),
            "-trace_err", "-error_file", str(self._file("errors")), "-trace_stat", "-stf", str(self._file("csv")),
            *options,
        ]  # fmt: skip
        with self._screen.open("wb") as screen:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=screen, stderr=screen, cwd=folder)

    def _file(self, kind: str) -> Path:
        return self._folder / f"{self.name}.{kind}"

    def wait_until_bound(self, limit: float = 5.0) -> bool:
        """Whether its port is open before it ends and before the limit, in seconds."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self.process.poll() is None:
            if is_bound(self.transport, self.port):
                return True
            time.sleep(0.01)
        return False

    def wait(self, limit: float) -> Outcome:
        """Wait for its end, at most `limit` seconds, then end it."""
        code: int | None
        try:
            code = self.process.wait(max(0.0, limit))
        except subprocess.TimeoutExpired:
            self.end()
            code = None
        return Outcome(code, read_counts(self._file("csv")), self._errors())

    def end(self) -> None:
        """End the process if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def _errors(self) -> str:
        for file in (self._file("errors"), self._screen):
            if file.exists() and (text := file.read_text("latin-1").strip()):
                return text
        return ""
