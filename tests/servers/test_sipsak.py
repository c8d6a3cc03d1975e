"""sipsak, the network administrator's SIP ping: is the server there, and its usrloc mode, which registers."""

from __future__ import annotations

import subprocess

import pytest
from sipp_runner.server import Server

from tests.servers.conftest import DOMAIN, PASSWORD
from tests.servers.phone import Phone

pytestmark = pytest.mark.program("sipsak")


def sipsak(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sipsak", "-p", f"{server.host}:{server.port}", "-H", server.host, "-vv", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def usrloc(server: Server, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    return sipsak(server, "-U", "-u", "1001", "-a", password, "-s", f"sip:1001@{DOMAIN}", *arguments)


def bound(server: Server) -> set[str]:
    with Phone("1001", PASSWORD, (server.host, server.port)) as phone:
        return phone.bindings()


def test_options_is_answered_by_the_server_itself(server: Server) -> None:
    done = sipsak(server, "-s", f"sip:{DOMAIN}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIP/2.0 200 OK" in done.stdout


def test_usrloc_mode_registers_and_takes_back(server: Server) -> None:
    done = usrloc(server, "-C", "sip:1001@127.0.0.9:5070", "-x", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All usrloc tests completed successful." in done.stdout
    assert bound(server) == {"sip:1001@127.0.0.9:5070"}

    done = usrloc(server, "-C", "*", "-x", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert bound(server) == set()


def test_usrloc_mode_with_a_wrong_password_fails_and_binds_nothing(server: Server) -> None:
    done = usrloc(server, password="another password")
    assert done.returncode == 2, done.stdout + done.stderr
    assert bound(server) == set()
