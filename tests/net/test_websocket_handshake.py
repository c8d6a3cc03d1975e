"""Who gets a WebSocket, and what those are told who don't."""

from __future__ import annotations

import gc

import pytest
import trio

from sipcore.net.byte_stream import TcpStream
from sipcore.net.websocket_handshake import Opened, Refused, WebSocketHandshake
from sipcore.net.websocket_stream import HandshakeRefused, WebSocketStream
from tests.net.websocket_client import ACCEPT, KEY, handshake

PAGE = "https://phone.example.com"


def outcome(request: bytes, *origins: str, scheme: str = "ws") -> Opened | Refused | None:
    return WebSocketHandshake(scheme, origins).feed(request)


def refused(request: bytes, *origins: str) -> tuple[int, bytes]:
    """Status and the whole answer."""
    found = outcome(request, *origins)
    assert isinstance(found, Refused)
    assert found.answer.startswith(b"HTTP/1.1 %d " % found.status)
    assert b"\r\nSec-WebSocket-Accept" not in found.answer
    head, _, body = found.answer.partition(b"\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    return found.status, found.answer


@pytest.mark.conformance("RFC 7118 4.1", "RFC 6455 4.2.1", "RFC 6455 4.2.2")
def test_a_browser_gets_its_web_socket_with_the_subprotocol_and_without_extensions() -> None:
    found = outcome(handshake())
    assert isinstance(found, Opened)
    assert found.rest == b""
    lines = found.answer.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 101 Switching Protocols"
    assert sorted(lines[1:-2]) == [
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + ACCEPT,
        b"Sec-WebSocket-Protocol: sip",
        b"Upgrade: websocket",
    ]


@pytest.mark.parametrize(
    "request_",
    [
        handshake("/ws"),
        handshake("/any/path?with=query"),
        handshake(Connection="upgrade"),
        handshake(Upgrade="WebSocket"),
        handshake(Sec_WebSocket_Protocol="xmpp, sip"),
        handshake(Sec_WebSocket_Protocol="xmpp\r\nSec-WebSocket-Protocol: sip"),
        handshake(Origin=None),
        handshake(Sec_WebSocket_Extensions=None),
    ],
)
def test_what_else_is_right(request_: bytes) -> None:
    assert isinstance(outcome(request_), Opened)


def test_the_request_may_be_cut_anywhere_and_frames_may_follow_it() -> None:
    request = handshake()
    for cut in range(1, len(request)):
        reading = WebSocketHandshake("ws", ())
        assert reading.feed(request[:cut]) is None
        found = reading.feed(request[cut:] + b"\x81\x80")
        assert isinstance(found, Opened)
        assert found.rest == b"\x81\x80"


@pytest.mark.row("A24")
@pytest.mark.conformance("RFC 7118 4.1")
@pytest.mark.parametrize("protocol", [None, "", "xmpp", "SIP", "sip2", "sips"])
def test_without_the_subprotocol_it_is_400(protocol: str | None) -> None:
    status, answer = refused(handshake(Sec_WebSocket_Protocol=protocol))
    assert status == 400
    assert b'The subprotocol "sip" is needed' in answer


@pytest.mark.row("A24")
@pytest.mark.conformance("RFC 6455 4.2.2")
@pytest.mark.parametrize("version", [None, "8", "14", "013", "13, 8", "x", "13\r\nSec-WebSocket-Version: 8"])
def test_with_another_version_it_is_426_and_says_which(version: str | None) -> None:
    status, answer = refused(handshake(Sec_WebSocket_Version=version))
    assert status == 426
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer


@pytest.mark.row("A24")
@pytest.mark.conformance("RFC 6455 10.2")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.net",
        "http://phone.example.com",
        "https://phone.example.com:8443",
        "https://phone.example.com.evil.example.net",
        "null",
        f"{PAGE}\r\nOrigin: https://evil.example.net",
    ],
)
def test_a_page_that_is_not_in_the_list_gets_403(origin: str) -> None:
    status, answer = refused(handshake(Origin=origin), PAGE, "http://127.0.0.1:3000")
    assert status == 403
    assert b"may not connect to this server" in answer
    found = outcome(handshake(Origin=origin), PAGE)
    assert isinstance(found, Refused)
    assert "which is not in websocket.origins" in found.why


