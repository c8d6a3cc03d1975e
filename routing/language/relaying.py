"""Whether strangers can have their requests sent anywhere: an open relay, found by walking every path of the routes.

What is known on a path is three things: somebody vouched for the request, its Request-URI is of a served domain (or is
not), and the route itself has chosen where it goes. Each path that sends with none of them is warned of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from routing.language import tree
from routing.language.call_order import inner_blocks
from routing.language.environment import Environment
from routing.language.problem import Report
from routing.language.signature import Effect, Ends, Place
from routing.language.tree import else_if
from routing.language.types import TRUTH

_MESSAGE = "anybody can have a request sent anywhere from here: nothing on the way asks who it is from"
_REMEDY = (
    "`authenticate(as: from)` before it, ask where it is from (`source.ip in ...`), or refuse what is not for `domains`"
)
_DOMAINS = frozenset({"request.uri.domain", "request.uri.host"})
_WHOLE = frozenset({"request.uri", "request.uri.text", "to.uri", "to.uri.text", "from.uri", "from.uri.text"})
"""What a sender wrote and what names a place as a whole."""
_FAR = 4
"""Decisions of a path that are shown."""


class State(NamedTuple):
    """What is known on a path. `local` is None when nothing was asked about the Request-URI."""

    vouched: bool = False
    local: bool | None = None
    chosen: bool = False

    @property
    def open(self) -> bool:
        """Whether a sender that nobody knows may have chosen where the request goes."""
        return not self.vouched and not self.chosen and self.local is not True


Trace = tuple[tuple[int, bool], ...]
"""Lines with a decision on the way, and how it went."""
States = dict[State, Trace]
"""What may be known at one point, each with one way to get there."""
Names = Mapping[str, tree.Expression | None]
"""What `let` gave a name for good; None for what is not known."""


def warn_of_open_relays(file: tree.File, environment: Environment, report: Report) -> None:
    """Walk the paths of a file that was checked without errors."""
    walk = _Walk(file, environment, report)
    for item in file.items:
        if isinstance(item, tree.On) and item.event.text == "request":
            walk.block(item.body, {State(): ()}, _names(item.body, ()))


class _Walk:
    def __init__(self, file: tree.File, environment: Environment, report: Report) -> None:
        self._routes = {item.name.text: item for item in file.items if isinstance(item, tree.Route)}
        self._environment = environment
        self._report = report
        self._warned: set[tuple[int, int]] = set()
        self._ended: dict[tuple[str, State], tuple[State, ...]] = {}
        """How a route that was walked before comes back, by its name and what was known when it began."""

    # -- statements -----------------------------------------------------------------------------------------------

    def block(self, block: tree.Block, states: States, names: Names) -> States:
        """What may be known behind a block; nothing when no path comes to its end."""
        for statement in block.statements:
            if not states:
                break
            states = self._statement(statement, states, names)
        return states

    def _statement(self, node: tree.Statement, states: States, names: Names) -> States:
        if isinstance(node, tree.Act):
            return self._act(node, states, names)
        if isinstance(node, tree.If):
            return self._if(node, states, names)
        if isinstance(node, tree.Match):
            return self._match(node, states, names)
        if isinstance(node, tree.Invoke):
            return self._invoke(node, states)
        if isinstance(node, tree.For):
            return self._for(node, states, names)
        return self._assign(node, states) if isinstance(node, tree.Assign) else states

    def _act(self, node: tree.Act, states: States, names: Names) -> States:
        signature = self._environment.functions[node.call.name.text].at(Place.REQUEST)
        if signature.effect is Effect.SENDS and self._leads_anywhere(node.call, names):
            self._warn(node.call, states)
            states = _changed(states, vouched=True)  # said once
        if node.otherwise is not None:
            true, false = self._ask(node.call, states, names)
            return _union(true, self.block(node.otherwise, false, names))
        if signature.effect is Effect.VOUCHES:
            return _changed(states, vouched=True)
        return {} if signature.ends is Ends.ALWAYS else states

    def _if(self, node: tree.If, states: States, names: Names) -> States:
        behind: States = {}
        one: tree.If | None = node
        last: tree.Block | None = None
        while one is not None:
            true, states = self._decided(one.condition, states, names)
            behind = _union(behind, self.block(one.then, true, names))
            last, one = one.otherwise, else_if(one)
        return _union(behind, self.block(last, states, names) if last is not None else states)

    def _match(self, node: tree.Match, states: States, names: Names) -> States:
        behind: States = {}
        for arm in node.arms:
            if arm.within is not None:
                question: tree.Expression = tree.Comparison("in", node.subject, arm.within, False, arm.span)
                true, states = self._decided(question, states, names)
            elif arm.cases:
                question = tree.Comparison("in", node.subject, tree.ListOf(arm.cases, arm.span), False, arm.span)
                true, states = self._decided(question, states, names)
            else:
                true, states = states, {}
            behind = _union(behind, self.block(arm.body, true, names))
        return _union(behind, states)

    def _for(self, node: tree.For, states: States, names: Names) -> States:
        while True:  # what is known grows, and there is little to know
            more = _union(states, self.block(node.body, states, names))
            if more.keys() == states.keys():
                return states
            states = more

    def _invoke(self, node: tree.Invoke, states: States) -> States:
        route = self._routes[node.name.text]
        parameters = [parameter.name.text for parameter in route.parameters]
        behind: States = {}
        for state, trace in states.items():
            key = node.name.text, state
            if key not in self._ended:
                self._ended[key] = ()
                ended = self.block(route.body, {state: trace}, _names(route.body, parameters))
                self._ended[key] = tuple(ended)
                behind = _union(behind, ended)
            else:
                behind = _union(behind, dict.fromkeys(self._ended[key], trace))
        return behind

    def _assign(self, node: tree.Assign, states: States) -> States:
        path = _path(node.target)
        if path not in ("request.uri", *_DOMAINS):
            return states
        chosen = _path(node.value) not in _WHOLE | {"to.domain", "from.domain", "to.uri.domain", "from.uri.domain"}
        return _changed(states, local=None, chosen=chosen)

    # -- conditions -----------------------------------------------------------------------------------------------

    def _decided(self, node: tree.Expression, states: States, names: Names) -> tuple[States, States]:
        """What is known when a condition is true and when it is false, with that decision on the way."""
        true, false = self._ask(node, states, names)
        line = node.span.line
        return _marked(true, line, True), _marked(false, line, False)

    def _ask(self, node: tree.Expression, states: States, names: Names) -> tuple[States, States]:
        if isinstance(node, tree.Truth):
            return (states, {}) if node.value else ({}, states)
        if isinstance(node, tree.Not):
            true, false = self._ask(node.operand, states, names)
            return false, true
        if isinstance(node, tree.Logic):
            return self._row(node, states, names)
        if isinstance(node, tree.Comparison):
            true, false = self._compared(node, states)
            negated = node.negated or node.operator == "!="
            return (false, true) if negated else (true, false)
        if isinstance(node, tree.Name) and names.get(node.text) is not None:
            return self._ask(names[node.text] or node, states, {**names, node.text: None})
        if isinstance(node, tree.Call):
            return self._asked_function(node, states)
        if isinstance(node, tree.Name | tree.CallVariable | tree.Index):
            # A truth of the route's own, such as `call.trusted`, is taken for what it most likely is.
            return _changed(states, vouched=True), states
        return states, states

    def _row(self, node: tree.Logic, states: States, names: Names) -> tuple[States, States]:
        operands: list[tree.Expression] = []
        one: tree.Expression = node
        while isinstance(one, tree.Logic) and one.operator == node.operator:
            operands.append(one.right)
            one = one.left
        going = states
        settled: States = {}
        for operand in (one, *reversed(operands)):
            true, false = self._ask(operand, going, names)
            going, decided = (true, false) if node.operator == "and" else (false, true)
            settled = _union(settled, decided)
        return (going, settled) if node.operator == "and" else (settled, going)

    def _compared(self, node: tree.Comparison, states: States) -> tuple[States, States]:
        """What a comparison says, as if it were not negated."""
        left, right = _path(node.left), _path(node.right)
        if left == "source.ip" and right != "banned":
            return _changed(states, vouched=True), states
        if "user" in (left, right):
            nobody = any(isinstance(side, tree.Text) and not side.raw for side in (node.left, node.right))
            known = _changed(states, vouched=True)
            return (states, known) if nobody else (known, states)
        if left in _DOMAINS and right == "domains":
            return (
                _changed({state: trace for state, trace in states.items() if state.local is not False}, local=True),
                _changed({state: trace for state, trace in states.items() if state.local is not True}, local=False),
            )
        other = node.right if left in _DOMAINS else node.left if right in _DOMAINS else None
        if isinstance(other, tree.Text | tree.ListOf) or (left in _DOMAINS and right in self._environment.tables):
            return _changed(states, chosen=True), states  # places that the operator names
        return states, states

    def _asked_function(self, node: tree.Call, states: States) -> tuple[States, States]:
        signature = self._environment.functions[node.name.text].at(Place.REQUEST)
        if signature.effect is Effect.OURS and _path(node.arguments[0].value) == "request.uri":
            return _changed(states, local=True), states
        if signature.module == "functions" and signature.result == TRUTH:  # the operator's own judgement
            return _changed(states, vouched=True), states
        return states, states

    # -- sending --------------------------------------------------------------------------------------------------

    def _leads_anywhere(self, call: tree.Call, names: Names) -> bool:
        """Whether a sender may have written where this call leads: to the Request-URI, or to a URI of the request."""
        target: tree.Expression | None = None
        for argument in call.arguments:
            if argument.label is None or argument.label.text == "to":
                target = argument.value
                break
        for _ in names:  # a name may stand for another
            if isinstance(target, tree.Name) and names.get(target.text) is not None:
                target = names[target.text]
        return target is None or _path(target) in _WHOLE

    def _warn(self, call: tree.Call, states: States) -> None:
        place = call.span[:2]
        trace = next((trace for state, trace in states.items() if state.open), None)
        if trace is None or place in self._warned:
            return
        self._warned.add(place)
        way = ", ".join(f"line {line} is {'true' if taken else 'false'}" for line, taken in trace[-_FAR:])
        self._report.warning(call.span, _MESSAGE, _REMEDY + (f"; one way here: {way}" if way else ""))


def _union(one: States, other: States) -> States:
    return {**other, **one} if other else one


def _changed(states: States, **known: bool | None) -> States:
    found: States = {}
    for state, trace in states.items():
        found.setdefault(state._replace(**known), trace)  # type: ignore[arg-type]  # as the fields want it
    return found


def _marked(states: States, line: int, taken: bool) -> States:
    return {state: (*trace, (line, taken)) for state, trace in states.items()}


def _path(node: tree.Expression) -> str:
    """A path of names as text; "" for anything else."""
    words: list[str] = []
    while isinstance(node, tree.Attribute):
        words.append(node.name.text)
        node = node.owner
    return ".".join((node.text, *reversed(words))) if isinstance(node, tree.Name) else ""


def _names(block: tree.Block, parameters: Iterable[str]) -> Names:
    """The names of a route, with what `let` gave those that are never given anything else."""
    found: dict[str, tree.Expression | None] = dict.fromkeys(parameters)
    for statement in _statements(block):
        if isinstance(statement, tree.Let):
            name = statement.name.text
            found[name] = None if name in found else statement.value
        elif isinstance(statement, tree.Assign):
            found[_first_word(statement.target)] = None
        elif isinstance(statement, tree.For):
            found[statement.name.text] = None
    return found


def _first_word(node: tree.Path) -> str:
    while isinstance(node, tree.Attribute | tree.Index):
        node = node.owner
    return node.text if isinstance(node, tree.Name) else ""


def _statements(block: tree.Block) -> Iterator[tree.Statement]:
    waiting = list(block.statements)
    while waiting:
        statement = waiting.pop()
        yield statement
        for inner in inner_blocks(statement):
            waiting += inner.statements
