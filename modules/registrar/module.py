"""The registrar as a module: REGISTERs in, bindings in memory and in the store, destinations out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from modules.registrar.binding import NO_Q, Binding, from_row
from modules.registrar.location import Location
from modules.registrar.merged import Merged
from modules.registrar.refusal import (
    address_of_record,
    check_body,
    check_contact,
    check_method,
    check_require,
    check_sips,
)
from modules.registrar.register import Registration, Update, read, update
from modules.registrar.settings import RegistrarSettings
from modules.registrar.source import Source, connection_for, needs_connection, source_of
from modules.registrar.turns import LONGEST_WAIT, Turns
from routing.runtime import Context, Destination, Effect, Ends, Module, Platform, function
from routing.runtime.stores import BindingRow, Credentials, PurgeBindings, SaveBindings, Store
from sipcore.errors import Refused, Unavailable
from sipcore.facts import Registered
from sipcore.flow import Flow
from sipcore.message import parse_name_addr
from sipcore.message.parameters import split_commas
from sipcore.need import Pending
from sipcore.uri import Uri, equivalent, unescape

log = logging.getLogger("ringway.registrar")

_SWEEP = 5.0
"""Seconds between two looks for what has expired."""
_PAUSE = 0.05
"""Between two parts of one look, so that messages come in between."""
_SWEPT_AT_ONCE = 2000
_PURGED_AT_ONCE = 500
_PURGE_AFTER = 60.0
"""Rows stay in the store for this long after their end, so that no clock's difference removes one too early."""
_RETRY_AFTER = (b"Retry-After: 5",)


@dataclass(frozen=True, slots=True)
class RegistrarStatistics:
    """What the registrar holds and did."""

    addresses_of_record: int
    bindings: int
    registers: int
    queries: int
    failed: int
    busy: int


