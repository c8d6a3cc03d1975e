"""How fast routes run and how fast they are checked: the language alone, with functions that do nothing."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from importlib import resources
from types import SimpleNamespace
from typing import Any, NamedTuple

from routing.language.checker import check
from routing.language.compiler import compile_program
from routing.language.parser import parse
from routing.language.problem import Report
from routing.program.server import MODULES
from routing.runtime import Context, Destination, Domains, Ends, Module, function
from routing.runtime.loader import load_routes, make_environment
from sipcore.flow import Flow
from sipcore.message import NameAddr, Request
from sipcore.message import parse as parse_message
from sipcore.uri import Uri

SIX_STATEMENTS = """\
on request {
    let number = request.uri.user
    if request.method == "REGISTER"   { save() }
    if from.domain not in domains     { reply(403) }
    if source.ip in 10.0.0.0/8        { drop() }
    call.caller = number
    relay()
}
"""
INVITE = (
    b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    b"From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
    b"Content-Length: 0\r\n\r\n"
)
GOALS = {"a route of six statements": 1.0, "the default route": 5.0}
"""Microseconds of one run."""


class Nothing(Module):
    """The functions of the default route, which do nothing."""

    name = "nothing"

    @function(ends=Ends.MAY)
    async def authenticate(self, context: Context, *, as_: NameAddr) -> bool:
        """Let through."""
        return False

    @function(ends=Ends.ALWAYS)
    async def save(self, context: Context) -> None:
        """Store nothing."""

    @function(ends=Ends.ALWAYS)
    async def relay(self, context: Context, to: Uri | None = None) -> None:
        """Send nothing."""

    @function(ends=Ends.MAY)
    async def ring(self, context: Context, to: list[Destination]) -> bool:
        """Nobody answers."""
        return False

    @function()
    def lookup(self, context: Context, uri: Uri) -> list[Destination]:
        """One phone."""
        return [Destination(uri)]

    @function()
    async def exists(self, context: Context, uri: Uri) -> bool:
        """Everybody."""
        return True

    @function(ends=Ends.ALWAYS)
    def reply(self, context: Context, code: int | Any, reason: str = "") -> None:
        """Answer nothing."""

    @function(ends=Ends.ALWAYS)
    def drop(self, context: Context) -> None:
        """Do nothing."""


class Timed(NamedTuple):
    """Microseconds of CPU for one run, and the goal."""

    what: str
    microseconds: float
    goal: float


def default_route() -> str:
    """The route that a first start writes."""
    return resources.files("routing.program").joinpath("data", "main.route").read_text("utf-8")


def new_context() -> Context:
    """An INVITE whose headers were parsed before, as they are when the route begins."""
    request = parse_message(INVITE)
    assert isinstance(request, Request)
    _ = request.uri, request.from_, request.to
    flow = Flow("udp", ("192.0.2.9", 5060), ("192.0.2.1", 5062))
    transaction: Any = SimpleNamespace(request=request, flow=flow)
    return Context(SimpleNamespace(observe=None), request, transaction)  # type: ignore[arg-type]


def run_of(text: str) -> Callable[[], None]:
    """One run of a route from its beginning to its outcome."""
    routes = load_routes(text, [Nothing(None)], {"domains": Domains(("example.com",))})  # type: ignore[arg-type]
    run, context = routes.run, new_context()

    def once() -> None:
        try:
            run(context).send(None)
        except StopIteration:
            pass

    return once


def time_runs(repeat: int = 15, number: int = 20_000) -> list[Timed]:
    """The best of some repetitions: what the machine does besides only adds."""
    texts = {"a route of six statements": SIX_STATEMENTS, "the default route": default_route()}
    return [
        Timed(what, min(timeit.repeat(run_of(text), number=number, repeat=repeat)) / number * 1e6, GOALS[what])
        for what, text in texts.items()
    ]


# -- checking ---------------------------------------------------------------------------------------------------------

_ROUTE = """\
route route{number}(name: text, time: duration) {{
    let number = request.uri.user                # what was dialled
    if number matches /^00(\\d+)$/ and source.ip not in 10.0.0.0/8 {{
        request.uri.user = "+" + strip(number, 2)
        log("dialled", number, source.ip)
    }}
    match number {{
        "112", "999"       => relay("sip:emergency@example.com")
        in ["100", "200"]  => {{ log("an old number", number) }}
        /^9/               => reply(403, "No calls there")
        else               => log("from", name)
    }}
    call.caller = from.user
    request.header["X-Account"] = call.caller
    if from.domain in domains or outcome.code in [486, 600..699] {{ reply(outcome) }}
    remove(request.header["X-*"])
    for phone in lookup(request.uri) {{
        ring(phone, for: time)
        if outcome.code == 486 {{ reply(486, retry_after: 60s) }}
    }}

    if not (request.user_agent matches /^Linphone/i) {{ reply(403) }}
    relay()
}}

"""


def many_routes(count: int) -> str:
    """A file of so many routes of 25 lines, and `on request` that calls them all."""
    calls = "".join(
        f'    if request.uri.user == "{number}" {{ call route{number}("x", 20s) }}\n' for number in range(count)
    )
    routes = "".join(_ROUTE.format(number=number) for number in range(count))
    return f"on request {{\n    authenticate(as: from)\n{calls}    reply(404)\n}}\n\n{routes}"


class Steps(NamedTuple):
    """What `ringway check` and a reload do with a text, one after the other."""

    check: Callable[[], object]
    compile: Callable[[], object]


def steps_of(text: str) -> Steps:
    """Both for one text, which must be right."""
    environment = make_environment(MODULES, {"domains": Domains(("example.com",))})
    report = Report("many.route", text)
    program = check(parse(text, report), environment, report)
    assert not report.problems, report.problems[0]
    return Steps(
        lambda: check(parse(text, Report("many.route", text)), environment, Report("many.route", text)),
        lambda: compile_program(program, environment, "many.route", text, {}),
    )


def lines() -> list[str]:
    """The numbers, as they are printed."""
    found = [
        f"  {timed.what:<28}{timed.microseconds:>8.2f} us a run   (goal: {timed.goal:g} us)" for timed in time_runs()
    ]
    text = many_routes(200)
    steps = steps_of(text)
    checked, compiled = (min(timeit.repeat(step, number=1, repeat=5)) for step in steps)
    size = f"200 routes, {text.count(chr(10)):,} lines"
    return [
        "routes: the language alone, with functions that do nothing",
        *found,
        f"  {size + ', checked':<28}{checked:>8.2f} s           (goal: 1 s)",
        f"  {size + ', compiled':<28}{compiled:>8.2f} s",
    ]
