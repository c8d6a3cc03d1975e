"""A Python function of the operator, learnt from its file: found, read and judged, and nothing of it is run."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from routing.language.problem import nearest
from routing.language.signature import Ends, Parameter, Place, Signature
from routing.runtime.python_types import KNOWN, Kind, kind_of

_LARGEST = 1_000_000


class Unfit(Exception):
    """A function can't be offered to routes; the message says why, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class PythonSource:
    """Where a function is, and what its `def` says; `digest` tells whether the file has changed.

    `kinds` are those of its parameters, in order.
    """

    module: str
    function: str
    file: Path
    digest: str
    line: int
    waits: bool
    parameters: tuple[Parameter, ...]
    kinds: tuple[Kind, ...] = field(compare=False)
    result: Kind = field(compare=False)
    docstring: str

    def signature(self, name: str, target: Any) -> Signature:
        """The function as the language knows it; it may wait, so it is for routes only."""
        return Signature(
            name,
            self.parameters,
            self.result.type,
            Ends.NEVER,
            Place.REQUEST,
            True,
            target,
            "functions",
            self.docstring,
        )


def read_function(module: str, function: str, folder: Path) -> PythonSource:
    """Find `module` in `folder` or else where Python finds modules, and read the function; `Unfit` says why not."""
    file = _find(module, folder)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Unfit(f"{file} can't be read: {error.strerror}") from None
    tree = _parse(file, data)
    found = _function(tree, function, file)
    names = _imports(tree)
    kinds, parameters = _parameters(found, names, file)
    if found.returns is None:
        raise _at(file, found, "it does not say what it gives", "write it, as in `-> str`; or `-> None`")
    result = kind_of(found.returns, names, result=True)
    if result is None:
        raise _at(file, found.returns, f"the language has no type for `{ast.unparse(found.returns)}`", _known(True))
    return PythonSource(
        module, function, file, hashlib.sha256(data).hexdigest(), found.lineno,
        isinstance(found, ast.AsyncFunctionDef), parameters, kinds, result,
        ast.get_docstring(found) or "",
    )  # fmt: skip


# -- the file ---------------------------------------------------------------------------------------------------------


def _find(module: str, folder: Path) -> Path:
    importlib.invalidate_caches()  # the file may have been written a moment ago
    spec: ModuleSpec | None = None
    locations: Sequence[str] | None = [str(folder)]
    known = ""
    for part in module.split("."):
        known = f"{known}.{part}" if known else part
        spec = _spec(known, locations)
        if spec is None:
            raise Unfit(f"there is no module `{known}`", f"looked in {folder}, and where Python looks for modules")
        locations = spec.submodule_search_locations or []
    assert spec is not None
    if spec.origin is None or not spec.has_location or not spec.origin.endswith(".py"):
        raise Unfit(f"the module `{module}` has no Python source", "name one that has, with a function that calls it")
    return Path(spec.origin)


def _spec(name: str, locations: Sequence[str] | None) -> ModuleSpec | None:
    """Where a module is. A package is not run to find what is in it, as `import` would."""
    found = PathFinder.find_spec(name, locations)
    if found is not None and found.origin is not None:
        return found
    if "." in name:
        return found
    try:
        return importlib.util.find_spec(name) or found
    except (ValueError, ImportError, AttributeError):  # a module in memory that says nothing of where it is from
        return found


def _parse(file: Path, data: bytes) -> ast.Module:
    if len(data) > _LARGEST:
        raise Unfit(f"{file} is larger than {_LARGEST:,} bytes")
    try:
        return ast.parse(data, str(file))
    except SyntaxError as error:
        raise Unfit(f"{file.name}:{error.lineno or 1}:{error.offset or 1}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unfit(f"{file} is no Python: {error}") from None


def _top_level(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those in `if` and `try` too."""
    for statement in statements:
        yield statement
        if isinstance(statement, ast.If):
            yield from _top_level([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Try):
            handlers = [inner for handler in statement.handlers for inner in handler.body]
            yield from _top_level([*statement.body, *handlers, *statement.orelse, *statement.finalbody])


def _function(tree: ast.Module, name: str, file: Path) -> ast.FunctionDef | ast.AsyncFunctionDef:
    known = {
        node.name: node for node in _top_level(tree.body) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    if name not in known:
        others = ", ".join(sorted(known)[:10])
        hint = nearest(name, known) or (f"there are {others}" if others else "")
        hint = hint or "it must be written there with `def`; what is imported does not count"
        raise Unfit(f"{file.name} has no function `{name}`", hint)
    return known[name]


def _imports(tree: ast.Module) -> dict[str, str]:
    """Names of the file with what they were imported as."""
    found: dict[str, str] = {}
    for node in _top_level(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


# -- the function -----------------------------------------------------------------------------------------------------


def _parameters(
    found: ast.FunctionDef | ast.AsyncFunctionDef, names: Mapping[str, str], file: Path
) -> tuple[tuple[Kind, ...], tuple[Parameter, ...]]:
    given = found.args
    if given.kwarg is not None:
        raise _at(file, given.kwarg, f"`**{given.kwarg.arg}` has no meaning in a route")
    positional = [*given.posonlyargs, *given.args]
    required = len(positional) - len(given.defaults)
    rows = [(one, number < required, False, False) for number, one in enumerate(positional)]
    if given.vararg is not None:
        rows.append((given.vararg, False, False, True))
    rows += [(one, value is None, True, False) for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    kinds: list[Kind] = []
    parameters: list[Parameter] = []
    for one, needed, labelled, repeated in rows:
        kind = _kind(one, names, file)
        kinds.append(kind)
        parameters.append(Parameter(one.arg.removesuffix("_"), kind.type, one.arg, needed, labelled, repeated))
    return tuple(kinds), tuple(parameters)


def _kind(one: ast.arg, names: Mapping[str, str], file: Path) -> Kind:
    if one.annotation is None:
        raise _at(file, one, f"`{one.arg}` has no type", f"write it, as in `{one.arg}: str`")
    kind = kind_of(one.annotation, names)
    if kind is None:
        written = ast.unparse(one.annotation)
        raise _at(file, one, f"`{one.arg}`: the language has no type for `{written}`", _known(False))
    return kind


def _known(result: bool) -> str:
    return f"a function {'gives' if result else 'takes'} {KNOWN}{', or None' if result else ''}"


def _at(file: Path, node: ast.AST, message: str, hint: str = "") -> Unfit:
    line: int = getattr(node, "lineno", 1)
    return Unfit(f"{file.name}:{line}: {message}", hint)


def module_names(module: str) -> bool:
    """Whether a text is the dotted name of a module."""
    return all(part.isidentifier() for part in module.split(".")) and module.isascii()
