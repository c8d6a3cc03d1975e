"""docs/limits.md names every limit with its default, and `ringway check` shows those in effect."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from routing.program.check import check
from routing.program.config import Config, LimitSettings
from routing.program.exit_codes import OK
from routing.program.server import Server

PAGE = Path(__file__).resolve().parents[3] / "docs" / "limits.md"


def test_the_page_has_every_limit_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| ", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {name: int(default) for name, default in rows} == dataclasses.asdict(LimitSettings())
    assert len(rows) == len(dataclasses.fields(LimitSettings))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The example of the page."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "main.route").write_text("on request { reply(404) }\n")
    configuration = tmp_path / "ringway.toml"
    configuration.write_text('domains = ["example.com"]\n' + example)
    return configuration


def test_check_shows_what_is_in_effect(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check([file], {"RINGWAY_LIMITS__ROUTES": "5"}, False) == OK
    shown = capsys.readouterr().out.splitlines()
    for line in ("[limits]", "message = 16384", "body = 8192", "vias = 20", "routes = 5", "headers = 256"):
        assert line in shown
    assert check([file], {}, True) == OK
    (result,) = json.loads(capsys.readouterr().out)
    limits = LimitSettings(message=16_384, body=8_192, vias=20)
    assert result["settings"]["limits"] == dataclasses.asdict(limits)


def test_every_limit_reaches_the_stack() -> None:
    numbers = {field.name: 1_000 + at for at, field in enumerate(dataclasses.fields(LimitSettings))}
    server = Server(Config(domains=("example.com",), limits=LimitSettings(**numbers)), b"0123456789abcdef")
    used = dataclasses.asdict(server.stack.limits)
    assert {name: value for name, value in numbers.items() if name in used} == {
        name: value for name, value in used.items() if name in numbers
    }
    assert server.stack.most_transactions == numbers["transactions"]
    assert server.platform.runner.limit == numbers["parked"]


@pytest.mark.parametrize(("written", "routed"), [("refuse", False), ("route", True)])
def test_requests_of_unknown_dialogs_are_for_the_routes_when_they_shall_be(written: str, routed: bool) -> None:
    server = Server(Config(domains=("example.com",), unknown_dialogs=written), b"0123456789abcdef")
    assert server.dispatcher.unknown_dialogs is routed
