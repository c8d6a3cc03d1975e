"""Loading and checking route files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from routing.runtime.loader import check_routes, load_routes
from sipcore.errors import ConfigurationError

GOOD = "on request { reply(404) }\n"


def problems_of(source: Path | str, modules: list[Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_routes(source, modules)
    return caught.value.problems


def test_every_mistake_comes_rendered(modules: list[Any]) -> None:
    first, second = problems_of("on request {\n    repli(404)\n    let x = 3\n    reply(99)\n}\n", modules)
    assert first == (
        "error: main.route:2:5: there is no function `repli`\n"
        "        repli(404)\n"
        "        ^^^^^\n"
        "  hint: did you mean `reply`?"
    )
    assert second.startswith("error: main.route:4:11: a final status code is")


def test_warnings_do_not_keep_a_file_from_running(modules: list[Any]) -> None:
    routes = load_routes(GOOD + "route user() { drop() }\n", modules, name="calls.route")
    assert routes.name == "calls.route"
    (warning,) = routes.warnings
    assert warning.startswith("warning: calls.route:2:7: route `user` is never called\n")


def test_checking_gives_problems_and_runs_nothing(modules: list[Any], recorder: Any) -> None:
    found = check_routes("on request { note_down() repli(404) }", modules)
    assert [(one.file, one.line, one.column, one.length) for one in found] == [("main.route", 1, 26, 5)]
    assert recorder.calls == []


def test_checking_needs_no_instances(recorder: Any) -> None:
    found = check_routes("on request { save() }", [type(recorder)])
    assert found == []


def test_a_file_is_named_in_its_mistakes(tmp_path: Path, modules: list[Any]) -> None:
    file = tmp_path / "calls.route"
    file.write_text("on request { }")
    (problem,) = problems_of(file, modules)
    assert problem.startswith(f"error: {file}:1:14: a request can get here without an outcome")
    file.write_text(GOOD)
    assert load_routes(file, modules).name == str(file)
    assert check_routes(file, modules) == []


@pytest.mark.parametrize("source", ["file", "text"])
def test_a_loaded_file_can_be_loaded_again(source: str, tmp_path: Path, modules: list[Any]) -> None:
    file = tmp_path / "calls.route"
    file.write_text(GOOD)
    one, two = (load_routes(file if source == "file" else GOOD, modules) for _ in range(2))
    assert one.run is not two.run


def test_a_file_that_is_not_there(tmp_path: Path, modules: list[Any]) -> None:
    file = tmp_path / "none.route"
    assert problems_of(file, modules) == [f"error: {file}: can't be read: No such file or directory"]


def test_a_file_that_is_not_text(tmp_path: Path, modules: list[Any]) -> None:
    file = tmp_path / "calls.route"
    file.write_bytes(b'on request {\n    log("caf\xe9")\n}\n')
    assert problems_of(file, modules) == [
        f'error: {file}:2:13: this is not UTF-8 text: byte E9\n        log("caf\N{REPLACEMENT CHARACTER}")\n'
        "                ^\n  hint: save the file as UTF-8"
    ]


def test_a_file_that_is_far_too_large(tmp_path: Path, modules: list[Any]) -> None:
    file = tmp_path / "calls.route"
    file.write_bytes(b"#" * 1_000_001)
    assert problems_of(file, modules) == [f"error: {file}: larger than 1,000,000 characters"]
    file.write_bytes(b"\xe9" * 1_000_001)
    assert problems_of(file, modules) == [f"error: {file}: larger than 1,000,000 characters"]
    assert problems_of("#" * 1_000_001, modules) == ["error: main.route: larger than 1,000,000 characters"]


def test_tables_hold_text_unless_they_say_otherwise(modules: list[Any]) -> None:
    text = "on request { if source.port in ports { drop() } drop() }"

    class Ports(frozenset[int]):
        of = int

    assert check_routes(text, modules, {"ports": Ports((5060,))}) == []
    (problem,) = check_routes(text, modules, {"ports": frozenset({"5060"})})
    assert problem.message == "expected text, this is a number"


def test_modules_stay_light_to_import() -> None:
    """Modules import `routing.runtime`; only who loads routes pays for the parser."""
    import subprocess

    command = "import sys, routing.runtime; print('lark' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=root, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "False"
