"""[functions]: Python functions of the operator, read with the configuration and imported when a server starts."""

from __future__ import annotations

import hashlib
import itertools
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from inspect import iscoroutinefunction
from pathlib import Path
from types import ModuleType
from typing import Any

from routing.language.grammar import reserved_words
from routing.language.problem import Problem, nearest, render
from routing.language.signature import Signature
from routing.program.expect import Spot, seconds
from routing.program.function_workers import FunctionStatistics, TaskFunction, ThreadFunction, Workers
from routing.runtime.python_function import Perform, PythonFunction
from routing.runtime.python_source import PythonSource, Unfit, module_names, read_function
from sipcore.errors import ConfigurationError, Unavailable

DEFAULT_TIMEOUT = 2.0
_PATIENCE = 10.0
"""Seconds that an import may take."""
_WANTED = '"package.module:function", or a table with function, timeout and path'
_KEYS = ("function", "timeout", "path")


@dataclass(frozen=True, slots=True)
class DeclaredFunction:
    """One entry of [functions], which stands in `line`; its module is looked for in `folder` first."""

    target: str
    timeout: float
    folder: Path
    source: PythonSource
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)

    def settings(self) -> dict[str, object]:
        """What is in effect, for `ringway check`."""
        return {"function": self.target, "timeout": self.timeout, "path": str(self.folder)}


Declared = Mapping[str, DeclaredFunction]


# -- the configuration ------------------------------------------------------------------------------------------------


def python_function(value: object, spot: Spot) -> DeclaredFunction:
    """An entry of [functions]: `name = "module:function"`, or a table."""
    table = value if isinstance(value, dict) else {"function": value}
    unknown = next((key for key in table if key not in _KEYS), None)
    if unknown is not None:
        hint = nearest(unknown, _KEYS) or f"known here: {', '.join(_KEYS)}"
        raise spot.inside(unknown).unfit(f"unknown key `{unknown}`", hint)
    target = table.get("function")
    module, colon, function = target.partition(":") if isinstance(target, str) else ("", "", "")
    if not colon or not module_names(module) or not function.isidentifier():
        raise spot.expected(_WANTED, target if target is not None else value, 'as in "directory:find"')
    timeout = seconds(0.01, 60)(table.get("timeout", DEFAULT_TIMEOUT), spot.inside("timeout"))
    folder = _folder(table, spot)
    try:
        source = read_function(module, function, folder)
    except Unfit as unfit:
        raise spot.unfit(str(unfit), unfit.hint) from None
    place = spot.document.places.find(spot.path)
    return DeclaredFunction(str(target), timeout, folder, source, place.line, place.column)


def _folder(table: Mapping[str, object], spot: Spot) -> Path:
    own = Path(spot.document.name).absolute().parent
    path = table.get("path", ".")
    if not isinstance(path, str) or not (own / path).is_dir():
        raise spot.inside("path").expected("a folder", path, f"it counts from {own}")
    return (own / path).resolve()


def signatures(declared: Declared) -> dict[str, Signature]:
    """The functions as a check knows them: nothing of them is imported."""
    return {name: one.source.signature(name, None) for name, one in declared.items()}


def clashes(declared: Declared, taken: Mapping[str, str], file: str) -> list[Problem]:
    """Functions that can't have their name: `taken` says what has it already."""
    found = []
    for name, one in declared.items():
        what = "a word of the language" if name in reserved_words() else taken.get(name)
        if what is not None:
            message = f"functions.{name}: `{name}` is {what} already"
            found.append(Problem(file, one.line, one.column, len(name), message, "choose another name"))
    return found


# -- the functions themselves -----------------------------------------------------------------------------------------


