"""The rules that keep the source in one shape: who may import whom, how long things may be, what they are called.

When a rule has to bend, the change stands here, in the tables, for everybody to see.
"""

from __future__ import annotations

import ast
import statistics
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("sipcore", "routing", "modules")

# Longest prefix wins: what a module below the key may import besides the standard library and its own package.
MAY_IMPORT = {
    "sipcore": set(),
    "sipcore.net": {"sipcore", "trio", "dns", "wsproto", "h11", "cryptography"},
    "routing.language": {"sipcore", "lark"},
    "routing.runtime": {"sipcore", "routing.language"},
    "routing.program": {"sipcore", "sipcore.net", "routing", "modules", "trio"},
    "modules": {"sipcore", "routing.runtime"},
    # SQLAlchemy is what the schema is written in, and no driver; drivers stand below.
    "modules.database": {"sipcore", "routing.runtime", "sqlalchemy"},
}
# A driver is imported in backend files only, which are named after it or after their job.
DRIVERS = {
    f"modules.database.{file}": {"sqlite3"}
    for file in ("engine", "sqlite", "sqlite_connection", "sqlite_reader", "sqlite_writer")
}
# What speaks to editors, for those who have it installed.
DRIVERS |= {
    "routing.program.lsp_server": {"pygls", "lsprotocol"},
    "routing.program.lsp_answers": {"lsprotocol"},
}
DRIVERS_IN_THE_STANDARD_LIBRARY = {"sqlite3"}
# What only sipcore.net may touch: sockets, clocks, chance, threads (architecture decision A).
NOT_IN_THE_CORE = {
    "asyncio", "concurrent", "multiprocessing", "os", "queue", "random", "secrets", "select", "selectors", "signal",
    "socket", "socketserver", "sqlite3", "ssl", "subprocess", "threading", "time",
}  # fmt: skip
# Inside sipcore, low to high; a module imports only what stands at its own height or below. Files not named here
# stand lowest.
HEIGHTS = {"message": 1, "sdp": 1, "transaction": 2, "dialog": 2, "call": 3, "locate": 4, "stack": 4, "net": 5}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


def sources() -> list[Path]:
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))


def all_files() -> list[Path]:
    others = [file for folder in ("tests", "sipp-scenarios", "etc") for file in (ROOT / folder).rglob("*.py")]
    return sources() + sorted(others)


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def name_of(file: Path) -> str:
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file imports, wherever in it the import stands."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            module = node.module or ""
            for alias in node.names:  # `from sipcore import net` imports sipcore.net
                package = ROOT.joinpath(*module.split("."), alias.name)
                inner = package.is_dir() or package.with_suffix(".py").exists()
                yield node.lineno, f"{module}.{alias.name}" if inner else module


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def own_package(name: str) -> str:
    """The part of the tree a module may import freely: its feature folder, its routing part, or sipcore."""
    first, *rest = name.split(".")
    if first == "sipcore":
        return "sipcore"
    return f"{first}.{rest[0]}" if rest else first


def allowed(name: str, imported: str) -> bool:
    top = imported.partition(".")[0]
    if top in sys.stdlib_module_names and top not in DRIVERS_IN_THE_STANDARD_LIBRARY:
        core = within(name, "sipcore") and not within(name, "sipcore.net")
        return not core or top not in NOT_IN_THE_CORE
    if within(imported, "sipcore.net") and not within(name, "sipcore.net"):
        return within(name, "routing.program")
    if within(imported, own_package(name)):
        return True
    key = max((prefix for prefix in MAY_IMPORT if within(name, prefix)), key=len, default=None)
    granted = (MAY_IMPORT[key] if key else set()) | DRIVERS.get(name, set())
    return any(within(imported, package) for package in granted)


@pytest.mark.parametrize("file", sources(), ids=name_of)
def test_imports_keep_to_the_table(file: Path) -> None:
    wrong = [f"{file}:{line}: {name}" for line, name in imports(file) if not allowed(name_of(file), name)]
    assert not wrong, "\n".join(["not allowed by the import table:", *wrong])


def height(name: str) -> int:
    parts = name.split(".")
    return HEIGHTS.get(parts[1], 0) if len(parts) > 1 else max(HEIGHTS.values())


