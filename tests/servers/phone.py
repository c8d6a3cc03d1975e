"""A phone of a few lines: SIP over one UDP socket, MD5 digest, and nothing of Ringway's own code.

It is used where a real program can't be told to do what the test needs: to keep count of what was promised to it, or
to send one request at one moment.
"""

from __future__ import annotations

import hashlib
import re
import socket
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field


class NoAnswer(Exception):
    """Nothing came in time."""


@dataclass(frozen=True)
class Message:
    """A request or response as text; headers in order, names in lower case."""

    first_line: str
    headers: list[tuple[str, str]]
    body: str = ""

    @property
    def status(self) -> int:
        return int(self.first_line.split(" ")[1])

    @property
    def method(self) -> str:
        return self.first_line.split(" ")[0]

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]

    def first(self, name: str) -> str:
        return self.all(name)[0]


def parse(data: bytes) -> Message:
    """Long header names, no folding: what the server under test writes."""
    head, _, body = data.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
    first_line, *lines = head.split("\r\n")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Message(first_line, headers, body)


@dataclass
class _Challenge:
    realm: str
    nonce: str
    header: str
    uses: int = 0


def _challenge(response: Message) -> _Challenge:
    proxy = response.status == 407
    for value in response.all("proxy-authenticate" if proxy else "www-authenticate"):
        parameters = dict(re.findall(r'(\w+)="?([^",]*)"?', value))
        if parameters.get("algorithm", "MD5") == "MD5":
            header = "Proxy-Authorization" if proxy else "Authorization"
            return _Challenge(parameters["realm"], parameters["nonce"], header)
    raise AssertionError(f"no MD5 challenge in {response}")


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


@dataclass
class Phone:
    """One user at one UDP port. `server` is where everything is sent to; times are seconds."""

    user: str
    password: str
    server: tuple[str, int]
    domain: str = "example.com"
    wait: float = 2.0
    _cseq: int = 0
    _challenge: _Challenge | None = None
    _call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.host, self.port = self._socket.getsockname()
        self.via = f"SIP/2.0/UDP {self.host}:{self.port}"
        self.address_of_record = f"sip:{self.user}@{self.domain}"
        self.contact = f"sip:{self.user}@{self.host}:{self.port}"

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # -- registering --------------------------------------------------------------------------------------------------

    def register(self, *contacts: str, expires: int = 600) -> Message:
        """REGISTER with these Contact values (none: a query), answering challenges; the final response."""
        lines = [f"Contact: {contact}" for contact in contacts] + [f"Expires: {expires}"]
        uri = f"sip:{self.domain}"
        for _ in range(3):
            response = self.ask("REGISTER", uri, [*lines, *self._credentials("REGISTER", uri)])
            if response.status != 401:
                return response
            self._challenge = _challenge(response)
        return response

    def bindings(self) -> set[str]:
        """The contact URIs that the server holds for this user."""
        response = self.register()
        assert response.status == 200, response
        return {uri for value in response.all("contact") for uri in re.findall(r"<([^>]*)>", value)}

    def _credentials(self, method: str, uri: str) -> list[str]:
        if self._challenge is None:
            return []
        challenge = self._challenge
        challenge.uses += 1
        count, cnonce = f"{challenge.uses:08x}", uuid.uuid4().hex[:8]
        ha1 = md5(self.user, challenge.realm, self.password)
        response = md5(ha1, challenge.nonce, count, cnonce, "auth", md5(method, uri))
        return [
            f'{challenge.header}: Digest username="{self.user}", realm="{challenge.realm}", nonce="{challenge.nonce}", '
            f'uri="{uri}", response="{response}", algorithm=MD5, qop=auth, nc={count}, cnonce="{cnonce}"'
        ]

    # -- requests and responses ---------------------------------------------------------------------------------------

    def ask(self, method: str, uri: str, lines: Sequence[str] = (), to: str = "") -> Message:
        """Send a request, again every half second while nothing comes, and return its final response."""
        self.send(method, uri, lines, to)
        deadline = time.monotonic() + self.wait
        while True:
            try:
                return self.final(min(0.5, deadline - time.monotonic()))
            except NoAnswer:
                if time.monotonic() >= deadline:
                    raise
                self._socket.sendto(self._sent, self.server)

    def final(self, wait: float | None = None) -> Message:
        """The final response to what was sent last; 1xx and what belongs to something else is passed over."""
        deadline = time.monotonic() + (self.wait if wait is None else wait)
        while True:
            message = self.receive(deadline - time.monotonic())
            own = message.first_line.startswith("SIP/2.0 ") and message.first("cseq") == self._sent_cseq
            if own and message.first("call-id") == self._call_id and message.status >= 200:
                return message

    def send(self, method: str, uri: str, lines: Sequence[str] = (), to: str = "") -> None:
        """Send a request of its own transaction, with what every request has and `lines`."""
        self._cseq += 1
        self._sent_cseq = f"{self._cseq} {method}"
        self._branch = "z9hG4bK" + uuid.uuid4().hex
        head = [
            f"{method} {uri} SIP/2.0",
            f"Via: {self.via};branch={self._branch}",
            "Max-Forwards: 70",
            f"From: <{self.address_of_record}>;tag={self._tag}",
            f"To: {to or f'<{self.address_of_record}>'}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {self._sent_cseq}",
            *lines,
            "Content-Length: 0",
        ]
        self._sent = self._send(head)

    def begin_anew(self) -> None:
        """Belong to another call from now on, and know no challenge."""
        self._call_id = uuid.uuid4().hex
        self._challenge = None

    def call(self, uri: str, challenge: Message | None = None) -> None:
        """Send an INVITE, with credentials when a challenge is given."""
        if challenge is not None:
            self._challenge = _challenge(challenge)
        self.send("INVITE", uri, [f"Contact: <{self.contact}>", *self._credentials("INVITE", uri)], to=f"<{uri}>")

    def acknowledge_failure(self, uri: str, response: Message) -> None:
        """The ACK that belongs to the INVITE's own transaction (RFC 3261 17.1.1.3)."""
        self._send([
            f"ACK {uri} SIP/2.0",
            f"Via: {self.via};branch={self._branch}",
            "Max-Forwards: 70",
            f"From: {response.first('from')}",
            f"To: {response.first('to')}",
            f"Call-ID: {response.first('call-id')}",
            f"CSeq: {self._cseq} ACK",
            "Content-Length: 0",
        ])  # fmt: skip

    def answer(self, request: Message, status: int, reason: str) -> None:
        """Answer a request, with our tag and contact."""
        copied = [f"{name}: {value}" for name, value in request.headers if name in ("via", "record-route")]
        to = request.first("to")
        self._send([
            f"SIP/2.0 {status} {reason}",
            *copied,
            f"From: {request.first('from')}",
            f"To: {to if ';tag=' in to else f'{to};tag={self._tag}'}",
            f"Call-ID: {request.first('call-id')}",
            f"CSeq: {request.first('cseq')}",
            f"Contact: <{self.contact}>",
            "Content-Length: 0",
        ])  # fmt: skip

    def _send(self, lines: Sequence[str]) -> bytes:
        data = "\r\n".join([*lines, "", ""]).encode()
        self._socket.sendto(data, self.server)
        return data

    def receive(self, wait: float | None = None) -> Message:
        """The next message, whatever it is."""
        self._socket.settimeout(max(0.001, self.wait if wait is None else wait))
        try:
            return parse(self._socket.recv(65_535))
        except OSError:
            raise NoAnswer(f"{self.user}: nothing came") from None