@pytest.mark.conformance("RFC 6455 10.2")
@pytest.mark.parametrize("origin", [PAGE, "HTTPS://Phone.Example.com", "http://127.0.0.1:3000", None])
def test_a_page_in_the_list_and_who_is_no_browser_may_connect(origin: str | None) -> None:
    assert isinstance(outcome(handshake(Origin=origin), PAGE, "http://127.0.0.1:3000"), Opened)


@pytest.mark.row("A24")
@pytest.mark.parametrize(
    "key", [None, "", "short", KEY.decode()[:-2], "AAAA" * 6, "=" * 24, f"{KEY.decode()}\r\nSec-WebSocket-Key: x"]
)
def test_without_a_good_key_it_is_400(key: str | None) -> None:
    assert refused(handshake(Sec_WebSocket_Key=key))[0] == 400


@pytest.mark.parametrize(("scheme", "url"), [("ws", "ws://x:80/here"), ("wss", "wss://x:80/here")])
def test_a_person_with_a_browser_is_told_what_this_is(scheme: str, url: str) -> None:
    found = outcome(b"GET /here HTTP/1.1\r\nHost: x:80\r\n\r\n", scheme=scheme)
    assert isinstance(found, Refused)
    assert found.status == 426
    assert b"\r\nUpgrade: websocket\r\n" in found.answer
    assert found.answer.endswith(f'connect to it with new WebSocket("{url}", "sip").\n'.encode())
    assert b"Content-Type: text/plain" in found.answer  # what the address holds is shown, never run


@pytest.mark.parametrize("changed", [{"Upgrade": None}, {"Upgrade": "h2c"}, {"Connection": "close"}])
def test_a_request_that_asks_for_no_web_socket_gets_426(changed: dict[str, str | None]) -> None:
    assert refused(handshake(**changed))[0] == 426


def test_other_methods_are_not_allowed() -> None:
    status, answer = refused(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
    assert status == 405
    assert b"\r\nAllow: GET\r\n" in answer
    head = outcome(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert isinstance(head, Refused)
    assert head.answer.endswith(b"\r\n\r\n")


@pytest.mark.row("A24", "A19")
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"INVITE sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (handshake(Host=None), 400),
        (handshake(X="a\x00b"), 400),
        (handshake(Content_Length="4"), 400),
        (handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000, 431),
    ],
)
def test_what_is_no_good_request_is_refused(request_: bytes, status: int) -> None:
    assert refused(request_)[0] == status


def test_whoever_leaves_gets_no_answer() -> None:
    assert outcome(b"") == Refused(b"", 400)
    reading = WebSocketHandshake("ws", ())
    assert reading.feed(handshake()[:50]) is None
    found = reading.feed(b"")
    assert isinstance(found, Refused)


def test_every_refusal_is_freed_by_counting_references() -> None:
    gc.collect()
    gc.disable()
    try:
        for request in (handshake(), handshake(Origin="x"), b"GET / HTTP/1.1\r\n\r\n", b"junk\r\n\r\n", b""):
            outcome(request, PAGE)
        assert gc.collect() == 0
    finally:
        gc.enable()


class GoneClient(TcpStream):
    """A client whose connection is reset when it is answered."""

    def __init__(self, request: bytes) -> None:
        self.request = request

    async def open(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.request

    def send_now(self, data: bytes | bytearray) -> int:
        raise ConnectionResetError


async def test_why_a_page_was_refused_is_known_also_when_it_did_not_wait_for_the_answer() -> None:
    stream = WebSocketStream(GoneClient(handshake(Origin="http://x.example")), "ws", (PAGE,), 1_000)
    with pytest.raises(HandshakeRefused, match=r"which is not in websocket\.origins"):
        await stream.open()
