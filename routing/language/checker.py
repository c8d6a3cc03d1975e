"""Checks a whole route file: every mistake at once, and nothing of it is run."""

from __future__ import annotations

from dataclasses import replace

from routing.language import tree
from routing.language.bound import Function, Program, SharedTable
from routing.language.call_order import call_order
from routing.language.environment import Environment
from routing.language.expressions import Expressions, a
from routing.language.known import KEPT, Known
from routing.language.literals import BadLiteral, read_quantity
from routing.language.problem import Report, Span
from routing.language.relaying import warn_of_open_relays
from routing.language.scope import Scope
from routing.language.signature import Ends, Parameter, Place
from routing.language.statements import Callee, Statements
from routing.language.stories import Story, read_stories
from routing.language.types import BRANCH, BRANCH_FUNCTION, DURATION, REPLY, REPLY_FUNCTION, UNKNOWN, Type

ENTRY = "on_request"
"""The Python name of `on request`."""
ON_REPLY = "on_reply"
ON_DIALOG = "on_dialog"
_MOST_PASSES = 8
"""How many call variables may be stored from each other in a row, each above the one that it is stored from."""
EVENTS = {
    "request": "where every request begins",
    "dialog": "what every request inside a call passes",
    "reply": "what every response on its way back passes",
}
"""What stands behind `on`, and what it is."""


def check(file: tree.File, environment: Environment, report: Report) -> Program:
    """Check a parsed file; the program is fit to be compiled when the report has no errors."""
    stories = read_stories(file.items, report)
    variables: dict[str, Type] = {}
    # What `call.x` holds must be known first, since it may be read above the line that stores it; and one may be
    # stored from another, so this is repeated while it helps.
    for _ in range(_MOST_PASSES):
        found = report.beside()
        checker = _Checker(file, environment, found, variables)
        program = checker.program()
        if all(variables.get(name) == before for name, before in checker.known.read_early.items()):
            break
    if not found.failed:
        checker.report_untold()
    report.take(found)
    if not report.failed:
        warn_of_open_relays(file, environment, report)
    return replace(program, stories=stories)


def check_tests(file: tree.File, report: Report) -> tuple[Story, ...]:
    """Check a file that holds nothing but tests, of the routes in another file."""
    for item in file.items:
        if not isinstance(item, tree.Test):
            span = Span(*item.span[:2], item.span.line, item.span.column + 1)
            report.error(
                span, "a test file holds `test` blocks only", "the routes stand in the file that it is named after"
            )
    return read_stories(file.items, report)


