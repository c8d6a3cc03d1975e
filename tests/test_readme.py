"""What README.md and the files in etc/ show is true: commands, files, routes, configurations."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from routing.program import quickstart
from routing.program.check import check_file
from routing.program.command_line import parser
from routing.program.config import examine
from routing.program.console import Console
from routing.runtime.platform import Domains
from sipcore.facts import CallEnded, CallProgress, Registered, Rejected
from sipcore.flow import Flow
from tests.rehearsing import perform

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


# -- commands ----------------------------------------------------------------------------------------------------------


def test_the_two_commands_come_first() -> None:
    assert blocks("sh")[0].splitlines()[0].startswith("./dev run ")
    assert blocks("sh")[0].splitlines()[1].startswith("./dev test ")
    assert README.index("./dev run") < 600


def test_every_dev_command_is_one() -> None:
    script = (ROOT / "dev").read_text("utf-8")
    for command in set(re.findall(r"\./dev ([a-z]+)", README)):
        assert re.search(rf"^\s*{command}( \||\))", script, re.MULTILINE), command


def commands() -> list[str]:
    cells = [cell for line in README.splitlines() if line.startswith("| `ringway") for cell in [line.split("|")[1]]]
    found: list[str] = []
    for cell in cells:
        first, *others = re.findall(r"`([^`]+)`", cell)
        found.append(first)
        found += [" ".join([*first.split()[:2], *other.split()]) for other in others]
    found += re.findall(r"/bin/(ringway [^#\n]+)", "".join(blocks("sh")))
    return found


@pytest.mark.parametrize("command", commands())
def test_every_ringway_command_is_understood(command: str) -> None:
    words = shlex.split(re.sub(r"\[[^\]]*\]", "", command).replace(" USER", " 1001"))[1:]
    if words[:2] in (["user", "passwd"], ["user", "rm"], ["reg", "rm"]):
        words.append("1001")
    assert callable(parser().parse_args(words).command)


def test_the_options_that_are_named_exist() -> None:
    helped = "".join(
        parser_help(*words)
        for words in (
            ("run",),
            ("check",),
            ("fmt",),
            ("test",),
            ("user", "add"),
            ("quickstart",),
            ("cert", "self-signed"),
        )
    )
    for option in set(re.findall(r"--[a-z][a-z-]+", README)) - {"--require-all"}:
        assert option in helped, option


def parser_help(*words: str) -> str:
    import contextlib
    import io

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
        parser().parse_args([*words, "--help"])
    return shown.getvalue()


# -- files -------------------------------------------------------------------------------------------------------------


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:sipcore|routing|modules|etc|tests|docs|sipp-scenarios)/[\w./-]*)`", README))
    named |= set(re.findall(r"\]\(([^)#]+)\)", README))
    assert len(named) > 30
    assert not [name for name in named if not name.startswith("http") and not (ROOT / name).exists()]


def test_every_folder_of_source_stands_in_the_tree() -> None:
    for package in ("sipcore", "routing", "modules"):
        for folder in sorted(file.parent for file in (ROOT / package).rglob("__init__.py")):
            name = str(folder.relative_to(ROOT))
            known = f"`{name}/`" in README or (name.startswith("modules/") and f"`{folder.name}`" in README)
            assert known or name == "routing", name


# -- routes and configurations -----------------------------------------------------------------------------------------


def test_the_routes_that_are_shown_are_good(tmp_path: Path) -> None:
    shown = blocks("route")
    assert len(shown) == 2
    file = tmp_path / "main.route"
    file.write_text("\n".join(shown))
    assert check_file(file, {}).shown == ()


def test_the_test_that_is_shown_passes(tmp_path: Path) -> None:
    routes, tests = blocks("route")
    performed = perform(tmp_path, tests, routes)
    assert performed.mistakes == []
    assert [told.failure for told in performed.told] == [None]


def test_the_mistake_that_is_shown_is_found_that_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("main.route").write_text(blocks("route")[0].replace("for: 20s", "for: 20").replace("         # all", " # all"))
    (shown,) = check_file(Path("main.route"), {}).shown
    expected = next(block for block in blocks("text") if "error: " in block)
    place = re.compile(r"main\.route:\d+:\d+")
    assert without_comment(place.sub("", shown)) == without_comment(place.sub("", expected))


def without_comment(text: str) -> list[str]:
    return [line.partition("#")[0].strip() for line in text.splitlines()]


def test_the_configuration_that_is_shown_is_good(tmp_path: Path) -> None:
    for text in blocks("toml"):
        file = tmp_path / "ringway.toml"
        file.write_text(text)
        assert examine(file, {}).rendered() == []


@pytest.mark.parametrize("file", sorted((ROOT / "etc/ringway").rglob("*.*")), ids=lambda file: file.name)
def test_what_an_operator_copies_is_good(file: Path) -> None:
    assert check_file(file, {}).shown == ()


def test_the_default_route_is_the_same_everywhere() -> None:
    packaged = (ROOT / "routing/program/data/main.route").read_text("utf-8")
    assert (ROOT / "etc/ringway/routes/main.route").read_text("utf-8") == packaged


def test_the_unit_restarts_nothing_that_a_restart_cannot_help() -> None:
    unit = (ROOT / "etc/systemd/ringway.service").read_text("utf-8")
    assert "\nRestartPreventExitStatus=78\n" in unit
    assert "\nType=notify\n" in unit
    stop = int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0])
    drain = examine(ROOT / "etc/ringway/ringway.toml", {}).config
    assert drain is not None and stop > drain.drain_timeout


# -- what is printed ---------------------------------------------------------------------------------------------------


def test_the_welcome_looks_like_that() -> None:
    shown = next(block for block in blocks("text") if "Phones" in block)
    pattern = re.escape(quickstart._WELCOME.partition("\n\n")[2].partition("\n\n")[0])
    pattern = re.sub(r"\\\{\w+\\\}", r"\\S+", pattern)
    assert re.fullmatch(pattern, shown.rstrip("\n"))


def test_the_lines_of_the_console_look_like_that() -> None:
    lines: list[str] = []
    now = [0.0]
    console = Console(lines.append, Domains(("example.com",)), lambda: now[0])
    first, second = (Flow("udp", ("192.0.2.10", 5060), peer) for peer in (("192.0.2.20", 5062), ("192.0.2.21", 5060)))
    console(Registered("1001@example.com", "sip:x", 3600, first, "Linphone/5.1"))
    console(Rejected("REGISTER", "1002@example.com", "sip:example.com", 401, "wrong password (nonce fresh)", second))
    console(Registered("1002@example.com", "sip:x", 300, second, "MicroSIP/3.21"))
    for status in (0, 180, 200):
        console(CallProgress("c", "sip:1001@example.com", "sip:1002@example.com", status, "", first))
    now[0] = 12.0
    console(CallEnded("c", "sip:1002@example.com"))
    shown = next(block for block in blocks("text") if "registered from" in block)
    assert [line.strip().partition("  ")[2] for line in shown.splitlines()] == lines
