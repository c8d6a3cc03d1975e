"""What a statement does, and the proof that every path ends in exactly one outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from routing.language import bound, tree
from routing.language.arguments import bind
from routing.language.bound import Bound, Chain, Constant, Expansion, Local, Step
from routing.language.comparisons import arm, within
from routing.language.expressions import PLACES, Expressions, is_iterable_table
from routing.language.known import KEPT, kept_as
from routing.language.scope import MISTAKEN, Scope, Typed, Variable
from routing.language.shared_tables import is_shared, store
from routing.language.signature import Ends, Parameter, Place, Signature
from routing.language.tree import else_if, written
from routing.language.types import (
    BRANCH,
    HEADERS,
    NOTHING,
    PARAMETERS,
    REPLY,
    REQUEST,
    SDP,
    TRUTH,
    UNKNOWN,
    Type,
    fits,
    list_of,
)

_NOT_KEPT = frozenset({REQUEST, BRANCH, REPLY, HEADERS, PARAMETERS, SDP})
"""What would be edited under another name: only values are kept."""
_MOST_WAYS = 1000
_SHORTER = "put some of them into a `route` of its own, and `call` it"
_DEEPEST_LOOPS = 10
"""Python itself ends at twenty."""


class Callee(NamedTuple):
    """A route as its callers see it."""

    python_name: str
    parameters: tuple[Parameter, ...]
    ends: Ends
    waits: bool


class Flow(NamedTuple):
    """How control leaves a statement: whether the next one can be reached, whether the request can end in it."""

    falls: bool
    ends: bool

    @property
    def kind(self) -> Ends:
        """The same as a function's declaration says it."""
        return Ends.MAY if self.falls and self.ends else Ends.NEVER if self.falls else Ends.ALWAYS


GOES_ON = Flow(True, False)
_FLOWS = {Ends.NEVER: GOES_ON, Ends.MAY: Flow(True, True), Ends.ALWAYS: Flow(False, True)}