class _Checker:
    def __init__(self, file: tree.File, environment: Environment, report: Report, variables: dict[str, Type]) -> None:
        self._file = file
        self._environment = environment
        self._report = report
        self._routes = {item.name.text: item for item in file.items if isinstance(item, tree.Route)}
        self.known = Known(environment, report, variables)
        for item in file.items:
            if isinstance(item, tree.Branch):
                self.known.functions[item.name.text] = (BRANCH_FUNCTION, f"branch_{item.name.text}")
            elif isinstance(item, tree.Reply):
                self.known.functions[item.name.text] = (REPLY_FUNCTION, f"reply_{item.name.text}")
        self._callees: dict[str, Callee] = {}
        self._called: set[str] = set()
        self._tables: list[SharedTable] = []
        self._functions: list[Function] = []

    def program(self) -> Program:
        """Check everything, callees before callers."""
        self._check_names()
        entries = [item for item in self._file.items if isinstance(item, tree.On)]
        for item in self._file.items:
            if isinstance(item, tree.Shared):
                self._shared(item)
            elif isinstance(item, tree.Branch):
                self._plain(item, f"branch_{item.name.text}", item.subject, Place.BRANCH, BRANCH)
            elif isinstance(item, tree.Reply):
                self._plain(item, f"reply_{item.name.text}", item.subject, Place.REPLY, REPLY)
        for route in call_order(entries, self._routes, self._report):
            self._check_route(route)
        for entry in entries:
            if entry.event.text == "reply":
                self._plain(entry, ON_REPLY, entry.event, Place.REPLY, REPLY)
            elif entry.event.text == "dialog":
                self._on_dialog(entry)
            elif entry.event.text == "request":
                self._entry(entry)
        self._warn_unused()
        return Program(tuple(self._functions), tuple(self._tables), keeps_calls=bool(self.known.variables))

    def report_untold(self) -> None:
        """Report each `call.x` that nothing gives a type: compiled code would find nothing in it."""
        for name, span in self.known.untold.items():
            if self.known.variables[name] == UNKNOWN:
                hint = f"store a text, a number, a truth or a duration in `call.{name}` somewhere"
                self._report.error(span, f"nothing tells what `call.{name}` holds", hint)

    def _check_names(self) -> None:
        events = [item.event.text for item in self._file.items if isinstance(item, tree.On)]
        if "request" not in events and not any(event not in EVENTS for event in events):
            self._report.error(Span(1, 1, 1, 2), "there is no `on request { }`: nothing would answer a request")
        seen: dict[str, tree.Word] = {}
        for item in self._file.items:
            key, name = _named(item)
            if not key:
                continue
            self._check_name(item, name)
            if key in seen:
                self._report.error(name.span, f"`{key}` stands in line {seen[key].span.line} already")
            seen.setdefault(key, name)

    def _check_name(self, item: tree.Item, name: tree.Word) -> None:
        if isinstance(item, tree.On):
            if name.text not in EVENTS:
                *others, last = (f"`on {event}`" for event in EVENTS)
                known = f"{', '.join(others)} and {last}"
                self._report.error(name.span, f"`on {name.text}` is not in the language", f"there are {known}")
        elif isinstance(item, tree.Shared | tree.Test):
            return  # always written with `shared.` in front of it, and never used elsewhere
        elif name.text in self._environment.functions:
            self._report.error(name.span, f"`{name.text}` is a function already", "choose another name")
        elif not isinstance(item, tree.Route) and name.text in self._environment.roots:
            self._report.error(name.span, f"`{name.text}` is a property already", "choose another name")

    # -- blocks ---------------------------------------------------------------------------------------------------

    def _statements(self, place: Place) -> tuple[Expressions, Statements]:
        expressions = Expressions(self.known, place)
        return expressions, Statements(expressions, self._route)

    def _entry(self, item: tree.On) -> None:
        _, statements = self._statements(Place.REQUEST)
        steps, flow = statements.block(item.body, Scope())
        if flow.falls and not self.known.unsure:
            hint = f"{statements.reason(item.body)}: end with an outcome such as reply(404)"
            self._report.error(item.body.end, "a request can get here without an outcome", hint)
        self._functions.append(Function(ENTRY, (), steps, Ends.ALWAYS, True, item.span))

    def _on_dialog(self, item: tree.On) -> None:
        # It can't wait: requests of one dialog must not overtake each other (RFC 3261 section 12.2.2).
        steps, flow = self._statements(Place.DIALOG)[1].block(item.body, Scope())
        self._functions.append(Function(ON_DIALOG, (), steps, flow.kind, False, item.span))

    def _route(self, name: tree.Word) -> Callee | None:
        """What a call of a route finds; None when a mistake was reported."""
        if name.text not in self._routes:
            hint = self._report.nearest(name.text, self._routes)
            if name.text in self._environment.functions:
                hint = f"`{name.text}` is a function: leave out `call`"
            self._report.error(name.span, f"there is no route `{name.text}`", hint)
        self._called.add(name.text)
        return self._callees.get(name.text)

    def _check_route(self, route: tree.Route) -> None:
        name = route.name.text
        expressions, statements = self._statements(Place.REQUEST)
        scope = Scope()
        parameters: list[Parameter] = []
        for one in route.parameters:
            type_ = self._parameter_type(one.type)
            variable = statements.declare(one.name, type_, scope, changes=False)
            parameters.append(Parameter(one.name.text, type_, variable.python_name))
        steps, flow = statements.block(route.body, scope)
        waits = expressions.waits
        python_name = f"route_{name}"
        names = tuple(one.keyword for one in parameters)
        self._functions.append(Function(python_name, names, steps, flow.kind, waits, route.span))
        self._callees[name] = Callee(python_name, tuple(parameters), flow.kind, waits)

    def _parameter_type(self, written: tree.Word) -> Type:
        known = self._environment.parameter_types
        found = known.get(written.text)
        if found is None:
            hint = self._report.nearest(written.text, known) or f"known: {', '.join(known)}"
            self._report.error(written.span, f"there is no type `{written.text}`", hint)
        return found or UNKNOWN

    def _plain(
        self, item: tree.Branch | tree.Reply | tree.On, name: str, subject: tree.Word, place: Place, type_: Type
    ) -> None:
        """A block that can't wait, with a subject that it edits."""
        statements = self._statements(place)[1]
        scope = Scope()
        variable = statements.declare(subject, type_, scope, changes=False)
        steps, flow = statements.block(item.body, scope)
        self._functions.append(Function(name, (variable.python_name,), steps, flow.kind, False, item.span))

    def _shared(self, item: tree.Shared) -> None:
        type_ = next((kind for kind in KEPT if kind.name == item.type.text), None)
        if type_ is None:
            kinds = ", ".join(kind.name for kind in KEPT)
            self._report.error(item.type.span, f"a shared table can't hold `{item.type.text}`", f"it holds {kinds}")
        lifetime = self._lifetime(item.lifetime)
        self.known.shared[item.name.text] = type_ or UNKNOWN
        if type_ is not None and lifetime:
            self._tables.append(SharedTable(item.name.text, KEPT[type_], lifetime))

    def _lifetime(self, written: tree.Quantity) -> float:
        try:
            type_, value = read_quantity(written.text)
        except BadLiteral as mistake:
            span = written.span.part(mistake.offset, mistake.length)
            self._report.error(span, mistake.message, mistake.hint)
            return 0.0
        if type_ != DURATION or not isinstance(value, float):
            self._report.error(written.span, f"a lifetime is a duration; this is {a(type_)}", "as in `for 10m`")
            return 0.0
        if not value:
            self._report.error(written.span, "a table with no lifetime keeps nothing", "as in `for 10m`")
        return value

    def _warn_unused(self) -> None:
        for item in self._file.items:
            name = _named(item)[1]
            if isinstance(item, tree.Route) and name.text not in self._called:
                self._report.warning(name.span, f"route `{name.text}` is never called")
            elif isinstance(item, tree.Branch | tree.Reply) and name.text not in self.known.used:
                kind = "branch" if isinstance(item, tree.Branch) else "reply"
                self._report.warning(name.span, f"{kind} function `{name.text}` is never used")
            elif isinstance(item, tree.Shared) and f"shared.{name.text}" not in self.known.used:
                self._report.warning(name.span, f"`shared.{name.text}` is never used")


def _named(item: tree.Item) -> tuple[str, tree.Word]:
    """What must be unique in a file ("": nothing), and the word of it."""
    if isinstance(item, tree.Test):
        name = item.name
        return (f'test "{name.raw}"', tree.Word(name.raw, name.span)) if name else ("", tree.Word("", item.span))
    if isinstance(item, tree.On):
        return f"on {item.event.text}", item.event
    if isinstance(item, tree.Shared):
        return f"shared {item.name.text}", item.name
    return item.name.text, item.name