class Registrar(Module):
    """Keeps the bindings of the served domains, and finds the devices of a user."""

    name = "registrar"
    adaptable = frozenset(field.name for field in fields(RegistrarSettings))

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.settings: RegistrarSettings = platform.settings.get("registrar", RegistrarSettings())
        self.location = Location()
        self._turns = Turns(self.settings.waiting)
        self._merged = Merged()
        self._loaded = False
        self._registers = self._queries = self._failed = 0

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Load what has not expired; without a database, answer 503 until there is one."""
        self._store = self.platform.get(Store)  # type: ignore[type-abstract]
        self._credentials = self.platform.get(Credentials)  # type: ignore[type-abstract]
        self._store.watch_bindings(self._changed_outside, self._load_later)
        try:
            self._load(self._store.load_bindings())
        except Unavailable as error:
            log.error("no bindings loaded: %s", error)
        self.platform.stack.timers.after(_SWEEP, self._sweep)
        self.platform.stack.when_flow_ends.append(self._flow_ended)

    def _load(self, rows: Iterable[BindingRow]) -> None:
        # Steady time begins as wall-clock time: when nothing was asked of it yet they are the same.
        wall_clock = self.platform.wall_clock()
        location = self.location
        for row in rows:
            key = self._key(row)
            known = location.bindings(key, wall_clock)
            location.replace(key, (*known, from_row(row, int(wall_clock), wall_clock)))
        self._loaded = True

    def _key(self, row: BindingRow) -> str:
        return f"{row.username}@{row.domain or self.platform.domains.names[0]}"

    def _load_later(self) -> None:
        if not self._loaded:
            self.platform.runner.run(self._load_now())

    async def _load_now(self) -> None:
        try:
            self._load(await self._store.fetch_all_bindings())
        except Unavailable:
            self.platform.stack.timers.after(_SWEEP, lambda _: self._load_later())

    def adapt(self, settings: RegistrarSettings) -> None:
        """Hold REGISTERs to these from now on; bindings that are stored stay as they were granted."""
        self.settings = settings
        self._turns.limit = settings.waiting

    def statistics(self) -> RegistrarStatistics:
        """Counters."""
        return RegistrarStatistics(
            len(self.location), self.location.count, self._registers, self._queries, self._failed, len(self._turns)
        )

    # -- functions of the language ----------------------------------------------------------------------------------

    @function(ends=Ends.ALWAYS)
    async def save(self, context: Context) -> None:
        """Store the bindings of a REGISTER, and answer it with all bindings its user has now.

        The 200 is sent when the bindings are on the disk. A REGISTER without Contact asks only, one with `Contact: *`
        and `Expires: 0` ends all bindings (RFC 3261 section 10.3). How many, and for how long, stands in [registrar].

        Fails: 423 for a time that is too brief, 403 for one binding too many or a Contact that leads nowhere, 404 for a
            user or domain that is not served, 405 for any other method, 400 for a Contact that can't be read, 420 for
            an extension that is demanded and unknown, 500 for one that comes out of order, 503 when the database gives
            no answer
        Example:
            if request.method == "REGISTER" {
                authenticate(as: to)
                save()
            }
            reply(404)
        See: authenticate, lookup
        """
        request = context.request
        check_method(request)
        key = address_of_record(request, self.platform)
        check_require(request)
        check_body(request)
        source = source_of(request, context.flow)
        registration = read(request, source, self.settings)
        if not self._loaded:
            raise Unavailable("the bindings are not loaded yet")
        now = int(self.platform.steady_time())
        if not registration.wanted and not registration.wildcard:
            self._queries += 1
            _answer(context, self.location.bindings(key, now), now)
            return
        for wanted in registration.wanted:
            check_contact(wanted.contact, source.address, self.platform, self.settings)
            check_sips(request, wanted.uri, wanted.path)
        if self._merged.is_copy(request, self.platform.now()):
            raise Refused(482)
        await self._turns.take(key)
        # From here on the turn is given back by `_Change`, or below when nothing was handed to the store.
        try:
            change = self._decide(key, registration, source)
        except BaseException:
            self._turns.leave(key)
            raise
        try:
            await change.pending
        except Unavailable as error:
            self._failed += 1
            raise Refused(500, "Bindings Were Not Stored", _RETRY_AFTER) from error
        self._registers += 1
        _answer(context, change.update.bindings, change.now, _path_of(registration))

    def _decide(self, key: str, registration: Registration, source: Source) -> _Change:
        platform = self.platform
        now = int(platform.steady_time())
        tokens = platform.tokens
        changed = update(
            self.location.bindings(key, now),
            registration,
            self.settings,
            now=now,
            chance=int.from_bytes(tokens.random_bytes(2), "big") / 65536,
            new_ruid=tokens.token,
        )
        change = _Change(self, key, changed, source.flow, now, source)
        if not changed.stored and not changed.removed:
            change(None, None)
            return change
        wall_clock = platform.wall_clock()
        rows = tuple([binding.row(key, now, wall_clock) for binding in changed.stored])
        self._store.submit(SaveBindings(rows, tuple([binding.ruid for binding in changed.removed])), change)
        return change

    @function()
    def lookup(self, context: Context, uri: Uri) -> list[Destination]:
        """The devices a user has registered, most wanted first; none for a user of another domain.

        Arguments:
            uri: the address of record, `request.uri` for example
        Result: a list of destinations, ordered by q; `.empty` and `.count` tell how many there are
        Fails: 503 until the bindings are read after the start
        Example:
            let phones = lookup(request.uri)
            if phones.empty { reply(480) }
            ring(phones, for: 20s)
            reply(outcome)
        See: ring, relay, exists, save
        """
        if not self._loaded:
            raise Unavailable("the bindings are not loaded yet")
        domain = self.platform.domains.canonical(uri.host)
        if domain is None:
            return []
        now = self.platform.steady_time()
        found = []
        for binding in self.location.bindings(f"{unescape(uri.user)}@{domain}", now):
            destination = _destination(binding, self.location)
            if destination is not None:
                found.append(destination)
        found.sort(key=lambda destination: -destination.q)
        return found

    @function(effect=Effect.OURS)
    async def exists(self, context: Context, uri: Uri) -> bool:
        """Whether there is an account of this name, registered or not.

        Arguments:
            uri: the address of record
        Result: true or false; false for a domain that is not served
        Fails: 503 when the database gives no answer
        Example:
            exists(request.uri) else { reply(404) }
            ring(lookup(request.uri))
            reply(outcome)
        See: lookup, authenticate
        """
        domain = self.platform.domains.canonical(uri.host)
        if domain is None:
            return False
        return await self._credentials.fetch_credentials(unescape(uri.user), domain) is not None

    # -- behind the scenes ------------------------------------------------------------------------------------------

    def apply(self, change: _Change) -> None:
        """Make a durable change visible, and report it."""
        location = self.location
        location.replace(change.key, change.update.bindings)
        source = change.source
        if source is not None and change.flow.reliable:
            for binding in change.update.stored:
                connection = connection_for(binding.uri, binding.received, source)
                location.connections.connect(change.key, binding.ruid, connection)
            if change.flow.closed:  # it ended while the store was at work
                self._flow_ended(change.flow)
        if self.platform.observe is not None:
            self._report(change)

    def _report(self, change: _Change) -> None:
        stored = change.update.stored
        reported = [(binding, binding.expires - change.now) for binding in stored]
        for binding in change.update.removed:
            if not any(equivalent(binding.uri, new.uri) for new in stored):
                reported.append((binding, 0))
        for binding, expires in reported:
            self.platform.report(Registered(change.key, binding.contact, expires, change.flow, binding.user_agent))

    def leave(self, key: str) -> None:
        """Let the next REGISTER of this address of record begin."""
        self._turns.leave(key)

    def _flow_ended(self, flow: Flow) -> None:
        """A connection has ended: what only it led to leaves at once, in the store too."""
        users: dict[str, set[str]] = {}
        for ruid, key in self.location.connections.end(flow).items():
            users.setdefault(key, set()).add(ruid)
        for key, ruids in users.items():
            self.platform.runner.run(self._remove_unreachable(key, ruids, flow))

    async def _remove_unreachable(self, key: str, ruids: set[str], flow: Flow) -> None:
        """Remove bindings that have come by a connection which is gone, unless they have come again by another."""
        try:
            await self._turns.take(key)
        except Unavailable:
            return  # nobody is led to them, and they expire
        now = int(self.platform.steady_time())
        bindings = self.location.bindings(key, now)
        has_come_again = self.location.connections.flow_of
        removed = [
            binding
            for binding in bindings
            if binding.ruid in ruids and has_come_again(binding.ruid) is None and needs_connection(binding)
        ]
        kept = tuple(binding for binding in bindings if binding not in removed)
        change = _Change(self, key, Update(kept, (), tuple(removed)), flow, now)
        if not removed:
            self._turns.leave(key)
            return
        try:
            self._store.submit(SaveBindings((), tuple(binding.ruid for binding in removed)), change)
        except Unavailable:
            self._turns.leave(key)

    def _sweep(self, _: object) -> None:
        done = self.location.expire(self.platform.steady_time(), _SWEPT_AT_ONCE)
        if done and self._loaded:
            try:
                before = self.platform.wall_clock() - _PURGE_AFTER
                self._store.submit(PurgeBindings(before, _PURGED_AT_ONCE), lambda result, error: None)
            except Unavailable:
                pass  # the store has more urgent things to do
        self.platform.stack.timers.after(_SWEEP if done else _PAUSE, self._sweep)

    def _changed_outside(self, username: str, domain: str) -> None:
        if self._loaded:
            self.platform.runner.run(self._reload(f"{username}@{domain}", username, domain))

    async def _reload(self, key: str, username: str, domain: str) -> None:
        """Read one address of record again, between two REGISTERs."""
        await self._turns.take(key)
        try:
            rows = await self._store.fetch_bindings(username, domain)
            now = int(self.platform.steady_time())
            wall_clock = self.platform.wall_clock()
            self.location.replace(key, [from_row(row, now, wall_clock) for row in rows])
        except Unavailable as error:
            log.warning("%s was changed by another program, but can't be read: %s", key, error)
        finally:
            self._turns.leave(key)


class _Change:
    """One change on its way to the store, called with the store's answer.

    Memory follows the store here, and not in the handler: a handler whose connection was lost is stopped, but what the
    store has kept is true all the same. Without a `source` it is no REGISTER but the end of a connection.
    """

    __slots__ = ("flow", "key", "now", "pending", "registrar", "source", "update")

    def __init__(
        self, registrar: Registrar, key: str, changed: Update, flow: Flow, now: int, source: Source | None = None
    ) -> None:
        self.registrar = registrar
        self.key = key
        self.update = changed
        self.flow = flow
        self.source = source
        self.now = now
        self.pending: Pending[None] = Pending(timeout=LONGEST_WAIT)

    def __call__(self, result: object, error: BaseException | None) -> None:
        if error is None:
            self.registrar.apply(self)
        self.pending.done(None, error)
        self.registrar.leave(self.key)


def _answer(context: Context, bindings: Sequence[Binding], now: int, path: str | None = None) -> None:
    """200 with every current binding (RFC 3261 section 10.3 step 8), and the Path that was kept (RFC 3327 5.3)."""
    headers = [("contact", _contact_value(binding, now)) for binding in bindings]
    if path is not None:
        headers.append(("path", path.encode()))
    context.reply(200, "", *headers)


def _contact_value(binding: Binding, now: int) -> bytes:
    text = f"<{binding.contact}>;expires={binding.expires - now}"
    if binding.q != NO_Q:
        text += f";q={binding.q:g}"
    if binding.instance is not None:
        text += f';+sip.instance="{binding.instance}"'
        if binding.reg_id:
            text += f";reg-id={binding.reg_id}"
    return text.encode()


def _path_of(registration: Registration) -> str | None:
    return registration.wanted[0].path if registration.wanted else None


def _destination(binding: Binding, location: Location) -> Destination | None:
    """Where a binding leads, or None when nothing leads there any more."""
    connection = received = None
    if binding.socket.startswith("udp:"):
        received = binding.received
    else:
        connection = location.connection(binding.ruid)
        if connection is None and needs_connection(binding):
            return None
    route = _route(binding.path) if binding.path is not None else ()
    return Destination(binding.uri, 1.0 if binding.q == NO_Q else binding.q, route, connection, received or "")


def _route(path: str) -> tuple[str, ...]:
    return tuple(parse_name_addr(value).uri_text for value in split_commas(path.encode()))
