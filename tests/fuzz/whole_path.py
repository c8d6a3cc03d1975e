"""One input on the whole path of a message, and what must be true afterwards whatever the input was.

Parse, check, authenticate, route, rewrite, forward, write, log: the real stack with all modules and the default route
on an edge that keeps what is sent. Nothing is left over from one input to the next.
"""

from __future__ import annotations

import json
import logging
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modules.auth.module import Auth
from modules.auth.settings import AuthSettings
from modules.proxy.module import Proxy
from modules.registrar.module import Registrar
from routing.program.events import write_event
from routing.program.logs import BoundedHandler, JsonFormatter, TextFormatter
from routing.runtime import Context, Domains, Module, Platform
from routing.runtime.builtins import Builtins
from routing.runtime.dispatch import Dispatcher
from routing.runtime.loader import load_routes
from routing.runtime.stores import BindingRow, Credentials, Store
from sipcore.digest import MD5, expected_response, ha1, parse_credentials
from sipcore.errors import Malformed, RingwayError, Unresolvable
from sipcore.flow import Flow, Target
from sipcore.locate import Answer, Locator, Question
from sipcore.message import Message, Request
from sipcore.need import Done, Need, Runner
from sipcore.stack import CLOSE, Stack
from tests.fuzz.judge import Judge
from tests.fuzz.script import Step, steps_of
from tests.gates import account
from tests.platforms import WALL_CLOCK, MemoryStore
from tests.scripted_dns import ScriptedDns
from tests.sipcore.message.everything import do_everything
from tests.wire import new_tokens

HERE = ("192.0.2.100", 5060)
MAIN_ROUTE = Path(__file__).resolve().parents[2] / "routing" / "program" / "data" / "main.route"
EDITS = Path(__file__).with_name("edits.route").read_text("utf-8")
DOMAINS = Domains(("example.com", "biloxi.com"), lambda host: host == HERE[0])
EVERYTHING_OVER = 400.0
"""Seconds after which no timer of a transaction is left (Timer C is 181 s)."""


ZONE = """
sip.example.net A 198.51.100.7
sip.example.net A 198.51.100.8
slow.example.net NAPTR 10 50 s SIP+D2T "" _sip._tcp.slow.example.net
_sip._tcp.slow.example.net SRV 1 0 5070 one.slow.example.net
_sip._tcp.slow.example.net SRV 2 0 5060 sip.example.net
one.slow.example.net A 198.51.100.9
"""


class Names(ScriptedDns):
    """A name server that must be waited for when a name holds `slow`."""

    def known(self, question: Question) -> Answer | None:
        return None if "slow" in question.name else self.answer(question)


