"""The composition root: one server put together from its configuration."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from modules.auth.module import Auth
from modules.database.module import Database
from modules.enum.module import Enum
from modules.limits.module import Limits
from modules.proxy.module import Proxy
from modules.registrar.module import Registrar
from routing.language.compiler import Watch
from routing.program.candidate import Candidate, adaptable, merge
from routing.program.config import Config
from routing.program.events import guarded
from routing.program.functions import Functions
from routing.program.own_endpoints import OwnEndpoints, advertised_host
from routing.program.route_version import RouteVersion
from routing.runtime import Domains, Module, Platform
from routing.runtime.builtins import Builtins
from routing.runtime.dispatch import Dispatcher, new_runner
from routing.runtime.loader import ParsedRoutes, load_routes
from routing.runtime.sent_by import SentBy
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
from sipcore.net.settings import EdgeSettings, TlsSettings
from sipcore.stack import Stack
from sipcore.timers import Timers
from sipcore.tokens import Tokens

_WORKER = "0"
"""The number of this process behind the node's name, in every token."""
MODULES: tuple[type[Module], ...] = (Builtins, Texts, Database, Auth, Registrar, Proxy, Enum, Limits)
"""What a route file may use, in the order they start: a contract is provided before somebody asks for it."""
_log = logging.getLogger("ringway")


class CannotListen(RingwayError):
    """An address or port is not to be had; unlike a wrong configuration that may pass."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a server takes from outside of itself. `is_own_address` is None for asking the machine."""

    wall_clock: Callable[[], float] = time.time
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    is_own_address: Callable[[str], bool] | None = None


THE_MACHINE = Surroundings()


