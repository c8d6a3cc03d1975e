"""Python functions of the operator in a running server: whatever one does, the request that called it pays alone."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sipp_runner.server import Server

from tests.servers.conftest import DOMAIN, NewServer
from tests.servers.phone import Phone

OURS = """\
import sys, time
import trio

def find(number: str) -> str:
    return "sip:" + number + "@elsewhere.example"

def fail(number: str) -> str:
    raise ValueError("no such number")

def leave(number: str) -> str:
    sys.exit(3)

def interrupt(number: str) -> str:
    raise KeyboardInterrupt

def wrong(number: str) -> str:
    return 3

def hang(number: str) -> str:
    time.sleep(3600)

async def later(number: str) -> bool:
    await trio.sleep(0)
    return True

async def leave_later(number: str) -> bool:
    await trio.sleep(0)
    raise SystemExit(3)

async def forever(number: str) -> bool:
    await trio.sleep_forever()
"""
CONFIGURATION = """\
[functions]
find = "ours:find"
fail = "ours:fail"
leave = "ours:leave"
interrupt = "ours:interrupt"
wrong = "ours:wrong"
hang = {function = "ours:hang", timeout = "300ms"}
later = "ours:later"
leave_later = "ours:leave_later"
forever = {function = "ours:forever", timeout = "300ms"}
[limits]
function_workers = 2
"""
ROUTE = """\
on request {
    match request.uri.user {
        "find"         => reply(480, find("20"))
        "fail"         => log(fail("20"))
        "leave"        => log(leave("20"))
        "interrupt"    => log(interrupt("20"))
        "wrong"        => log(wrong("20"))
        "hang"         => log(hang("20"))
        "later"        => { if later("20") { reply(481) } }
        "leave_later"  => { if leave_later("20") { reply(481) } }
        "forever"      => { if forever("20") { reply(481) } }
        else           => reply(404)
    }
    reply(410)
}
"""


@pytest.fixture
def server(new_server: NewServer, tmp_path: Path) -> Server:
    route = tmp_path / "ours.route"
    route.write_text(ROUTE)
    made = new_server(route=route, configuration=CONFIGURATION)
    (made.folder / "ours.py").write_text(OURS)
    made.add_users([])
    made.start()
    return made


def status(server: Server, user: str) -> int:
    with Phone("1001", "", (server.host, server.port)) as phone:
        return phone.ask("OPTIONS", f"sip:{user}@{DOMAIN}").status


def record(server: Server, text: str) -> str:
    """The one line of the log that holds a text, which may be written a moment after the answer."""
    deadline = time.monotonic() + 5
    while True:
        lines = [line for line in server.printed().splitlines() if text in line]
        if lines or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    (line,) = lines
    return line


def test_functions_answer(server: Server) -> None:
    with Phone("1001", "", (server.host, server.port)) as phone:
        answer = phone.ask("OPTIONS", f"sip:find@{DOMAIN}")
    assert answer.first_line == "SIP/2.0 480 sip:20@elsewhere.example"
    assert status(server, "later") == 481


@pytest.mark.row("E08")
@pytest.mark.parametrize(
    ("user", "raised", "line"),
    [
        ("fail", "ValueError: no such number", 'raise ValueError("no such number")'),
        ("leave", "SystemExit: 3", "sys.exit(3)"),
        ("interrupt", "KeyboardInterrupt: ", "raise KeyboardInterrupt"),
        ("leave_later", "SystemExit: 3", "raise SystemExit(3)"),
    ],
)
def test_a_function_that_raises(user: str, raised: str, line: str, server: Server) -> None:
    assert status(server, user) == 500
    assert status(server, "nobody") == 404
    shown = record(server, f"the function `{user}` failed: {raised}")
    place = next(number for number, text in enumerate(ROUTE.split("\n"), 1) if f'"{user}"' in text)
    assert re.search(rf"route failed for call b'[^']+' at {server.folder}/main\.route:{place} \|", shown)
    assert re.search(rf"ours\.py.*{re.escape(line)}", shown)  # Python's own lines, in the same record
    assert (
        f'main.route\\", line {place}, in on_request' in shown or f'main.route", line {place}, in on_request' in shown
    )


@pytest.mark.row("E08")
def test_a_function_that_gives_something_else(server: Server) -> None:
    assert status(server, "wrong") == 500
    assert "main.route:7 |" in record(server, "gave what it does not promise: of type int")


@pytest.mark.row("E08")
def test_functions_that_never_come_back(server: Server) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda user: status(server, user), ["hang", "hang"])) == [503, 503]
    began = time.monotonic()
    for _ in range(5):
        assert status(server, "hang") == 503
    assert time.monotonic() - began < 1.0  # refused at once: none waits for its 300 ms and more
    assert status(server, "find") == 480
    for _ in range(3):
        assert status(server, "forever") == 503  # is cancelled each time, and takes no worker for good
    shown = record(server, "the function `hang` hangs in all its 2 workers")
    assert re.search(r"ours\.py:\d+ \(hang\)", shown)
    counters = server.command("status", "--json", "-f", str(server.file)).stdout
    assert re.search(r'"hang":\s*{\s*"calls":\s*7,\s*"failed":\s*0,\s*"late":\s*2,\s*"refused":\s*5', counters)
    server.stop()
    assert server.process is None or server.process.poll() == 0


def test_a_reload_takes_over_what_the_file_says_now(server: Server) -> None:
    (server.folder / "ours.py").write_text(OURS.replace("elsewhere", "here"))
    done = server.command("reload", "-f", str(server.file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "changed: functions" in done.stdout
    with Phone("1001", "", (server.host, server.port)) as phone:
        assert phone.ask("OPTIONS", f"sip:find@{DOMAIN}").first_line.endswith("sip:20@here.example")
    (server.folder / "ours.py").write_text("import not_there\n" + OURS)
    done = server.command("reload", "-f", str(server.file))
    assert done.returncode == 1
    assert "ours.py:1: ModuleNotFoundError" in done.stdout + done.stderr
    assert status(server, "find") == 480


def test_a_server_whose_functions_can_not_be_imported_does_not_start(new_server: NewServer) -> None:
    server = new_server(configuration='[functions]\nfind = "ours:find"\n')
    (server.folder / "ours.py").write_text("import not_there\n" + OURS)
    done = server.command("run", "-f", str(server.file))
    assert done.returncode == 78
    assert 'find = "ours:find"' in done.stderr and "ModuleNotFoundError: No module named 'not_there'" in done.stderr
    assert "Traceback" not in done.stderr
    assert server.command("check", "-f", str(server.file)).returncode == 0  # which runs nothing of it
