"""Functions, routes, properties and words of the language in a few lines of Markdown."""

from __future__ import annotations

from routing.language import tree
from routing.language.docstring import describe
from routing.language.environment import Environment, Property, Table
from routing.language.signature import Ends, Signature
from routing.language.types import MOMENT, NOTHING, Container, Type

KEYWORDS = {
    "on": "`on request { ... }` is where every request begins; `on dialog` and `on reply` see what comes later.",
    "route": "`route NAME(parameter: type, ...) { ... }`: a part with a name, run by `call NAME(...)`.",
    "branch": "`branch NAME(branch) { ... }` edits one branch before it is sent: `ring(..., edit: NAME)`.",
    "reply": "`reply NAME(reply) { ... }` edits the responses of a call on their way back: `ring(..., replies: NAME)`.",
    "shared": "`shared NAME: type for duration`: a table that all requests share, asked as `shared.NAME[key]`.",
    "let": "`let name = value`: a name for a value, known to the end of its block.",
    "if": "`if condition { ... } else if condition { ... } else { ... }`",
    "else": "What is done otherwise: behind `if`, behind a function that answers false, as the last arm of `match`.",
    "match": '`match value { "a" => ...  /pattern/ => ...  in list => ...  else => ... }`: the first line that fits.',
    "for": "`for name in list { ... }`: one after the other; lists are finite, so loops are too.",
    "call": "`call NAME(...)` runs a route; `call.name` is kept with the call.",
    "in": "Whether a list, range, table, network or time window holds a value; `not in` is the opposite.",
    "not": "The opposite of a condition.",
    "and": "Whether both conditions hold.",
    "or": "Whether one of two conditions holds.",
    "matches": "Whether a text matches a pattern: `request.user_agent matches /^Linphone/i`.",
    "test": '`test "name" { ... }`: the story of a call, told in lines, which `ringway test` performs.',
    "true": "A truth value.",
    "false": "A truth value.",
}
"""What the words of the language are for."""

_ENDS = {
    Ends.ALWAYS: "An outcome: nothing after it runs.",
    Ends.MAY: "It may end the route; otherwise the next line runs.",
    Ends.NEVER: "",
}


def code(text: str) -> str:
    """Some of the language, shown as such."""
    return f"```ringway-route\n{text}\n```"


def signature_line(signature: Signature) -> str:
    """A function with its parameters and its result."""
    result = "" if signature.ends is not Ends.NEVER or signature.result == NOTHING else f" -> {signature.result}"
    return f"{signature}{result}"


def function_text(signature: Signature) -> str:
    """A function: how it is called, what it does, what its arguments are, whether it ends the route."""
    words = describe(signature)
    arguments = "\n".join(f"- `{name}`: {text}" for name, text in words.arguments.items())
    lines = [code(signature_line(signature)), signature.summary, words.details, arguments, _ENDS[signature.ends]]
    return "\n\n".join(line for line in lines if line)


def route_line(route: tree.Route) -> str:
    """A route with its parameters."""
    parameters = ", ".join(f"{one.name.text}: {one.type.text}" for one in route.parameters)
    return f"route {route.name.text}({parameters})"


def property_text(path: str, found: Property) -> str:
    """A property: its type, what it is, whether it can be set."""
    changes = " Can be set." if found.write or found.replace else ""
    return f"{code(f'{path}: {found.type}')}\n\n{found.summary}{changes}"


def table_text(name: str, table: Table) -> str:
    """A configured table."""
    asked = f"now in {name}" if table.element == MOMENT else f"... in {name}"
    return f"{code(asked)}\n\nA table of the configuration."


def attributes_of(environment: Environment, type_: Type) -> dict[str, Property]:
    """What can stand behind a dot after a value of this type."""
    found: dict[str, Property] = {}
    kind: Type | None = type_
    while kind is not None:
        name = "list" if kind.container is Container.LIST else kind.name
        found = {**environment.attributes.get(name, {}), **found}
        kind = kind.base
    return found


def dotted(node: tree.Expression) -> str:
    """A path of names alone, as text; "" for any other."""
    words: list[str] = []
    while isinstance(node, tree.Attribute):
        words.append(node.name.text)
        node = node.owner
    return ".".join((node.text, *reversed(words))) if isinstance(node, tree.Name) else ""


def comment_above(lines: list[str], line: int) -> str:
    """The comment right above a line (from 1), which says what a block is for."""
    found: list[str] = []
    for text in reversed(lines[: line - 1]):
        if not text.lstrip().startswith("#"):
            break
        found.append(text.strip().lstrip("#").strip())
    return "\n".join(reversed(found))
