"""What an expression means: its type, and what it compiles to; every name is resolved here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from routing.language import tree
from routing.language.arguments import bind
from routing.language.bound import Bound, Chain, Constant, Expansion, Invocation, Items, Local
from routing.language.calculations import calculation
from routing.language.comparisons import comparison
from routing.language.environment import Keyed, Property
from routing.language.kamailio import KAMAILIO
from routing.language.known import KEPT, Known, kept_as
from routing.language.literals import BadLiteral, read_pattern, read_quantity, read_text, read_uri
from routing.language.mistakes import FOREIGN
from routing.language.problem import Span
from routing.language.scope import MISTAKEN, Scope, Typed
from routing.language.shared_tables import entry, is_shared, shared_table
from routing.language.signature import ConstantCheck, Ends, Place, Signature
from routing.language.types import (
    ANYTHING,
    DURATION,
    HEADER,
    HEADERS,
    NOTHING,
    NUMBER,
    PARAMETERS,
    PATTERN,
    TEXT,
    TRUTH,
    UNKNOWN,
    URI,
    Container,
    Type,
    conversion,
    fits,
    list_of,
    table_of,
)
from sipcore.errors import Malformed

_LONGEST_LIST = 1000
_DEEPEST = 64
PLACES = {
    Place.REQUEST: "a route",
    Place.BRANCH: "a `branch` function",
    Place.REPLY: "a reply function",
    Place.DIALOG: "`on dialog`",
}


class Expressions:
    """Checks the expressions of one block; `place` is the kind of block it is."""

    def __init__(self, known: Known, place: Place) -> None:
        self.known = known
        self.environment = known.environment
        self.report = known.report
        self.place = place
        self._depth = 0
        self._overflowed = False
        """Whether it was said that the expression at hand is too deep."""
        self.waits = False
        """Whether anything checked so far may wait."""

    def value(self, node: tree.Expression, scope: Scope, wanted: Type | None = None) -> Typed:
        """Check an expression; with `wanted` the result is of that type, or a mistake was reported."""
        if self.report.notes is not None:
            self.report.notes.wants(node.span, wanted)
        self._depth += 1
        typed = self._value(node, scope, wanted) if self._depth <= _DEEPEST else self._too_deep(node)
        self._depth -= 1
        self._overflowed &= self._depth > 0
        return typed if wanted is None else self.fit(typed, wanted, node)

    def _too_deep(self, node: tree.Expression) -> Typed:
        """Report the part of an expression that is nested too deeply."""
        if not self._overflowed:
            start = Span(*node.span[:2], *node.span[:2])
            message = f"this expression nests more than {_DEEPEST} levels deep"
            self.report.error(start, message, "give parts of it a name: `let name = ...`")
        self._overflowed = True
        return MISTAKEN

    def _value(self, node: tree.Expression, scope: Scope, wanted: Type | None) -> Typed:
        if isinstance(node, tree.Text | tree.Quantity | tree.Pattern | tree.Truth):
            return self._literal(node, wanted)
        if isinstance(node, tree.ListOf):
            return self._list(node, scope, wanted)
        if isinstance(node, tree.Range):
            return self._range(node)
        if isinstance(node, tree.Call):
            return self._call(node, scope)
        if isinstance(node, tree.Not):
            return Typed(TRUTH, Expansion("not it", {"it": self.truth(node.operand, scope)}))
        if isinstance(node, tree.Logic):
            return Typed(TRUTH, Chain(node.operator, tuple(self.truth(one, scope) for one in _operands(node))))
        if isinstance(node, tree.Comparison):
            return comparison(self, node, scope)
        if isinstance(node, tree.Calculation):
            return calculation(self, node, scope)
        return self.path(node, scope, wanted)

    def truth(self, node: tree.Expression, scope: Scope) -> Bound:
        """Check a condition."""
        typed = self.value(node, scope)
        if not fits(typed.type, TRUTH):
            hint = 'compare it, as in `!= ""`' if typed.type.is_a(TEXT) else "compare it with something"
            if typed.type.element is not None:
                hint = "ask `x in list`, or whether it is `.empty`"
            self.report.error(node.span, f"a condition is true or false; this is {a(typed.type)}", hint)
        return typed.bound

    def fit(self, typed: Typed, wanted: Type, node: tree.Expression) -> Typed:
        """Make a value fit where `wanted` is expected, or report that it does not."""
        if fits(typed.type, wanted):
            return typed
        if is_iterable_table(typed) and fits(list_of(typed.type.element or UNKNOWN), wanted):
            return Typed(wanted, Expansion("list(it)", {"it": typed.bound}))
        function = conversion(typed.type, wanted)
        if function is not None:
            return Typed(wanted, Expansion("function(it)", {"function": Constant(function), "it": typed.bound}))
        message = f"expected {a(wanted)}, this is {a(typed.type)}"
        self.report.error(node.span, message, _mismatch(typed, wanted, node))
        return MISTAKEN

    # -- literals -------------------------------------------------------------------------------------------------

    def _literal(self, node: tree.Text | tree.Quantity | tree.Pattern | tree.Truth, wanted: Type | None) -> Typed:
        start = 1 if isinstance(node, tree.Text | tree.Pattern) else 0  # behind the opening quote or slash
        try:
            if isinstance(node, tree.Text):
                return self._text(node, wanted)
            if isinstance(node, tree.Pattern):
                return Typed(PATTERN, Constant(read_pattern(node.text, node.ignore_case)))
            if isinstance(node, tree.Quantity):
                type_, value = read_quantity(node.text)
                return self._limited(Typed(type_, Constant(value)), wanted, node.span)
        except BadLiteral as mistake:
            span = node.span.part(start + mistake.offset, mistake.length)
            self.report.error(span, mistake.message, mistake.hint)
            return MISTAKEN
        return Typed(TRUTH, Constant(node.value))

    def _text(self, node: tree.Text, wanted: Type | None) -> Typed:
        text = read_text(node.raw)
        for one in (wanted.alternatives or (wanted,)) if wanted is not None else ():
            if one == URI:
                return Typed(URI, Constant(read_uri(text)))
            if one.parse is not None:
                try:
                    return Typed(one, Constant(one.parse(text)))
                except (Malformed, ValueError):
                    raise BadLiteral(f'"{text}" is no {one}', 0, len(node.raw)) from None
        return Typed(TEXT, Constant(text))

    def _limited(self, typed: Typed, wanted: Type | None, span: Span) -> Typed:
        """Check a written number against the limits of the type that takes it."""
        assert isinstance(typed.bound, Constant)
        value = typed.bound.value
        for one in (wanted.alternatives or (wanted,)) if wanted is not None and typed.type == NUMBER else ():
            if one.limits is not None:
                low, high = one.limits
                if not isinstance(value, int) or not low <= value <= high:
                    self.report.error(span, f"{a(one)} is a whole number from {low} to {high}")
                return Typed(one, typed.bound)
        return typed

    def _range(self, node: tree.Range) -> Typed:
        numbers = self.bounds(node)
        return MISTAKEN if numbers is None else Typed(list_of(NUMBER), Constant(numbers))

    def bounds(self, node: tree.Range, wanted: Type = NUMBER) -> range | None:
        """The numbers of a range; None when a mistake was reported."""
        ends = [self.fit(self._literal(end, wanted), wanted, end).bound for end in (node.low, node.high)]
        values = [end.value for end in ends if isinstance(end, Constant)]
        if not all(isinstance(value, int) for value in values):
            if None not in values:
                self.report.error(node.span, "a range goes from one whole number to another")
            return None
        low, high = values
        assert isinstance(low, int) and isinstance(high, int)
        if low > high:
            self.report.error(node.span, "this range is empty", f"write {high}..{low}")
        return range(low, high + 1)

    def _list(self, node: tree.ListOf, scope: Scope, wanted: Type | None) -> Typed:
        choices = (wanted.alternatives or (wanted,)) if wanted is not None else ()
        element = next((one.element for one in choices if one.element is not None), None)
        bound: list[Bound] = []
        for item in node.items:
            if isinstance(item, tree.Range):
                numbers = self.bounds(item) or range(0)
                if len(numbers) > _LONGEST_LIST:
                    self.report.error(item.span, f"a list holds up to {_LONGEST_LIST} numbers; `in` takes any range")
                bound += [Constant(number) for number in numbers[:_LONGEST_LIST]]
                element = element or NUMBER
                continue
            typed = self.value(item, scope, element)
            element = element or typed.type
            bound.append(typed.bound)
        return Typed(list_of(element or UNKNOWN), Items(tuple(bound)))

    # -- names ----------------------------------------------------------------------------------------------------

    def path(self, node: tree.Path, scope: Scope, wanted: Type | None = None, *, editing: bool = False) -> Typed:
        """Resolve a path to what it reads; `editing` what is about to be changed through it."""
        typed = self._path(node, scope, wanted, editing)
        if self.report.notes is not None:
            self.report.notes.holds(node.span, typed.type)
        return typed

    def _path(self, node: tree.Path, scope: Scope, wanted: Type | None, editing: bool) -> Typed:
        if isinstance(node, tree.CallVariable):
            return self._call_variable(node)
        if isinstance(node, tree.SharedTable):
            return shared_table(self, node)
        if _is_long(node):
            return self._too_deep(node)
        dotted = self._dotted(node, scope)
        table = self.environment.tables.get(dotted)
        if table is not None:
            return Typed(table_of(table.element), Constant(table.value))
        if isinstance(node, tree.Name):
            return self._name(node, scope, editing)
        if self._table_prefix(dotted, node, scope):
            return MISTAKEN
        editing |= wanted is not None and HEADER in (wanted, *wanted.alternatives)
        owner = self.path(node.owner, scope, editing=editing)
        if owner.type == UNKNOWN:
            return MISTAKEN
        if isinstance(node, tree.Index):
            return entry(self, owner, node.key, scope, wanted) if is_shared(owner) else self._index(node, owner, wanted)
        found = self.attribute(node, owner)
        return MISTAKEN if found is None else Typed(found.type, Expansion(found.read, {"it": owner.bound}))

    def _dotted(self, node: tree.Path, scope: Scope) -> str:
        """A path of names only, as text; "" when it starts with a local or has a key in it."""
        words: list[str] = []
        while isinstance(node, tree.Attribute):
            words.append(node.name.text)
            node = node.owner
        if not isinstance(node, tree.Name) or scope.find(node.text):
            return ""
        return ".".join((node.text, *reversed(words)))

    def _table_prefix(self, dotted: str, node: tree.Attribute | tree.Index, scope: Scope) -> bool:
        """Report `gateways.carier` when there are tables `gateways.*` but not this one."""
        first, dot, _ = dotted.partition(".")
        group = [name for name in self.environment.tables if name.startswith(first + ".")]
        if not dot or not group or first in self.environment.roots or first in self.environment.tables:
            return False
        self.report.error(
            node.span, f"there is no table `{dotted}`", self.report.nearest(dotted, group) or _known(group)
        )
        return True

    def _name(self, node: tree.Name, scope: Scope, editing: bool) -> Typed:
        variable = scope.find(node.text)
        if variable is not None:
            variable.used = True
            return Typed(variable.type, Local(variable.python_name))
        root = self.environment.roots.get(node.text)
        if root is not None:
            return Typed(root.type, Expansion(root.edit if editing and root.edit else root.read, {}))
        function = self.known.functions.get(node.text)
        if function is not None:
            self.known.used.add(node.text)
            return Typed(function[0], Local(function[1]))
        self.unknown_name(node, scope)
        return MISTAKEN

    def unknown_name(self, node: tree.Name, scope: Scope) -> None:
        """Report a name that nothing has."""
        known = scope.names().union(self.environment.roots, self.environment.tables, self.known.functions)
        if node.text in FOREIGN:
            self.report.error(node.span, FOREIGN[node.text])
        elif node.text in self.environment.functions:
            hint = f"call it: `{node.text}(...)`"
            self.report.error(node.span, f"`{node.text}` is a function, not a value", hint)
        else:
            self.report.error(node.span, f"nothing here is called `{node.text}`", self.report.nearest(node.text, known))

    def attribute(self, node: tree.Attribute, owner: Typed) -> Property | None:
        """The property behind the dot; None when a mistake was reported."""
        kind: Type | None = owner.type
        known: set[str] = set()
        while kind is not None:
            attributes = self.environment.attributes.get("list" if kind.container is Container.LIST else kind.name, {})
            found = attributes.get(node.name.text)
            if found is not None:
                return found
            known.update(attributes)
            kind = kind.base
        hint = self.report.nearest(node.name.text, known) or _known(known)
        self.report.error(node.name.span, f"{a(owner.type)} has no `{node.name.text}`", hint)
        return None

    def keyed(self, node: tree.Index, owner: Typed) -> tuple[Keyed, str] | None:
        """What is asked with `[...]` and the key; None when a mistake was reported."""
        asked = self.environment.keyed.get(owner.type.name)
        if asked is None:
            self.report.error(node.span, f"{a(owner.type)} can't be asked with [...]")
            return None
        key = self.key(node.key, asked)
        return None if key is None else (asked, key)

    def key(self, node: tree.Expression, asked: Keyed) -> str | None:
        """A key in its form of run time; None when a mistake was reported."""
        if not isinstance(node, tree.Text):
            self.report.error(node.span, "the name is written out in quotes here", 'as in `request.header["Subject"]`')
            return None
        try:
            return asked.key(read_text(node.raw))
        except BadLiteral as mistake:
            self.report.error(node.span.part(1 + mistake.offset, mistake.length), mistake.message, mistake.hint)
        except Malformed:
            self.report.error(node.span, f'"{node.raw}" is no {asked.noun} name')
        return None

    def changeable(self, node: tree.Index, asked: Keyed, key: str) -> bool:
        """Whether a route may change what is asked by this key; if not, a mistake is reported."""
        if key in asked.locked and isinstance(node.key, tree.Text):
            self.report.error(node.key.span, f"`{node.key.raw}` belongs to the server; a route can't change it")
        return key not in asked.locked

    def may_edit(self, node: tree.Path) -> bool:
        """Whether what a path leads to may be changed in this kind of block; if not, a mistake is reported."""
        first: tree.Path = node
        while isinstance(first, tree.Attribute | tree.Index):
            first = first.owner
        root = first.text if isinstance(first, tree.Name) else ""
        if root not in ("request", "from", "to") or self.place in (Place.REQUEST, Place.DIALOG):
            return True
        if self.place is Place.BRANCH:
            better = tree.written(node)
            better = better.replace("request", "branch", 1) if root == "request" else f"branch.{better}"
            message = "a `branch` function edits its branch; all share the request"
            self.report.error(node.span, message, f"write `{better}`")
        else:
            self.report.error(node.span, "the request has been sent; a reply function edits the reply")
        return False

    def _index(self, node: tree.Index, owner: Typed, wanted: Type | None) -> Typed:
        found = self.keyed(node, owner)
        if found is None:
            return MISTAKEN
        asked, key = found
        parts = {"it": owner.bound, "key": Constant(key)}
        if wanted is not None and HEADER in (wanted, *wanted.alternatives) and asked.reference:
            self.changeable(node, asked, key)
            self.may_edit(node)
            return Typed(HEADER, Expansion(asked.reference, parts))
        if "*" in key:
            self.report.error(node.key.span, "a name with `*` stands for several", "only a function can take them")
        return Typed(asked.type, Expansion(asked.read, parts))

    def _call_variable(self, node: tree.CallVariable) -> Typed:
        type_ = self.known.variables.get(node.name)
        if type_ is None:
            hint = self.report.nearest(node.name, self.known.variables).replace("`", "`call.", 1)
            self.report.error(node.span, f"nothing is ever stored in `call.{node.name}`", hint)
        if type_ is None or type_ == UNKNOWN:
            self.known.read_early.setdefault(node.name, type_)
            return MISTAKEN
        parts = {"key": Constant(kept_as(node.name, type_)), "default": Constant(KEPT[type_])}
        return Typed(type_, Expansion("context.call.get(key, default)", parts))

    # -- calls ----------------------------------------------------------------------------------------------------

    def _call(self, node: tree.Call, scope: Scope) -> Typed:
        signature = self.function(node)
        if signature is None:
            for argument in node.arguments:
                self.value(argument.value, scope)
            return MISTAKEN
        invocation = self.invocation(signature, node, scope)
        if signature.ends is not Ends.NEVER:
            can = "ends" if signature.ends is Ends.ALWAYS else "may end"
            self.report.error(node.span, f"`{signature.name}` {can} the route; it stands as a line of its own")
            return MISTAKEN
        if signature.result == NOTHING:
            self.report.error(node.span, f"`{signature.name}` gives no value")
            return MISTAKEN
        return Typed(signature.result, invocation)

    def invocation(self, signature: Signature, node: tree.Call, scope: Scope) -> Invocation:
        """Check the arguments and bring them into place."""
        self.waits |= signature.waits
        positional, labelled = bind(self, signature.name, signature.parameters, node.name.span, node.arguments, scope)
        if signature.check is not None:
            self._check_constants(signature.check, signature, positional, labelled, node.span)
        if signature.site:
            labelled[signature.site] = Constant(f"{node.span.line}:{node.span.column}")
        return Invocation(signature, positional, labelled, node.span)

    def _check_constants(
        self,
        check: ConstantCheck,
        signature: Signature,
        positional: tuple[Bound, ...],
        labelled: Mapping[str, Bound],
        span: Span,
    ) -> None:
        by_name = dict(zip((one.keyword for one in signature.parameters), positional, strict=False)) | dict(labelled)
        problem = check({name: one.value for name, one in by_name.items() if isinstance(one, Constant)})
        if problem:
            self.report.error(span, problem)

    def function(self, node: tree.Call) -> Signature | None:
        """The function that is called, when there is one and it may be called here."""
        name, known = node.name.text, self.environment.functions
        signature = known.get(name)
        if signature is None:
            hint = FOREIGN.get(name) or KAMAILIO.get(name) or self.report.nearest(name, known)
            self.report.error(node.name.span, f"there is no function `{name}`", hint)
            self.known.unsure = True
            return None
        signature = signature.at(self.place)
        where = PLACES[self.place]
        if not self.place & signature.places:
            hint = "only in " + " and ".join(PLACES[place] for place in signature.places)
            self.report.error(node.name.span, f"`{name}` can't be called in {where}", hint)
            return None
        may_end = self.place in (Place.REPLY, Place.DIALOG) and signature.ends is Ends.ALWAYS
        if self.place is not Place.REQUEST and (signature.waits or (signature.ends is not Ends.NEVER and not may_end)):
            why = "it may wait" if signature.waits else "it can end the route"
            self.report.error(node.name.span, f"`{name}` can't be called in {where}: {why}")
            return None
        return signature


def _operands(node: tree.Logic) -> list[tree.Expression]:
    """What one row of `and`, or of `or`, joins: a row may be longer than Python's stack is deep."""
    found: list[tree.Expression] = []
    one: tree.Expression = node
    while isinstance(one, tree.Logic) and one.operator == node.operator:
        found.append(one.right)
        one = one.left
    return [one, *reversed(found)]


