"""The stack on a transport that is reliable and keeps messages apart: WebSocket (RFC 7118)."""

from __future__ import annotations

import pytest

from sipcore.flow import Flow, Packet
from sipcore.message import Request, Response, parse
from sipcore.stack import CLOSE, Stack
from sipcore.transaction.user import ServerTransaction
from tests.wire import new_tokens, request

US, BROWSER = ("10.0.0.1", 80), ("10.0.0.2", 40_001)


class Answering:
    """Answers each request with 200."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def request(self, request: Request, transaction: ServerTransaction) -> None:
        self.requests.append(request)
        transaction.respond(request.response(200, to_tag="b1"))

    def ack(self, request: Request, flow: Flow) -> None:
        raise AssertionError("no ACK was sent")

    def stray_response(self, response: Response, flow: Flow) -> None:
        raise AssertionError("no response was sent")


class Browser:
    """A stack, and somebody who has connected to it."""

    def __init__(self) -> None:
        self.user = Answering()
        self.stack = Stack(user=self.user, open_flow=lambda target: self.flow, tokens=new_tokens())
        self.flow = Flow("ws", US, BROWSER)
        self.number = 0

    def options(self, *headers: str, body: bytes = b"") -> bytes:
        self.number += 1
        return request(
            "OPTIONS", "sip:example.com", source=("x1.invalid", 80), branch=f"o{self.number}", transport="WS",
            headers=headers, body=body,
        ).write()  # fmt: skip

    def send(self, data: bytes) -> list[int | str]:
        """Send one WebSocket message; what comes back, in short."""
        self.stack.receive_message(data, self.flow, 100.0)
        found = [shown(packet) for packet in self.stack.outbox]
        self.stack.outbox.clear()
        return found


def shown(packet: Packet) -> int | str:
    data = packet[1]
    if data == CLOSE:
        return "close"
    if data == b"\r\n":
        return "pong"
    response = parse(data)
    assert isinstance(response, Response)
    return response.status


@pytest.mark.conformance("RFC 7118 5")
def test_each_message_is_answered_by_its_connection() -> None:
    browser = Browser()
    assert browser.send(browser.options()) == [200]
    assert browser.user.requests[0].via.received == BROWSER[0]


@pytest.mark.conformance("RFC 7118 6", "RFC 5626 4.4.1")
def test_a_keep_alive_is_answered_and_a_pong_is_not() -> None:
    browser = Browser()
    assert browser.send(b"\r\n\r\n") == ["pong"]
    assert browser.send(b"\r\n") == []
    assert browser.send(b"") == []


@pytest.mark.row("A25b")
def test_two_messages_in_one_are_refused_and_nothing_is_carried_over() -> None:
    browser = Browser()
    first, second = browser.options(), browser.options()
    assert browser.send(first + second) == [400, "close"]
    assert browser.user.requests == []


@pytest.mark.row("A25b")
def test_half_a_message_is_refused_and_its_rest_is_none_either() -> None:
    browser = Browser()
    whole = browser.options("Content-Type: text/plain", body=b"hello")
    assert browser.send(whole[:-2]) == [400, "close"]
    assert browser.send(whole[-2:]) == ["close"]  # without a Via there is nobody to answer to
    assert browser.user.requests == []
    assert browser.stack.counters.malformed == 2


def test_a_message_with_a_bad_header_is_refused_and_the_next_one_is_taken() -> None:
    browser = Browser()
    assert browser.send(browser.options("Subject: ab").replace(b"ab", b"a\x01b")) == [400]
    assert browser.send(browser.options()) == [200]


def test_what_is_too_large_is_told_so() -> None:
    browser = Browser()
    data = browser.options("Content-Type: text/plain").replace(b"Content-Length: 0", b"Content-Length: 70000")
    assert browser.send(data + bytes(70_000)) == [513]


@pytest.mark.conformance("RFC 7118 5.4")
def test_a_message_without_a_length_is_forwarded_with_one() -> None:
    browser = Browser()
    data = browser.options("Content-Type: text/plain", body=b"hello").replace(b"Content-Length: 5\r\n", b"")
    assert b"Content-Length" not in data
    assert browser.send(data) == [200]
    assert b"Content-Length: 5\r\n" in browser.user.requests[0].write()