class Server:
    """All parts of one server, connected. Making one opens nothing; `start` and `stop` do.

    A dry run brings an edge, a resolver and modules of its own, a test surroundings too; neither does `run_functions`
    of the operator.
    """

    def __init__(
        self,
        config: Config,
        secret: bytes,
        *,
        edge: Edge | None = None,
        resolver: Resolver | None = None,
        modules: Sequence[type[Module]] = MODULES,
        surroundings: Surroundings = THE_MACHINE,
        run_functions: bool = True,
    ) -> None:
        self.config = config
        self.edge = edge or Edge(edge_settings(config))
        self.dispatcher = Dispatcher()
        self.dispatcher.unknown_dialogs = config.unknown_dialogs == "route"
        tokens = Tokens(config.node + _WORKER, secret, surroundings.random_bytes)
        self.stack = Stack(
            user=self.dispatcher,
            open_flow=self.edge.open_flow,
            tokens=tokens,
            limits=config.limits.of_messages(),
            most_transactions=config.limits.transactions,
            alias=self.edge.alias,
        )
        runner = new_runner(self.dispatcher, self.edge.perform, config.limits.parked)
        runner.timers = self.stack.timers
        domains = domains_of(config, surroundings.is_own_address)
        self.own_endpoints = OwnEndpoints(domains, config.listen)
        self.platform = Platform(
            stack=self.stack,
            runner=runner,
            tokens=tokens,
            domains=domains,
            post=self.edge.post,
            wall_clock=surroundings.wall_clock,
            is_own_endpoint=self.own_endpoints,
            settings=config.for_modules(),
        )
        self.shared = SharedTables(config.limits.shared)
        self.platform.dialogs.bound(config.limits.dialogs)
        self.functions = Functions(config.limits.function_workers, run=run_functions)
        self._reachable: dict[str, tuple[int, ...]] = {}  # filled when the sockets are open
        resolver = resolver or DnsResolver(config.dns)
        random_bytes = surroundings.random_bytes
        self._locator = new_locator(config, resolver, self._reachable, self.stack.timers, random_bytes)
        self.platform.provide(Resolver, resolver)  # type: ignore[type-abstract]
        self.platform.provide(Locator, self._locator)
        self.modules = make_modules(self.platform, modules)
        self._connect()

    def _connect(self) -> None:
        proxy = next(module for module in self.modules if isinstance(module, Proxy))
        self.dispatcher.platform = self.platform
        self.dispatcher.offers.append(proxy.offer)
        self.dispatcher.acknowledge = proxy.acknowledge
        sent_by = SentBy(self.platform.get(Locator), self.platform.runner)
        self.stack.transactions.locate_sent_by = sent_by.locate

    def load_routes(self, source: ParsedRoutes | None = None, watch: Watch | None = None) -> None:
        """Load the route file and use it for new requests; ConfigurationError, and no change, when it is wrong.

        A `source` is what stands in it. `watch` is told each statement that runs, which costs time.
        """
        routes = self._routes(self.config, self.platform.domains, source or self.config.route_file, watch)
        for warning in routes.warnings:
            _log.warning("%s", warning)
        self.dispatcher.routes = self.platform.routes = routes

    def load_certificates(self) -> None:
        """Read certificates and keys for new connections; ConfigurationError, and no change, when one is wrong."""
        self.edge.tls.load()

    def _routes(
        self, config: Config, domains: Domains, source: Path | str | ParsedRoutes, watch: Watch | None = None
    ) -> RouteVersion:
        tables = {"domains": domains, **config.tables()}
        name = str(config.route_file)
        functions = self.functions.load(config.functions, config.file)
        return RouteVersion(load_routes(source, self.modules, tables, name, self.shared, watch, functions))

    # -- change while it runs ---------------------------------------------------------------------------------------

    def prepare(self, config: Config, routes: str) -> Candidate:
        """Build what `adopt` takes, from a configuration and the text of its routes; changes nothing.

        May be called in another thread. Raises ConfigurationError with every mistake of the routes.
        """
        merged = merge(self.config, config, adaptable(self.modules))
        domains = domains_of(merged.config)
        compiled = self._routes(merged.config, domains, routes)
        # Certificates are read again though their names stay: they are renewed every few weeks.
        wanted = merged.config.tls != TlsSettings() or self.config.tls != TlsSettings()
        tls = self.edge.tls.prepare(merged.config.tls_files) if wanted else None
        return Candidate(merged.config, domains, compiled, merged.changed, merged.waiting, tls)

    def adopt(self, candidate: Candidate) -> None:
        """Put a candidate in force for everything that begins from now on, at once and as a whole.

        Raises ConfigurationError, and changes nothing, when a listener can't be opened.
        """
        before, config = self.config, candidate.config
        self._change_edge(candidate)  # the one step that may fail comes first
        self.config = config
        self.platform.domains = candidate.domains
        self.own_endpoints.change(candidate.domains, config.listen)
        self._learn_addresses()
        limits = config.limits
        self.stack.limits, self.stack.most_transactions = limits.of_messages(), limits.transactions
        self.platform.runner.limit = limits.parked
        self.shared.bound(limits.shared)
        self.platform.dialogs.bound(limits.dialogs)
        self.functions.bound(limits.function_workers)
        self.dispatcher.unknown_dialogs = config.unknown_dialogs == "route"
        self._adapt_modules(before.for_modules(), config.for_modules())
        self.dispatcher.routes = self.platform.routes = candidate.routes

    def _change_edge(self, candidate: Candidate) -> None:
        before, config = self.config, candidate.config
        tls = self.edge.tls.use(candidate.tls) if candidate.tls is not None else None
        if (config.listen, config.limits, config.websocket) == (before.listen, before.limits, before.websocket):
            return
        try:
            self.edge.change(edge_settings(config))
        except ConfigurationError:
            if tls is not None:
                self.edge.tls.use(tls)
            raise

    def _adapt_modules(self, before: Mapping[str, object], now: dict[str, object]) -> None:
        self.platform.settings = now
        for module in self.modules:
            if now.get(module.name) == before.get(module.name):
                continue
            try:
                module.adapt(now[module.name])
            except Exception:
                _log.exception("module %s failed to take its new settings", module.name)

    def _learn_addresses(self) -> tuple[Target, ...]:
        addresses = self.edge.addresses()
        self._reachable.clear()
        self._reachable.update(self.edge.reachable())
        self._locator.forget()
        self.own_endpoints.bound(addresses)
        return addresses

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
        return self._learn_addresses()

    def use_reachable(self, versions: Mapping[str, tuple[int, ...]]) -> None:
        """Locate targets for these transports and IP versions, though nothing listens (a dry run)."""
        self._reachable.update(versions)
        self.own_endpoints.bound(Target(listen.transport, listen.host, listen.port) for listen in self.config.listen)

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
            "dialogs": self.platform.dialogs.counters(),
            "edge": self.edge.statistics(),
        }
        found.update({module.name: module.statistics() for module in self.modules})
        if functions := self.functions.statistics():
            found["functions"] = {name: asdict(counters) for name, counters in functions.items()}
        return {name: counters for name, counters in found.items() if counters is not None}


def new_locator(
    config: Config,
    resolver: Resolver,
    reachable: Mapping[str, tuple[int, ...]],
    timers: Timers,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Locator:
    """The locator of a server with this configuration."""
    # Whoever listens on this machine alone can reach nobody else: then the DNS may name it too.
    local = all(is_loopback(listen.host) for listen in config.listen)
    return Locator(resolver, reachable, timers, random_bytes, longest=config.dns.timeout, loopback=local)


def domains_of(config: Config, is_own_address: Callable[[str], bool] | None = None) -> Domains:
    """The domains that a configuration names, and the addresses that stand for the first of them."""
    also = (advertised_host(listen) for listen in config.listen if listen.advertise)
    return Domains(config.domains, is_own_address or OwnAddresses(also))


def make_modules(platform: Platform, kinds: Sequence[type[Module]] = MODULES) -> tuple[Module, ...]:
    """The modules of one server."""
    return tuple(kind(platform) for kind in kinds)


def edge_settings(config: Config) -> EdgeSettings:
    """What the edge is told by a configuration."""
    limits = config.limits
    return EdgeSettings(
        config.listen,
        config.stream,
        config.tls_files,
        config.websocket,
        longest_message=limits.message,
        peers=limits.peers,
        datagrams_waiting=limits.datagrams_waiting,
    )


def _stop(modules: list[Module] | tuple[Module, ...]) -> None:
    for module in reversed(modules):
        try:
            module.stop()
        except Exception:
            _log.exception("module %s failed to stop", module.name)
