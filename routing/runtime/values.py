"""Values that routes hold and that functions take: the Python side of the language's types."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NewType, Protocol

from routing.language.literals import Rate
from routing.language.networks import Networks, address_number
from routing.language.problem import BadLiteral
from sipcore.errors import Malformed, RingwayError
from sipcore.flow import Flow
from sipcore.message import Message, Request, Response
from sipcore.message.names import key_of
from sipcore.uri import Uri

if TYPE_CHECKING:
    from routing.runtime.context import Context

__all__ = [
    "BranchFunction",
    "CallSite",
    "Country",
    "Destination",
    "DialogFunction",
    "Duration",
    "FinalCode",
    "HeaderField",
    "HeaderName",
    "Networks",
    "Order",
    "Rate",
    "Replacement",
    "ReplyFunction",
    "address_number",
]

Duration = NewType("Duration", float)
"""Seconds; written `20s`, `5m`, `500ms`, `2h`, `1d` in a route."""

FinalCode = NewType("FinalCode", int)
"""A status code that answers a request for good: 200 to 699."""


CallSite = NewType("CallSite", str)
"""Where in a route file a function was called; filled in when the file is loaded, never written."""

Country = NewType("Country", str)
"""A country by the two letters of ISO 3166, in upper case; its dialling plan is known."""

Order = NewType("Order", str)
"""How several targets are rung; one of `ORDERS`."""
ORDERS = ("at once", "one by one", "by q")


def order(text: str) -> str:
    """One of the orders in which targets are rung."""
    if text not in ORDERS:
        raise BadLiteral(f'"{text}" is no order', 0, len(text), "known: " + ", ".join(f'"{one}"' for one in ORDERS))
    return text


Replacement = NewType("Replacement", str)
"""What stands for a match of a pattern, as `re` takes it; written with `$1` in a route."""


class HeaderField(NamedTuple):
    """A header by name, for functions that take the header and not its text; `key` may hold `*`."""

    message: Message
    key: str


class Destination(NamedTuple):
    """One place to send a request to: what `lookup` finds and `ring` and `relay` take.

    `route` holds URIs to preload as Route (the Path of a binding, RFC 3327), outermost first; `flow` is the way the
    binding came by, to be preferred while it is open; `q` orders destinations.
    """

    uri: Uri
    q: float = 1.0
    route: tuple[str, ...] = ()
    flow: Flow | None = None
    received: str = ""
    """Source address as a URI (`sip:192.0.2.1:5062;transport=tcp`) when the Contact can't be reached as written."""


HeaderName = NewType("HeaderName", str)
"""The key of a header, for functions that take its name alone; it may hold `*`."""


def header_name(text: str) -> str:
    """The key of a header by its name; BadLiteral when it is no name."""
    try:
        return key_of(text.encode())
    except (Malformed, UnicodeEncodeError):
        raise BadLiteral(f'"{text}" is no name of a header', 0, len(text)) from None


def header_name_at_run_time(text: str) -> str:
    """The same for a text that was not written out."""
    try:
        return header_name(text)
    except BadLiteral as mistake:
        raise RingwayError(mistake.message) from None


class BranchFunction(Protocol):
    """A `branch` function of a route file: edits the request of one branch before it is sent, and never waits."""

    def __call__(self, context: Context, branch: Request) -> object:
        """Edit `branch` in place."""


class ReplyFunction(Protocol):
    """A `reply` function of a route file, or `on reply`: edits a response on its way back, and never waits."""

    def __call__(self, context: Context, reply: Response, /) -> bool:
        """Edit `reply` in place; True when it goes no further, which only a provisional one may."""


class DialogFunction(Protocol):
    """`on dialog` of a route file: sees a request inside a dialog before it goes on, and never waits."""

    def __call__(self, context: Context, /) -> bool:
        """True when the request has its outcome and goes no further."""
