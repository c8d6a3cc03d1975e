"""A Ringway of our own: a process in a folder with its own configuration, route, database and free ports."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sipp_runner.accounts import Account
from sipp_runner.ports import LOOPBACK, free_port
from sipp_runner.probe import wait_until_answered

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "routing.program")
DEFAULT_ROUTE = CHECKOUT / "routing" / "program" / "data" / "main.route"

_CONFIGURATION = """\
listen  = [{listen}]
domains = ["{domain}"]
routes  = "main.route"
[database]
url = "sqlite:///ringway.db"
{more}
"""


class NotStarted(Exception):
    """The server ended or stayed silent; the message holds what it printed."""


class Server:
    """One Ringway. `start`, `stop` and `kill` may be repeated: the folder keeps its state between them."""

    def __init__(
        self,
        folder: Path,
        *,
        domain: str = "example.com",
        route: Path = DEFAULT_ROUTE,
        configuration: str = "",
        listen: Sequence[str] = (),
        prefix: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.domain = domain
        self.host = LOOPBACK
        self.port = free_port()
        self.file = folder / "ringway.toml"
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._prefix = tuple(prefix)
        entries = (f"udp:{self.host}:{self.port}", f"tcp:{self.host}:{self.port}", *listen)
        listens = ", ".join(f'"{entry}"' for entry in entries)
        values = {"listen": listens, "domain": domain, "more": configuration}
        self.file.write_text(_CONFIGURATION.format(**values), "utf-8")
        shutil.copyfile(route, folder / "main.route")

    def command(self, *arguments: str, given: str = "", limit: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Run one `ringway` command to its end, with `given` as its input."""
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        return subprocess.run(
            [*COMMAND, *arguments], input=given, capture_output=True, text=True, timeout=limit, cwd=self.folder,
            env=environment, check=False,
        )  # fmt: skip

    def add_users(self, accounts: Iterable[Account]) -> None:
        """Make the database and its users, as an operator does."""
        self._must("db", "init", "-f", str(self.file))
        for account in accounts:
            name = f"{account.user}@{self.domain}"
            self._must("user", "add", name, "--password-stdin", "-f", str(self.file), given=account.password + "\n")

    def _must(self, *arguments: str, given: str = "") -> None:
        done = self.command(*arguments, given=given)
        if done.returncode != 0:
            raise NotStarted(f"ringway {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")

    def start(self, limit: float = 15.0) -> None:
        """Start and wait until a request is answered."""
        self.launch()
        if not wait_until_answered(self.host, self.port, limit, self.is_running):
            code = self.process.poll() if self.process else None
            self.kill()
            raise NotStarted(f"ringway run: exit code {code}, no answer within {limit} s\n{self.printed()}")

    def launch(self) -> None:
        """Start and don't wait."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._prefix, *COMMAND, "run", "-f", str(self.file)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            )  # fmt: skip

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def printed(self) -> str:
        """All that it wrote since its folder was made."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def stop(self, limit: float = 10.0) -> int | None:
        """SIGTERM and the exit code; None when it had to be killed after `limit` seconds."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self) -> None:
        """SIGKILL: what a power cut does to a process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        if self.is_running():
            self.stop(5.0)
