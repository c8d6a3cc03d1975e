"""What the docstring of a function of the language says, in its parts: for the reference, hover and completion.

The first line is the summary. Then come paragraphs, if there is more to say, and the sections `Arguments:` (a line
`name: what it is` for each), `Result:`, `Fails:`, `Example:` (lines of a route) and `See:` (names of functions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.language.signature import Signature

_SECTION = re.compile(r"(Arguments|Result|Fails|Example|See):(?: (.*))?")
_ARGUMENT = re.compile(r"    (\w+): (.*)")


@dataclass(frozen=True, slots=True)
class Description:
    """The parts of a docstring; what it does not say is empty."""

    summary: str
    details: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    fails: str = ""
    example: str = ""
    see: tuple[str, ...] = ()


def describe(signature: Signature) -> Description:
    """What the docstring of a function says."""
    return read_description(signature.docstring)


def read_description(docstring: str) -> Description:
    """The parts of a docstring, which has no indentation of its own."""
    summary, _, rest = docstring.partition("\n")
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    for line in rest.splitlines():
        section = _SECTION.fullmatch(line)
        if section is None:
            current.append(line)
        else:
            current = sections.setdefault(section[1], [section[2]] if section[2] else [])
    return Description(
        summary,
        "\n".join(sections[""]).strip("\n"),
        _arguments(sections.get("Arguments", [])),
        _joined(sections.get("Result", [])),
        _joined(sections.get("Fails", [])),
        "".join(f"{line.removeprefix('    ')}\n" for line in sections.get("Example", [])).strip("\n"),
        tuple(name for name in _joined(sections.get("See", [])).split(", ") if name),
    )


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines if line)


def _arguments(lines: list[str]) -> dict[str, str]:
    """Name to text; a line that is indented further goes on with the text before."""
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        argument = _ARGUMENT.fullmatch(line)
        if argument is not None:
            name = argument[1]
            found[name] = argument[2]
        elif name and line:
            found[name] += f" {line.strip()}"
    return found
