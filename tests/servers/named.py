"""Debian's bind9 as a private name server: one zone, a free loopback port, files in a folder of the test."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sipp_runner.kamailio import PATH
from sipp_runner.ports import LOOPBACK, free_port

_CONFIGURATION = """\
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    listen-on port {port} {{ {host}; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; minimal-responses yes;
}};
controls {{ }};
zone "{zone}" {{ type primary; file "{folder}/zone"; }};
"""
_HEAD = """\
$TTL 60
@ IN SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 10
@ IN NS ns.{zone}.
ns IN A {host}
"""


class Named:
    """A bind9 that serves one zone; `records` are lines of its zone file."""

    def __init__(self, folder: Path, zone: str, records: str) -> None:
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self._log = folder / "named.log"
        (folder / "zone").write_text(_HEAD.format(zone=zone, host=LOOPBACK) + records + "\n", "ascii")
        (folder / "named.conf").write_text(
            _CONFIGURATION.format(folder=folder, zone=zone, port=self.port, host=LOOPBACK), "ascii"
        )
        program = shutil.which("named", path=PATH)
        assert program is not None
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(folder / "named.conf"), "-f", "-n", "1"], stdout=log, stderr=log, cwd=folder
            )
        self._zone = zone
        self._wait()

    def _wait(self, limit: float = 10.0) -> None:
        """Until it answers for its zone."""
        labels = b"".join(bytes([len(label)]) + label.encode() for label in self._zone.split("."))
        question = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 6, 1)
        deadline = time.monotonic() + limit
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.1)
            asker.connect((LOOPBACK, self.port))
            while time.monotonic() < deadline and self._process.poll() is None:
                try:
                    asker.send(question)
                    answer = asker.recv(512)
                except OSError:  # refused, or no answer yet
                    time.sleep(0.05)
                    continue
                if struct.unpack_from("!4H", answer)[3] == 1:
                    return
        self.stop()
        raise AssertionError(f"named does not answer for {self._zone}:\n{self._log.read_text('utf-8', 'replace')}")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()
