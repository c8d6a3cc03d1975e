"""The datagrams that systemd gets."""

import os
import socket
from pathlib import Path

import pytest

from routing.program.notify import notify, watchdog_interval


@pytest.mark.parametrize("abstract", [False, True])
def test_a_supervisor_is_told(tmp_path: Path, abstract: bool) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(f"\0{path}" if abstract else path)
        assert notify("READY=1", {"NOTIFY_SOCKET": f"@{path}" if abstract else path})
        supervisor.settimeout(5)
        assert supervisor.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    "environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:1"}, {"NOTIFY_SOCKET": "/nonexistent"}]
)
def test_without_a_supervisor_nothing_happens(environ: dict[str, str]) -> None:
    assert not notify("READY=1", environ)


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 10),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 10),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
    ],
)
def test_signs_of_life_come_three_times_as_often_as_asked(environ: dict[str, str], interval: float | None) -> None:
    assert watchdog_interval(environ) == interval
