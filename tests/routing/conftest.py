"""What tests of routes share: a recording module, a request, and short ways to check, load and run a route file."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from routing.language.problem import Problem
from routing.runtime import (
    BranchFunction,
    Context,
    Destination,
    Domains,
    Duration,
    Ends,
    Module,
    Networks,
    Place,
    Platform,
    Rate,
    function,
)
from routing.runtime.builtins import Builtins
from routing.runtime.loader import Routes, check_routes, load_routes
from sipcore.flow import Flow
from sipcore.message import NameAddr, Request, Response, parse
from sipcore.need import Need, Pending
from sipcore.timers import Timers
from sipcore.tokens import Tokens
from sipcore.uri import Uri

Where = str | Uri | Destination | list[Destination]

INVITE = b"""INVITE sip:bob@example.com:5070;transport=tcp SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
From: "Alice A." <sip:alice@Example.COM>;tag=a1
To: <sip:bob@example.com>
Call-ID: call-1@192.0.2.1
CSeq: 1 INVITE
Max-Forwards: 69
User-Agent: Linphone/5.1
X-Account: 7
Contact: <sip:alice@192.0.2.1>
Content-Length: 5

hello"""


class Recorder(Module):
    """Stands for every module there is: notes what was called, and answers what a test put into `answers`."""

    name = "recorder"

    def __init__(self, platform: Any = None) -> None:
        super().__init__(platform)
        self.calls: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}

    def note(self, name: str, *arguments: Any) -> Any:
        self.calls.append((name, *arguments))
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments) if callable(answer) else answer

    @function(ends=Ends.MAY)
    async def authenticate(self, context: Context, *, as_: NameAddr) -> bool:
        """Challenge, or let through."""
        return bool(self.note("authenticate", as_.uri_text))

    @function(ends=Ends.ALWAYS)
    async def save(self, context: Context) -> None:
        """Store the bindings."""
        self.note("save")

    @function(ends=Ends.ALWAYS)
    async def relay(self, context: Context, to: Where | None = None) -> None:
        """Forward."""
        self.note("relay", to)

    @function(ends=Ends.MAY)
    async def ring(
        self,
        context: Context,
        to: Where | None = None,
        *,
        for_: Duration | None = None,
        edit: BranchFunction | None = None,
    ) -> bool:
        """Ring."""
        answer = self.note("ring", to, for_)
        if edit is not None:
            edit(context, context.request)
        if isinstance(answer, Pending | Need):
            return bool(await answer)
        return bool(answer)

    @function()
    def lookup(self, context: Context, uri: Uri) -> list[Destination]:
        """Where a user is."""
        return self.note("lookup", uri.text) or []

    @function()
    async def exists(self, context: Context, uri: Uri) -> bool:
        """Whether there is such a user."""
        return bool(self.note("exists", uri.text))

    @function()
    def limit(self, context: Context, rate: Rate, *, per: str) -> bool:
        """Whether the rate is kept."""
        return bool(self.note("limit", rate, per))

    @function()
    def ban(self, context: Context, address: str, duration: Duration) -> None:
        """Keep out."""
        self.note("ban", address, duration)

    @function()
    async def e164(self, context: Context, number: str, *, country: str = "") -> str:
        """A number in its international form."""
        answer = self.note("e164", number, country)
        return answer if isinstance(answer, str) else number

    @function(places=Place.REQUEST | Place.BRANCH)
    def asserted(self, context: Context, number: str) -> str:
        """An identity."""
        return f"<tel:{number}>"

    @function()
    def allow(self, context: Context, code: int, network: Networks, share: float = 0.5) -> bool:
        """Takes the types nothing else takes."""
        return bool(self.note("allow", code, network, share))

    @function()
    def note_down(self, context: Context, *values: object) -> None:
        """Takes anything."""
        self.note("note_down", *values)


class Gateways(list[Destination]):
    """A table of destinations."""

    of = Destination


class Transaction:
    """The server side of the request, which keeps what was answered."""

    def __init__(self, request: Request, flow: Flow) -> None:
        self.request = request
        self.flow = flow
        self.user = None
        self.responses: list[Response] = []
        self.abandoned = False

    def respond(self, response: Response) -> None:
        self.responses.append(response)

    refuse = respond

    def answered(self) -> bool:
        return any(response.status >= 200 for response in self.responses)

    def abandon(self) -> None:
        self.abandoned = True


TABLES = {
    "domains": Domains(("example.com", "example.org")),
    "banned": Networks(["203.0.113.0/24"]),
    "denied_prefixes": frozenset({"0900", "0137"}),
    "gateways.carrier": Gateways(
        [Destination(Uri("sip", "", "one.example.net")), Destination(Uri("sip", "", "two.example.net"))]
    ),
}


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def platform() -> Platform:
    counter = iter(range(1000))
    return Platform(
        stack=SimpleNamespace(timers=Timers(1000.0)),  # type: ignore[arg-type]
        runner=None,  # type: ignore[arg-type]
        tokens=Tokens("t1", b"a secret of tests", lambda length: next(counter).to_bytes(length, "big")),
        domains=Domains(("example.com",)),
        post=lambda call: None,
        wall_clock=lambda: 0.0,
    )


@pytest.fixture
def modules(recorder: Recorder, platform: Platform) -> list[Module]:
    return [Builtins(platform), recorder]


@pytest.fixture
def check(modules: list[Module]) -> Callable[[str], list[Problem]]:
    """Check a text against the recorder's functions and the tables above."""
    return lambda text: check_routes(text, modules, TABLES)


@pytest.fixture
def load(modules: list[Module]) -> Callable[[str], Routes]:
    """Load a text against the recorder's functions and the tables above."""
    return lambda text: load_routes(text, modules, TABLES)


@pytest.fixture
def new_context(platform: Platform) -> Callable[..., Context]:
    """Make the context of a request: `new_context(INVITE bytes, source=("192.0.2.1", 5060))`."""

    def make(data: bytes = INVITE, source: tuple[str, int] = ("192.0.2.1", 5062)) -> Context:
        request = parse(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        assert isinstance(request, Request)
        flow = Flow("udp", ("192.0.2.9", 5060), source)
        return Context(platform, request, Transaction(request, flow))

    return make


@pytest.fixture
def run(
    load: Callable[[str], Routes], new_context: Callable[..., Context]
) -> Callable[..., tuple[bool, list[Response]]]:
    """Load a text, run the INVITE above through it; returns what it returned and the responses."""

    def run_text(text: str, context: Context | None = None) -> tuple[bool, list[Response]]:
        context = context or new_context()
        result = finish(load(text).run(context))
        return result, context.transaction.responses  # type: ignore[attr-defined]

    return run_text


def finish(coroutine: Coroutine[Any, Any, bool]) -> bool:
    """Run a coroutine that does not wait to its end."""
    try:
        waited = coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError(f"it waits for {waited}")
