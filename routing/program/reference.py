"""The reference of the language, made of its declarations: a page for each function, one of properties, one of types.

`python -m routing.program.reference FOLDER` writes it; a page that nothing makes any more is taken away.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from routing.language.docstring import Description, describe
from routing.language.environment import Property
from routing.language.signature import Ends, Parameter, Place, Signature
from routing.language.types import Container, Type
from routing.program.reference_types import TYPES
from routing.program.server import MODULES
from routing.runtime import Module
from routing.runtime.functions import function_table
from routing.runtime.properties import ATTRIBUTES, KEYED, ROOTS

_MADE = "Made of the declarations by `./dev reference`; don't edit it."
_PLACES = {
    Place.REQUEST: "in `on request` and in routes",
    Place.DIALOG: "in `on dialog`",
    Place.BRANCH: "in `branch` functions",
    Place.REPLY: "in `reply` functions and `on reply`",
}
_ENDS = {
    Ends.NEVER: "no: the next line runs",
    Ends.MAY: "perhaps: when it did its work; else the next line runs",
    Ends.ALWAYS: "yes: nothing after it runs",
}


def pages(modules: Iterable[Module | type[Module]] = MODULES) -> dict[str, str]:
    """The text of every page, by the name of its file."""
    functions = function_table(modules)
    made = {f"{name}.md": _function(signature, functions) for name, signature in functions.items()}
    return {
        "README.md": _index(functions),
        "properties.md": _properties(),
        "types.md": _types(functions),
        **{f"function-{name}": text for name, text in made.items()},
    }


def write(folder: Path, modules: Iterable[Module | type[Module]] = MODULES) -> None:
    """Write all pages into a folder, and take away those that are none any more."""
    made = pages(modules)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, "utf-8")


def _index(functions: Mapping[str, Signature]) -> str:
    rows = [(f"[`{name}`](function-{name}.md)", describe(one).summary) for name, one in sorted(functions.items())]
    return "\n".join(
        [
            "# Reference",
            "",
            f"{_MADE} [The routing language](../routing-language.md) tells how all of it goes together, the",
            "[cookbook](../cookbook.md) what to do with it. Here is each part by itself: the functions below,",
            "[properties](properties.md), and [types](types.md).",
            "",
            *_table(("function", "does"), rows),
            "",
        ]
    )


# -- functions --------------------------------------------------------------------------------------------------------


def _function(signature: Signature, functions: Mapping[str, Signature]) -> str:
    lines = [f"# {signature.name}", ""]
    forms = [signature, *([signature.elsewhere] if signature.elsewhere is not None else [])]
    for form in forms:
        if len(forms) > 1:
            lines += [f"## {_places(form.places)[0].upper()}{_places(form.places)[1:]}", ""]
        lines += _form(form, describe(form), functions)
    lines += [f"[All functions](README.md) - {_MADE}", ""]
    return "\n".join(lines)


def _form(signature: Signature, words: Description, functions: Mapping[str, Signature]) -> Iterator[str]:
    yield from (words.summary, "", "```text", call_of(signature), "```", "")
    if words.details:
        yield from (words.details, "")
    if signature.parameters:
        rows = [_argument(one, words.arguments.get(one.name, "")) for one in signature.parameters]
        yield from (*_table(("argument", "type", "is"), rows), "")
    facts = [
        ("may be called", _places(signature.places)),
        ("waits", "it may: for a database, the DNS or phones" if signature.waits else "no"),
        ("ends the route", _ENDS[signature.ends]),
    ]
    if words.result:
        facts.append(("gives", f"{signature.result}: {words.result}"))
    facts.append(("when it fails", words.fails or "it can't"))
    facts.append(("module", f"`{signature.module}`"))
    yield from (*_table(("", ""), facts), "")
    if words.example:
        yield from ("```route", words.example, "```", "")
    known = [f"[{name}](function-{name}.md)" for name in words.see if name in functions]
    if known:
        yield from (f"See also: {', '.join(known)}.", "")


def call_of(signature: Signature) -> str:
    """A call with its arguments as they are written: `limit(rate, per: text)`, `reply(code, reason?, ...)`."""
    return f"{signature.name}({', '.join(map(_written, signature.parameters))})"


def _written(one: Parameter) -> str:
    optional = "" if one.required or one.repeated else "?"
    if one.labelled:
        return f"{one.name}: {one.type}{optional}"
    return f"{'...' if one.repeated else ''}{one.name}{optional}"


def _argument(one: Parameter, text: str) -> tuple[str, str, str]:
    kind = f"{one.type}{', as many as wanted' if one.repeated else '' if one.required else ', may be left out'}"
    return (f"`{one.name}:`" if one.labelled else f"`{one.name}`", kind, text)


def _places(places: Place) -> str:
    return ", ".join(text for place, text in _PLACES.items() if place & places)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return lines + [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


# -- properties and types ---------------------------------------------------------------------------------------------


def _properties() -> str:
    lines = ["# Properties", "", f"{_MADE} What can be set is read back at once.", "", "## First words", ""]
    lines += _table(("property", "type", "can be set", "is"), [_property(one, one.name) for one in ROOTS.values()])
    for owner, attributes in ATTRIBUTES.items():
        first = f"{owner}." if owner in ROOTS or owner in ("branch", "reply") else "."
        lines += ["", f"## Of {_a(owner)}", ""]
        rows = [_property(one, f"{first}{one.name}{_key(one)}") for one in attributes.values()]
        lines += _table(("property", "type", "can be set", "is"), rows)
    return "\n".join([*lines, "", f"[Reference](README.md), [types](types.md) - {_MADE}", ""])


def _property(one: Property, path: str) -> tuple[str, str, str, str]:
    keyed = KEYED.get(one.type.name)
    settable = one.write or one.replace or (keyed is not None and (keyed.write or keyed.replace))
    return (f"`{path}`", str(keyed.type if keyed is not None else one.type), "yes" if settable else "", one.summary)


def _key(one: Property) -> str:
    return '["..."]' if one.type.name in KEYED else ""


def _a(owner: str) -> str:
    return f"{'an' if owner[0] in 'aeio' else 'a'} {owner}"


def _types(functions: Mapping[str, Signature]) -> str:
    forms = [form for one in functions.values() for form in (one, one.elsewhere) if form is not None]
    rows = []
    for name, words in TYPES.items():
        taken = sorted({one.name for one in forms if any(name in names_in(each.type) for each in one.parameters)})
        given = sorted({one.name for one in forms if name in names_in(one.result)})
        owned = f" [Properties](properties.md#of-{_a(name).replace(' ', '-')})." if name in ATTRIBUTES else ""
        rows.append((name, words.written, words.what + owned, _links(taken), _links(given)))
    lines = ["# Types", "", _MADE, "", *_table(("type", "written", "is", "taken by", "given by"), rows)]
    return "\n".join([*lines, "", "[Reference](README.md), [properties](properties.md)", ""])


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](function-{name}.md)" for name in names)


def names_in(kind: Type) -> frozenset[str]:
    """The names of the types that a type is made of: those it chooses from, what it holds and what holds it."""
    if kind.alternatives:
        return frozenset().union(*map(names_in, kind.alternatives))
    if kind.element is not None:
        return names_in(kind.element) | {"list" if kind.container is Container.LIST else "table"}
    return frozenset({kind.name})


if __name__ == "__main__":
    write(Path(sys.argv[1]))
