"""What the edge is told: where to listen, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Listen(Protocol):
    """One listening socket that is asked for: transport in lower case, IP address without brackets, port (0: any).

    `advertise` is "" or what Via, Record-Route and Contact carry in place of the address: `host` or `host:port`.
    """

    @property
    def transport(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def advertise(self) -> str: ...


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Bounds of stream connections. Times in seconds, sizes in bytes."""

    connections: int = 10_000
    """Most connections at a time, incoming and outgoing."""
    connections_per_address: int = 1_024
    """Most incoming connections of one IP address (IPv6: one /64 network). Many phones share the address
    of their NAT."""
    connect_timeout: float = 5.0
    """A connection is made, and the handshakes of TLS and WebSocket are over, within so long."""
    idle_timeout: float = 3_900.0
    """Close after so long without a byte in either direction. Longer than the usual 3,600 s of a registration, since
    a phone behind NAT is called by its own connection; the kernel's keep-alive probes find dead peers much sooner."""
    message_timeout: float = 20.0
    """A message that was begun must be complete after so long; also the first one of a connection."""
    send_queue: int = 262_144
    """Bytes that wait for a slow peer; beyond it the connection is lost."""
    send_timeout: float = 32.0
    """A connection is lost when waiting bytes make no progress for so long."""
    half_close_grace: float = 1.0
    """How long answers may still be sent after the peer said that it sends no more."""
    linger: float = 2.0
    """How long bytes of the peer are read and thrown away after we closed, so that it gets our last answer."""


@dataclass(frozen=True, slots=True)
class WebSocketSettings:
    """What `ws:` and `wss:` listeners want of browsers."""

    origins: tuple[str, ...] = ()
    """Pages that may connect, as browsers name where they came from: `https://phone.example.com`, in lower case. None
    mean any; clients that are no browsers name nothing and are not concerned."""
    ping_interval: float = 25.0
    """Seconds between pings, less than proxies on the way keep a silent connection. Whoever answers two of them not
    is gone."""


@dataclass(frozen=True, slots=True)
class TlsSite:
    """The certificate for peers that ask for `name` (server name indication, RFC 6066 section 3)."""

    name: str
    certificate: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Certificates, as names of PEM files. Without a `key` it stands in the file of the certificate."""

    certificate: str = ""
    """Our certificate with those between it and its root; shown to whoever connects, and to whom we connect."""
    key: str = ""
    server_ca: str = ""
    """Who signs the servers that we connect to; without it whoever this system trusts."""
    client_ca: str = ""
    """Who signs the clients that connect to us; needed when they are verified."""
    verify: str = "none"
    """Whether clients of `tls:` listeners are asked for a certificate: none, optional (one that is shown must be
    good), require. Clients of `wss:` are not asked."""
    site: tuple[TlsSite, ...] = ()
    """Certificates for further names."""

    def __post_init__(self) -> None:
        if self.verify != "none" and not self.client_ca:
            raise ValueError(f'tls.verify = "{self.verify}" needs client_ca: who signs the certificates of clients')
        if self.site and not self.certificate:
            raise ValueError("tls.site needs tls.certificate too: the one for peers that ask for no name")


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """Everything the edge can be told."""

    listen: tuple[Listen, ...]
    stream: StreamSettings = field(default_factory=StreamSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    websocket: WebSocketSettings = field(default_factory=WebSocketSettings)
    longest_message: int = 65_535
    """Bytes that one message by WebSocket may have; beyond it the connection is closed."""
    peers: int = 16_384
    """UDP peers whose flow is remembered by each socket, beside those that somebody holds."""
    socket_buffer: int = 4 * 1024 * 1024
    """Asked of the kernel for each direction of a UDP socket; it may give less."""
    gather: float = 0.005
    """Seconds within which datagrams are gathered while they come faster than one in so long; 0 never waits."""
    datagrams_waiting: int = 1_024
    """Datagrams kept while the kernel takes no more; beyond it they are dropped."""
    reuse_port: bool = False
    """Let several worker processes listen at the same port (SO_REUSEPORT)."""
