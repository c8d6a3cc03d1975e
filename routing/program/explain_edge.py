"""The edge of a dry run: it opens nothing, keeps what would be sent, and answers as it was told."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from routing.program.closed_edge import ClosedEdge
from routing.runtime.stores import Account, Credentials, Operation, SaveBindings, Store
from sipcore.errors import Unavailable
from sipcore.flow import Flow, host_port
from sipcore.locate.records import Answer, Question
from sipcore.message import Request, Response, parse
from sipcore.need import Done, Need, Pending
from sipcore.net.settings import EdgeSettings
from sipcore.stack import Stack

_STAND_INS = 65_000
_FOR_EVER = float("inf")
_PATIENCE = 10.0


class Sent(NamedTuple):
    """A message that would leave: by which transport, and where to."""

    transport: str
    to: str
    message: Request | Response


class NoDns:
    """Stands for the DNS, and asks nobody: a name has a stand-in address, so that a route goes on."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        """By stand-in address."""
        self.asked: list[Question] = []

    def known(self, question: Question) -> Answer | None:
        """One stand-in address for each name, of the network for benchmarks (RFC 2544), and no other records."""
        if question not in self.asked:
            self.asked.append(question)
        if question.kind != "A" or len(self.names) >= _STAND_INS:
            return Answer((), _FOR_EVER)
        known = next((address for address, name in self.names.items() if name == question.name), None)
        if known is None:
            known = f"198.18.{len(self.names) >> 8}.{len(self.names) & 255}"
            self.names[known] = question.name
        return Answer((known,), _FOR_EVER)

    async def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """The same."""
        return [self.known(question) or Answer((), _FOR_EVER) for question in questions]


class ExplainEdge(ClosedEdge):
    """Takes one request in, and everything out. `answers` are the statuses that targets answer with, in turn."""

    def __init__(self, settings: EdgeSettings, answers: Iterable[int], dns: NoDns) -> None:
        super().__init__(settings)
        self.sent: list[Sent] = []
        self.on_sent: Callable[[Sent], None] = lambda sent: None
        self.not_made: list[str] = []
        """Slow calls that a server would have made."""
        self._answers = list(answers)
        self._dns = dns
        self._posted: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self.post = lambda call: self._posted.put(call)

    def perform(self, need: Need[Any], done: Done) -> Callable[[], None]:
        """No slow call is made: whoever waits hears that there was no answer."""
        self.not_made.append(getattr(need.call, "__qualname__", repr(need.call)))
        done(None, Unavailable("a dry run asks nobody"))
        return lambda: None

    # -- letting it run -----------------------------------------------------------------------------------------------

    def run_to_its_end(self, stack: Stack, waits: Callable[[], bool]) -> None:
        """Send, answer and run what threads post, until nothing more can happen; `waits` tells of a parked route."""
        while True:
            while stack.outbox:
                flow, data = stack.outbox.popleft()
                if data:
                    self._send(stack, flow, data)
            if stack.transactions.clients or not waits():
                return  # what still waits, waits for an answer from the network
            try:
                self._posted.get(timeout=_PATIENCE)()
            except queue.Empty:
                return

    def _send(self, stack: Stack, flow: Flow, data: bytes) -> None:
        message = parse(data)
        host, port = flow.remote
        name = self._dns.names.get(host)
        to = f"{name} (the DNS was not asked)" if name is not None else host_port(host, port)
        sent = Sent(flow.transport, to, message)
        self.sent.append(sent)
        self.on_sent(sent)
        if isinstance(message, Request) and message.method != "ACK":
            status = 200 if message.method == "CANCEL" else self._answers.pop(0) if self._answers else 0
            if status:
                self._answer(stack, flow, message, status)

    def _answer(self, stack: Stack, flow: Flow, request: Request, status: int) -> None:
        response = request.response(status, to_tag="explained")
        if 200 <= status < 300 and request.method == "INVITE":
            response.append("contact", f"<sip:{host_port(*flow.remote)}>".encode())
        stack.receive(response.write(), flow, stack.timers.now)


class DryStore:
    """Reads from the real store, and writes nothing."""

    def __init__(self, store: Store, credentials: Credentials) -> None:
        self._store = store
        self._credentials = credentials
        self.written: list[str] = []
        self.load_bindings = store.load_bindings
        self.fetch_all_bindings = store.fetch_all_bindings
        self.fetch_bindings = store.fetch_bindings
        self.watch_bindings = store.watch_bindings

    def submit(self, operation: Operation, done: Done) -> None:
        """Say what would be written, and that it was."""
        if isinstance(operation, SaveBindings):
            self.written += [f"store {row.username}@{row.domain}: {row.contact}" for row in operation.stored]
            self.written += [f"remove binding {ruid}" for ruid in operation.removed]
        done(None, None)

    def fetch_credentials(self, username: str, domain: str) -> Pending[Account | None]:
        """As the real one."""
        return self._credentials.fetch_credentials(username, domain)

    def watch_accounts(self, changed: Callable[[], None]) -> None:
        """Nothing changes in a dry run."""
