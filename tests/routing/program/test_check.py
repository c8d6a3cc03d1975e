"""`ringway check`: what it finds, what it shows, and that it touches nothing."""

import json
import os
from pathlib import Path

import pytest

from routing.program.check import check
from routing.program.command_line import main
from routing.program.exit_codes import FAILURE, OK

GOOD = 'on request { reply(404, "Nobody") }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ringway.toml").write_text(
        'domains = ["example.com"]\nsecret = "0123456789abcdef"\n[log]\nlevel = "error"\n'
    )
    (tmp_path / "main.route").write_text(GOOD)
    return tmp_path


def checked(name: str, *, as_json: bool = False, **environ: str) -> int:
    return check([Path(name)], environ, as_json)


def test_a_good_configuration_is_shown_with_every_setting(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked("ringway.toml", RINGWAY_LOG__FORMAT="json") == OK
    shown = capsys.readouterr().out.splitlines()
    for line in (
        'domains = ["example.com"]', 'listen = ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]', "drain_timeout = 30",
        'secret = "(set)"', "[registrar]", "jitter = 0.1", '[log]', 'level = "error"', 'format = "json"', "ringway.toml: good",  # noqa: E501
    ):  # fmt: skip
        assert line in shown
    assert sorted(os.listdir(folder)) == ["main.route", "ringway.toml"]


def test_mistakes_in_the_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringway.toml").write_text("domains = 1\nnode = 1\n")
    assert checked("ringway.toml") == FAILURE
    shown = capsys.readouterr().out
    assert shown.startswith(
        "error: ringway.toml:1:11: domains: expected a list, found 1\n    domains = 1\n              ^\n"
    )
    assert shown.endswith("ringway.toml: 2 mistakes\n")


def test_mistakes_in_the_route_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "main.route").write_text("on request {\n    replay(404)\n}\n")
    assert checked("ringway.toml") == FAILURE
    shown = capsys.readouterr().out
    assert "main.route:2:5: " in shown
    assert "    replay(404)\n        ^" in shown
    assert shown.endswith("ringway.toml: 1 mistake\n")


def test_mistakes_in_both_files_come_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringway.toml").write_text('domains = ["example.com"]\nnode = 1\nroutes = "other.route"\n')
    (folder / "other.route").write_text("on request { replay(404) }\n")
    assert checked("ringway.toml") == FAILURE
    shown = capsys.readouterr().out
    assert "error: ringway.toml:2:8: " in shown
    assert "error: other.route:1:14: " in shown
    assert shown.endswith("ringway.toml: 2 mistakes\n")


def test_which_routes_are_meant_may_be_the_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ringway.toml").write_text('domains = ["example.com"]\nroutes = 1\n')
    assert checked("ringway.toml") == FAILURE
    assert capsys.readouterr().out.endswith("ringway.toml: 1 mistake\n")


def test_a_route_file_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked("main.route") == OK
    assert capsys.readouterr().out == "main.route: good\n"


@pytest.mark.parametrize("name", ["none.toml", "none.route"])
@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert checked(name) == FAILURE
    assert f"error: {name}: can't be read: No such file or directory" in capsys.readouterr().out


def test_several_files_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.route").write_text("on request { }\n")
    assert check([Path("main.route"), Path("bad.route")], {}, False) == FAILURE
    shown = capsys.readouterr().out
    assert "main.route: good\n" in shown
    assert "bad.route: 1 mistake\n" in shown


def test_json_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked("ringway.toml", as_json=True) == OK
    (good,) = json.loads(capsys.readouterr().out)
    assert (good["file"], good["good"], good["problems"]) == ("ringway.toml", True, [])
    assert good["settings"]["log"] == {"level": "error", "format": "text"}
    assert good["settings"]["secret"] == "(set)"
    (folder / "ringway.toml").write_text("[log]\nlvl = 1\n")
    assert checked("ringway.toml", as_json=True) == FAILURE
    (bad,) = json.loads(capsys.readouterr().out)
    assert bad["settings"] is None
    assert [(problem["line"], problem["column"], problem["severity"]) for problem in bad["problems"]] == [
        (1, 1, "error"), (2, 1, "error"),
    ]  # fmt: skip


def test_the_default_route_file_is_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    default = Path(__file__).resolve().parents[3] / "routing/program/data/main.route"
    (folder / "main.route").write_bytes(default.read_bytes())
    assert checked("ringway.toml") == OK
    assert "warning" not in capsys.readouterr().out
    code = [line for line in default.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(code) < 40


OPEN = "on request { relay() }\n"


def test_a_warning_is_shown_and_does_no_harm(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "main.route").write_text(OPEN)
    assert checked("ringway.toml") == OK
    shown = capsys.readouterr().out
    assert "warning: main.route:1:14: anybody can have a request sent anywhere from here" in shown
    assert shown.endswith("ringway.toml: good, 1 warning\n")


def test_with_strict_a_warning_is_as_bad_as_a_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "main.route").write_text(OPEN)
    assert main(["check", "--strict", "main.route"]) == FAILURE
    assert capsys.readouterr().out.endswith("main.route: 1 warning\n")
    assert main(["check", "--strict", "--json", "main.route"]) == FAILURE
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["good"], found["problems"][0]["severity"]) == (False, "warning")
    (folder / "main.route").write_text("on request { replay(404) relay() }\nroute spare() { drop() }\n")
    assert main(["check", "--strict", "main.route"]) == FAILURE
    assert capsys.readouterr().out.endswith("main.route: 1 mistake, 1 warning\n")
    (folder / "main.route").write_text(GOOD)
    assert main(["check", "--strict", "ringway.toml"]) == OK
    assert capsys.readouterr().out.endswith("ringway.toml: good\n")
