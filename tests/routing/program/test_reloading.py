"""Reload in one process: what changes together, what stays with requests that have begun, what is left behind."""

from __future__ import annotations

import gc
import json
import logging
import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from routing.program.candidate import adaptable, merge
from routing.program.config import Config, LogSettings, control_socket, load
from routing.program.control import Control
from routing.program.listen import Listen
from routing.program.reload import Reloader
from routing.program.route_version import RouteVersion
from routing.program.server import Server
from routing.runtime import Context, Platform, function
from routing.runtime.builtins import Builtins
from routing.runtime.loader import load_routes
from sipcore.need import Pending
from sipcore.net.http_server import HttpAnswer, HttpRequest
from sipcore.uri import Uri
from tests.routing.conftest import Recorder

CONFIGURATION = 'domains = ["example.com"]\nlisten = ["udp:127.0.0.1:0"]\n'
ROUTE = "on request { reply(404) }\n"


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "ringway.toml").write_text(CONFIGURATION)
    (tmp_path / "main.route").write_text(ROUTE)
    made = Server(load(tmp_path / "ringway.toml", {}), b"the secret of the tests")
    made.load_routes()
    return made


@pytest.fixture
def reloader(server: Server) -> Reloader:
    made = Reloader(server, {})
    made.begin()
    return made


def write(server: Server, more: str = "", route: str = ROUTE) -> None:
    server.config.file.write_text(CONFIGURATION + more)
    server.config.route_file.write_text(route)


# -- what can change ---------------------------------------------------------------------------------------------------


def test_what_can_change_does_and_the_rest_waits() -> None:
    before = Config(("example.com",))
    now = replace(
        before,
        domains=("example.org",),
        node="b",
        registrar=replace(before.registrar, contacts=3),
        database=replace(before.database, window=0.5, queue=9),
        log=LogSettings("debug"),
    )
    merged = merge(before, now, {"registrar": {"contacts"}, "log": {"level"}, "database": {"queue"}})
    assert merged.changed == ("domains", "database.queue", "registrar.contacts", "log.level")
    assert merged.waiting == ("node", "database.window")
    assert merged.config == replace(now, node="a", database=replace(before.database, queue=9))
    assert merge(before, before, {}).config == before


def test_modules_say_what_they_can_change(server: Server) -> None:
    live = adaptable(server.modules)
    assert {"min_expires", "jitter"} <= live["registrar"]
    assert {"algorithms", "nonce_lifetime"} <= live["auth"]
    assert live["database"] == frozenset()
    assert {"transactions", "vias"} <= live["limits"]


async def test_everything_changes_together(server: Server, reloader: Reloader) -> None:
    more = "[limits]\nvias = 3\ntransactions = 101\nparked = 7\ndialogs = 5\n[registrar]\ncontacts = 2\nwaiting = 3\n"
    write(server, more + '[auth]\nalgorithms = ["SHA-256"]\nnonce_lifetime = 11\ncache_seconds = 5\n')
    server.config.file.write_text(server.config.file.read_text().replace("example.com", "example.org"))
    before = server.dispatcher.routes
    server.edge.change = lambda settings: None  # type: ignore[method-assign]  # it is not open here
    done = await reloader.reload()
    assert done.good, done.lines
    assert server.dispatcher.routes is not before
    assert server.platform.domains.names == ("example.org",)
    assert (server.stack.limits.vias, server.stack.most_transactions, server.platform.runner.limit) == (3, 101, 7)
    assert server.platform.dialogs.most == 5
    assert server.platform.settings["registrar"].contacts == 2
    assert server.config.auth.algorithms == ("SHA-256",)
    modules = {module.name: module for module in server.modules}
    assert modules["registrar"].settings.contacts == 2  # type: ignore[attr-defined]
    assert [offered.family for offered in modules["auth"]._offered] == ["SHA-256"]  # type: ignore[attr-defined]


