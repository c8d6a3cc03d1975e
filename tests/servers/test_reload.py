"""A running server is changed over its control socket: by the command, while calls go on, and over and over."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sipp_runner.accounts import read_accounts, write_user_list
from sipp_runner.case import read_case
from sipp_runner.performance import Performance, Result
from sipp_runner.ports import free_port
from sipp_runner.server import Server
from sipp_runner.session import FOLDER
from sipp_runner.target import CALLEE, CALLER, Target

from routing.program.remote import ask
from tests.servers.conftest import DOMAIN, NewServer
from tests.servers.phone import Phone
from tests.servers.test_signals import wait_for

NOWHERE = "on request { reply(404) }\n"
GONE = "on request { reply(410) }\n"
WRONG = "on request {\n    replay(404)\n}\n"


@pytest.fixture
def simple(new_server: NewServer, tmp_path: Path) -> Server:
    """A server whose route answers everything with 404."""
    route = tmp_path / "first.route"
    route.write_text(NOWHERE)
    server = new_server(route=route)
    server.add_users([])
    server.start()
    return server


def status(server: Server, port: int = 0) -> int:
    with Phone("1001", "", (server.host, port or server.port)) as phone:
        return phone.ask("OPTIONS", f"sip:nobody@{DOMAIN}").status


def use_route(server: Server, text: str) -> None:
    (server.folder / "main.route").write_text(text)


def control(server: Server) -> Path:
    return server.folder / "run" / "control.sock"


def reload(server: Server) -> dict[str, Any]:
    code, answer = ask(control(server), "POST", "/reload")
    assert code in (200, 422)
    return answer


# -- the commands ------------------------------------------------------------------------------------------------------


def test_reload_rollback_versions_and_status(simple: Server) -> None:
    use_route(simple, GONE)
    assert status(simple) == 404
    done = simple.command("reload")
    assert (done.returncode, done.stdout, done.stderr) == (0, "version 2 is in force\n", "")
    assert status(simple) == 410
    assert simple.command("reload").stdout == "version 2 is in force: nothing has changed\n"

    back = simple.command("rollback")
    assert back.returncode == 0
    assert back.stdout.startswith("version 1 is in force again\n")
    assert f"{simple.folder}/main.route are as they were: the next reload or start uses them again" in back.stdout
    assert status(simple) == 404
    assert (simple.folder / "main.route").read_text() == GONE
    copied = simple.folder / re.findall(r"copy them from (.*)\n", back.stdout)[0] / "main.route"
    assert copied.read_text() == NOWHERE

    listed = simple.command("versions").stdout.splitlines()
    assert [re.sub(r"\d{4}-\S+ \S+|[0-9a-f]{12}", "_", line).split() for line in listed] == [
        ["VERSION", "TIME", "HASH", "WHY"],
        ["1", "_", "_", "start", "in", "force"],
        ["2", "_", "_", "reload"],
    ]
    assert simple.command("rollback", "2").returncode == 0
    assert status(simple) == 410
    wrong = simple.command("rollback", "7")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == (
        "error: there is no version 7; kept are 1, 2\nnothing was changed: version 2 stays in force\n"
    )

    shown = simple.command("status").stdout
    assert re.search(rf"^listening  udp:127\.0\.0\.1:{simple.port}, tcp:127\.0\.0\.1:{simple.port}$", shown, re.M)
    assert re.search(r"^version    2 \([0-9a-f]{12}, reload ", shown, re.M)
    found = json.loads(simple.command("status", "--json").stdout)
    assert found["version"]["version"] == 2
    assert found["counters"]["stack"]["requests"] >= 4


@pytest.mark.row("E09")
def test_a_mistake_is_told_as_check_tells_it_and_changes_nothing(simple: Server) -> None:
    use_route(simple, WRONG)
    checked = simple.command("check", str(simple.file))
    done = simple.command("reload")
    assert (checked.returncode, done.returncode, done.stdout) == (1, 1, "")
    assert "main.route:2:5: " in checked.stdout
    assert done.stderr == checked.stdout + "nothing was changed: version 1 stays in force\n"
    problems = json.loads(simple.command("reload", "--json").stdout)["problems"]
    assert [(problem["line"], problem["column"], problem["severity"]) for problem in problems] == [(2, 5, "error")]
    assert status(simple) == 404


def test_a_configuration_that_is_broken_can_be_mended_and_reloaded(simple: Server) -> None:
    good = simple.file.read_text()
    for broken in ("listen = [", good.replace("domains", "domain"), good + "\nx = 1\n"):
        simple.file.write_text(broken)
        done = simple.command("reload")
        assert done.returncode == 1
        assert "ringway.toml:" in done.stderr and "version 1 stays" in done.stderr
    simple.file.write_text(good)
    use_route(simple, GONE)
    assert simple.command("reload").returncode == 0
    assert status(simple) == 410


def test_without_a_server_the_command_says_so(simple: Server) -> None:
    assert simple.stop() == 0
    assert not control(simple).exists()
    for command in ("reload", "rollback", "versions", "status"):
        done = simple.command(command)
        assert done.returncode == 1
        assert done.stderr.startswith("error: no server runs with this configuration: nobody listens at ")


def test_versions_outlive_the_process(simple: Server) -> None:
    use_route(simple, GONE)
    reload(simple)
    simple.kill()
    simple.start()
    assert status(simple) == 410
    assert simple.command("rollback").returncode == 0
    assert status(simple) == 404
    simple.kill()
    simple.start()
    assert status(simple) == 410  # as the rollback said


# -- what changes ------------------------------------------------------------------------------------------------------


def test_listeners_come_and_go(simple: Server) -> None:
    other = free_port()
    before = simple.file.read_text()
    simple.file.write_text(before.replace("listen  = [", f'listen = ["udp:{simple.host}:{other}", '))
    assert reload(simple)["changed"] == ["listen"]
    assert (status(simple), status(simple, other)) == (404, 404)
    simple.file.write_text(before)
    assert reload(simple)["changed"] == ["listen"]
    assert json.loads(simple.command("status", "--json").stdout)["listening"][0] == f"udp:{simple.host}:{simple.port}"
    assert status(simple) == 404


def test_a_listener_that_cannot_be_had_changes_nothing_else(simple: Server) -> None:
    use_route(simple, GONE)
    simple.file.write_text(simple.file.read_text().replace("listen  = [", 'listen = ["udp:192.0.2.77:5060", '))
    answer = reload(simple)
    assert not answer["good"]
    assert answer["lines"][0].startswith("error: udp:192.0.2.77:5060: this machine has no such address")
    assert status(simple) == 404


def test_settings_that_can_change_do_and_the_others_are_named(simple: Server) -> None:
    use_route(simple, 'on request { if request.method == "REGISTER" { save() } reply(404) }\n')
    text = simple.file.read_text().replace('domains = ["example.com"]', 'domains = ["example.com", "example.org"]')
    text = text.replace(
        "[database]", "[registrar]\nmin_expires = 1800\n[limits]\nheaders = 25\n[database]\nwindow = 0.1"
    )
    simple.file.write_text(text)
    answer = reload(simple)
    assert answer["changed"] == ["domains", "registrar.min_expires", "limits.headers"]
    assert answer["needs_restart"] == ["database.window"]
    with Phone("1001", "", (simple.host, simple.port)) as phone:
        lines = ["Contact: <sip:a@127.0.0.1>", "Expires: 60"]
        refused = phone.ask("REGISTER", "sip:example.org", lines, to="sip:1001@example.org")
        assert (refused.status, refused.first("min-expires")) == (423, "1800")
        assert phone.ask("OPTIONS", f"sip:nobody@{DOMAIN}", lines=["X: 1"] * 25).status == 513
    assert reload(simple)["needs_restart"] == ["database.window"]


# -- under load, and over and over -------------------------------------------------------------------------------------


@pytest.mark.row("E09")
@pytest.mark.program("sipp")
def test_no_call_is_lost_while_everything_is_reloaded(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server()
    server.add_users([CALLER, CALLEE])
    server.start()
    write_user_list(read_accounts(FOLDER / "users.csv"), tmp_path / "users")
    target = Target(server.host, server.port, DOMAIN, CALLER, CALLEE)
    calls, rate = 12_000, 200.0  # for a minute
    performance = Performance(read_case(FOLDER / "call"), target, tmp_path, tmp_path / "users", calls, rate)
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(performance.run()))
    thread.start()
    route, configuration = (server.folder / "main.route").read_text(), server.file.read_text()
    good = 0
    while thread.is_alive():
        use_route(server, f"{route}# {good}\n" if good % 5 else WRONG)
        server.file.write_text(configuration.replace("[database]", f"drain_timeout = {good + 1}\n[database]"))
        answer = reload(server)
        assert answer["good"] == bool(good % 5)
        good += 1
        time.sleep(1.0)
    thread.join()
    assert good >= 50
    (result,) = results
    assert result.ok, result.problems
    assert (result.counts.failed, result.counts.successful) == (0, calls + 1 + calls)


@pytest.mark.row("E09")
def test_a_mistake_a_hundred_times_and_then_a_good_one(simple: Server) -> None:
    use_route(simple, WRONG)
    for _ in range(100):
        assert not reload(simple)["good"]
    assert status(simple) == 404
    use_route(simple, GONE)
    assert reload(simple)["version"] == 2
    assert status(simple) == 410


@pytest.mark.row("E09")
def test_reloads_leave_nothing_behind(simple: Server) -> None:
    assert simple.process is not None
    process = Path(f"/proc/{simple.process.pid}")

    def used() -> tuple[int, int]:
        resident = int(re.findall(r"VmRSS:\s+(\d+) kB", (process / "status").read_text())[0])
        return len(os.listdir(process / "fd")), resident

    def reload_often(times: int) -> None:
        for turn in range(times):
            use_route(simple, f"{NOWHERE}# {turn}\n" + "route unused() { reply(404) }\n" * (turn % 2))
            assert reload(simple)["good"]

    reload_often(30)
    descriptors, resident = used()
    reload_often(1_000)
    wait_for(lambda: used()[0] == descriptors)
    assert used()[1] - resident < 1_000, (resident, used()[1])  # kB; one version alone takes about 60
    assert len(os.listdir(simple.folder / "versions")) == 10
    assert status(simple) == 404


def test_two_reloads_at_once_come_one_after_the_other(simple: Server) -> None:
    answers: list[dict[str, Any]] = []
    use_route(simple, GONE)
    threads = [threading.Thread(target=lambda: answers.append(reload(simple))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["version"] for answer in answers] == [2] * 8
    assert sum("nothing has changed" in answer["lines"][0] for answer in answers) == 7