def _is_long(node: tree.Path) -> bool:
    """Whether a path has more parts than anything has."""
    for _ in range(_DEEPEST):
        if not isinstance(node, tree.Attribute | tree.Index):
            return False
        node = node.owner
    return True


def is_iterable_table(typed: Typed) -> bool:
    """Whether this is a table whose elements can be gone through."""
    if typed.type.container is not Container.TABLE or not isinstance(typed.bound, Constant):
        return False
    return hasattr(typed.bound.value, "__iter__")


def a(type_: Type) -> str:
    """A type with its article, as sentences say it."""
    name = str(type_)
    if type_ in (NOTHING, ANYTHING, TEXT, HEADERS, PARAMETERS):
        return name
    return f"an {name}" if name[0] in "aio" else f"a {name}"


def _known(names: Collection[str]) -> str:
    return f"known: {', '.join(sorted(names))}" if names else ""


def _mismatch(typed: Typed, wanted: Type, node: tree.Expression) -> str:
    """A hint for the usual confusions."""
    choices = wanted.alternatives or (wanted,)
    if typed.type == NUMBER and DURATION in choices and isinstance(node, tree.Quantity):
        return f"a duration has a unit: {node.text}s"
    if isinstance(node, tree.Text) and any(fits(_quantity_type(node.raw), one) for one in choices):
        return f"write {node.raw} without quotes"
    if typed.type.name == "address" and URI in choices:
        return "its URI is `.uri`"
    if typed.type == URI and TEXT in choices:
        return "its text is `.text`; there are `.user` and `.domain` too"
    return ""


def _quantity_type(text: str) -> Type:
    """What a text would be without its quotes."""
    try:
        return read_quantity(text)[0]
    except BadLiteral:
        return NOTHING