async def test_a_mistake_anywhere_changes_nothing(server: Server, reloader: Reloader) -> None:
    before = server.config, server.dispatcher.routes, server.platform.domains
    for more, route in (("node = 'b c'\n", ROUTE), ("", "on request { }\n"), ("", ""), ("[", ROUTE)):
        write(server, more, route)
        done = await reloader.reload()
        assert not done.good
        assert done.problems
        assert done.lines[-1] == "nothing was changed: version 1 stays in force"
        assert (server.config, server.dispatcher.routes, server.platform.domains) == before
    write(server)
    server.config.route_file.unlink()
    assert "main.route: can't be read: No such file" in (await reloader.reload()).lines[0]
    server.config.file.unlink()
    assert "ringway.toml: can't be read: No such file" in (await reloader.reload()).lines[0]
    write(server)
    assert (await reloader.reload()).good


async def test_mistakes_of_both_files_are_told_together(server: Server, reloader: Reloader) -> None:
    write(server, "nod = 1\n", "on request { }\n")
    done = await reloader.reload()
    assert [problem.file.rpartition("/")[2] for problem in done.problems] == ["ringway.toml", "main.route"]
    assert done.lines[-2].endswith("ringway.toml: 2 mistakes")


async def test_what_the_command_line_wants_stays(server: Server) -> None:
    wanted = (Listen("udp", "127.0.0.1", 5999),)
    server.config = replace(server.config, listen=wanted)
    reloader = Reloader(server, {}, adjust=lambda config: replace(config, listen=wanted))
    reloader.begin()
    done = await reloader.reload()
    assert (done.good, done.changed, server.config.listen) == (True, (), wanted)


async def test_a_server_that_is_stopping_takes_nothing_over(server: Server, reloader: Reloader) -> None:
    server.dispatcher.draining = True
    assert (await reloader.reload()).lines[0] == "error: the server is stopping"


async def test_an_observer_of_the_configuration_hears_of_the_new_one(server: Server) -> None:
    heard: list[str] = []
    reloader = Reloader(server, {}, changed=lambda config: heard.append(config.log.level))
    reloader.begin()
    write(server, '[log]\nlevel = "debug"\n')
    await reloader.reload()
    assert heard == ["debug"]


async def test_a_rollback_to_what_is_wrong_by_now_is_refused(server: Server, reloader: Reloader) -> None:
    """The file of an older release, for example."""
    write(server, "", "on request { reply(410) }\n")
    assert (await reloader.reload()).version == 2
    first = reloader.versions.all()[0]
    object.__setattr__(first, "texts", replace(first.texts, routes="on request { replay(404) }\n"))
    done = await reloader.rollback()
    assert not done.good
    assert "did you mean `reply`?" in "\n".join(done.lines)
    assert done.lines[-1] == "nothing was changed: version 2 stays in force"


# -- what has begun stays ----------------------------------------------------------------------------------------------

WAITING = """\
on request {
    call answer("before")
}
route answer(reason: text) {
    if exists(request.uri) { reply(404, reason) }
    reply(480, late(reason))
}
"""


def test_a_parked_handler_goes_on_in_its_own_version(
    platform: Platform, recorder: Recorder, new_context: Callable[..., Context]
) -> None:
    class Late(Recorder):
        @function()
        def late(self, context: Context, reason: str) -> str:
            """Called after the wait."""
            return reason + ", later"

    pending: Pending[bool] = Pending()

    class Waits(Late):
        @function()
        async def exists(self, context: Context, uri: Uri) -> bool:
            """Waits for the test."""
            return await pending

    modules = [Builtins(platform), Waits()]
    version = RouteVersion(load_routes(WAITING, modules))
    names: dict[str, Any] = version._names
    context = new_context()
    context.routes = version
    coroutine = version.run(context)
    assert coroutine.send(None) is pending
    gone = weakref.ref(names["on_request"])
    del version  # a reload put another one in its place
    assert names
    pending.done(False)
    with pytest.raises(StopIteration):
        coroutine.send(False)
    (response,) = context.transaction.responses  # type: ignore[attr-defined]
    assert (response.status, response.reason) == (480, "before, later")
    gc.disable()
    try:
        del context, coroutine
        assert not names
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.row("E09")
async def test_a_hundred_reloads_leave_nothing(
    server: Server, reloader: Reloader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "ringway")  # each line that is captured stays

    async def reload_often(times: int) -> None:
        for turn in range(times):
            write(server, "", ROUTE + "# x\n" * (turn % 2) + "route r() { reply(200) }\n" * (turn % 3))
            await reloader.reload()

    await reload_often(12)
    gc.collect()
    before = sys.getallocatedblocks()
    await reload_often(96)
    gc.collect()
    assert sys.getallocatedblocks() - before < 1_000


