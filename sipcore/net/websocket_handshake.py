"""The opening handshake of a WebSocket that carries SIP, as its server sees it (RFC 6455 section 4.2, RFC 7118)."""

from __future__ import annotations

import binascii
from typing import NamedTuple

import h11
from wsproto.utilities import generate_accept_token

PROTOCOL = "sip"
_LONGEST_HEAD = 16_384
_VERSION = "13"
_HINT = "Here is the WebSocket of a SIP server, and no web page: phones in browsers connect to it with"


class Opened(NamedTuple):
    """The handshake is over: what to answer, and what the client has sent behind it."""

    answer: bytes
    rest: bytes


class Refused(NamedTuple):
    """No WebSocket: what to answer, and a sentence for the operator when the configuration is why, else ""."""

    answer: bytes
    status: int
    why: str = ""


class WebSocketHandshake:
    """Reads one HTTP request, however it is cut, and decides; `origins` are those of the pages that may connect.

    `scheme` is ws or wss. No origins mean any. A client that names no origin is no browser, and a list would tell
    nothing about it.
    """

    __slots__ = ("_http", "_origins", "_scheme", "_with_body")

    def __init__(self, scheme: str, origins: tuple[str, ...]) -> None:
        self._scheme = scheme
        self._origins = origins
        self._with_body = True  # of our answer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)

    def feed(self, data: bytes) -> Opened | Refused | None:
        """Take bytes of the client; None while the request is not complete."""
        http = self._http
        try:
            http.receive_data(data)
            event = http.next_event()
        except h11.RemoteProtocolError as error:
            error.with_traceback(None)  # it holds itself by its frames: a cycle
            return self._refuse(error.error_status_hint, "This is no request of HTTP/1.1.")
        if event is h11.NEED_DATA:
            return None
        if not isinstance(event, h11.Request):  # it left without one
            return Refused(b"", 400)
        return self._decide(event)

    def _decide(self, request: h11.Request) -> Opened | Refused:
        fields = _Fields(request)
        self._with_body = request.method != b"HEAD"
        if request.method != b"GET":
            return self._refuse(405, f"{_HINT} GET.", ("Allow", "GET"))
        if "websocket" not in fields.words("upgrade") or "upgrade" not in fields.words("connection"):
            hint = f'{_HINT} new WebSocket("{self._scheme}://{fields.address()}", "{PROTOCOL}").'
            return self._refuse(426, hint, ("Upgrade", "websocket"))
        if request.http_version != b"1.1":
            return self._refuse(400, "A WebSocket needs HTTP/1.1.")
        if fields.first("sec-websocket-version") != _VERSION:
            # RFC 6455 section 4.4: the client learns which version we speak.
            hint = f"Only version {_VERSION} of WebSocket is spoken here."
            return self._refuse(426, hint, ("Upgrade", "websocket"), ("Sec-WebSocket-Version", _VERSION))
        key = fields.first("sec-websocket-key")
        if not _is_key(key):
            return self._refuse(400, "Sec-WebSocket-Key is missing or is not 16 bytes in base64.")
        if PROTOCOL not in fields.values("sec-websocket-protocol"):
            return self._refuse(400, f'The subprotocol "{PROTOCOL}" is needed: Sec-WebSocket-Protocol: {PROTOCOL}.')
        strangers = [one for one in fields.texts("origin") if one.lower() not in self._origins]
        if self._origins and strangers:  # RFC 6455 section 10.2
            origin = strangers[0][:200]
            hint = f"Pages of {origin} may not connect to this server."
            return self._refuse(403, hint, why=f'its page is of "{origin}", which is not in websocket.origins')
        if not isinstance(self._http.next_event(), h11.EndOfMessage):
            return self._refuse(400, "The request of a WebSocket has no body.")
        return self._open(key)

    def _open(self, key: str) -> Opened:
        # RFC 7118 section 4.1: the subprotocol is echoed. No extension is: permessage-deflate would let a client
        # make us unpack a thousand bytes for one that it sends.
        headers = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", generate_accept_token(key.encode("ascii")).decode("ascii")),
            ("Sec-WebSocket-Protocol", PROTOCOL),
        ]
        answer = self._http.send(
            h11.InformationalResponse(status_code=101, headers=headers, reason=b"Switching Protocols")
        )
        rest, _ = self._http.trailing_data
        return Opened(answer or b"", rest)

    def _refuse(self, status: int, hint: str, *headers: tuple[str, str], why: str = "") -> Refused:
        body = hint.encode("utf-8") + b"\n"
        fields = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close, Upgrade" if status == 426 else "close"),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ]
        response = h11.Response(status_code=status, headers=fields, reason=_REASONS.get(status, b""))
        parts = (response, h11.Data(data=body if self._with_body else b""), h11.EndOfMessage())
        return Refused(b"".join(self._http.send(part) or b"" for part in parts), status, why)


_REASONS = {
    400: b"Bad Request",
    403: b"Forbidden",
    405: b"Method Not Allowed",
    426: b"Upgrade Required",
    431: b"Request Header Fields Too Large",
    501: b"Not Implemented",
}


class _Fields:
    """The header fields of a request: names in lower case, one of a name or several."""

    def __init__(self, request: h11.Request) -> None:
        self._lines = [(name.decode("ascii"), value.decode("ascii", "replace")) for name, value in request.headers]
        self._target = request.target.decode("ascii", "replace")

    def first(self, name: str) -> str:
        """The text of a field, or ""; of one that stands there twice too: neither can be trusted."""
        found = self.texts(name)
        return found[0] if len(found) == 1 else ""

    def texts(self, name: str) -> list[str]:
        """The text of each field of a name."""
        return [value.strip() for known, value in self._lines if known == name]

    def values(self, name: str) -> set[str]:
        """The values of a list."""
        return {value.strip() for text in self.texts(name) for value in text.split(",")}

    def words(self, name: str) -> set[str]:
        """The values of a list that are compared without regard to case."""
        return {value.lower() for value in self.values(name)}

    def address(self) -> str:
        """Host and path that this request came to."""
        return f"{self.first('host')[:200]}{self._target[:200]}"


def _is_key(key: str) -> bool:
    try:
        return len(binascii.a2b_base64(key.encode("ascii", "replace"), strict_mode=True)) == 16
    except binascii.Error:
        return False
