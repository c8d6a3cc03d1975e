"""A flow: the pair of endpoints a message came by or leaves by (RFC 5626 section 2 calls it so)."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias

RELIABLE = frozenset({"tcp", "tls", "sctp", "ws", "wss"})
"""Transports that keep a message whole and in order, so that nothing is retransmitted on them."""

SECURE = frozenset({"tls", "wss"})
"""Transports that are TLS: the only ones that may carry a request with a sips URI (RFC 5630 section 4)."""


class Target(NamedTuple):
    """Where to send next: transport in lower case, IP address in text without brackets, port.

    `domain` is whom a certificate must speak for (TLS only): the host of the URI that was located (RFC 5922 7.3).
    """

    transport: str
    host: str
    port: int
    domain: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, as a flow has them."""
        return self.host, self.port


class Flow:
    """One way to a peer: a UDP 5-tuple or a connection.

    `local` and `remote` are (IP address, port). `sent_by` is what our Via, Record-Route and Contact carry towards
    this peer (host[:port], bracketed IPv6, or the listener's `advertise`); `via_prefix` and `route_suffix` are made of
    it, for what stands before a branch and behind a token. `edge` belongs to the network layer,
    `framing` (of a stream) and `clients` (whoever waits for news of it) to the stack.
    `ending` is a connection whose peer sends no more: it still takes answers, but nothing new. `identities` are the
    domains of the certificate that the peer has proved to hold (RFC 5922 section 7.1). `name` is that of a connection
    which only the peer can make again, so that a token can lead back to it; "" for all others.
    The object lives as long as the connection (or the UDP socket's memory of this peer); compare by identity.
    """

    __slots__ = (
        "clients",
        "closed",
        "edge",
        "ending",
        "framing",
        "identities",
        "local",
        "name",
        "reliable",
        "remote",
        "route_suffix",
        "sent_by",
        "transport",
        "via_prefix",
    )

    def __init__(
        self,
        transport: str,
        local: tuple[str, int],
        remote: tuple[str, int],
        sent_by: str = "",
        edge: object = None,
        alias: bool = False,
    ) -> None:
        self.transport = transport
        self.reliable = transport in RELIABLE
        self.local = local
        self.remote = remote
        self.sent_by = sent_by or host_port(*local)
        # RFC 5923 section 8.1: whoever takes our certificate may send us requests by this connection.
        self.via_prefix = f"Via: SIP/2.0/{transport.upper()} {self.sent_by}{';alias' if alias else ''};branch=".encode()
        # RFC 7118 section 5.2 has one word for both kinds of WebSocket; RFC 5630 section 3.1.4 has none for TLS in a
        # sip URI, but everybody understands this one.
        word = {"udp": "", "wss": ";transport=ws"}.get(transport, f";transport={transport}")
        self.route_suffix = f"@{self.sent_by}{word};lr>".encode()
        self.edge = edge
        self.framing: object = None
        self.identities: tuple[str, ...] = ()
        self.name = ""
        self.clients: dict[str, object] = {}
        self.closed = False
        self.ending = False

    def at_port(self, port: int) -> Flow:
        """The way to another port of the same peer, by the same socket of ours (of a transport without connections)."""
        return Flow(self.transport, self.local, (self.remote[0], port), self.sent_by, self.edge)

    def __repr__(self) -> str:
        return f"<Flow {self.transport} {host_port(*self.local)} <-> {host_port(*self.remote)}>"


def host_port(host: str, port: int) -> str:
    """Write host and port as SIP does: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class FlowOpener(Protocol):
    """What the network layer gives the stack: a flow to a target, at once and without waiting.

    For a stream transport the flow may still be connecting: packets queue, and a failed connect comes back as
    `Stack.flow_lost`. Raises `Unresolvable` when no listener serves the transport or address family.
    """

    def __call__(self, target: Target) -> Flow:
        """Return a flow to `target`, reusing an open one."""


Packet: TypeAlias = tuple[Flow, bytes]
"""Bytes that must leave by a flow; no bytes at all mean: close this stream after what was sent before."""
