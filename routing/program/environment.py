"""Settings from the environment: `RINGWAY_LOG__LEVEL=debug` stands for `level` in `[log]`, and wins over the file.

A variable with `_FILE` behind it names a file that holds the value, so that a secret is in no process list.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from routing.language.problem import nearest
from routing.program.expect import Document, in_environment
from routing.program.places import KeyPath
from routing.program.reading import fields, section

PREFIX = "RINGWAY_"
_NOT_A_SETTING = {"RINGWAY_CONFIG"}


def override(kind: type, data: dict[str, Any], environ: Mapping[str, str], document: Document) -> None:
    """Put what the environment says into `data`, the parsed file; a variable that names no setting is reported."""
    known = {_variable(path): (path, wanted) for path, wanted in _settings(kind)}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in _NOT_A_SETTING:
            continue
        name = variable if variable in known else variable.removesuffix("_FILE")
        if name in known:
            path, wanted = known[name]
            text = environ[variable] if name == variable else _file(variable, environ[variable], document)
            if text is not None:
                document.overrides[path] = variable
                _put(data, path, _value(text, wanted))
        elif hint := _nearest(variable, known):
            document.problems.append(in_environment(variable, "no setting has this name", hint))
        elif "__" in variable:
            document.problems.append(in_environment(variable, "no setting has this name"))


def _settings(kind: type, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    for field in fields(kind):
        inner = section(field)
        if inner is not None:
            yield from _settings(inner, (*path, field.name))
        else:
            yield (*path, field.name), str(field.type)


def _variable(path: KeyPath) -> str:
    return PREFIX + "__".join(str(key).upper() for key in path)


def _nearest(variable: str, known: Iterable[str]) -> str:
    """The common prefix would make all names near."""
    return nearest(variable.removeprefix(PREFIX), (name.removeprefix(PREFIX) for name in known))


def _file(variable: str, name: str, document: Document) -> str | None:
    try:
        return Path(name).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        document.problems.append(in_environment(variable, f"can't read {name}: {error}"))
        return None


def _value(text: str, wanted: str) -> object:
    """A text for a text; commas separate a list; anything else is written as in TOML."""
    if wanted in ("str", "Path"):
        return text
    if wanted.startswith("tuple") and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(data: dict[str, Any], path: KeyPath, value: object) -> None:
    table = data
    for key in path[:-1]:
        table = table.setdefault(str(key), {})
        if not isinstance(table, dict):
            return  # the file has no table there, which is reported when it is read
    table[str(path[-1])] = value
