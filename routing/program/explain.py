"""`ringway explain`: what the server would do with one request, without a network: the real engine, line by line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from modules.auth.module import Auth
from routing.program.config import Config, read_text
from routing.program.exit_codes import FAILURE, OK
from routing.program.explain_edge import DryStore, ExplainEdge, NoDns, Sent
from routing.program.explain_request import Asked, request_of, source_of
from routing.program.explain_trace import Call, Line, Note, Step, Trace, Value
from routing.program.logs import escape
from routing.program.resolve import reachable
from routing.program.server import MODULES, Server, edge_settings
from routing.runtime import Context, Effect, Ends, Module, function
from routing.runtime.functions import function_table
from routing.runtime.stores import Credentials, Store
from sipcore.errors import ConfigurationError, Malformed
from sipcore.facts import Challenged, Dropped, Fact, Registered, Rejected
from sipcore.flow import host_port
from sipcore.message import NameAddr, Request, Response, parse
from sipcore.uri import unescape

_SECRET = b"a dry run needs no secret of its own"


class BelievingAuth(Auth):
    """`authenticate` as if the right password had been given."""

    @function(ends=Ends.MAY, effect=Effect.VOUCHES)
    async def authenticate(self, context: Context, *, as_: NameAddr) -> bool:
        """Let every user of a served domain through."""
        uri = as_.uri
        domain = self.platform.domains.canonical(uri.host) if uri.host else None
        if domain is None or not uri.user:
            return await super().authenticate(context, as_=as_)
        context.user = f"{unescape(uri.user)}@{domain}"
        return False


@dataclass(slots=True)
class Explanation:
    """What was found out; `forwarded` and `answers` are what would leave, to targets and back to the source."""

    received: Request | None
    source: str
    steps: list[Step] = field(default_factory=list)
    forwarded: list[Sent] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    waits: bool = False

    @property
    def outcome(self) -> str:
        """How it ends, in one line."""
        final = next((answer for answer in self.answers if answer.status >= 200), None)
        if final is not None:
            return f"answered {final.status} {final.reason}"
        targets = [sent.to for sent in self.forwarded if first_line(sent.message).split()[0] not in ("ACK", "CANCEL")]
        if targets:
            return f"forwarded to {', '.join(targets)}; waits for what they answer (--answer 486 tries one)"
        return "the route waits for what a dry run does not ask" if self.waits else "dropped, without an answer"


def explain(config: Config, asked: Asked, *, believe: bool, answers: Sequence[int], as_json: bool) -> int:
    """The command; returns its exit code."""
    found = examine(config, asked, believe=believe, answers=answers)
    print(json.dumps(as_document(found), indent=2) if as_json else "\n".join(map(escape, as_lines(found))))
    return OK if found.received is not None else FAILURE


def examine(config: Config, asked: Asked, *, believe: bool = False, answers: Sequence[int] = ()) -> Explanation:
    """Let one request through a server of its own."""
    dns = NoDns()
    edge = ExplainEdge(edge_settings(config), answers, dns)
    kinds: list[type[Module]] = [BelievingAuth if kind is Auth and believe else kind for kind in MODULES]
    server = Server(config, _SECRET, edge=edge, resolver=dns, modules=kinds, run_functions=False)
    store = DryStore(server.platform.get(Store), server.platform.get(Credentials))  # type: ignore[type-abstract]
    server.platform.provide(Store, store)  # type: ignore[type-abstract]
    server.platform.provide(Credentials, store)  # type: ignore[type-abstract]
    server.use_reachable(reachable(config.listen))
    server.load_routes()
    server.start()
    try:
        return _run(server, edge, asked, dns, store)
    finally:
        server.stop()


def _run(server: Server, edge: ExplainEdge, asked: Asked, dns: NoDns, store: DryStore) -> Explanation:
    config = server.config
    data, source = request_of(asked, config.domains[0]), source_of(asked)
    flow = edge.flow(source)
    if flow.transport in ("ws", "wss"):
        server.stack.flow_opened(flow, server.stack.timers.now)  # only the browser could make it again
    found = Explanation(None, f"{source.transport} {host_port(source.host, source.port)}")
    try:
        message = parse(data, config.limits.of_messages())
    except Malformed as malformed:
        found.notes.append(f"the request can't be understood: {malformed.reason}")
    else:
        if not isinstance(message, Request):
            raise ConfigurationError(["this is a response; a request is explained"])
        found.received = message
    codes = {
        signature.target.__func__.__code__: name
        for name, signature in function_table(server.modules).items()
        if hasattr(signature.target, "__func__")
    }
    accounts, bindings = (f"{table} in {config.database_file}" for table in ("accounts", "bindings"))
    sources = {"authenticate": accounts, "exists": accounts, "lookup": bindings}
    trace = Trace(str(config.route_file), read_text(config.route_file), codes, sources)
    entered = _Entered(server)

    def sent(one: Sent) -> None:
        message = one.message
        if isinstance(message, Response):
            found.answers.append(message)
            trace.note(f"answers {message.status} {message.reason}")
        else:
            found.forwarded.append(one)
            trace.note(f"sends {message.method} {message.uri_text} to {one.transport} {one.to}")

    edge.on_sent = sent
    server.observe(lambda fact: _tell(trace, fact), everything=True)
    with trace.watching():
        server.stack.receive(data, flow, server.stack.timers.now)
        edge.run_to_its_end(server.stack, entered.waits)
    found.steps = trace.steps
    found.waits = entered.waits()
    if dns.asked:
        asked_for = ", ".join(f"{question.kind} {question.name}" for question in dns.asked)
        found.notes.append(f"the DNS was not asked for {asked_for}; `ringway resolve` asks it")
    found.notes += [f"not made: {call}" for call in edge.not_made]
    found.notes += [f"not written: {change}" for change in store.written]
    return found


class _Entered:
    """Stands before the routes and remembers the context of the request."""

    def __init__(self, server: Server) -> None:
        routes = server.dispatcher.routes
        assert routes is not None
        self._routes = routes
        self._context: Context | None = None
        server.dispatcher.routes = self

    def run(self, context: Context) -> Any:
        self._context = context
        return self._routes.run(context)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._routes, name)

    def waits(self) -> bool:
        """Whether the route has begun and has not come to its end."""
        handle = self._context.handle if self._context is not None else None
        return handle is not None and not handle.finished


def _tell(trace: Trace, fact: Fact) -> None:
    if isinstance(fact, Rejected):
        trace.note(f"refused with {fact.status}: {fact.why}")
    elif isinstance(fact, Challenged):
        trace.note(f"{fact.user} is asked for a password (--authenticated goes on as if it were right)")
    elif isinstance(fact, Registered):
        trace.note(f"{fact.address_of_record} -> {fact.contact}, {fact.expires} s")
    elif isinstance(fact, Dropped):
        trace.note(f"not understood: {fact.why}")


# -- what is shown ----------------------------------------------------------------------------------------------------


def changes(received: Request | None, message: Request | Response) -> tuple[list[str], list[str]]:
    """(added, removed) header lines of a message that would leave, compared with the request that came."""
    before = Counter(_lines(received)) if received is not None else Counter()
    after = Counter(_lines(message))
    added = [line for line in _lines(message) if line in after - before]
    removed = [line for line in _lines(received) if line in before - after] if received is not None else []
    return added, removed if isinstance(message, Request) else []


def _lines(message: Request | Response) -> list[str]:
    return [line.decode("utf-8", "surrogateescape") for line in message.lines]


def first_line(message: Request | Response) -> str:
    """The request line or the status line, without the version."""
    if isinstance(message, Request):
        return f"{message.method} {message.uri_text}"
    return f"{message.status} {message.reason}"


def as_lines(found: Explanation) -> list[str]:
    """For people."""
    lines = [f"{first_line(found.received) if found.received is not None else 'a message'} from {found.source}", ""]
    for step in found.steps:
        if isinstance(step, Line):
            lines.append(f"{step.number:>4}  {step.text}")
        elif isinstance(step, Value):
            lines.append(f"          {step.name} = {step.value}")
        elif isinstance(step, Call):
            lines.append(f"          {_shown_call(step)}")
        elif isinstance(step, Note):
            lines.append(f"      --  {step.text}")
    for sent in found.forwarded:
        if first_line(sent.message).startswith(("ACK ", "CANCEL ")):
            continue  # the engine's own; the steps name them
        lines += ["", f"to {sent.transport} {sent.to}", *_shown_message(found, sent.message)]
    for answer in found.answers:
        lines += ["", f"back to {found.source}", *_shown_message(found, answer)]
    return [*lines, "", *found.notes, f"outcome: {found.outcome}"]


def _shown_call(call: Call) -> str:
    given = ", ".join(f"{name}: {value}" for name, value in call.arguments.items())
    result = f" gave {call.result}" if call.result != "nothing" else ""
    return f"{call.name}({given}){result}{f' ({call.source})' if result and call.source else ''}"


def _shown_message(found: Explanation, message: Request | Response) -> list[str]:
    added, removed = changes(found.received, message)
    return [f"  {first_line(message)}", *(f"  - {line}" for line in removed), *(f"  + {line}" for line in added)]


def as_document(found: Explanation) -> dict[str, Any]:
    """For programs."""

    def message(one: Request | Response) -> dict[str, Any]:
        added, removed = changes(found.received, one)
        return {"first_line": first_line(one), "added": added, "removed": removed}

    return {
        "request": first_line(found.received) if found.received is not None else None,
        "source": found.source,
        "steps": [{"step": type(step).__name__.lower(), **step._asdict()} for step in found.steps],
        "forwarded": [
            {"transport": sent.transport, "to": sent.to, **message(sent.message)} for sent in found.forwarded
        ],
        "answers": [message(answer) for answer in found.answers],
        "notes": found.notes,
        "outcome": found.outcome,
    }
