"""Whose contact a request names: that of whoever made the connection it came by, or another (RFC 5626, RFC 7118)."""

from __future__ import annotations

from sipcore.errors import Malformed
from sipcore.flow import Flow
from sipcore.host import plain_address
from sipcore.message import Request, parse_name_addr
from sipcore.message.source import is_direct

_WEB = frozenset({"ws", "wss"})


def leads_to_sender(request: Request, flow: Flow) -> bool:
    """Whether the contact of a request is whoever made the connection that it came by.

    A WebSocket client always is (RFC 7118 section 5). Any other is when its contact has the address it sends from, or
    the one it believes it has, behind a NAT; a contact elsewhere was meant, and what came over a proxy is the proxy's.
    """
    if not is_direct(request):
        return False
    if flow.transport in _WEB:
        return True
    contact = request.get("contact")
    try:
        host = plain_address(parse_name_addr(contact).uri.host) if contact is not None else ""
    except Malformed:
        return False
    return bool(host) and host in (plain_address(flow.remote[0]), plain_address(request.via.host))
