"""A call as one of its phones sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sipcore.errors import Malformed
from sipcore.message import Message, Request, Response, parse_name_addr


class Way(NamedTuple):
    """How a phone sends: by which transport, and from which address."""

    transport: str
    address: tuple[str, int]


@dataclass(slots=True)
class Dialog:
    """RFC 3261 section 12; `local` and `remote` are what From and To of our requests say, tags included."""

    call_id: str
    local: str
    remote: str
    target: str
    routes: tuple[str, ...]
    way: Way
    number: int
    confirmed: bool = False
    """An ACK was sent or has come."""
    ended: bool = False

    @property
    def talks(self) -> bool:
        """Whether the call stands."""
        return self.confirmed and not self.ended


def of_caller(response: Response, way: Way, number: int) -> Dialog:
    """The caller's side, from a 2xx (RFC 3261 section 12.1.2)."""
    routes = tuple(value.decode() for value in reversed(response.elements("record-route")))
    return Dialog(
        _text(response, "call-id"), _text(response, "from"), _text(response, "to"), contact_of(response), routes, way,
        number, True,
    )  # fmt: skip


def of_callee(request: Request, to: str, way: Way) -> Dialog:
    """The callee's side, from an INVITE; `to` is its To with our tag (RFC 3261 section 12.1.1)."""
    routes = tuple(value.decode() for value in request.elements("record-route"))
    return Dialog(_text(request, "call-id"), to, _text(request, "from"), contact_of(request), routes, way, 0)


def contact_of(message: Message) -> str:
    """The URI of the Contact; that of From when there is none that can be read."""
    try:
        return parse_name_addr((message.elements("contact") or [b""])[0]).uri_text
    except Malformed:
        return message.from_.uri_text


def tag_of(value: str) -> str:
    """The tag of a From or To."""
    return parse_name_addr(value.encode("utf-8", "surrogateescape")).tag


def _text(message: Message, name: str) -> str:
    return (message.get(name) or b"").decode("utf-8", "surrogateescape")
