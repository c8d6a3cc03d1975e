"""Checks a whole route file: every mistake at once, and nothing of it is run."""

from __future__ import annotations

from routing.language import tree
from routing.language.bound import Function, Program
from routing.language.environment import Environment
from routing.language.expressions import Expressions
from routing.language.problem import Report, Span, nearest
from routing.language.scope import Scope
from routing.language.signature import Ends, Parameter, Place
from routing.language.statements import Callee, Statements
from routing.language.types import BRANCH, UNKNOWN, Type

ENTRY = "on_request"
"""The Python name of `on request`."""


def check(file: tree.File, environment: Environment, report: Report) -> Program:
    """Check a parsed file; the program is fit to be compiled when the report has no errors."""
    variables: dict[str, Type] = {}
    # What `call.x` holds must be known first, since it may be read above the line that stores it; and one may be
    # stored from another, so this is repeated until nothing new is found.
    while True:
        before = dict(variables)
        _Checker(file, environment, Report(report.file, "\n".join(report.lines)), variables).program()
        if variables == before:
            return _Checker(file, environment, report, variables).program()


class _Checker:
    def __init__(self, file: tree.File, environment: Environment, report: Report, variables: dict[str, Type]) -> None:
        self._file = file
        self._environment = environment
        self._report = report
        self._variables = variables
        self._routes = {item.name.text: item for item in file.items if isinstance(item, tree.Route)}
        branches = {item.name.text: item for item in file.items if isinstance(item, tree.Branch)}
        self._branch_names = {name: f"branch_{name}" for name in branches}
        self._callees: dict[str, Callee | None] = {}
        self._checking: list[str] = []
        self._called: set[str] = set()
        self._used_branches: set[str] = set()
        self._functions: list[Function] = []
        self._unsure = False

    def program(self) -> Program:
        """Check everything, callees before callers."""
        self._check_names()
        entries = [item for item in self._file.items if isinstance(item, tree.On)]
        for item in self._file.items:
            if isinstance(item, tree.Branch):
                self._branch(item)
        for entry in entries:
            self._entry(entry)
        for route in self._routes.values():
            self._check_route(route)
        self._warn_unused()
        return Program(tuple(self._functions))

    def _check_names(self) -> None:
        entries = [item for item in self._file.items if isinstance(item, tree.On)]
        if not entries:
            self._report.error(Span(1, 1, 1, 2), "there is no `on request { }`: nothing would answer a request")
        seen: dict[str, tree.Word] = {}
        for item in self._file.items:
            name = item.event if isinstance(item, tree.On) else item.name
            if isinstance(item, tree.On) and name.text != "request":
                self._report.error(name.span, f"`on {name.text}` is not in the language", "there is `on request`")
            elif not isinstance(item, tree.On) and name.text in self._environment.functions:
                self._report.error(name.span, f"`{name.text}` is a function already", "choose another name")
            elif isinstance(item, tree.Branch) and name.text in self._environment.roots:
                self._report.error(name.span, f"`{name.text}` is a property already", "choose another name")
            key = f"on {name.text}" if isinstance(item, tree.On) else name.text
            if key in seen:
                self._report.error(name.span, f"`{key}` stands in line {seen[key].span.line} already")
            seen.setdefault(key, name)

    # -- blocks ---------------------------------------------------------------------------------------------------

    def _statements(self, place: Place) -> tuple[Expressions, Statements]:
        expressions = Expressions(self._environment, self._report, self._variables, self._branch_names)
        expressions.place = place
        return expressions, Statements(expressions, self._variables, self._route)

    def _entry(self, item: tree.On) -> None:
        expressions, statements = self._statements(Place.REQUEST)
        steps, flow = statements.block(item.body, Scope())
        self._unsure |= expressions.unsure
        if flow.falls and not self._unsure:
            hint = f"{statements.reason(item.body)}: end with an outcome such as reply(404)"
            self._report.error(item.body.end, "a request can get here without an outcome", hint)
        self._used_branches |= expressions.used_branches
        self._functions.append(Function(ENTRY, (), steps, Ends.ALWAYS, True, item.span))

    def _route(self, name: tree.Word) -> Callee | None:
        """What a call of a route finds; None when a mistake was reported."""
        route = self._routes.get(name.text)
        if route is None:
            hint = nearest(name.text, self._routes)
            if name.text in self._environment.functions:
                hint = f"`{name.text}` is a function: leave out `call`"
            self._report.error(name.span, f"there is no route `{name.text}`", hint)
            return None
        self._called.add(name.text)
        if name.text in self._checking:
            circle = " -> ".join([*self._checking[self._checking.index(name.text) :], name.text])
            hint = "routes can't call each other in a circle; `for` repeats"
            self._report.error(name.span, f"route `{name.text}` would call itself: {circle}", hint)
            return None
        return self._check_route(route)

    def _check_route(self, route: tree.Route) -> Callee | None:
        name = route.name.text
        if name in self._callees:
            return self._callees[name]
        self._checking.append(name)
        expressions, statements = self._statements(Place.REQUEST)
        scope = Scope()
        parameters: list[Parameter] = []
        for one in route.parameters:
            type_ = self._parameter_type(one)
            variable = statements.declare(one.name, type_, scope, changes=False)
            parameters.append(Parameter(one.name.text, type_, variable.python_name))
        steps, flow = statements.block(route.body, scope)
        self._checking.pop()
        self._unsure |= expressions.unsure
        self._used_branches |= expressions.used_branches
        waits = expressions.waits
        python_name = f"route_{name}"
        names = tuple(one.keyword for one in parameters)
        self._functions.append(Function(python_name, names, steps, flow.kind, waits, route.span))
        self._callees[name] = Callee(python_name, tuple(parameters), flow.kind, waits)
        return self._callees[name]

    def _parameter_type(self, parameter: tree.Parameter) -> Type:
        known = self._environment.parameter_types
        found = known.get(parameter.type.text)
        if found is None:
            hint = nearest(parameter.type.text, known) or f"known: {', '.join(known)}"
            self._report.error(parameter.type.span, f"there is no type `{parameter.type.text}`", hint)
        return found or UNKNOWN

    def _branch(self, item: tree.Branch) -> None:
        _, statements = self._statements(Place.BRANCH)
        scope = Scope()
        subject = statements.declare(item.subject, BRANCH, scope, changes=False)
        steps, _ = statements.block(item.body, scope)
        name = self._branch_names[item.name.text]
        self._functions.append(Function(name, (subject.python_name,), steps, Ends.NEVER, False, item.span))

    def _warn_unused(self) -> None:
        for item in self._file.items:
            if isinstance(item, tree.Route) and item.name.text not in self._called:
                self._report.warning(item.name.span, f"route `{item.name.text}` is never called")
            elif isinstance(item, tree.Branch) and item.name.text not in self._used_branches:
                self._report.warning(item.name.span, f"branch function `{item.name.text}` is never used")
