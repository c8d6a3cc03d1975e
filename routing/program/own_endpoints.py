"""Which hosts and ports in a URI lead to this server."""

from __future__ import annotations

from collections.abc import Iterable

from routing.program.listen import SIP_PORT, Listen
from routing.runtime.platform import Domains
from sipcore.flow import Target


class OwnEndpoints:
    """Answers `own("192.0.2.1", 5060)`; port 0 stands for a URI without one."""

    def __init__(self, domains: Domains, listens: Iterable[Listen]) -> None:
        self._domains = domains
        self._listens = tuple(listens)
        self._ports: frozenset[int] = frozenset()

    def change(self, domains: Domains, listens: Iterable[Listen]) -> None:
        """Answer for these from now on; `bound` follows."""
        self._domains = domains
        self._listens = tuple(listens)

    def bound(self, addresses: Iterable[Target]) -> None:
        """Learn the ports that were really opened."""
        opened = {address.port for address in addresses}
        self._ports = frozenset(opened | {advertised_port(listen) for listen in self._listens if listen.advertise})

    def __call__(self, host: str, port: int) -> bool:
        """Whether a URI with this host (lower case, no brackets) and port leads to a listener of ours."""
        if not port and host in self._domains.names:
            return True  # whatever port the DNS gives for our own domain
        return (port or SIP_PORT) in self._ports and host in self._domains


def advertised_host(listen: Listen) -> str:
    """The host of `advertise` in lower case, without brackets."""
    host = listen.advertise.rpartition(":")[0] if _has_port(listen.advertise) else listen.advertise
    return host.removeprefix("[").removesuffix("]").lower()


def advertised_port(listen: Listen) -> int:
    """The port of `advertise`, or that of the socket."""
    return int(listen.advertise.rpartition(":")[2]) if _has_port(listen.advertise) else listen.port


def _has_port(advertise: str) -> bool:
    return ":" in advertise.rpartition("]")[2]
