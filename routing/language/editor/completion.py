"""What can be written at a cursor, the likely things first."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lark.lexer import PatternStr

from routing.language import tree
from routing.language.checker import EVENTS
from routing.language.editor.analysis import Analysis
from routing.language.editor.cursor import MARK, Cursor, cursor_at
from routing.language.editor.described import (
    KEYWORDS,
    attributes_of,
    dotted,
    function_text,
    property_text,
    route_line,
    signature_line,
    table_text,
)
from routing.language.editor.names import Kind, Symbol
from routing.language.editor.source import Range
from routing.language.grammar import grammar
from routing.language.known import KEPT
from routing.language.signature import Ends, Parameter, Place, Signature
from routing.language.types import (
    BRANCH_FUNCTION,
    NOTHING,
    REPLY_FUNCTION,
    TRUTH,
    UNKNOWN,
    Type,
    conversion,
    fits,
)


class Form(enum.Enum):
    """What is offered, for the picture that an editor puts beside it."""

    FUNCTION = "function"
    ROUTE = "route"
    LOCAL = "local"
    PROPERTY = "property"
    TABLE = "table"
    KEYWORD = "keyword"
    LABEL = "label"
    VALUE = "value"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that could be written: `insert` goes into the text; `snippet` is the same with `$1` for the cursor."""

    label: str
    form: Form
    insert: str
    detail: str = ""
    text: str = ""
    snippet: str = ""
    rank: int = 1
    """Lower ones are likelier."""


@dataclass(frozen=True, slots=True)
class Offers:
    """All offers for a cursor, and what of the text each of them would stand for."""

    range: Range
    offers: tuple[Offer, ...]


_FIT, _USUAL, _LATE = 0, 1, 2
_SENTENCES = {
    "given": "What there is before the call: users, phones, peers, DNS, time, settings.",
    "expect": "What must have happened: who got what, who talks, who is registered.",
    "after": "When the next thing is done: `after 10s alice hangs up`.",
}
_NEW_NAME = frozenset({"LET", "FOR", "ROUTE"})
"""What follows these is a name that nobody has yet."""


def complete(analysis: Analysis, offset: int) -> Offers:
    """What can be written at an offset."""
    cursor = cursor_at(analysis, offset)
    if cursor is None:
        return Offers(Range(offset, offset), ())
    found = dict.fromkeys(_offers(analysis, cursor))
    ordered = sorted(found, key=lambda one: (one.rank, one.label))
    return Offers(cursor.range, tuple(ordered))


def _offers(analysis: Analysis, cursor: Cursor) -> Iterator[Offer]:
    if cursor.chain and isinstance(cursor.chain[0], tree.Test):
        yield from _sentence(cursor)
    elif cursor.quoted:
        yield from _texts(analysis, cursor)
    elif cursor.last == "DOT":
        yield from _members(analysis, cursor)
    elif cursor.last not in _NEW_NAME:
        yield from _words(analysis, cursor)


def _sentence(cursor: Cursor) -> Iterator[Offer]:
    """The words that a line of a test begins with."""
    line = cursor.before[-1].line if cursor.before else 0
    begins = len(cursor.chain) > 2 and isinstance(cursor.chain[-1], tree.Word) and cursor.chain[-1].span.line != line
    yield from (Offer(word, Form.KEYWORD, f"{word} ", "", what) for word, what in _SENTENCES.items() if begins)


# -- behind a dot -----------------------------------------------------------------------------------------------------


def _members(analysis: Analysis, cursor: Cursor) -> Iterator[Offer]:
    node = next((one for one in reversed(cursor.chain) if not isinstance(one, tree.Word)), None)
    if isinstance(node, tree.CallVariable | tree.SharedTable):
        kind = Kind.CALL if isinstance(node, tree.CallVariable) else Kind.SHARED
        for symbol in analysis.names.symbols(kind):
            typed = [analysis.source.range(one.span).start for one in analysis.names.of(symbol)] == [cursor.range.start]
            if symbol.name.isidentifier() and not typed:
                yield _kept(analysis, symbol)
    if not isinstance(node, tree.Attribute):
        return
    path = dotted(node.owner)
    for name, found in attributes_of(analysis.environment, cursor.held(node.owner)).items():
        yield Offer(name, Form.PROPERTY, name, str(found.type), property_text(f"{path or '...'}.{name}", found))
    yield from _tables(analysis, f"{path}." if path else "-")


