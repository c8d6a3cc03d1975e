"""Flows to targets: which of our sockets a message leaves by (RFC 3261 section 18.1.1)."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import partial
from typing import Protocol, TypeVar

from sipcore.errors import ConfigurationError, Unresolvable
from sipcore.flow import Flow, Target, host_port
from sipcore.locate import canonical_address
from sipcore.net.addresses import source_address
from sipcore.net.byte_stream import ByteStream, TcpStream
from sipcore.net.connections import Connections
from sipcore.net.driver import Driver
from sipcore.net.listener import StreamListener
from sipcore.net.settings import StreamSettings
from sipcore.net.sockets import is_wildcard
from sipcore.net.stream import Connection
from sipcore.net.tls_contexts import Tls
from sipcore.net.tls_stream import TlsStream
from sipcore.net.udp import UdpSocket

_REMEMBERED = 16_384


class _Bound(Protocol):
    @property
    def local(self) -> tuple[str, int]: ...
    @property
    def version(self) -> int: ...


Listener = TypeVar("Listener", bound=_Bound)


class Opener:
    """The `FlowOpener` of the edge; a known target costs one dictionary look-up."""

    def __init__(
        self,
        udp: Sequence[UdpSocket],
        listeners: Sequence[StreamListener],
        driver: Driver,
        table: Connections,
        settings: StreamSettings,
        tls: Tls,
    ) -> None:
        self._udp = udp
        self._listeners = listeners
        self._driver = driver
        self._table = table
        self._settings = settings
        self._tls = tls
        self._known: dict[Target, Flow] = {}  # of UDP; connections are found in their table

    def __call__(self, target: Target) -> Flow:
        """Return a flow to `target`; raises Unresolvable when no socket of ours can reach it."""
        return self._known.get(target) or self._open(target)

    def forget_ways(self) -> None:
        """Choose anew for each target: this machine's addresses have changed."""
        self._known.clear()

    def _open(self, target: Target) -> Flow:
        transport, host, port, domain = target
        host = canonical_address(host) or ""
        if not host or not 0 < port < 65536:
            raise Unresolvable(f"{host_port(target.host, port)} is no address to send to")
        if not self._driver.running:
            raise Unresolvable("the network is not open")
        try:
            if transport == "udp":
                return self._udp_flow(target, host, port)
            if transport == "tcp" or (transport == "tls" and domain):
                return self._stream_flow(Target(transport, host, port, domain))
        except (OSError, ConfigurationError) as error:
            why = getattr(error, "strerror", "") or str(error)
            raise Unresolvable(f"no way to {transport}:{host_port(host, port)}: {why}") from error
        raise Unresolvable(f"nobody can be called by {transport} from here")

    def _udp_flow(self, target: Target, host: str, port: int) -> Flow:
        chosen = choose(self._udp, source_address(host))
        if chosen is None:
            raise Unresolvable(f"no UDP listener can reach {host}")
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        flow = self._known[target] = chosen.flow_to(host, port)
        return flow

    def _stream_flow(self, target: Target) -> Flow:
        known = self._table.find(target)
        if known is not None:
            return known.flow
        if self._table.is_full():
            raise Unresolvable("too many connections")
        local = source_address(target.host)
        listener = choose([one for one in self._listeners if one.transport == target.transport], local)
        if listener is not None and not is_wildcard(listener.local[0]):
            local = listener.local[0]  # peers see one address of ours for both directions
        sent_by = listener.sent_by(local) if listener is not None else ""
        bound, stream = self._connecting(target, local)
        alias = target.transport == "tls" and self._tls.has_certificate
        flow = Flow(target.transport, bound, (target.host, target.port), sent_by, alias=alias)
        connection = Connection(
            flow, stream, incoming=False, driver=self._driver, table=self._table, settings=self._settings
        )
        self._table.start(connection, target)
        return flow

    def _connecting(self, target: Target, local: str) -> tuple[tuple[str, int], ByteStream]:
        """Our end of a new connection, and what will carry its bytes; raises OSError."""
        opened = socket.socket(socket.AF_INET6 if ":" in target.host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            opened.bind((local, 0))
            bound: tuple[str, int] = opened.getsockname()[:2]
            carrier = TcpStream(opened, (target.host, target.port))
            return bound, carrier if target.transport == "tcp" else self._encrypted(carrier, target)
        except OSError:
            opened.close()
            raise

    def _encrypted(self, carrier: TcpStream, target: Target) -> TlsStream:
        contexts = self._tls.contexts
        session = contexts.sessions.get(target)
        return TlsStream(carrier, contexts.client, target.domain, session, partial(contexts.keep, target))


def choose(listeners: Sequence[Listener], local: str) -> Listener | None:
    """The listener to use when the kernel would send from `local`: that address, a wildcard, any other it can use."""
    version = 6 if ":" in local else 4
    best: Listener | None = None
    for listener in listeners:
        host = listener.local[0]
        if listener.version != version:
            continue
        if host == local:
            return listener
        # A socket bound to loopback can't send to another machine.
        if is_wildcard(host) or (best is None and (is_loopback(local) or not is_loopback(host))):
            best = listener
    return best


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine's loopback."""
    return host == "::1" or host.startswith("127.")