class Functions:
    """The functions of a server and their workers, which stay when functions are loaded again."""

    def __init__(self, most: int, *, run: bool = True) -> None:
        self._most = most
        self._run = run
        self._workers: dict[str, Workers] = {}

    def bound(self, most: int) -> None:
        """Let each function have so many workers."""
        self._most = most
        for workers in self._workers.values():
            workers.threads.total_tokens = most

    def statistics(self) -> dict[str, FunctionStatistics]:
        """The counters of each function."""
        return {name: workers.statistics() for name, workers in self._workers.items()}

    def load(self, declared: Declared, file: Path) -> dict[str, Signature]:
        """Import what is declared, anew each time; ConfigurationError with every one that can't be."""
        modules: dict[Path, Imported | Unfit] = {}
        found: dict[str, Signature] = {}
        problems: list[str] = []
        for name, one in declared.items():
            try:
                perform = self._perform(name, one, modules) if self._run else _not_made(name)
            except Unfit as unfit:
                problem = Problem(str(file), one.line, one.column, len(name), f"functions.{name}: {unfit}", unfit.hint)
                problems.append(render(problem, _text(file)))
                continue
            target = PythonFunction(name, one.source, perform, one.timeout)
            found[name] = one.source.signature(name, target)
        if problems:
            raise ConfigurationError(problems)
        return found

    def _perform(self, name: str, one: DeclaredFunction, modules: dict[Path, Imported | Unfit]) -> Perform:
        file = one.source.file
        if file not in modules:
            try:
                modules[file] = import_anew(one)
            except Unfit as unfit:
                modules[file] = unfit
        imported = modules[file]
        if isinstance(imported, Unfit):
            raise imported
        function = getattr(imported.module, one.source.function, None)
        if not callable(function) or iscoroutinefunction(function) != one.source.waits:
            raise Unfit(f"`{one.target}` is not what its `def` says once it is imported", "leave off its decorators")
        workers = self._workers.setdefault(name, Workers(name, self._most))
        kind = TaskFunction if one.source.waits else ThreadFunction
        return kind(workers, _Kept(function, imported), one.timeout)


class _Kept:
    """A function that keeps its module: what it looks up while it runs is looked up there."""

    __slots__ = ("_function", "_imported")

    def __init__(self, function: Callable[..., Any], imported: Imported) -> None:
        self._function = function
        self._imported = imported

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._function(*arguments, **named)


def _not_made(name: str) -> Perform:
    """Stands for a function in a dry run or a test, where it is named and not called."""

    async def not_made(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        raise Unavailable(f"the function `{name}` is not called in a dry run or a test")

    not_made.__qualname__ = name
    return not_made


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


# -- importing --------------------------------------------------------------------------------------------------------

_numbers = itertools.count(1)


class Imported:
    """A module that is known to Python by a name of its own, until nobody needs it any more."""

    __slots__ = ("__weakref__", "module")

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        weakref.finalize(self, sys.modules.pop, module.__name__, None)


def import_anew(declared: DeclaredFunction) -> Imported:
    """Run the file of a function as a module of its own, in a thread, for a limited time; `Unfit` when it can't be."""
    result: list[Imported | BaseException] = []

    def run() -> None:
        try:
            result.append(_execute(declared))
        except BaseException as error:  # SystemExit too: whatever a file does, the server goes on
            result.append(error)

    thread = threading.Thread(target=run, name=f"import {declared.source.module}", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    file = declared.source.file
    if not result:
        raise Unfit(f"{file} was still being imported after {_PATIENCE:g} s", "a file that is imported must not wait")
    if isinstance(result[0], BaseException):
        raise _unfit(file, result[0])
    return result[0]


def _unfit(file: Path, error: BaseException) -> Unfit:
    rows = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            rows.append(trace.tb_lineno)
        trace = trace.tb_next
    where = f"{file}:{rows[-1]}" if rows else str(file)
    hint = f"install it for {sys.executable}" if isinstance(error, ModuleNotFoundError) else ""
    return Unfit(f"{where}: {type(error).__name__}: {error}", hint)


def _execute(declared: DeclaredFunction) -> Imported:
    """What `import` does, but each time, from the text as it is now, and without taking the name from anybody."""
    source = declared.source
    folder = str(declared.folder)
    if folder not in sys.path:
        sys.path.append(folder)  # for what the file itself imports
    parent = source.module.rpartition(".")[0]
    if parent:
        import_module(parent)
    text = source.file.read_bytes()
    if hashlib.sha256(text).hexdigest() != source.digest:
        raise RuntimeError("the file was changed while it was loaded; try once more")
    name = f"{source.module}@{next(_numbers)}"
    spec = ModuleSpec(name, None, origin=str(source.file))
    spec.has_location = True
    module = module_from_spec(spec)
    code = compile(text, str(source.file), "exec", dont_inherit=True)
    sys.modules[name] = module  # a class of it may ask for the module that it is in
    imported = Imported(module)
    try:
        exec(code, module.__dict__)
    except BaseException:
        sys.modules.pop(name)
        raise
    return imported