# -- the control socket ------------------------------------------------------------------------------------------------


async def told(control: Control, method: str, target: str, body: bytes = b"") -> tuple[int, dict[str, Any], HttpAnswer]:
    answer = await control(HttpRequest(method, target, body))
    return answer.status, json.loads(answer.body), answer


async def test_the_control_socket_knows_four_things(server: Server, reloader: Reloader) -> None:
    control = Control(server, reloader)
    status, found, _ = await told(control, "GET", "/status")
    assert (status, found["state"], found["version"]["version"]) == (200, "running", 1)
    assert found["counters"]["stack"]["requests"] == 0
    write(server, "", "on request { reply(410) }\n")
    assert (await told(control, "POST", "/reload"))[:2][0] == 200
    status, found, _ = await told(control, "GET", "/versions")
    assert [(one["version"], one["why"], one["in_force"]) for one in found["versions"]] == [
        (1, "start", False), (2, "reload", True),
    ]  # fmt: skip
    status, found, _ = await told(control, "POST", "/rollback", b'{"version": 1}')
    assert (status, found["good"], found["version"]) == (200, True, 1)


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/", b"", 404),
        ("GET", "/../etc/passwd", b"", 404),
        ("GET", "/reload", b"", 405),
        ("POST", "/rollback", b"{", 400),
        ("POST", "/rollback", b"[" * 50_000, 400),
        ("POST", "/rollback", b"[]", 400),
        ("POST", "/rollback", b"\xff", 400),
        ("POST", "/rollback", b'{"version": "1"}', 400),
        ("POST", "/rollback", b'{"version": true}', 400),
        ("POST", "/rollback", b'{"version": 99}', 422),
    ],
)
async def test_what_cannot_be_done_is_said(
    server: Server, reloader: Reloader, method: str, target: str, body: bytes, status: int
) -> None:
    control = Control(server, reloader)
    found, document, answer = await told(control, method, target, body)
    assert found == status
    assert document.get("error") or document["lines"]
    assert (("Allow", "POST") in answer.headers) == (status == 405)
    assert reloader.versions.current is reloader.versions.all()[0]


# -- where it is -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        (CONFIGURATION, {}, "run/control.sock"),
        (CONFIGURATION + '[control]\nsocket = "x/y.sock"', {}, "x/y.sock"),
        (CONFIGURATION + '[database]\nurl = "sqlite:///state/r.db"', {}, "state/run/control.sock"),
        ('domain = 1\n[control]\nsocket = "x/y.sock"', {}, "x/y.sock"),
        ('[database]\nurl = "sqlite:///state/r.db"\nx = [', {}, "state/run/control.sock"),
        ("x = [", {"RINGWAY_CONTROL__SOCKET": "z.sock"}, "z.sock"),
        ("x = [", {}, "run/control.sock"),
        ("", {}, "run/control.sock"),
    ],
)
def test_the_socket_is_found_also_when_the_configuration_is_broken(
    tmp_path: Path, text: str, environ: dict[str, str], expected: str
) -> None:
    (tmp_path / "ringway.toml").write_text(text)
    assert control_socket(tmp_path / "ringway.toml", environ) == tmp_path / expected
    (tmp_path / "ringway.toml").unlink()
    assert control_socket(tmp_path / "ringway.toml", {}) == tmp_path / "run/control.sock"


def test_an_installed_server_has_its_socket_where_such_sockets_are() -> None:
    assert control_socket(Path("/etc/ringway/ringway.toml"), {}) == Path("/run/ringway/control.sock")
