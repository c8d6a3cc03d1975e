"""Phones by TCP, WebSocket and secure WebSocket, and the calls they hold; what they send is what JsSIP sends."""

from __future__ import annotations

import re
import socket
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage

from tests import raw
from tests.servers.phone import Message, NoAnswer, Phone

LIMIT = 5.0


class Carrier:
    """A TCP connection with the methods of the UDP socket that a `Phone` uses; one message each."""

    def __init__(self, server: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        self._socket: socket.socket = socket.create_connection(server, LIMIT)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self._left = b""
        self._complete: list[bytes] = []
        self.close_code = 0
        """Of the farewell that the server has said."""

    def getsockname(self) -> tuple[str, int]:
        name: tuple[str, int] = self._socket.getsockname()
        return name

    def settimeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def sendto(self, data: bytes, _: tuple[str, int]) -> None:
        self._socket.sendall(data)

    def recv(self, _: int) -> bytes:
        """The next message; OSError when none comes in time or the connection has ended."""
        while not self._complete:
            data = b"" if self.close_code else self._socket.recv(65_535)
            if not data:
                raise OSError("the server has closed the connection")
            self._take(data)
        return self._complete.pop(0)

    def _take(self, data: bytes) -> None:
        self._complete, self._left = raw.cut(self._left + data)

    def close(self) -> None:
        self._socket.close()


class WebSocketCarrier(Carrier):
    """The same by WebSocket."""

    def __init__(self, server: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(server, tls)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._accepted = False
        self._part = ""
        self._socket.sendall(self._protocol.send(Request(host="localhost", target="/", subprotocols=["sip"])))
        while not self._accepted:
            self._take(self._socket.recv(65_535))

    def sendto(self, data: bytes, _: tuple[str, int]) -> None:
        self._socket.sendall(self._protocol.send(TextMessage(data.decode())))

    def _take(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            if isinstance(event, AcceptConnection):
                self._accepted = True
            elif isinstance(event, TextMessage):
                self._part += event.data
                if event.message_finished:
                    self._complete.append(self._part.encode())
                    self._part = ""
            elif isinstance(event, Ping):
                self._socket.sendall(self._protocol.send(event.response()))
            elif isinstance(event, CloseConnection):
                self.close_code = int(event.code)
            else:
                raise AssertionError(event)

    def leave(self) -> None:
        """What a browser does when its page is closed."""
        self._socket.sendall(self._protocol.send(CloseConnection(1001)))
        self._socket.close()


@dataclass
class CarriedPhone(Phone):
    """A phone with a connection; by WebSocket it knows no address of its own (RFC 7118 section 5)."""

    transport: str = "ws"
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        make: Callable[..., Any] = Carrier if self.transport == "tcp" else WebSocketCarrier
        self._socket = make(self.server, self.tls)
        self.host, self.port = self._socket.getsockname()
        self.address_of_record = f"sip:{self.user}@{self.domain}"
        random = uuid.uuid4().hex
        where = f"{self.host}:{self.port}" if self.transport == "tcp" else f"{random[:12]}.invalid"
        parameter = "tcp" if self.transport == "tcp" else "ws"  # also with wss, as browsers do
        self.via = f"SIP/2.0/{self.transport.upper()} {where}"
        self.contact = f"sip:{random[12:20]}@{where};transport={parameter}"

    def leave(self) -> None:
        """Close the page."""
        assert isinstance(self._socket, WebSocketCarrier)
        self._socket.leave()


@dataclass
class Dialog:
    """One side of a call that stands, made of what its phone has received."""

    phone: Phone
    local: str
    remote: str
    target: str
    call_id: str
    routes: list[str]
    cseq: int
    _sent: list[str] = field(default_factory=list)

    @classmethod
    def of_caller(cls, phone: Phone, answer: Message) -> Dialog:
        """From the 200; the route set is turned round (RFC 3261 section 12.1.2)."""
        cseq = int(answer.first("cseq").split()[0])
        return cls(
            phone, answer.first("from"), answer.first("to"), uri_of(answer.first("contact")),
            answer.first("call-id"), values(answer, "record-route")[::-1], cseq,
        )  # fmt: skip

    @classmethod
    def of_callee(cls, phone: Phone, invite: Message, tag: str) -> Dialog:
        """From the INVITE that was answered with `tag`."""
        return cls(
            phone, f"{invite.first('to')};tag={tag}", invite.first("from"), uri_of(invite.first("contact")),
            invite.first("call-id"), values(invite, "record-route"), 100,
        )  # fmt: skip

    def send(self, method: str) -> None:
        """Send a request inside the call; an ACK has the number of the INVITE."""
        self.cseq += method != "ACK"
        self.phone._send([
            f"{method} {self.target} SIP/2.0",
            f"Via: {self.phone.via};branch=z9hG4bK{uuid.uuid4().hex}",
            "Max-Forwards: 70",
            f"From: {self.local}",
            f"To: {self.remote}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            *(f"Route: {route}" for route in self.routes),
            "Content-Length: 0",
        ])  # fmt: skip


def values(message: Message, name: str) -> list[str]:
    """Each value of a header, also of several on one line."""
    return [value.strip() for line in message.all(name) for value in re.split(r",(?=\s*<)", line)]


def uri_of(contact: str) -> str:
    """What stands between the brackets."""
    found = re.search(r"<([^>]*)>", contact)
    assert found is not None, contact
    return found[1]


def wait_for_message(phone: Phone, wanted: Callable[[Message], bool], tries: int = 10) -> Message:
    """The next message that fits; others are passed over."""
    for _ in range(tries):
        message = phone.receive(LIMIT)
        if wanted(message):
            return message
    raise NoAnswer(f"{phone.user}: what came was something else")
