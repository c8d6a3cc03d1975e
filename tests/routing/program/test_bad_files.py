"""Files that are no text, far too large, nested without end or cut off: one clear mistake from every command."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from routing.program.check import check_file
from routing.program.command_line import main
from routing.program.config import examine, load
from routing.program.exit_codes import BAD_CONFIGURATION, FAILURE
from routing.program.reload import Reloader
from routing.program.server import Server

CONFIGURATION = 'domains = ["example.com"]\nlisten = ["udp:127.0.0.1:0"]\n'
ROUTE = "on request { reply(404) }\n"
DEEP = 10_000
MOST_SECONDS = 4.0
"""Of CPU time, on a busy machine; the slowest takes a quarter of it."""

ROUTES = {
    "not text": (
        b'on request {\n    log("caf\xe9")\n    drop()\n}\n',
        "main.route:2:13: this is not UTF-8 text: byte E9",
    ),
    "utf-16": ("\N{BYTE ORDER MARK}on request { drop() }".encode("utf-16-le"), "main.route:1:1: this is not UTF-8"),
    "NULs": (b"\0" * 5000, "main.route:1:1: `U+0000` is not in the language"),
    "10 MB": (b"# a line\n" * 1_200_000, "main.route: larger than 1,000,000 characters"),
    "10 MB of nothing": (b"\xff" * 10_000_000, "main.route: larger than 1,000,000 characters"),
    "blocks": (
        b"on request {" + b"if true {" * DEEP + b"drop()" + b"}" * (DEEP + 1),
        "main.route:1:588: this nests too",
    ),
    "open blocks": (b"on request {" + b"if true {" * DEEP, "main.route:1:588: this nests too deeply"),
    "parentheses": (b"on request { if " + b"(" * DEEP, "main.route:1:80: this nests too deeply"),
    "not": (b"on request { if " + b"not " * DEEP + b"true { drop() } drop() }", "main.route:1:273: this expression"),
    "else if": (b"on request { " + b"if true { drop() } else " * DEEP + b"{ } }", "main.route:1:24017: `if` has up to"),
    "lists": (
        b"on request { log(" + b"[" * DEEP + b"1" + b"]" * DEEP + b") drop() }",
        "main.route:1:80: this nests too",
    ),
    "dots": (
        b"on request { log(request" + b".uri" * DEEP + b") drop() }",
        "main.route:1:18: this expression nests more",
    ),
    "cut off": (b"on request {\n    if source.ip in ban", "main.route:1:12: this `{` is never closed"),
}
CONFIGURATIONS = {
    "not text": (b"# caf\xe9\n", "ringway.toml:3:6: this is not UTF-8 text: byte E9"),
    "10 MB": (b"# a line\n" * 1_200_000, "ringway.toml: larger than 1,000,000 characters"),
    "lists": (b"x = " + b"[" * DEEP + b"]" * DEEP, "ringway.toml:3:37: this nests more than 32 levels deep"),
    "tables": (b"x = " + b"{a=" * DEEP, "ringway.toml:3:101: this nests more than 32 levels deep"),
    "dots": (b"a" + b".a" * 400 + b" = 1", "ringway.toml:3:1: this nests more than 32 levels deep"),
    "quoted dots": (b"'a'" + b" . 'a'" * DEEP + b" = 1", "ringway.toml:3:197: this nests more than 32 levels deep"),
    "a header": (b"[" + b"a." * DEEP + b"a]", "ringway.toml:3:2: this word is longer than 1000 characters"),
    "digits": (b"drain_timeout = " + b"9" * 5000, "ringway.toml:3:17: this word is longer than 1000 characters"),
    "an open text": (b'x = """' + b'\\"' * 300_000, "ringway.toml:3:"),
    "cut off": (b"[auth]\nalgorithms = [", "ringway.toml:4:15: "),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RINGWAY_CONFIG", raising=False)
    (tmp_path / "ringway.toml").write_text(CONFIGURATION)
    (tmp_path / "main.route").write_text(ROUTE)
    return tmp_path