class Statements:
    """Checks the statements of one block of a file (`on`, `route` or `branch`) and binds them.

    `route` looks up a route that is called, by its name.
    """

    def __init__(self, expressions: Expressions, route: Callable[[tree.Word], Callee | None]) -> None:
        self._expressions = expressions
        self._report = expressions.report
        self._known = expressions.known
        self._route = route
        self._locals = 0
        self._loops = 0
        self._falling: set[int] = set()

    def block(self, block: tree.Block, around: Scope) -> tuple[tuple[Step, ...], Flow]:
        """Check a block; its names end with it."""
        scope = Scope(around)
        steps: list[Step] = []
        flow, unreachable = GOES_ON, False
        for before, statement in zip((None, *block.statements), block.statements, strict=False):
            if before is not None and not flow.falls and not unreachable:
                self._unreachable(statement, before)
                unreachable = True  # one report a block; what follows is still checked for other mistakes
            found, one = self._statement(statement, scope)
            steps += found
            flow = Flow(flow.falls and one.falls, flow.ends or one.ends)
        for name, variable in scope.variables.items():
            if not variable.used and variable.changes:
                self._report.warning(variable.span, f"`{name}` is never used")
        if flow.falls:
            self._falling.add(id(block))
        return tuple(steps), flow

    def _unreachable(self, statement: tree.Statement, ended_by: tree.Statement) -> None:
        what = _shown(ended_by)
        where = f"{what} in line {ended_by.span.line}"
        if isinstance(statement, tree.Act) and self._ends(statement) is Ends.ALWAYS:
            self._report.error(statement.span, f"a second outcome: {where} has ended the route before")
        else:
            self._report.error(statement.span, f"this line is never reached: {where} ends the route on every path")

    def _ends(self, statement: tree.Act) -> Ends:
        signature = self._expressions.environment.functions.get(statement.call.name.text)
        return signature.ends if signature else Ends.NEVER

    def _statement(self, node: tree.Statement, scope: Scope) -> tuple[list[Step], Flow]:
        if isinstance(node, tree.Act):
            return self._act(node, scope)
        if isinstance(node, tree.If):
            return self._if(node, scope)
        if isinstance(node, tree.Let):
            return [self._let(node, scope)], GOES_ON
        if isinstance(node, tree.Assign):
            return self._assign(node, scope), GOES_ON
        if isinstance(node, tree.Invoke):
            return self._invoke(node, scope)
        if isinstance(node, tree.Match):
            return self._match(node, scope)
        return self._for(node, scope)

    # -- names and values -----------------------------------------------------------------------------------------

    def _let(self, node: tree.Let, scope: Scope) -> Step:
        typed = self._expressions.value(node.value, scope)
        if typed.type in _NOT_KEPT or is_shared(typed):
            self._report.error(node.value.span, f"`{node.name.text}` can't hold this: use it where it stands")
            typed = MISTAKEN
        variable = self.declare(node.name, typed.type, scope, changes=True)
        return bound.SetLocal(variable.python_name, typed.bound, node.span)

    def declare(self, name: tree.Word, type_: Type, scope: Scope, *, changes: bool) -> Variable:
        """A new name in a block; it may not hide another one."""
        environment = self._expressions.environment
        hidden = ""
        earlier = scope.find(name.text)
        if earlier is not None:
            hidden = f"was given a value in line {earlier.span.line}"
        elif name.text in environment.roots:
            hidden = "is a property"
        elif name.text in environment.functions and type_ != REPLY:
            hidden = "is a function"
        elif any(table.partition(".")[0] == name.text for table in environment.tables):
            hidden = "is a table"
        if hidden:
            hint = f"to change it, write `{name.text} = ...`" if earlier is not None else "choose another name"
            self._report.error(name.span, f"`{name.text}` {hidden}; it can't be declared again", hint)
        self._locals += 1
        variable = Variable(type_, f"v{self._locals}_{name.text}", name.span, changes, bool(hidden) or type_ == UNKNOWN)
        scope.variables[name.text] = variable
        if self._report.notes is not None:
            self._report.notes.holds(name.span, type_)
        return variable

    def _assign(self, node: tree.Assign, scope: Scope) -> list[Step]:
        target = node.target
        if isinstance(target, tree.SharedTable):
            message = f"`shared.{target.name}` is a table; one entry is stored at a time"
            self._report.error(target.span, message, f"write `shared.{target.name}[key] = ...`")
            return []
        if isinstance(target, tree.CallVariable):
            return [self._store_call_variable(target, node, scope)]
        if isinstance(target, tree.Name):
            return self._store_local(target, node, scope)
        owner = self._expressions.path(target.owner, scope, editing=True)
        if owner.type == UNKNOWN:
            self._expressions.value(node.value, scope)
            return []
        if isinstance(target, tree.Index) and is_shared(owner):
            return store(self._expressions, owner, target, node, scope)
        wanted = self._wanted(target, owner)
        if wanted is None:
            return []
        value = self._expressions.value(node.value, scope, wanted).bound
        return self._store(target, owner, value, node, scope) if self._expressions.may_edit(target) else []

    def _wanted(self, target: tree.Attribute | tree.Index, owner: Typed) -> Type | None:
        """The type of what can be stored there; None when a mistake was reported."""
        if isinstance(target, tree.Attribute):
            found = self._expressions.attribute(target, owner)
            if found is not None and found.type.name in self._expressions.environment.keyed:
                path = written(target)
                self._report.error(target.span, f"`{path}` is set one by one", f'write `{path}["name"] = ...`')
                return None
            if found is not None and not (found.write or found.replace):
                self._report.error(target.span, f"`{written(target)}` can only be read")
                return None
            return None if found is None else found.type
        keyed = self._expressions.keyed(target, owner)
        if keyed is None:
            return None
        asked, key = keyed
        if not self._expressions.changeable(target, asked, key):
            return None
        if "*" in key:
            self._report.error(target.key.span, "a name with `*` stands for several; one is set at a time")
            return None
        return asked.type

    def _store(
        self, target: tree.Attribute | tree.Index, owner: Typed, value: Bound, node: tree.Assign, scope: Scope
    ) -> list[Step]:
        """Store into an owner in place, or make a new owner and store that where the old one came from."""
        parts: dict[str, Bound] = {"it": owner.bound, "value": value}
        if isinstance(target, tree.Attribute):
            place = self._expressions.attribute(target, owner)
            write, replace = (place.write, place.replace) if place else ("", "")
        else:
            keyed = self._expressions.keyed(target, owner)
            write, replace = (keyed[0].write, keyed[0].replace) if keyed else ("", "")
            parts["key"] = Constant(keyed[1] if keyed else "")
        if write:
            return [bound.Store(write, parts, node.span)]
        above = target.owner
        if replace and isinstance(above, tree.Attribute | tree.Index):
            owner = self._expressions.path(above.owner, scope, editing=True)
            return self._store(above, owner, Expansion(replace, parts), node, scope)
        if replace and isinstance(above, tree.Name):
            stored = self._store_whole(above, Expansion(replace, parts), node, scope)
            if stored is not None:
                return [stored]
        if not write:
            self._report.error(node.target.span, f"`{written(node.target)}` can only be read")
        return []

    def _store_whole(self, name: tree.Name, value: Bound, node: tree.Assign, scope: Scope) -> Step | None:
        """Put a changed value where it came from: a local, or a first word that can be written."""
        variable = scope.find(name.text)
        if variable is not None:
            return bound.SetLocal(variable.python_name, value, node.span) if variable.changes else None
        root = self._expressions.environment.roots.get(name.text)
        if root is None or not root.write:
            return None
        return bound.Store(root.write, {"value": value}, node.span)

    def _store_local(self, target: tree.Name, node: tree.Assign, scope: Scope) -> list[Step]:
        variable = scope.find(target.text)
        if variable is None:
            self._expressions.value(node.value, scope)
            if target.text in self._expressions.environment.roots:
                self._report.error(target.span, f"`{target.text}` can only be read")
            else:
                self._expressions.unknown_name(target, scope)
            return []
        if not variable.changes:
            self._report.error(target.span, f"`{target.text}` can't be changed", "only what `let` made can")
        value = self._expressions.value(node.value, scope, variable.type)
        return [bound.SetLocal(variable.python_name, value.bound, node.span)]

    def _store_call_variable(self, target: tree.CallVariable, node: tree.Assign, scope: Scope) -> Step:
        known = self._known.variables.get(target.name)
        value = self._expressions.value(node.value, scope, known)
        kept = next((kind for kind in KEPT if fits(value.type, kind)), None)
        if kept is None:
            kinds = ", ".join(kind.name for kind in KEPT)
            self._report.error(node.value.span, f"`call.{target.name}` can't hold a value of type {value.type}", kinds)
        elif known is None or known == UNKNOWN:
            if value.type == UNKNOWN:
                kept = self._known.likely.get(id(node.value), UNKNOWN)
                self._known.untold.setdefault(target.name, node.value.span)
            self._known.variables[target.name] = kept
        if self._report.notes is not None:
            self._report.notes.holds(target.span, known or kept or UNKNOWN)
        parts = {"key": Constant(kept_as(target.name, known or kept or UNKNOWN)), "value": value.bound}
        return bound.Store("context.call[key] = value", parts, node.span)

    # -- calls ----------------------------------------------------------------------------------------------------

    def _act(self, node: tree.Act, scope: Scope) -> tuple[list[Step], Flow]:
        signature = self._expressions.function(node.call)
        if signature is None:
            for argument in node.call.arguments:
                self._expressions.value(argument.value, scope)
            otherwise = self.block(node.otherwise, scope) if node.otherwise else ((), GOES_ON)
            return [], Flow(True, otherwise[1].ends)
        invocation = self._expressions.invocation(signature, node.call, scope)
        if node.otherwise is None:
            self._check_result_used(signature, node)
            return [bound.Act(invocation, None, node.span)], _FLOWS[signature.ends]
        if signature.ends is not Ends.NEVER or signature.result != TRUTH:
            hint = "the next line runs when it did not end the route" if signature.ends is Ends.MAY else ""
            self._report.error(node.span, f"`{signature.name}` gives no answer that `else` could take", hint)
        steps, flow = self.block(node.otherwise, scope)
        return [bound.Act(invocation, steps, node.span)], Flow(True, flow.ends)

    def _check_result_used(self, signature: Signature, node: tree.Act) -> None:
        if signature.ends is Ends.NEVER and signature.result == TRUTH:
            hint = f"write `{signature.name}(...) else {{ ... }}`, or `if {signature.name}(...) {{ ... }}`"
            self._report.error(node.span, f"the answer of `{signature.name}` is not used", hint)
        elif signature.ends is Ends.NEVER and signature.result != NOTHING:
            hint = f"write `let name = {signature.name}(...)`"
            self._report.error(node.span, f"the value of `{signature.name}` is not used", hint)

    def _invoke(self, node: tree.Invoke, scope: Scope) -> tuple[list[Step], Flow]:
        if self._expressions.place is not Place.REQUEST:
            self._report.error(node.span, f"{PLACES[self._expressions.place]} can't call a route")
            return [], GOES_ON
        callee = self._route(node.name)
        if callee is None:
            self._known.unsure = True
            for argument in node.arguments:
                self._expressions.value(argument.value, scope)
            return [], Flow(True, True)
        self._expressions.waits |= callee.waits
        parameters = callee.parameters
        values, labelled = bind(self._expressions, node.name.text, parameters, node.name.span, node.arguments, scope)
        by_name = [labelled[one.keyword] for one in parameters[len(values) :] if one.keyword in labelled]
        step = bound.Go(callee.python_name, callee.ends, callee.waits, (*values, *by_name), node.span)
        return [step], _FLOWS[callee.ends]

    # -- control --------------------------------------------------------------------------------------------------

    def _if(self, node: tree.If, scope: Scope) -> tuple[list[Step], Flow]:
        ways: list[bound.Way] = []
        flows: list[Flow] = []
        one: tree.If | None = node
        last: tree.Block | None = None
        while one is not None:  # a row of `else if`, which may be longer than Python's stack is deep
            if len(ways) == _MOST_WAYS:
                self._report.error(one.condition.span, f"`if` has up to {_MOST_WAYS} conditions", _SHORTER)
                self._known.unsure = True
                return [], _any_of(*flows, GOES_ON)
            condition = self._expressions.truth(one.condition, scope)
            steps, flow = self.block(one.then, scope)
            ways.append(bound.Way(condition, steps, one.condition.span))
            flows.append(flow)
            last, one = one.otherwise, else_if(one)
        otherwise, flow = self.block(last, scope) if last is not None else ((), GOES_ON)
        return [bound.Choose(tuple(ways), otherwise)], _any_of(*flows, flow)

    def _match(self, node: tree.Match, scope: Scope) -> tuple[list[Step], Flow]:
        subject = self._expressions.value(node.subject, scope)
        self._locals += 1
        name = f"v{self._locals}_subject"
        once = Typed(subject.type, Local(name))  # evaluated once, however many arms there are
        ways: list[bound.Way] = []
        flows: list[Flow] = []
        otherwise: tuple[Step, ...] | None = None
        for one in node.arms:
            if otherwise is not None:
                self._report.error(one.span, "this arm is never reached: `else` took everything before")
            condition = self._arm(once, node, one, scope)
            steps, flow = self.block(one.body, scope)
            flows.append(flow)
            if condition is None:
                otherwise = steps
            else:
                ways.append(bound.Way(condition, steps, one.span))
        if len(node.arms) > _MOST_WAYS:
            self._report.error(node.arms[_MOST_WAYS].span, f"`match` has up to {_MOST_WAYS} arms", _SHORTER)
        if otherwise is None:
            flows.append(GOES_ON)
        subject_step = bound.SetLocal(name, subject.bound, node.subject.span)
        return [subject_step, bound.Choose(tuple(ways), otherwise or ())], _any_of(*flows)

    def _arm(self, subject: Typed, node: tree.Match, one: tree.Arm, scope: Scope) -> Bound | None:
        """The condition of an arm; None for `else`."""
        if one.within is not None:
            return within(self._expressions, subject, node, one.within, scope)
        conditions = tuple(arm(self._expressions, subject, node, case, scope) for case in one.cases)
        if not conditions:
            return None
        return Chain("or", conditions) if len(conditions) > 1 else conditions[0]

    def _for(self, node: tree.For, scope: Scope) -> tuple[list[Step], Flow]:
        items = self._expressions.value(node.items, scope)
        element = items.type.element or UNKNOWN
        if items.type not in (UNKNOWN, list_of(element)) and not is_iterable_table(items):
            self._report.error(node.items.span, f"`for` goes through a list; this is of type {items.type}")
        self._loops += 1
        if self._loops > _DEEPEST_LOOPS:
            self._report.error(node.span, f"loops stand in each other up to {_DEEPEST_LOOPS} deep")
        inner = Scope(scope)
        variable = self.declare(node.name, element, inner, changes=False)
        body, flow = self.block(node.body, inner)
        self._loops -= 1
        return [bound.Repeat(variable.python_name, items.bound, body, node.items.span)], Flow(True, flow.ends)

    # -- the path that falls off ----------------------------------------------------------------------------------

    def reason(self, block: tree.Block) -> str:
        """How control can reach the end of a block that falls, in words."""
        if not block.statements:
            return "this block is empty"
        last = block.statements[-1]
        while isinstance(last, tree.If) and id(last.then) not in self._falling and (other := else_if(last)):
            last = other
        line = last.span.line
        if isinstance(last, tree.If):
            if last.otherwise is None:
                return f"the condition in line {line} can be false"
            return self._reason_in((last.then, last.otherwise), line)
        if isinstance(last, tree.Match):
            if all(one.cases or one.within for one in last.arms):
                return f"nothing may match in line {line}"
            return self._reason_in([one.body for one in last.arms], line)
        if isinstance(last, tree.For):
            return f"the loop in line {line} comes to its end"
        if isinstance(last, tree.Invoke):
            return f"route `{last.name.text}`, called in line {line}, can come back"
        if isinstance(last, tree.Act) and self._ends(last) is Ends.MAY:
            return f"`{last.call.name.text}` in line {line} does not always end the route"
        return f"nothing follows line {line}"

    def _reason_in(self, blocks: Sequence[tree.Block], line: int) -> str:
        return next((self.reason(block) for block in blocks if id(block) in self._falling), f"see line {line}")


def _any_of(*flows: Flow) -> Flow:
    return Flow(any(flow.falls for flow in flows), any(flow.ends for flow in flows))


def _shown(statement: tree.Statement) -> str:
    if isinstance(statement, tree.Act):
        return f"`{statement.call.name.text}`"
    if isinstance(statement, tree.Invoke):
        return f"route `{statement.name.text}`"
    return "`match`" if isinstance(statement, tree.Match) else "`if`"
