"""docs/browsers.md says what is true: its configurations, settings, statuses and codes."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import fields
from pathlib import Path

import pytest

from routing.program.command_line import parser
from routing.program.config import examine
from sipcore.net.settings import WebSocketSettings
from sipcore.net.websocket_frames import BAD_TEXT, GOING_AWAY, POLICY, PROTOCOL_ERROR, TOO_BIG
from sipcore.net.websocket_handshake import Refused, WebSocketHandshake
from tests.net.websocket_client import handshake

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "browsers.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", PAGE, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def test_its_configurations_are_good(tmp_path: Path) -> None:
    shown = blocks("toml")
    assert len(shown) == 2
    for text in shown:
        assert examine(tmp_path / "ringway.toml", {}, text).rendered() == []


def test_it_names_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \| ", PAGE, re.MULTILINE))
    defaults = WebSocketSettings()
    assert rows.keys() == {field.name for field in fields(WebSocketSettings)}
    assert rows["origins"] == str(list(defaults.origins))
    assert float(rows["ping_interval"]) == defaults.ping_interval


def test_its_commands_are_understood() -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("ringway ")]
    assert len(commands) == 4
    for command in commands:
        assert callable(parser().parse_args(shlex.split(command)[1:]).command)


@pytest.mark.parametrize(
    ("request_", "row"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "| 426 |"),
        (handshake(Sec_WebSocket_Protocol=None), '| 400 with "subprotocol" |'),
        (handshake(Origin="https://x.example"), '| 403, and a line "which is not in websocket.origins" in the log |'),
    ],
)
def test_its_table_of_refusals_is_right(request_: bytes, row: str) -> None:
    found = WebSocketHandshake("ws", ("https://a.example",)).feed(request_)
    assert isinstance(found, Refused)
    assert f"\n{row}" in PAGE
    assert row.startswith(f"| {found.status}")
    for quoted in re.findall(r'"([^"]+)"', row):
        assert quoted in found.why or quoted.encode() in found.answer


def test_it_names_every_close_code() -> None:
    for code in (GOING_AWAY, PROTOCOL_ERROR, BAD_TEXT, POLICY, TOO_BIG):
        assert re.search(rf"\| close code [^|]*{code}", PAGE), code


def test_its_links_lead_somewhere() -> None:
    for name in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / name).exists(), name