class WholePath:
    """A server; `run(data)` plays one input and raises what is wrong, AssertionError or whatever left the stack.

    The routes are compiled once; everything that has a state is made anew for each input.
    """

    def __init__(self) -> None:
        self._records: queue.Queue[logging.LogRecord | None] = queue.Queue(10_000)
        self._formatters = (TextFormatter(), JsonFormatter())
        logger = logging.getLogger("ringway")
        logger.handlers, logger.propagate = [BoundedHandler(self._records)], False
        logger.setLevel(logging.DEBUG)
        self._new_platform()
        self.modules: list[Module] = [kind(self.platform) for kind in (Builtins, Auth, Registrar, Proxy)]
        text = MAIN_ROUTE.read_text("utf-8").replace("on request {\n", "on request {\n" + EDITS, 1)
        self._routes = load_routes(text, self.modules, {"domains": DOMAINS})

    # -- a new server -------------------------------------------------------------------------------------------------

    def _new_platform(self) -> None:
        self.dispatcher = Dispatcher()
        self.flows: dict[Target, Flow] = {}
        self.waiting: list[tuple[Need[Any], Done]] = []
        self.sent_to: dict[str, Request] = {}
        self.recorded = b""
        tokens = new_tokens()
        self.stack = Stack(user=self.dispatcher, open_flow=self._open_flow, tokens=tokens, now=100.0)
        self.store = MemoryStore(account("alice"), account("bob"))
        for name, uri in (("1", "sip:bob@192.0.2.2"), ("2", "sip:bob@192.0.2.3;transport=tcp")):
            self.store.rows[name] = BindingRow(
                name, "bob", "example.com", uri, None, None, 0.0, -1.0, "kept", 1, WALL_CLOCK, 0, 0, "", None, None,
                None, 0, 0, 0, 0, 0,
            )  # fmt: skip
        self.platform = platform = Platform(
            stack=self.stack,
            runner=Runner(self._perform, self._failed, 3),
            tokens=tokens,
            domains=DOMAINS,
            post=lambda call: call(),
            wall_clock=lambda: WALL_CLOCK + self.stack.timers.now,
            is_own_endpoint=lambda host, port: host == HERE[0] and port in (0, 5060),
            settings={"auth": AuthSettings(algorithms=("SHA-512-256", "SHA-256", "MD5"))},
        )
        platform.provide(Store, self.store)  # type: ignore[type-abstract]
        platform.provide(Credentials, self.store)  # type: ignore[type-abstract]
        platform.provide(Locator, Locator(Names(ZONE), {"udp": (4, 6), "tcp": (4,)}, self.stack.timers))
        platform.observe = platform.observe_refusals = self.stack.observe = write_event

    def reset(self) -> None:
        """Forget everything; the server is as it was at its start."""
        self._new_platform()
        for module in self.modules:
            module.__init__(self.platform)  # type: ignore[misc]  # the compiled routes know these very objects
            module.start()
        proxy = self.modules[-1]
        assert isinstance(proxy, Proxy)
        self.dispatcher.platform = self.platform
        self.dispatcher.routes = self._routes
        self.dispatcher.offers = [proxy.offer]
        self.dispatcher.acknowledge = proxy.acknowledge

    def _open_flow(self, target: Target) -> Flow:
        if target.transport not in ("udp", "tcp"):
            raise Unresolvable(target.transport)
        return self._flow(target)

    def _flow(self, target: Target) -> Flow:
        flow = self.flows.get(target)
        if flow is None or flow.closed:
            flow = self.flows[target] = Flow(target.transport, HERE, (target.host, target.port))
            if target.transport == "ws":
                self.stack.flow_opened(flow, self.stack.timers.now)
        return flow

    def _perform(self, need: Need[Any], done: Done) -> Callable[[], None]:
        entry = need, done
        self.waiting.append(entry)
        return lambda: self.waiting.remove(entry)

    def _failed(self, failure: Exception, context: Context | None) -> None:
        if not isinstance(failure, RingwayError):
            raise failure
        self.dispatcher.failed(failure, context)

    # -- one input ----------------------------------------------------------------------------------------------------

    def run(self, data: bytes) -> None:
        """Play an input, let all time pass, and look at everything that came out."""
        self.reset()
        for step in steps_of(data):
            self._play(step)
        self.store.held = False
        self._answer_all()
        self._pass_time(EVERYTHING_OVER)
        self._read_log()
        layer = self.stack.transactions
        assert not layer.clients and not layer.servers, f"left over: {layer.clients} {layer.servers}"
        assert self.platform.runner.parked == 0 and not self.waiting
        assert layer.counters.unexpected_events == 0

    def _play(self, step: Step) -> None:
        now = self.stack.timers.now
        if step.kind == "wait":
            self._answer_all()
            self._pass_time(step.number)
            return
        if step.kind == "slow":
            self.store.held = True
            return
        flow = self._flow(Target(step.kind.split()[-1], f"192.0.2.{step.number % 250 or 1}", 5060))
        if step.kind.startswith("lost"):
            self._lose(flow)
            self._sent(Judge.of_nothing())
            return
        data = self._filled_in(step.data, flow.remote[0])
        do_everything(data)
        judge = Judge(data, flow)
        if step.kind == "udp":
            self.stack.receive(data, flow, now)
        elif step.kind == "ws":
            self.stack.receive_message(data, flow, now)
        else:
            for at in range(0, len(data), step.size):
                if not flow.closed:
                    self.stack.receive_stream(data[at : at + step.size], flow, now)
        self._sent(judge)

    def _answer_all(self) -> None:
        while self.waiting or self.store.waiting:
            self.store.release()
            if self.waiting:
                need, done = self.waiting.pop(0)
                try:
                    need.call(*need.arguments).__await__().send(None)
                except StopIteration as end:
                    done(end.value, None)
                except RingwayError as error:
                    done(None, error)
        self._sent(Judge.of_nothing())

    def _pass_time(self, seconds: float) -> None:
        end = self.stack.timers.now + seconds
        while (deadline := self.stack.next_deadline()) <= end:
            self.stack.tick(max(deadline, self.stack.timers.now))
            self._sent(Judge.of_nothing())
        self.stack.tick(end)

    def _sent(self, judge: Judge) -> None:
        outbox = self.stack.outbox
        while outbox:
            flow, data = outbox.popleft()
            if data == CLOSE:
                assert flow.reliable
                self._lose(flow)
                continue
            message = judge.sent(flow, data)
            if isinstance(message, Request) and message.method not in ("ACK", "CANCEL"):
                self.sent_to[flow.remote[0]] = self.sent_to[""] = message
                self.recorded = _lines("Route", message, "record-route") or self.recorded
        judge.verdict()

    def _lose(self, flow: Flow) -> None:
        flow.closed = flow.reliable
        self.stack.flow_lost(flow, self.stack.timers.now)

    # -- what a script leaves open ------------------------------------------------------------------------------------

    def _filled_in(self, data: bytes, peer: str) -> bytes:
        """`{via}` as in the last request, `{route}` and `{uri}` as recorded, a right `{nonce}` and `{response}`."""
        if b"{" not in data:
            return data
        sent = self.sent_to.get(peer) or self.sent_to.get("")
        if sent is not None:
            data = data.replace(b"{via}", _lines("Via", sent))
        data = data.replace(b"{route}", self.recorded)
        data = data.replace(b"{uri}", self.recorded.partition(b"<")[2].partition(b">")[0])
        if b"{nonce}" in data:
            auth = self.modules[1]
            assert isinstance(auth, Auth)
            data = data.replace(b"{nonce}", auth._nonces.make("example.com", self.platform.steady_time()).encode())
        if b"{response}" in data:
            data = data.replace(b"{response}", _digest_response(data))
        return data

    def _read_log(self) -> None:
        while not self._records.empty():
            record = self._records.get()
            assert record is not None
            assert record.levelno < logging.ERROR, TextFormatter().format(record)
            for formatter in self._formatters:
                line = formatter.format(record)
                assert line.isprintable() and len(line) < 40_000, repr(line)
            assert isinstance(json.loads(line), dict)


def _lines(name: str, message: Message, key: str = "") -> bytes:
    return b"\r\n".join(name.encode() + b": " + value for value in message.all(key or name.lower()))


def _digest_response(data: bytes) -> bytes:
    """What alice or bob, whose password is `secret`, would answer with."""
    begin = data.find(b"Digest ")
    try:
        credentials = parse_credentials(data[begin : data.find(b"\r\n", begin)]) if begin >= 0 else None
    except Malformed:
        return b""
    if credentials is None:
        return b""
    algorithm = credentials.algorithm or MD5
    secret = ha1(algorithm, "bob" if credentials.username == "bob" else "alice", "example.com", "secret")
    method = data.partition(b" ")[0].decode("latin-1")
    return expected_response(credentials, algorithm, secret, method).encode()
