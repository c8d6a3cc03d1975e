"""Changes that routes make to a message, safe against text that a sender chose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sipcore.errors import Malformed, RingwayError
from sipcore.message import Message, NameAddr, Request, Response, parse_name_addr
from sipcore.message.parameters import quote
from sipcore.message.status import reason_phrase
from sipcore.uri import Uri, parse_uri

if TYPE_CHECKING:
    from routing.runtime.context import Context

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# RFC 3261 section 25.1: unreserved and user-unreserved; everything else is escaped.
_NOT_USER = re.compile(rb"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9\-_.!~*'()\[\]/:&+$]+")
_NOT_VALUE = re.compile(rb"[^A-Za-z0-9\-_.!~*'()\[\]/:&+$]")


def one_line(text: str) -> bytes:
    """Text as bytes for a header value or reason phrase.

    Raises `Malformed` for control characters: a user part may hold an escaped CR LF, and copied into a header that
    would begin a header of the sender's choice.
    """
    if _CONTROL.search(text):
        raise Malformed("Control character in a value")
    return text.encode("utf-8", "surrogateescape")


def editable(context: Context) -> Request:
    """The request of a context, for a change: a copy of what was received, made at the first one.

    What was received stays with the transaction: responses carry its From and To, and loops are found by it.
    """
    if context.request is context.transaction.request:
        context.request = context.request.copy()
    return context.request


def header_text(message: Message, key: str) -> str:
    """The text of the first header line of this key, "" when there is none."""
    value = message.get(key)
    return "" if value is None else value.decode("utf-8", "surrogateescape")


def set_header(message: Message, key: str, text: str) -> None:
    """Replace all lines of a header by one."""
    message.set(key, one_line(text))


def max_forwards(request: Request) -> int:
    """The hops that are left: 70 when the request does not say (RFC 3261 section 16.6 step 3)."""
    value = request.get("max-forwards")
    return int(value) if value is not None and value.isdigit() and len(value) < 4 else 70


def with_user(uri: Uri, user: str) -> Uri:
    """A copy with another user part, escaped where needed."""
    return _sip(uri).replace(user=_escape(user, _NOT_USER))


def with_domain(uri: Uri, domain: str) -> Uri:
    """A copy with another host; raises `Malformed` when it is none."""
    try:
        return parse_uri(_sip(uri).replace(host=domain.strip("[]").lower()).text)
    except ValueError:
        raise Malformed("Malformed host") from None


def with_port(uri: Uri, port: int) -> Uri:
    """A copy with another port; 0 takes it off."""
    return parse_uri(_sip(uri).replace(port=port).text)


def parameter_name(name: str) -> str:
    """The name of a URI parameter in its one spelling; raises `Malformed` when it is none."""
    if not _PARAMETER_NAME.fullmatch(name):
        raise Malformed("Malformed parameter name")
    return name.lower()


def with_parameter(uri: Uri, name: str, value: str) -> Uri:
    """A copy with a parameter set, escaped where needed; empty text makes one without a value."""
    kept = tuple(one for one in _sip(uri).parameters if one[0] != name)
    return uri.replace(parameters=(*kept, (name, _escape(value, _NOT_VALUE) or None)))


def with_uri(address: NameAddr, uri: Uri) -> NameAddr:
    """A copy of an address with another URI."""
    return NameAddr(address.display, uri.text, address.parameters, uri)


def with_display(address: NameAddr, display: str) -> NameAddr:
    """A copy of an address with another display name; empty text takes it off."""
    one_line(display)
    return NameAddr(display, address.uri_text, address.parameters, address.uri)


def set_address(message: Message, key: str, address: NameAddr) -> None:
    """Put an address into a header; its tag stays, since it is what a dialog is known by."""
    message.set(key, one_line(_written(address)))


def _written(address: NameAddr) -> str:
    display = quote(address.display) + " " if address.display else ""
    parameters = "".join(f";{name}" if value is None else f";{name}={value}" for name, value in address.parameters)
    return f"{display}<{address.uri_text}>{parameters}"


_NOBODY = NameAddr("", "sip:anonymous@anonymous.invalid", ())


def identity(message: Message) -> NameAddr:
    """Who a trusted network says the sender is: the first P-Asserted-Identity (RFC 3325); anonymous without one."""
    value = message.elements("p-asserted-identity")
    return parse_name_addr(value[0]) if value else _NOBODY


def set_identity(message: Message, address: NameAddr) -> None:
    """Assert an identity; what the sender would have preferred is taken off (RFC 3325 section 5)."""
    message.remove("p-preferred-identity")
    set_address(message, "p-asserted-identity", NameAddr(address.display, address.uri_text, ()))


def set_status(response: Response, status: int) -> None:
    """Map a response to another status of its kind, with the usual reason phrase.

    Kinds are 101-199, 2xx and 300-699: a call that was answered can't be refused any more, and the other way round.
    """
    if status == response.status:
        return
    if _kind(status) != _kind(response.status) or _kind(status) == 2:
        raise RingwayError(f"a {response.status} can't be changed to {status}")
    response.status, response.reason = status, reason_phrase(status)


def _kind(status: int) -> int:
    return min(status // 100, 3) if status > 100 else 0


def set_reason(response: Response, reason: str) -> None:
    """Give a response another reason phrase."""
    response.reason = one_line(reason).decode("utf-8", "surrogateescape")


def _sip(uri: Uri) -> Uri:
    if uri.scheme not in ("sip", "sips"):
        raise RingwayError(f"parts of a {uri.scheme} URI can't be set")
    return uri


def _escape(text: str, unsafe: re.Pattern[bytes]) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    return unsafe.sub(lambda match: b"%%%02X" % match[0][0], raw).decode("ascii")
