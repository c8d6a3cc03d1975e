"""JsSIP in Chromium: two browsers register and talk to each other through Ringway, by WebSocket, also with TLS."""

from __future__ import annotations

import base64
import hashlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sipp_runner.accounts import Account
from sipp_runner.ports import LOOPBACK, free_port
from sipp_runner.server import Server

from tests.authority import Authority
from tests.servers.chromium import INSTALLED, Chromium, Page, within
from tests.servers.conftest import DOMAIN, PASSWORD, NewServer
from tests.servers.phone import Phone

pytestmark = [
    pytest.mark.program("chromium"),
    pytest.mark.program("node"),
    pytest.mark.skipif(not INSTALLED.is_dir(), reason="JsSIP is missing: npm ci --prefix tests/browser"),
]

_MORE = """
[tls]
certificate = "{folder}/own.pem"
key = "{folder}/own.key"
[websocket]
origins = ["{origin}"]
"""


@dataclass
class Office:
    """A server that takes one page, and a browser that has it."""

    server: Server
    browser: Chromium
    urls: dict[str, str]

    def phone(self, user: str, transport: str, origin: str = "") -> Page:
        """A page whose phone has been started."""
        page = self.browser.open(user, origin)
        page.run("start", {"url": self.urls[transport], "uri": f"sip:{user}@{DOMAIN}", "password": PASSWORD})
        return page

    def registered(self, user: str, transport: str) -> Page:
        """A page whose phone has registered with its password."""
        page = self.phone(user, transport)
        page.wait("registered")
        return page

    def bindings(self, user: str) -> set[str]:
        """What the server holds, asked by UDP."""
        with Phone(user, PASSWORD, (LOOPBACK, self.server.port), DOMAIN) as asking:
            return {uri for uri in asking.bindings() if uri.startswith("sip:")}


@pytest.fixture
def office(new_server: NewServer, tmp_path: Path) -> Iterator[Office]:
    files = Authority(tmp_path).issue(addresses=[LOOPBACK], uris=[f"sip:{DOMAIN}"], name="own")
    ports = {"ws": free_port(), "wss": free_port()}
    page = free_port()
    server = new_server(
        configuration=_MORE.format(folder=tmp_path, origin=f"http://127.0.0.1:{page}"),
        listen=[f"{transport}:{LOOPBACK}:{port}" for transport, port in ports.items()],
    )
    server.add_users([Account("1001", PASSWORD), Account("1002", PASSWORD)])
    server.start()
    urls = {transport: f"{transport}://{LOOPBACK}:{port}" for transport, port in ports.items()}
    known = f"--ignore-certificate-errors-spki-list={fingerprint(files.certificate)}"
    with Chromium(page, tmp_path / "browser.log", known) as browser:
        yield Office(server, browser, urls)
    print((tmp_path / "browser.log").read_text("utf-8", "replace"))


def fingerprint(certificate: str) -> str:
    """How Chromium is told of a certificate that nobody else trusts: the SHA-256 of its public key."""
    key = x509.load_pem_x509_certificate(Path(certificate).read_bytes()).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


def hears_the_other(page: Page) -> bool:
    """Whether so many packets of sound have come, encrypted, that it can be no accident."""
    found = page.run("statistics")
    return bool(found["received"] > 50 and found["dtls"] == "connected" and found["ice"] in ("connected", "completed"))


@pytest.mark.conformance("RFC 7118 4.1", "RFC 7118 5", "RFC 7118 5.1", "RFC 7118 5.2")
@pytest.mark.parametrize(("caller", "callee"), [("ws", "ws"), ("wss", "wss"), ("ws", "wss")])
def test_two_browsers_talk_and_a_page_that_closes_is_gone(office: Office, caller: str, callee: str) -> None:
    alice, bob = office.registered("1001", caller), office.registered("1002", callee)
    alice.run("call", f"sip:1002@{DOMAIN}")
    bob.wait("confirmed")
    alice.wait("confirmed")
    for page in (alice, bob):
        assert within(20.0, lambda page=page: hears_the_other(page), 0.2), page.run("statistics")
    alice.run("hangUp")
    assert bob.wait("ended") == alice.wait("ended") == ["Terminated"]

    bob.run("call", f"sip:1001@{DOMAIN}")
    alice.wait("confirmed", 2)
    bob.wait("confirmed", 2)
    alice.run("hangUp")  # by the side that was called
    bob.wait("ended", 2)

    assert len(office.bindings("1002")) == 1
    bob.close()
    assert within(1.0, lambda: office.bindings("1002") == set())
    assert len(office.bindings("1001")) == 1
    alice.run("call", f"sip:1002@{DOMAIN}")
    assert alice.wait("failed") == ["Unavailable"]  # what JsSIP says of a 480


@pytest.mark.conformance("RFC 6455 10.2")
def test_a_page_of_another_origin_does_not_connect(office: Office) -> None:
    stranger = office.phone("1001", "ws", office.browser.origin.replace("127.0.0.1", "localhost"))
    stranger.wait("disconnected")
    assert stranger.heard("connected") == []
    assert "which is not in websocket.origins" in office.server.printed()


def test_a_wrong_password_is_told_to_the_page(office: Office) -> None:
    page = office.browser.open("1001")
    page.run("start", {"url": office.urls["ws"], "uri": f"sip:1001@{DOMAIN}", "password": "wrong"})
    assert page.wait("registrationFailed") == ["Authentication Error"]


@pytest.mark.conformance("RFC 6455 7.4.1")
def test_pages_come_back_when_the_server_has_been_started_again(office: Office) -> None:
    alice = office.registered("1001", "ws")
    before = office.bindings("1001")
    assert office.server.stop() == 0
    assert alice.wait("disconnected")[0] == "1001"
    office.server.start()
    alice.wait("registered", 2, 20.0)
    assert within(5.0, lambda: len(office.bindings("1001")) == 1), (before, office.bindings("1001"))


def example(language: str) -> str:
    """The one block of a language in docs/browsers.md."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "browsers.md").read_text("utf-8")
    (block,) = re.findall(rf"^( *)```{language}\n(.*?)^\1```", page, re.MULTILINE | re.DOTALL)
    return textwrap.dedent(block[1])


def test_the_page_of_the_documentation_is_a_phone(new_server: NewServer, tmp_path: Path) -> None:
    port, page = free_port(), free_port()
    server = new_server(listen=[f"ws:{LOOPBACK}:{port}"])
    server.add_users([Account("1001", PASSWORD), Account("1002", PASSWORD)])
    server.start()
    shown = "ws://127.0.0.1:8080"
    assert shown in example("js")
    (tmp_path / "phone.js").write_text(example("js").replace(shown, f"ws://127.0.0.1:{port}"))
    (tmp_path / "index.html").write_text(example("html"))
    with Chromium(page, tmp_path / "browser.log", folder=tmp_path) as browser:
        alice, bob = browser.open("alice"), browser.open("bob")
        for one, user in ((alice, "1001"), (bob, "1002")):
            one.fill(user=user, password=PASSWORD)
            one.click("register")
            assert one.shows("registered")
        alice.fill(number="1002")
        alice.click("call")
        assert bob.shows("1001 calls")
        bob.click("answer")
        assert alice.shows("talking") and bob.shows("talking")
        bob.click("hangup")
        assert alice.shows("ended: Terminated") and bob.shows("ended: Terminated")
        alice.fill(password="wrong")
        alice.click("register")
        assert alice.shows("not registered: Authentication Error")