def write(folder: Path, kind: str, what: str) -> str:
    """Make a file bad; returns how its mistake begins."""
    if kind == "route":
        content, said = ROUTES[what]
        (folder / "main.route").write_bytes(content)
    else:
        content, said = CONFIGURATIONS[what]
        (folder / "ringway.toml").write_bytes(CONFIGURATION.encode() + content)
    return said


BAD = [("route", what) for what in ROUTES] + [("configuration", what) for what in CONFIGURATIONS]


@pytest.mark.row("E09")
@pytest.mark.parametrize(("kind", "what"), BAD)
@pytest.mark.parametrize("command", ["check", "run", "explain"])
def test_every_command_says_what_is_wrong_and_where(
    command: str, kind: str, what: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = write(folder, kind, what)
    begin = time.process_time()
    assert main([command]) == (FAILURE if command == "check" else BAD_CONFIGURATION)
    assert time.process_time() - begin < MOST_SECONDS
    shown = "".join(capsys.readouterr())
    assert f"error: {said}" in shown
    assert shown.count("error: ") == 1 and "Traceback" not in shown
    assert len(shown) < 2_000


@pytest.mark.row("E09")
@pytest.mark.parametrize(("kind", "what"), BAD)
async def test_a_reload_says_it_too_and_changes_nothing(kind: str, what: str, folder: Path) -> None:
    server = Server(load(folder / "ringway.toml", {}), b"the secret of the tests")
    server.load_routes()
    reloader = Reloader(server, {})
    reloader.begin()
    before = server.dispatcher.routes
    said = write(folder, kind, what)
    begin = time.process_time()
    done = await reloader.reload()
    assert time.process_time() - begin < MOST_SECONDS
    assert not done.good and server.dispatcher.routes is before
    (mistake,) = [line for line in done.lines if line.startswith("error: ")]
    assert said.partition(":")[2] in mistake
    assert done.lines[-1] == "nothing was changed: version 1 stays in force"


@pytest.mark.parametrize("file", ["ringway.toml", "main.route"])
def test_a_folder_in_the_place_of_a_file(file: str, folder: Path) -> None:
    (folder / file).unlink()
    (folder / file).mkdir()
    checked = check_file(folder / "ringway.toml", {})
    assert checked.failed and checked.shown[-1].endswith(f"{file}: can't be read: Is a directory")


def test_a_configuration_cut_off_anywhere_is_a_mistake_or_a_smaller_one(folder: Path) -> None:
    text = (Path(__file__).parents[3] / "etc" / "ringway" / "ringway.toml").read_text("utf-8")
    for length in range(len(text)):
        examination = examine(folder / "ringway.toml", {}, text[:length])
        assert examination.config is not None or examination.rendered()


MANY = {
    "keys": "".join(f"key{number} = 1\n" for number in range(20_000)),
    "windows": "[hours]\n" + "".join(f'h{number} = "never"\n' for number in range(20_000)),
}


@pytest.mark.parametrize("what", MANY)
def test_many_mistakes_are_counted_and_the_first_are_shown(what: str, folder: Path) -> None:
    (folder / "ringway.toml").write_text(CONFIGURATION + MANY[what])
    begin = time.process_time()
    checked = check_file(folder / "ringway.toml", {})
    assert time.process_time() - begin < MOST_SECONDS
    assert len(checked.problems) == 20_000
    assert checked.shown[-1] == "... and 19900 more" and len(checked.shown) == 101


def test_a_long_list_is_read_in_proportion_to_its_length(folder: Path) -> None:
    values = ", ".join(f'"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"' for number in range(40_000))
    (folder / "ringway.toml").write_text(f"{CONFIGURATION}[lists]\nmany = [{values}]\n")
    begin = time.process_time()
    config = load(folder / "ringway.toml", {})
    assert time.process_time() - begin < MOST_SECONDS
    assert "10.0.1.2" in config.lists["many"]
