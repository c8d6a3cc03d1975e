"""OpenSSL's own client against a server process: what is offered, what is refused, and new certificates."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sipp_runner.ports import LOOPBACK, free_port
from sipp_runner.server import Server

from tests.authority import Authority
from tests.servers.conftest import DOMAIN, NewServer
from tests.servers.test_signals import wait_for

pytestmark = pytest.mark.program("openssl")

_TLS = """
[tls]
certificate = "{folder}/own.pem"
key = "{folder}/own.key"
"""
_OPTIONS = (
    f"OPTIONS sip:nobody@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1;rport\r\n"
    f"From: <sip:a@{DOMAIN}>;tag=1\r\nTo: <sip:nobody@{DOMAIN}>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


@dataclass
class Secured:
    """A server that listens for TLS too, and who signed its certificate."""

    server: Server
    port: int
    authority: Authority

    def client(self, *options: str, given: str = _OPTIONS, until: str = "SIP/2.0 ") -> str:
        """Connect, send, and give back what was printed when `until` was, or the client ended."""
        command = ["openssl", "s_client", "-connect", f"{LOOPBACK}:{self.port}", "-CAfile", self.authority.file]
        with subprocess.Popen(
            [*command, "-verify_return_error", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as client:  # fmt: skip
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(given.encode())
            client.stdin.flush()
            printed = b""
            deadline = time.monotonic() + 5
            while until.encode() not in printed:
                ready, _, _ = select.select([client.stdout], [], [], max(0.0, deadline - time.monotonic()))
                part = os.read(client.stdout.fileno(), 65_536) if ready else b""
                if not part:
                    break
                printed += part
            client.terminate()
            return printed.decode("utf-8", "replace")


@pytest.fixture
def secured(new_server: NewServer, tmp_path: Path) -> Secured:
    authority = Authority(tmp_path)
    authority.issue(uris=[f"sip:{DOMAIN}"], names=[DOMAIN], name="own")
    port = free_port()
    server = new_server(configuration=_TLS.format(folder=tmp_path), listen=[f"tls:{LOOPBACK}:{port}"])
    server.add_users([])
    server.start()
    return Secured(server, port, authority)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_request_is_answered(secured: Secured, version: str) -> None:
    printed = secured.client(version, "-servername", DOMAIN)
    assert "Verify return code: 0 (ok)" in printed
    assert "SIP/2.0 4" in printed
    assert ";received=127.0.0.1;rport=" in printed


@pytest.mark.row("A26")
@pytest.mark.conformance("RFC 8996 5")
def test_old_versions_are_refused(secured: Secured) -> None:
    printed = secured.client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in printed
    assert "SIP/2.0" not in printed


def test_a_client_can_not_make_us_negotiate_again(secured: Secured) -> None:
    """R at the beginning of a line asks for it; only TLS 1.2 has it."""
    printed = secured.client("-tls1_2", given="R\n", until="no renegotiation")
    assert "no renegotiation" in printed


def test_a_session_is_resumed(secured: Secured, tmp_path: Path) -> None:
    kept = str(tmp_path / "session")
    assert "\nNew, TLSv1.2" in secured.client("-tls1_2", "-sess_out", kept)
    assert "\nReused, TLSv1.2" in secured.client("-tls1_2", "-sess_in", kept)


def test_new_certificates_are_used_after_sighup_and_wrong_ones_are_not(secured: Secured) -> None:
    server = secured.server
    assert server.process is not None
    secured.authority.issue(names=["new.example"], name="own")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reload: " in server.printed())
    assert "SIP/2.0 4" in secured.client("-verify_hostname", "new.example")
    secured.authority.issue(names=["old.example"], name="own", begins=-timedelta(days=3), lives=timedelta(days=1))
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "own.pem expired on 20" in server.printed())
    assert "own.pem expired on 20" in server.printed()
    assert "SIP/2.0 4" in secured.client("-verify_hostname", "new.example")


def test_a_start_with_an_expired_certificate_fails_for_good(secured: Secured) -> None:
    server = secured.server
    assert server.stop() == 0
    secured.authority.issue(names=["x"], name="own", begins=-timedelta(days=3), lives=timedelta(days=1))
    server.launch()
    assert server.process is not None
    assert server.process.wait(10) == 78
    assert "own.pem expired on 20" in server.printed()
    assert "Traceback" not in server.printed()


def test_a_certificate_that_ends_soon_is_told_at_the_start(secured: Secured) -> None:
    server = secured.server
    assert server.stop() == 0
    secured.authority.issue(names=["x"], name="own", lives=timedelta(days=6))
    server.start()
    wait_for(lambda: "own.pem expires on 20" in server.printed())
