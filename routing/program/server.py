"""The composition root: one server put together from its configuration."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping

from modules.auth.module import Auth
from modules.database.module import Database
from modules.proxy.module import Proxy
from modules.registrar.module import Registrar
from routing.program.config import Config
from routing.program.events import guarded
from routing.program.own_endpoints import OwnEndpoints, advertised_host
from routing.runtime import Domains, Module, Platform
from routing.runtime.builtins import Builtins
from routing.runtime.dispatch import Dispatcher, new_runner
from routing.runtime.loader import load_routes
from routing.runtime.shared import SharedTables
from routing.runtime.texts import Texts
from sipcore.errors import ConfigurationError, RingwayError
from sipcore.facts import Observer
from sipcore.flow import Target
from sipcore.locate import Locator, Resolver
from sipcore.net.addresses import OwnAddresses
from sipcore.net.dns import DnsResolver
from sipcore.net.edge import Edge
from sipcore.net.opener import is_loopback
from sipcore.net.settings import EdgeSettings
from sipcore.stack import Stack
from sipcore.timers import Timers
from sipcore.tokens import Tokens

_WORKER = "0"
"""The number of this process behind the node's name, in every token."""
MODULES: tuple[type[Module], ...] = (Builtins, Texts, Database, Auth, Registrar, Proxy)
"""What a route file may use, in the order they start: a contract is provided before somebody asks for it."""
_log = logging.getLogger("ringway")


class CannotListen(RingwayError):
    """An address or port is not to be had; unlike a wrong configuration that may pass."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Server:
    """All parts of one server, connected. Making one opens nothing; `start` and `stop` do."""

    def __init__(self, config: Config, secret: bytes) -> None:
        self.config = config
        self.edge = Edge(_edge_settings(config))
        self.dispatcher = Dispatcher()
        self.dispatcher.unknown_dialogs = config.unknown_dialogs == "route"
        tokens = Tokens(config.node + _WORKER, secret, secrets.token_bytes)
        self.stack = Stack(
            user=self.dispatcher,
            open_flow=self.edge.open_flow,
            tokens=tokens,
            limits=config.limits.of_messages(),
            most_transactions=config.limits.transactions,
        )
        runner = new_runner(self.dispatcher, self.edge.perform, config.limits.parked)
        also = (advertised_host(listen) for listen in config.listen if listen.advertise)
        domains = Domains(config.domains, OwnAddresses(also))
        self.own_endpoints = OwnEndpoints(domains, config.listen)
        self.platform = Platform(
            stack=self.stack,
            runner=runner,
            tokens=tokens,
            domains=domains,
            post=self.edge.post,
            wall_clock=time.time,
            is_own_endpoint=self.own_endpoints,
            settings=config.for_modules(),
        )
        self.shared = SharedTables()
        self._reachable: dict[str, tuple[int, ...]] = {}  # filled when the sockets are open
        resolver = DnsResolver(config.dns)
        self.platform.provide(Locator, new_locator(config, resolver, self._reachable, self.stack.timers))
        self.modules = make_modules(self.platform)
        self._connect()

    def _connect(self) -> None:
        proxy = next(module for module in self.modules if isinstance(module, Proxy))
        self.dispatcher.platform = self.platform
        self.dispatcher.offers.append(proxy.offer)
        self.dispatcher.acknowledge = proxy.acknowledge

    def load_routes(self) -> None:
        """Load the route file and use it for new requests; ConfigurationError, and no change, when it is wrong."""
        tables = {"domains": self.platform.domains, **self.config.tables()}
        routes = load_routes(self.config.route_file, self.modules, tables, shared=self.shared)
        for warning in routes.warnings:
            _log.warning("%s", warning)
        self.dispatcher.routes = routes

    def observe(self, observer: Observer, *, everything: bool) -> None:
        """Show `observer` what is refused from now on, or everything that happens."""

        def remove() -> None:
            self.platform.observe_refusals = self.platform.observe = self.stack.observe = None

        self.platform.observe_refusals = watching = guarded(observer, remove)
        if everything:
            self.platform.observe = self.stack.observe = watching

    # -- start and stop ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the modules; when one can't, it and those before it are stopped."""
        started: list[Module] = []
        try:
            for module in self.modules:
                started.append(module)
                module.start()
        except BaseException:
            _stop(started)
            raise

    def listen(self) -> tuple[Target, ...]:
        """Open the sockets and return their addresses; `CannotListen` when one can't be opened."""
        try:
            self.edge.bind()
        except ConfigurationError as error:
            raise CannotListen(error.problems) from None
        addresses = self.edge.addresses()
        self._reachable.update(self.edge.reachable())
        self.own_endpoints.bound(addresses)
        return addresses

    def drain(self) -> None:
        """Begin nothing new: INVITE, REGISTER and new connections are refused, all else goes on."""
        self.dispatcher.draining = True
        self.edge.stop_accepting()

    def busy(self) -> bool:
        """Whether a request still waits for its final answer."""
        servers = self.stack.transactions.servers.values()
        return self.platform.runner.parked > 0 or any(not transaction.answered() for transaction in servers)

    def stop(self) -> None:
        """Stop the modules, after the edge has closed."""
        _stop(self.modules)

    def statistics(self) -> dict[str, object]:
        """What every part counts."""
        layer = self.stack.transactions
        found: dict[str, object] = {
            "stack": self.stack.counters,
            "transactions": layer.counters,
            "open": {"servers": len(layer.servers), "clients": len(layer.clients)},
            "parked": self.platform.runner.parked,
            "edge": self.edge.statistics(),
        }
        found.update({module.name: module.statistics() for module in self.modules})
        return {name: counters for name, counters in found.items() if counters is not None}


def new_locator(
    config: Config, resolver: Resolver, reachable: Mapping[str, tuple[int, ...]], timers: Timers
) -> Locator:
    """The locator of a server with this configuration."""
    # Whoever listens on this machine alone can reach nobody else: then the DNS may name it too.
    local = all(is_loopback(listen.host) for listen in config.listen)
    return Locator(resolver, reachable, timers, secrets.token_bytes, longest=config.dns.timeout, loopback=local)


def make_modules(platform: Platform) -> tuple[Module, ...]:
    """The modules of one server."""
    return tuple(kind(platform) for kind in MODULES)


def _edge_settings(config: Config) -> EdgeSettings:
    limits = config.limits
    return EdgeSettings(config.listen, config.stream, peers=limits.peers, datagrams_waiting=limits.datagrams_waiting)


def _stop(modules: list[Module] | tuple[Module, ...]) -> None:
    for module in reversed(modules):
        try:
            module.stop()
        except Exception:
            _log.exception("module %s failed to stop", module.name)
