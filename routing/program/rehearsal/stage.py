"""The world of one story: server, phones, network, DNS and database, made for it and thrown away behind it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from modules.database.module import Database
from modules.registrar.module import Registrar
from routing.language.stories.story import DnsRecord, Story
from routing.program.config import Config
from routing.program.own_endpoints import advertised_host
from routing.program.rehearsal.coverage import Coverage, Watching
from routing.program.rehearsal.database import StoryDatabase, account, binding_row
from routing.program.rehearsal.directory import Directory
from routing.program.rehearsal.dns import StoryDns
from routing.program.rehearsal.edge import RehearsalEdge
from routing.program.rehearsal.heard import Heard
from routing.program.rehearsal.ladder import Ladder
from routing.program.rehearsal.network import Network
from routing.program.rehearsal.phone import Phone
from routing.program.resolve import reachable
from routing.program.server import MODULES, Server, Surroundings, edge_settings
from routing.runtime.loader import ParsedRoutes
from routing.runtime.stores import BindingRow, Credentials, Store

USUAL_TIME = datetime(2026, 1, 15, 12, 0)
"""When a story plays that gives no time: noon of a Thursday that is no holiday."""
_SECRET = b"a test needs no secret of its own"


class Stage:
    """A server that was started, and everybody around it."""

    def __init__(self, story: Story, config: Config, routes: ParsedRoutes, coverage: Coverage) -> None:
        given = story.given
        self.story = story
        self.ladder = Ladder()
        self.network = network = Network(self.ladder)
        self.heard = Heard(lambda: network.now, network.note)
        own = {listen.host for listen in config.listen}
        own |= {advertised_host(listen) for listen in config.listen if listen.advertise}
        self.directory = Directory(given, config.domains[0], own)
        self._edge = RehearsalEdge(edge_settings(config), network)
        start = USUAL_TIME.timestamp() if given.time is None else given.time
        self._server = Server(
            config,
            _SECRET,
            edge=self._edge,
            resolver=StoryDns(self._records(), self.directory.address_of, lambda: network.now),
            modules=[kind for kind in MODULES if kind is not Database],
            run_functions=False,
            surroundings=Surroundings(
                wall_clock=lambda: start + network.now,
                random_bytes=random.Random(1).randbytes,
                is_own_address=own.__contains__,
            ),
        )
        network.connect(self._server.stack)
        self._routes, self._coverage = routes, coverage
        self.phones = {name: self._phone(name) for name in given.phones}

    def _records(self) -> list[DnsRecord]:
        """What the story gives, and the addresses of peers that have a name."""
        given = self.story.given
        told = {record.name for record in given.records if record.kind in ("A", "AAAA")}
        hosts = [
            DnsRecord(host, "AAAA" if ":" in address else "A", (address,), 0.0, False, self.story.span)
            for host, address in self.directory.hosts().items()
            if host not in told
        ]
        return [*given.records, *hosts]

    def _phone(self, name: str) -> Phone:
        user = self.directory.user(name)
        password = self._password(user.name) if user is not None else ""
        return Phone(self.story.given.phones[name], self.directory, self.network, self._edge, password)

    def _password(self, user: str) -> str:
        return self.story.given.users[user].password or f"the password of {user}"

    def _database(self) -> StoryDatabase:
        directory, given = self.directory, self.story.given
        accounts = [account(*directory.account(user), self._password(user)) for user in given.users]
        return StoryDatabase(accounts, self._bindings(), self._edge.post, "database" in given.failing)

    def _bindings(self) -> Iterator[BindingRow]:
        for number, phone in enumerate(self.story.given.phones.values(), 1):
            if phone.user and phone.registered:
                name, domain = self.directory.account(phone.user)
                listener = self._edge.listener(phone.transport, self.directory.address(phone.name)[0])
                socket = f"{phone.transport}:{listener.host}:{listener.port}" if listener is not None else ""
                contact = self.directory.contact(phone.name)
                yield binding_row(f"given-{number}", name, domain, contact, phone.q, socket)

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Start the server, and stop it at the end; ConfigurationError when the routes are wrong."""
        server, network = self._server, self.network
        database = self._database()
        server.platform.provide(Store, database)  # type: ignore[type-abstract]
        server.platform.provide(Credentials, database)  # type: ignore[type-abstract]
        with self.heard.listening():
            server.use_reachable(reachable(server.config.listen))
            watch = Watching(self._coverage, lambda line: self.ladder.ran(network.now, line))
            server.load_routes(self._routes, watch)
            server.start()
            server.observe(self.heard.hear, everything=True)
            try:
                yield
            finally:
                server.stop()

    # -- what can be asked ------------------------------------------------------------------------------------------

    @property
    def route_name(self) -> str:
        """What the routes are called in tracebacks."""
        return self._routes.name

    @property
    def quiet(self) -> bool:
        """Whether nobody waits for anything: no message, no look-up, no phone that rings, no request unanswered."""
        return not self.network.has_events and not self._server.busy()

    def bindings(self, user: str) -> list[str]:
        """The contacts of a user, as the registrar has them."""
        registrar = next(module for module in self._server.modules if isinstance(module, Registrar))
        address_of_record = "@".join(self.directory.account(user))
        now = self._server.platform.steady_time()
        return [binding.contact for binding in registrar.location.bindings(address_of_record, now)]