def _kept(analysis: Analysis, symbol: Symbol) -> Offer:
    if symbol.kind is Kind.CALL:
        return Offer(symbol.name, Form.LOCAL, symbol.name, str(analysis.type_of(symbol)), "Kept with the call.")
    declared = (one for one in analysis.file.items if isinstance(one, tree.Shared) and one.name.text == symbol.name)
    detail = next((f"{one.type.text} for {one.lifetime.text}" for one in declared), "not declared")
    return Offer(symbol.name, Form.TABLE, symbol.name, detail, "A table that all requests share.")


def _tables(analysis: Analysis, prefix: str) -> Iterator[Offer]:
    """Tables of the configuration whose names begin so; of a dotted name the next part."""
    for name, table in analysis.environment.tables.items():
        if name.startswith(prefix):
            word = name.removeprefix(prefix).partition(".")[0]
            whole = f"{prefix}{word}" == name
            yield Offer(word, Form.TABLE, word, *((str(table.element), table_text(name, table)) if whole else ()))


# -- words ------------------------------------------------------------------------------------------------------------


def _words(analysis: Analysis, cursor: Cursor) -> Iterator[Offer]:
    yield from _keywords(cursor)
    if "NAME" not in cursor.accepts or not cursor.chain:
        return
    node = cursor.chain[-1]
    above = cursor.chain[-2] if len(cursor.chain) > 1 else None
    if isinstance(above, tree.On):
        yield from (
            Offer(event, Form.KEYWORD, event, what, f"`on {event}` is {what}.") for event, what in EVENTS.items()
        )
    elif isinstance(above, tree.Invoke) and isinstance(node, tree.Word):
        yield from (_route(one) for one in cursor.routes.values() if one.name.text.isidentifier())
    elif isinstance(above, tree.Parameter) and above.type is node:
        begun = node.text.removesuffix(MARK)  # a type may have several words
        rests = (one.removeprefix(begun) for one in analysis.environment.parameter_types if one.startswith(begun))
        yield from (Offer(one, Form.TYPE, one) for one in rests)
    elif isinstance(above, tree.Shared):
        yield from (Offer(one.name, Form.TYPE, one.name) for one in KEPT)
    elif isinstance(above, tree.Call) and above.name is node:  # the body of an arm
        yield from (one for one in _values(analysis, cursor, True) if one.form is Form.FUNCTION)
    elif isinstance(node, tree.Name):
        if isinstance(above, tree.Argument) and cursor.last in ("LPAR", "COMMA"):
            yield from _labels(analysis, cursor)
        statement = isinstance(above, tree.Assign) and above.target is node
        yield from _values(analysis, cursor, statement)


@lru_cache(maxsize=1)
def _spelled() -> dict[str, str]:
    """The words of the language by their terminals."""
    found = ((one.name, one.pattern) for one in grammar().terminals)
    return {
        name: pattern.value for name, pattern in found if isinstance(pattern, PatternStr) and pattern.value.isalpha()
    }


def _keywords(cursor: Cursor) -> Iterator[Offer]:
    top = "ROUTE" in cursor.accepts
    for terminal, word in _spelled().items():
        named = terminal in ("BRANCH", "REPLY") and not top  # there they are names as any other
        if terminal in cursor.accepts and not named:
            usual = cursor.wanted() in (UNKNOWN, TRUTH)
            yield Offer(word, Form.KEYWORD, word, "", KEYWORDS.get(word, ""), rank=_USUAL if usual else _LATE)


def _route(route: tree.Route) -> Offer:
    name = route.name.text
    opened = f"{name}($1)" if route.parameters else f"{name}()$0"
    return Offer(name, Form.ROUTE, f"{name}()", route_line(route), snippet=opened, rank=_FIT)


def _labels(analysis: Analysis, cursor: Cursor) -> Iterator[Offer]:
    """The named arguments that are not given yet."""
    call = next((one for one in reversed(cursor.chain) if isinstance(one, tree.Call | tree.Invoke)), None)
    if call is None:
        return
    labels = {one.label.text for one in call.arguments if one.label is not None}
    unlabelled = sum(one.label is None for one in call.arguments) - 1
    for number, (name, type_, labelled) in enumerate(_parameters(analysis, cursor, call)):
        if name not in labels and (labelled or number >= unlabelled):
            yield Offer(f"{name}:", Form.LABEL, f"{name}: ", type_, rank=_FIT if labelled else _USUAL)


