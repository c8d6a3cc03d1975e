"""A Kamailio of our own: a private process in a folder, with a configuration file and definitions for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sipp_runner.ports import LOOPBACK
from sipp_runner.probe import wait_until_answered

# The shell's PATH of an ordinary user has no /usr/sbin on Debian.
PATH = os.environ.get("PATH", "") + ":/usr/sbin"


def is_installed() -> bool:
    return shutil.which("kamailio", path=PATH) is not None


class Kamailio:
    """One Kamailio at a UDP port (and TCP, if its file says so). `definitions` are what the file asks for by name."""

    def __init__(
        self,
        folder: Path,
        file: Path,
        port: int,
        definitions: Mapping[str, str],
        *,
        options: Sequence[str] = (),
        prefix: Sequence[str] = (),
    ) -> None:
        self.port = port
        self.log = folder / "kamailio.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        defined = [word for name, value in definitions.items() for word in ("-A", f"{name}={value}")]
        # -DD: stay in the foreground; -E: what it says goes to standard error, which is our log.
        self._command = [*prefix, "kamailio", "-f", str(file), "-DD", "-E", "-Y", str(folder), *options, *defined]

    def start(self, limit: float = 30.0) -> None:
        """Start and wait until a request is answered."""
        with self.log.open("ab") as output:
            self.process = process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._folder,
                env={**os.environ, "PATH": PATH},
            )  # fmt: skip
        if not wait_until_answered(LOOPBACK, self.port, limit, lambda: process.poll() is None):
            self.stop()
            raise RuntimeError(f"Kamailio does not answer:\n{self.printed()}")

    def printed(self) -> str:
        """All that it wrote."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
