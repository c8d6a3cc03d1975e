"""[functions]: what the configuration may say, how mistakes are told, and that a check imports nothing."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from routing.program import functions
from routing.program.check import check, check_file, taken_names
from routing.program.command_line import main
from routing.program.config import examine, load
from routing.program.exit_codes import BAD_CONFIGURATION, FAILURE, OK
from routing.program.function_workers import FunctionStatistics
from routing.program.functions import Functions
from routing.program.reload import Reloader
from routing.program.server import Server
from routing.runtime.loader import load_routes
from sipcore.errors import ConfigurationError
from tests.routing.conftest import finish

CONFIGURATION = 'domains = ["example.com"]\nlisten = ["udp:127.0.0.1:0"]\n'
ROUTE = 'on request { if find(request.uri.user) == "" { reply(404) } reply(480) }\n'
NUMBERS = '''\
"""Where numbers lead."""
with open("it-ran", "a") as marker:
    marker.write("x")
prefix = "+44"

def find(number: str) -> str:
    """The address behind a number."""
    return prefix + number

async def score(number: str, *, least: float = 0.5) -> float:
    return least
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RINGWAY_CONFIG", raising=False)
    monkeypatch.setattr(sys, "path", sys.path[:])
    configure(tmp_path, 'find = "numbers:find"')
    (tmp_path / "main.route").write_text(ROUTE)
    (tmp_path / "numbers.py").write_text(NUMBERS)
    return tmp_path


def configure(folder: Path, *lines: str) -> None:
    (folder / "ringway.toml").write_text(CONFIGURATION + "[functions]\n" + "\n".join(lines) + "\n")


def ran(folder: Path) -> int:
    """How often the file was imported."""
    marker = folder / "it-ran"
    return len(marker.read_text()) if marker.exists() else 0


# -- what may be said -------------------------------------------------------------------------------------------------


def test_a_text_or_a_table(folder: Path) -> None:
    lib = folder / "lib" / "acme"
    lib.mkdir(parents=True)
    (lib / "__init__.py").write_text("")
    (lib / "fraud.py").write_text(NUMBERS)
    configure(
        folder,
        'find = "numbers:find"',
        'score = {function = "acme.fraud:score", timeout = "500ms", path = "lib"}',
        "[functions.late]",
        'function = "numbers:find"',
        "timeout = 5",
    )
    find, score, late = load(folder / "ringway.toml", {}).functions.values()
    assert (find.target, find.timeout, find.source.file) == ("numbers:find", 2.0, folder / "numbers.py")
    assert (score.timeout, score.source.file, score.source.waits) == (0.5, lib / "fraud.py", True)
    assert (late.timeout, late.line) == (5.0, 6)


def test_a_check_knows_them_and_imports_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check([Path("ringway.toml")], {}, as_json=False) == OK
    shown = capsys.readouterr().out
    assert f'[functions]\nfind = {{function = "numbers:find", timeout = 2, path = "{folder}"}}\n' in shown
    assert check([Path("ringway.toml")], {}, as_json=True) == OK
    (found,) = json.loads(capsys.readouterr().out)
    assert found["settings"]["functions"]["find"]["function"] == "numbers:find"
    assert not check_file(folder / "main.route", {}).failed
    assert ran(folder) == 0
    assert not [name for name in sys.modules if name.startswith("numbers@")]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("log(find(3))", "expected text, this is a number"),
        ("find(user)", "the value of `find` is not used"),
        ("log(find())", "`find` also needs `number` (text)"),
        ('log(score("1", 3))', "`score` takes up to 1 argument without a label; `least:` needs its label"),
        ("log(find(user) * 2)", "`*` can't take text and number"),
        ("log(fnd(user))", "there is no function `fnd`"),
    ],
)
def test_their_calls_are_checked(statement: str, message: str, folder: Path) -> None:
    configure(folder, 'find = "numbers:find"', 'score = "numbers:score"')
    (folder / "main.route").write_text(f"on request {{ {statement} drop() }}")
    (problem,) = check_file(folder / "ringway.toml", {}).problems
    assert problem.message == message


def test_they_have_no_place_in_a_branch(folder: Path) -> None:
    (folder / "main.route").write_text("on request { relay(edit: out) }\nbranch out(branch) { log(find(user)) }\n")
    (problem,) = check_file(folder / "ringway.toml", {}).problems
    assert (problem.message, problem.hint) == ("`find` can't be called in a `branch` function", "only in a route")


WANTED = 'expected "package.module:function", or a table with function, timeout and path'
AS_IN = 'as in "directory:find"'
SECONDS = 'expected a number of seconds or a time like "30s", at least 0.01 s, at most 60 s'
LOOKED = "looked in {folder}, and where Python looks for modules"
OTHER = "choose another name"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("f = 3", f"f: {WANTED}, found 3", AS_IN),
        ('f = "numbers"', f'f: {WANTED}, found "numbers"', AS_IN),
        ('f = "numbers:"', f'f: {WANTED}, found "numbers:"', AS_IN),
        ('f = "a b:c"', f'f: {WANTED}, found "a b:c"', AS_IN),
        ("f = {timeout = 3}", f"f: {WANTED}, found a table", AS_IN),
        ('f = {function = "numbers:find", tmeout = 3}', "f.tmeout: unknown key `tmeout`", "did you mean `timeout`?"),
        ('f = {function = "numbers:find", timeout = "1h"}', f'f.timeout: {SECONDS}, found "1h"', ""),
        (
            'f = {function = "numbers:find", path = "lib"}',
            'f.path: expected a folder, found "lib"',
            "it counts from {folder}",
        ),
        ('f = "numberz:find"', "f: there is no module `numberz`", LOOKED),
        ('f = "numbers:fnd"', "f: numbers.py has no function `fnd`", "did you mean `find`?"),
        ('"a b" = "numbers:find"', 'a b: expected a name of letters, digits and underscores, found "a b"', ""),
        ('reply = "numbers:find"', "reply: `reply` is a word of the language already", OTHER),
        ('lookup = "numbers:find"', "lookup: `lookup` is a function of Ringway already", OTHER),
        ('source = "numbers:find"', "source: `source` is a property already", OTHER),
    ],
)
def test_mistakes_are_told_with_their_place(line: str, message: str, hint: str, folder: Path) -> None:
    configure(folder, line)
    (folder / "main.route").write_text("on request { drop() }")
    checked = check_file(folder / "ringway.toml", {})
    (problem,) = checked.problems
    assert (problem.message, problem.hint) == (f"functions.{message}", hint.replace("{folder}", str(folder)))
    assert problem.line == 4
    assert checked.failed and checked.shown[0].startswith(f"error: {folder}/ringway.toml:4:")


def test_every_function_of_ringway_has_its_name_already() -> None:
    assert {"relay", "ring", "authenticate", "log", "from", "now"} <= set(taken_names())


def test_a_function_of_the_file_that_is_wrong_is_told_with_its_line(folder: Path) -> None:
    (folder / "numbers.py").write_text("\ndef find(number) -> str:\n    return number\n")
    (problem,) = examine(folder / "ringway.toml", {}).problems
    assert (problem.message, problem.hint) == (
        "functions.find: numbers.py:2: `number` has no type",
        "write it, as in `number: str`",
    )


# -- a server ---------------------------------------------------------------------------------------------------------


def server(folder: Path) -> Server:
    made = Server(load(folder / "ringway.toml", {}), b"the secret of the tests")
    made.load_routes()
    return made


def loaded(folder: Path) -> Any:
    """The functions of the configuration as it is, with workers of their own."""
    config = load(folder / "ringway.toml", {})
    return Functions(2).load(config.functions, config.file)


async def call(found: Any, name: str, *arguments: Any) -> Any:
    """Call a function as a route does, and make its slow call."""
    coroutine = found[name].target(None, *arguments)
    need = coroutine.send(None)
    made = await need.call(*need.arguments)
    try:
        coroutine.send(made)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits again")


async def test_a_server_imports_them_and_they_run(folder: Path) -> None:
    configure(folder, 'find = "numbers:find"', 'score = "numbers:score"')
    found = loaded(folder)
    assert ran(folder) == 1  # two functions, one file
    assert await call(found, "find", "20") == "+4420"
    assert await call(found, "score", "20") == 0.5


async def test_each_load_sees_the_file_as_it_is(folder: Path) -> None:
    before = loaded(folder)
    (folder / "numbers.py").write_text(NUMBERS.replace("+44", "+49"))
    now = loaded(folder)
    assert await call(now, "find", "20") == "+4920"
    assert await call(before, "find", "20") == "+4420"
    assert ran(folder) == 2


async def test_nothing_is_left_of_a_version_that_nobody_uses(folder: Path) -> None:
    def alive() -> list[str]:
        gc.collect()
        return [name for name in sys.modules if name.startswith("numbers@")]

    before = set(alive())
    found = loaded(folder)
    (name,) = set(alive()) - before
    assert await call(found, "find", "20") == "+4420"
    del found
    assert name not in alive()


def test_a_class_of_the_file_knows_its_module(folder: Path) -> None:
    (folder / "numbers.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom other import suffix\n"
        "@dataclass\nclass Number:\n    text: str\n\n"
        "def find(number: str) -> str:\n    return Number(number).text + suffix\n"
    )
    (folder / "other.py").write_text("suffix = '!'\n")
    assert loaded(folder)["find"].summary == ""
    sys.modules.pop("other")


def test_a_module_of_a_package_can_import_its_neighbours(folder: Path) -> None:
    package = folder / "acme_of_the_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "prefix.py").write_text("prefix = '+44'\n")
    (package / "numbers.py").write_text("from .prefix import prefix\ndef find(number: str) -> str: return prefix\n")
    configure(folder, 'find = "acme_of_the_test.numbers:find"')
    try:
        assert loaded(folder)["find"]
    finally:
        for name in [name for name in sys.modules if name.startswith("acme_of_the_test")]:
            del sys.modules[name]


INSTALL = f"install it for {sys.executable}"
NOT_ITSELF = "`numbers:find` is not what its `def` says once it is imported"


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("import not_there\n{f}", "numbers.py:1: ModuleNotFoundError: No module named 'not_there'", INSTALL),
        ("x = 1\nx / 0\n{f}", "numbers.py:2: ZeroDivisionError: division by zero", ""),
        ("import sys\nsys.exit(3)\n{f}", "numbers.py:2: SystemExit: 3", ""),
        ("raise KeyboardInterrupt\n{f}", "numbers.py:1: KeyboardInterrupt: ", ""),
        ("{f}find = 3\n", NOT_ITSELF, "leave off its decorators"),
        ("{f}async def other(): ...\nfind = other\n", NOT_ITSELF, "leave off its decorators"),
    ],
)
def test_what_can_not_be_imported_is_a_mistake_of_the_configuration(
    text: str, said: str, hint: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "numbers.py").write_text(text.format(f="def find(number: str) -> str: ...\n"))
    assert check_file(folder / "ringway.toml", {}).failed is False  # nothing of it ran
    assert main(["run"]) == BAD_CONFIGURATION
    shown = capsys.readouterr().err
    assert shown.startswith("error: ringway.toml:4:1: functions.find: ")
    assert said in shown
    assert '    find = "numbers:find"\n    ^^^^\n' in shown
    assert (f"  hint: {hint}" in shown) is bool(hint)
    assert "Traceback" not in shown
    assert not [name for name in sys.modules if name.startswith("numbers@")]


def test_an_import_that_takes_for_ever_is_a_mistake_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "_PATIENCE", 0.05)
    import threading

    gate = threading.Event()
    monkeypatch.setattr(threading, "gate_of_the_test", gate, raising=False)
    text = "import threading\nthreading.gate_of_the_test.wait(10)\ndef find(number: str) -> str: ...\n"
    (folder / "numbers.py").write_text(text)
    try:
        with pytest.raises(ConfigurationError, match=r"was still being imported after 0\.05 s"):
            loaded(folder)
    finally:
        gate.set()


def test_a_file_that_changes_while_it_is_loaded_is_not_mixed(folder: Path) -> None:
    config = load(folder / "ringway.toml", {})
    (folder / "numbers.py").write_text(NUMBERS + "\n")
    with pytest.raises(ConfigurationError, match="changed while it was loaded; try once more"):
        Functions(2).load(config.functions, config.file)


def test_several_that_can_not_be_imported_are_told_together(folder: Path) -> None:
    (folder / "numbers.py").write_text(NUMBERS + "1 / 0\n")
    configure(folder, 'find = "numbers:find"', 'score = "numbers:score"')
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder)
    assert [problem.partition(": functions.")[2][:5] for problem in caught.value.problems] == ["find:", "score"]
    assert ran(folder) == 1


def test_a_dry_run_calls_and_imports_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "init"]) == OK
    capsys.readouterr()
    assert main(["explain"]) == OK
    shown = capsys.readouterr().out
    assert "not made: find" in shown and "answers 503" in shown
    assert ran(folder) == 0


# -- reload -----------------------------------------------------------------------------------------------------------


async def test_a_reload_takes_over_functions_and_routes_together(folder: Path) -> None:
    running = server(folder)
    reloader = Reloader(running, {})
    reloader.begin()
    before = running.dispatcher.routes
    configure(folder, 'search = "numbers:find"')
    done = await reloader.reload()
    assert not done.good  # the route still calls `find`
    assert running.dispatcher.routes is before
    (folder / "main.route").write_text(ROUTE.replace("find", "search"))
    done = await reloader.reload()
    assert (done.good, done.changed) == (True, ("functions",))
    (folder / "numbers.py").write_text(NUMBERS.replace("+44", "+49"))
    done = await reloader.reload()
    assert (done.good, done.changed) == (True, ("functions",))
    assert ran(folder) == 3


async def test_a_function_that_can_not_be_imported_leaves_what_is_in_force(folder: Path) -> None:
    running = server(folder)
    reloader = Reloader(running, {})
    reloader.begin()
    before = running.dispatcher.routes
    (folder / "numbers.py").write_text(NUMBERS + "1 / 0\n")
    done = await reloader.reload()
    assert not done.good and running.dispatcher.routes is before
    assert "ZeroDivisionError" in done.lines[0]
    assert done.lines[-1] == "nothing was changed: version 1 stays in force"


async def test_workers_stay_with_what_hangs_in_them(folder: Path) -> None:
    running = server(folder)
    reloader = Reloader(running, {})
    reloader.begin()
    workers = running.functions._workers["find"]
    workers.hanging = 8
    configure(folder, 'find = {function = "numbers:find", timeout = 1}', "[limits]", "function_workers = 3")
    assert (await reloader.reload()).good
    assert running.functions._workers["find"] is workers
    assert (workers.hanging, workers.most) == (8, 3)
    assert running.statistics()["functions"] == {
        "find": {"calls": 0, "failed": 0, "late": 0, "refused": 0, "hanging": 8}
    }
    assert FunctionStatistics(0, 0, 0, 0, 8) == workers.statistics()


def test_a_route_that_calls_one_waits_for_it(folder: Path, new_context: Any) -> None:
    config = load(folder / "ringway.toml", {})
    found = Functions(2, run=False).load(config.functions, config.file)
    from routing.runtime.builtins import Builtins

    context = new_context()
    routes = load_routes(folder / "main.route", [Builtins(context.platform)], functions=found)
    with pytest.raises(AssertionError, match="it waits for"):
        finish(routes.run(context))
    assert check([Path("main.route")], {}, as_json=False) == OK != FAILURE