def _parameters(analysis: Analysis, cursor: Cursor, call: tree.Call | tree.Invoke) -> list[tuple[str, str, bool]]:
    if isinstance(call, tree.Invoke):
        route = cursor.routes.get(call.name.text)
        return [(one.name.text, one.type.text, False) for one in route.parameters] if route else []
    signature = analysis.environment.functions.get(call.name.text)
    parameters: tuple[Parameter, ...] = signature.at(cursor.place).parameters if signature else ()
    return [(one.name, str(one.type), one.labelled) for one in parameters if not one.repeated]


# -- values and statements --------------------------------------------------------------------------------------------


def _values(analysis: Analysis, cursor: Cursor, statement: bool) -> Iterator[Offer]:
    wanted = UNKNOWN if statement else cursor.wanted()

    def rank(type_: Type) -> int:
        if wanted == UNKNOWN:
            return _USUAL
        if fits(type_, wanted) or conversion(type_, wanted) is not None:
            return _FIT
        return _USUAL if attributes_of(analysis.environment, type_) else _LATE  # something of it may fit

    yield from (Offer(f'"{one}"', Form.VALUE, f'"{one}"', str(wanted), rank=_FIT) for one in _choices(analysis, cursor))
    for local in cursor.locals:
        name = local.symbol.name
        type_ = cursor.notes.held.get(local.symbol.declared, UNKNOWN) if local.symbol.declared else UNKNOWN
        if name.isidentifier():
            yield Offer(name, Form.LOCAL, name, str(type_), rank=_FIT if wanted == UNKNOWN else rank(type_))
    for root in analysis.environment.roots.values():
        yield Offer(
            root.name, Form.PROPERTY, root.name, str(root.type), property_text(root.name, root), rank=rank(root.type)
        )
    for signature in analysis.environment.functions.values():
        found = signature.at(cursor.place)
        if _callable(found, cursor.place, statement):
            yield _function(found, _FIT if statement else rank(found.result))
    if not statement:
        yield from _tables(analysis, "")
        yield from _edits(analysis, wanted)


def _callable(signature: Signature, place: Place, statement: bool) -> bool:
    if not place & signature.places or (signature.waits and place is not Place.REQUEST):
        return False
    answers = signature.ends is Ends.NEVER and signature.result != NOTHING
    return (not answers or signature.result == TRUTH) if statement else answers


def _function(signature: Signature, rank: int) -> Offer:
    name = signature.name
    opened = f"{name}($1)" if signature.parameters else f"{name}()$0"
    return Offer(name, Form.FUNCTION, f"{name}()", signature_line(signature), function_text(signature), opened, rank)


def _edits(analysis: Analysis, wanted: Type) -> Iterator[Offer]:
    """Branch and reply functions, where a function takes one."""
    for item in analysis.file.items:
        kind = BRANCH_FUNCTION if isinstance(item, tree.Branch) else REPLY_FUNCTION
        if isinstance(item, tree.Branch | tree.Reply) and wanted == kind:
            yield Offer(item.name.text, Form.ROUTE, item.name.text, str(kind), rank=_FIT)


# -- texts ------------------------------------------------------------------------------------------------------------


def _texts(analysis: Analysis, cursor: Cursor) -> Iterator[Offer]:
    for one in _choices(analysis, cursor):
        yield Offer(one, Form.VALUE, f'"{one}"')


def _choices(analysis: Analysis, cursor: Cursor) -> tuple[str, ...]:
    """The texts that are likely here: names of headers, values of a type that has few, of a property that has few."""
    if len(cursor.chain) < 2:
        return ()
    node, above = cursor.chain[-1], cursor.chain[-2]
    if isinstance(above, tree.Index) and above.key is node and cursor.quoted:
        keyed = analysis.environment.keyed.get(cursor.held(above.owner).name)
        return keyed.choices if keyed is not None else ()
    wanted = cursor.wanted()
    for one in wanted.alternatives or (wanted,):
        if one.choices:
            return one.choices
    compared = _compared(cursor)
    if isinstance(compared, tree.Attribute):
        found = attributes_of(analysis.environment, cursor.held(compared.owner)).get(compared.name.text)
        return found.choices if found is not None else ()
    return ()


def _compared(cursor: Cursor) -> tree.Expression | None:
    """What the text at the mark is compared with."""
    for node in reversed(cursor.chain[:-1]):
        if isinstance(node, tree.Comparison):
            return node.left
        if isinstance(node, tree.Arm):
            continue
        if isinstance(node, tree.Match):
            return node.subject
        if not isinstance(node, tree.ListOf):
            return None
    return None
