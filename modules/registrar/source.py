"""Where a REGISTER came from, and whether its contacts can be reached as they are written."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from modules.registrar.binding import Binding
from sipcore.flow import Flow, host_port
from sipcore.host import Kind, kind_of, plain_address
from sipcore.message import Request
from sipcore.uri import Uri


class Source(NamedTuple):
    """Where a REGISTER came from.

    `direct` means that no proxy stands between the phone and us. `sent_by` is the host the phone believes it has.
    """

    flow: Flow
    address: str
    uri: str
    socket: str
    direct: bool
    sent_by: str


def source_of(request: Request, flow: Flow) -> Source:
    """The source of a request; the Via is marked already, but its sent-by is the sender's (RFC 3261 18.2.1)."""
    transport = flow.transport
    address, uri = _remote(transport, flow.remote)
    direct = request.names.count("via") == 1 and b"," not in (request.get("via") or b"")
    return Source(flow, address, uri, _socket(transport, flow.local), direct, plain_address(request.via.host))


@lru_cache(maxsize=8192)
def _remote(transport: str, remote: tuple[str, int]) -> tuple[str, str]:
    address = plain_address(remote[0])
    uri = f"sip:{host_port(address, remote[1])}"
    return address, uri if transport == "udp" else f"{uri};transport={transport}"


@lru_cache(maxsize=512)
def _socket(transport: str, local: tuple[str, int]) -> str:
    return f"{transport}:{host_port(*local)}"


def received_for(contact: Uri, source: Source) -> str | None:
    """The source as a URI when it, and not the contact, leads to the phone: the phone stands behind a NAT.

    It does when it names in its Via and its Contact the same address and sends from another, when its contact is
    private and the source is public, or when the contact's name leads nowhere. Any other contact elsewhere was meant:
    somebody registers for somebody else.
    """
    if not source.direct:
        return None  # the way to the phone is the Path, and not our flow to the last proxy
    kind = kind_of(contact.host)
    if kind is Kind.NOWHERE:
        return source.uri
    if kind is Kind.NAME or plain_address(contact.host) == source.address:
        return None
    hidden = kind is Kind.PRIVATE and kind_of(source.address) is Kind.PUBLIC
    return source.uri if hidden or plain_address(contact.host) == source.sent_by else None


def needs_connection(binding: Binding) -> bool:
    """Whether a binding leads nowhere without the connection it came by: only the phone can make that again.

    So it is behind a NAT, for every WebSocket client, and with TLS where an address is all that a certificate could
    speak for.
    """
    if binding.path is not None or binding.socket.startswith("udp:"):
        return False
    contact = binding.uri
    transport = (contact.parameter("transport") or "").lower()
    if binding.received is not None or transport in ("ws", "wss"):
        return True
    return (contact.scheme == "sips" or transport == "tls") and kind_of(contact.host) is not Kind.NAME


def connection_for(contact: Uri, received: str | None, source: Source) -> Flow | None:
    """The connection to keep for a binding: only the phone itself can make it again."""
    if not source.flow.reliable or not source.direct:
        return None
    if source.flow.transport in ("ws", "wss"):
        return source.flow
    return source.flow if received is not None or plain_address(contact.host) == source.address else None
