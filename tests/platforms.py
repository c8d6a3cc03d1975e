"""What a module needs around it, with chosen time: a platform, transactions that record, and stores in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

from routing.runtime import Context, Domains, Platform
from routing.runtime.dispatch import Dispatcher, new_runner
from routing.runtime.stores import Account, BindingRow, Credentials, Operation, SaveBindings, Store
from sipcore.errors import RingwayError, Unavailable
from sipcore.facts import Fact
from sipcore.flow import Flow
from sipcore.message import Request, Response, parse
from sipcore.message.source import mark_source
from sipcore.need import Done, Handle, Pending
from sipcore.timers import Timers
from tests.wire import new_tokens

WALL_CLOCK = 1_800_000_000.0
SERVER = ("10.0.0.1", 5060)
PHONE = ("10.0.0.2", 5060)


class Transaction:
    """A server transaction that keeps what it is answered with."""

    def __init__(self, request: Request, flow: Flow) -> None:
        self.request = request
        self.flow = flow
        self.user: Any = None
        self.responses: list[Response] = []

    def respond(self, response: Response) -> None:
        self.responses.append(response)

    refuse = respond

    def answered(self) -> bool:
        return any(response.status >= 200 for response in self.responses)

    @property
    def response(self) -> Response:
        """The one response there is."""
        (response,) = self.responses
        return response

    @property
    def status(self) -> int:
        return self.response.status


class Bench:
    """A platform on a bench: nothing is sent, and time passes when the test says so."""

    def __init__(self, **settings: Any) -> None:
        self.wall_clock = WALL_CLOCK
        self.timers = Timers(50.0)
        self.facts: list[Fact] = []
        self.posted: list[Callable[[], None]] = []
        dispatcher = Dispatcher()
        self.platform = Platform(
            stack=SimpleNamespace(timers=self.timers, when_flow_ends=[]),  # type: ignore[arg-type]
            runner=new_runner(dispatcher, self._perform),
            tokens=new_tokens(),
            domains=Domains(("example.com", "example.net"), lambda host: host == SERVER[0]),
            post=self.posted.append,
            wall_clock=lambda: self.wall_clock,
            is_own_endpoint=lambda host, port: host == SERVER[0] and port in (0, 5060),
            settings=settings,
        )
        dispatcher.platform = self.platform
        self.platform.runner.timers = self.timers
        self.platform.observe = self.platform.observe_refusals = self.facts.append
        self.contexts: list[Context] = []

    def _perform(self, need: object, done: Done) -> Callable[[], None]:
        raise AssertionError("nothing here waits for a Need")

    def provide(self, store: MemoryStore) -> MemoryStore:
        """Let modules find this store and its accounts."""
        self.platform.provide(Store, store)  # type: ignore[type-abstract]
        self.platform.provide(Credentials, store)  # type: ignore[type-abstract]
        return store

    def run(
        self, route: Callable[[Context], Coroutine[Any, Any, object]], request: Request, flow: Flow | None = None
    ) -> Transaction:
        """Let a request come by a flow and run through a route."""
        flow = flow or Flow("udp", SERVER, PHONE)
        mark_source(request, flow.remote)
        transaction = Transaction(request, flow)
        context = Context(self.platform, request, transaction)
        self.contexts.append(context)
        context.handle = self.platform.runner.run(route(context), context)
        return transaction

    @property
    def handle(self) -> Handle:
        """The handler of the latest request."""
        handle = self.contexts[-1].handle
        assert handle is not None
        return handle

    def pass_time(self, seconds: float) -> None:
        """Let time pass and timers run."""
        self.wall_clock += seconds
        end = self.timers.now + seconds
        while self.timers.next_deadline() <= end:
            self.timers.expire(self.timers.next_deadline())
        self.timers.now = end

    def post_all(self) -> None:
        """Do what other threads asked for."""
        while self.posted:
            self.posted.pop(0)()

    def facts_of(self, kind: type) -> list[Any]:
        """Reported facts of one kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]


class MemoryStore:
    """Accounts and bindings in dicts; with `held` set, answers wait until the test lets them go."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = {(account.username, account.domain): account for account in accounts}
        self.rows: dict[str, BindingRow] = {}
        self.trouble: RingwayError | None = None
        self.held = False
        self.full = False
        self.waiting: list[Callable[[], None]] = []
        self.operations: list[Operation] = []
        self.fetched: list[tuple[str, str]] = []
        self.accounts_changed: list[Callable[[], None]] = []
        self.changed: Callable[[str, str], None] = lambda username, domain: None
        self.opened: Callable[[], None] = lambda: None

    def submit(self, operation: Operation, done: Done) -> None:
        if self.full:
            raise Unavailable("the queue is full")
        self.operations.append(operation)
        self._soon(lambda: self._commit(operation, done))

    def _soon(self, call: Callable[[], None]) -> None:
        if self.held:
            self.waiting.append(call)
        else:
            call()

    def _commit(self, operation: Operation, done: Done) -> None:
        if self.trouble is not None:
            done(None, self.trouble)
            return
        if isinstance(operation, SaveBindings):
            self.rows.update({row.ruid: row for row in operation.stored})
            for ruid in operation.removed:
                self.rows.pop(ruid, None)
        done(None, None)

    def release(self, count: int = -1) -> None:
        """Answer what waits: the first `count`, or all."""
        waiting = self.waiting[:] if count < 0 else self.waiting[:count]
        del self.waiting[: len(waiting)]
        for call in waiting:
            call()

    def load_bindings(self) -> Iterator[BindingRow]:
        if self.trouble is not None:
            raise self.trouble
        yield from list(self.rows.values())

    def fetch_all_bindings(self) -> Pending[list[BindingRow]]:
        return self._answer(lambda: list(self.rows.values()))

    def fetch_bindings(self, username: str, domain: str) -> Pending[list[BindingRow]]:
        wanted = username, domain
        return self._answer(lambda: [row for row in self.rows.values() if (row.username, row.domain) == wanted])

    def watch_bindings(self, changed: Callable[[str, str], None], opened: Callable[[], None]) -> None:
        self.changed, self.opened = changed, opened

    def fetch_credentials(self, username: str, domain: str) -> Pending[Account | None]:
        self.fetched.append((username, domain))
        return self._answer(lambda: self.accounts.get((username, domain)))

    def watch_accounts(self, changed: Callable[[], None]) -> None:
        self.accounts_changed.append(changed)

    def _answer(self, look: Callable[[], Any]) -> Pending[Any]:
        pending: Pending[Any] = Pending()

        def answer() -> None:
            if self.trouble is not None:
                pending.done(None, self.trouble)
            else:
                pending.done(look())

        self._soon(answer)
        return pending


def register(
    *headers: str,
    cseq: int = 1,
    call_id: str = "call-1",
    user: str = "alice",
    domain: str = "example.com",
    uri: str = "",
    via: str = "10.0.0.2:5060",
    method: str = "REGISTER",
) -> Request:
    """A REGISTER (or another request) as a phone writes it."""
    lines = [
        f"{method} {uri or 'sip:' + domain} SIP/2.0",
        f"Via: SIP/2.0/UDP {via};branch=z9hG4bK{cseq}",
        f"From: <sip:{user}@{domain}>;tag=1",
        f"To: <sip:{user}@{domain}>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
        *headers,
        "Content-Length: 0",
    ]
    message = parse(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape"))
    assert isinstance(message, Request)
    return message
