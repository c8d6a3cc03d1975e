"""A whole server on the fake network, with its route given as a Python coroutine function."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from modules.proxy.module import Proxy
from routing.runtime import Context, Domains, Platform
from routing.runtime.dispatch import Dispatcher, new_runner
from sipcore.errors import Unresolvable
from sipcore.facts import Fact
from sipcore.flow import Flow, Target
from sipcore.locate import Locator
from sipcore.need import Done, Need
from sipcore.uri import Uri
from tests.wire import Node, Wire

Route = Callable[[Context], Coroutine[Any, Any, object]]
HOST = "10.0.0.1"


class LiteralLocator:
    """Knows IP addresses, and names that the test told it; names in `slow` must be waited for."""

    def __init__(self) -> None:
        self.names: dict[str, tuple[Target, ...]] = {}
        self.slow: set[str] = set()
        self.failures: list[tuple[str, int]] = []

    def failed(self, flow: Flow) -> None:
        self.failures.append(flow.remote)

    def overloaded(self, flow: Flow, retry_after: bytes | None) -> None:
        self.failures.append(flow.remote)

    def immediately(self, uri: Uri) -> tuple[Target, ...] | None:
        if uri.host in self.slow:
            return None
        if uri.host in self.names:
            return self.names[uri.host]
        if not uri.host.replace(".", "").isdigit():
            raise Unresolvable(uri.host)
        return (Target(uri.parameter("transport") or "udp", uri.host, uri.port or 5060),)

    def need(self, uri: Uri) -> Need[tuple[Target, ...]]:
        return Need(self._addresses, uri)

    async def _addresses(self, uri: Uri) -> tuple[Target, ...]:
        return self.names[uri.host]


class Routes:
    """Stands for the compiled routes."""

    on_reply = on_dialog = None
    keeps_calls = False

    def __init__(self, route: Route) -> None:
        self.route = route

    def run(self, context: Context) -> Coroutine[Any, Any, object]:
        return self.route(context)


class Server:
    """Stack, dispatcher and proxy on one node; slow calls wait in `waiting` until the test answers them."""

    def __init__(self, wire: Wire, route: Route, *, host: str = HOST) -> None:
        self.wire = wire
        self.waiting: list[tuple[Need[Any], Done]] = []
        self.cancelled_calls = 0
        self.facts: list[Fact] = []
        self.dispatcher = Dispatcher()
        self.node: Node = wire.stack(host, self.dispatcher)
        assert self.node.stack is not None
        self.stack = self.node.stack
        self.locator = LiteralLocator()
        runner = new_runner(self.dispatcher, self._perform)
        runner.timers = self.stack.timers
        self.platform = Platform(
            stack=self.stack,
            runner=runner,
            tokens=self.stack.tokens,
            domains=Domains(("example.com",)),
            post=lambda call: call(),
            wall_clock=lambda: 1_800_000_000.0 + wire.now,
            is_own_endpoint=lambda name, port: name == host and port in (0, 5060),
        )
        self.platform.provide(Locator, self.locator)  # type: ignore[arg-type]
        self.proxy = Proxy(self.platform)
        self.dispatcher.platform = self.platform
        self.dispatcher.routes = Routes(route)
        self.dispatcher.offers.append(self.proxy.offer)
        self.dispatcher.acknowledge = self.proxy.acknowledge
        self.platform.observe = self.platform.observe_refusals = self.facts.append

    def _perform(self, need: Need[Any], done: Done) -> Callable[[], None]:
        entry = (need, done)
        self.waiting.append(entry)

        def cancel() -> None:
            self.cancelled_calls += 1
            self.waiting.remove(entry)

        return cancel

    def answer(self, result: object = None, error: BaseException | None = None) -> None:
        """Answer the oldest slow call."""
        _, done = self.waiting.pop(0)
        self.wire.at(0.0, lambda: done(result, error))

    def nothing_left(self) -> bool:
        """Whether every transaction, timer and parked handler is gone."""
        layer = self.stack.transactions
        return not (layer.clients or layer.servers or self.stack.timers.pending() or self.platform.runner.parked)