@pytest.mark.parametrize("file", sorted((ROOT / "sipcore").rglob("*.py")), ids=name_of)
def test_inside_sipcore_nothing_imports_what_stands_above_it(file: Path) -> None:
    own = name_of(file)
    wrong = [
        f"{file}:{line}: {name}"
        for line, name in imports(file)
        if within(name, "sipcore") and height(name) > height(own) and not under_type_checking(file, line)
    ]
    assert not wrong, "\n".join(wrong)


def under_type_checking(file: Path, line: int) -> bool:
    """Names that only annotations need make no dependency when the program runs."""
    return any(
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        and node.lineno < line <= (node.end_lineno or 0)
        for node in tree_of(file).body
    )


def test_every_driver_that_is_allowed_is_used() -> None:
    for name, drivers in DRIVERS.items():
        file = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        used = {imported.partition(".")[0] for _, imported in imports(file)}
        assert drivers <= used, name


def test_the_table_speaks() -> None:
    """The rules above would accept anything if `allowed` were wrong."""
    assert allowed("sipcore.stack", "sipcore.message")
    assert allowed("sipcore.net.udp", "trio")
    assert allowed("modules.proxy.branches", "modules.proxy")
    assert allowed("modules.proxy", "routing.runtime.module")
    assert allowed("routing.program.server", "sipcore.net.edge")
    assert not allowed("sipcore.stack", "trio")
    assert not allowed("sipcore.stack", "time")
    assert not allowed("sipcore.stack", "sipcore.net")
    assert not allowed("modules.proxy", "modules.registrar")
    assert not allowed("modules.proxy", "sipcore.net.udp")
    assert not allowed("modules.proxy", "sqlalchemy")
    assert not allowed("modules.registrar.location", "sqlite3")
    assert not allowed("routing.language.checker", "routing.runtime")
    assert not allowed("routing.runtime.loader", "modules.proxy")


# -- size and names ---------------------------------------------------------------------------------------------------


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def lines(file: Path) -> int:
    return len(file.read_text("utf-8").splitlines())


@pytest.mark.parametrize("file", all_files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_are_short(file: Path) -> None:
    assert lines(file) <= LONGEST_FILE
    long = [
        f"{file}:{node.lineno}: {node.name}: {length(node)}"
        for node in functions(file)
        if length(node) > LONGEST_FUNCTION
    ]
    assert not long, "\n".join(long)


def test_medians(capsys: pytest.CaptureFixture[str]) -> None:
    files = statistics.median(lines(file) for file in sources())
    bodies = statistics.median(length(node) for file in sources() for node in functions(file))
    with capsys.disabled():
        print(f"\n  {len(sources())} source files; medians: {files:g} lines a file, {bodies:g} lines a function")
    assert files <= 150
    assert bodies <= 8


@pytest.mark.parametrize("file", sources(), ids=name_of)
def test_no_file_or_folder_is_named_after_nothing(file: Path) -> None:
    assert not FORBIDDEN_NAMES & set(name_of(file).split("."))


@pytest.mark.parametrize("file", sources(), ids=name_of)
def test_public_names_have_docstrings(file: Path) -> None:
    assert ast.get_docstring(tree_of(file)), "the module itself"
    bare = [
        f"{file}:{node.lineno}: {node.name}"
        for node in tree_of(file).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize("file", sources(), ids=name_of)
def test_nothing_is_left_for_later_and_no_error_is_swallowed(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not [mark for mark in ("TODO", "FIXME", "XXX", "NotImplementedError") if mark in text]
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
            caught = ast.unparse(node.type) if node.type else "BaseException"
            assert caught not in ("Exception", "BaseException"), f"{file}:{node.lineno}"


# -- packaging --------------------------------------------------------------------------------------------------------


def test_pyproject_names_exactly_the_packages_there_are() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed = settings["tool"]["setuptools"]["packages"]
    found = [name_of(file) for package in PACKAGES for file in (ROOT / package).rglob("__init__.py")]
    assert sorted(listed) == sorted(found)
    folders = {file.parent for file in sources()}
    assert sorted(found) == sorted(".".join(folder.relative_to(ROOT).parts) for folder in folders)


def test_package_data_is_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for package, patterns in settings["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            assert list(ROOT.joinpath(*package.split(".")).glob(pattern)), f"{package}: {pattern}"
