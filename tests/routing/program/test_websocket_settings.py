"""`ws:` and `wss:` in listen, and [websocket]: what is accepted, where mistakes are shown, what a reload changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from routing.program.check import check, check_file
from routing.program.config import Config, load
from routing.program.exit_codes import OK
from routing.program.listen import Listen
from routing.program.own_endpoints import OwnEndpoints
from routing.program.reload import Reloader
from routing.program.resolve import reachable
from routing.program.server import Server, edge_settings
from routing.runtime import Domains
from sipcore.flow import Target
from sipcore.net.settings import EdgeSettings, WebSocketSettings
from tests.authority import Authority
from tests.routing.program.test_config import mistakes, written

SMALLEST = 'domains = ["example.com"]\n'
ROUTE = "on request { reply(404) }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.route").write_text(ROUTE)
    return tmp_path


@pytest.mark.conformance("RFC 7118 5")
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('"ws:192.0.2.1"', Listen("ws", "192.0.2.1", 80)),
        ('"ws:127.0.0.1:8080"', Listen("ws", "127.0.0.1", 8080)),
        ('"wss:[2001:db8::1]"', Listen("wss", "2001:db8::1", 443)),
        (
            '{uri = "wss:0.0.0.0:8443", advertise = "sip.example.com:443"}',
            Listen("wss", "0.0.0.0", 8443, "sip.example.com:443"),
        ),
    ],
)
def test_listen_entries(tmp_path: Path, entry: str, expected: Listen) -> None:
    text = f'{SMALLEST}listen = [{entry}]\n[tls]\ncertificate = "own.pem"'
    assert load(written(tmp_path, text), {}).listen == (expected,)


def test_origins_are_compared_in_lower_case(tmp_path: Path) -> None:
    text = SMALLEST + '[websocket]\norigins = ["HTTPS://Phone.example.com", "http://[::1]:3000", "null"]\n'
    config = load(written(tmp_path, text + 'ping_interval = "50s"\n'), {})
    assert config.websocket == WebSocketSettings(("https://phone.example.com", "http://[::1]:3000", "null"), 50.0)
    assert load(written(tmp_path, SMALLEST), {}).websocket == WebSocketSettings((), 25.0)


ORIGIN = """what a browser calls its page's origin, like "https://phone.example.com" or "http://127.0.0.1:3000\""""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("listen = ['wss:1.2.3.4']", "1:1: wss:1.2.3.4:443 needs a certificate: set certificate and key in [tls]; `ringway cert self-signed` makes both for a start"),  # noqa: E501
        ("listen = ['wsx:1.2.3.4']", '2:11: listen[1]: expected udp:, tcp:, tls:, ws: or wss:, found "wsx:1.2.3.4"; hint: did you mean `ws`?'),  # noqa: E501
        ("[websocket]\norigins = ['https://a.example/']", f'3:12: websocket.origins[1]: expected {ORIGIN}, found "https://a.example/"; hint: an origin has no path: https://a.example'),  # noqa: E501
        ("[websocket]\norigins = ['a.example']", f'3:12: websocket.origins[1]: expected {ORIGIN}, found "a.example"'),
        ("[websocket]\norigins = ['*']", f'3:12: websocket.origins[1]: expected {ORIGIN}, found "*"; hint: no list at all lets every page connect'),  # noqa: E501
        ("[websocket]\norigins = [5]", f"3:12: websocket.origins[1]: expected {ORIGIN}, found 5"),
        ("[websocket]\norigin = []", "3:1: unknown key `origin` in [websocket]; hint: did you mean `origins`?"),
        ("[websocket]\nping_interval = '0s'", '3:17: websocket.ping_interval: expected a number of seconds or a time like "30s", at least 1 s, at most 3600 s, found "0s"'),  # noqa: E501
    ],
)  # fmt: skip
def test_a_mistake_is_reported_at_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert f"ringway.toml:{problem}" in mistakes(tmp_path, SMALLEST + text)


def test_check_reads_the_certificate_of_a_secure_listener(folder: Path) -> None:
    text = SMALLEST + 'listen = ["wss:127.0.0.1:0"]\n[tls]\ncertificate = "own.pem"\nkey = "own.key"\n'
    file = written(folder, text)
    assert "own.pem is not there" in "".join(check_file(file, {}).shown)
    Authority(folder).issue(names=["example.com"], name="own")
    assert check_file(file, {}).problems == ()


def test_check_shows_what_is_in_effect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(folder, SMALLEST + 'listen = ["ws:127.0.0.1:8080"]\n[websocket]\norigins = ["https://a.example"]\n')
    assert check([file], {}, False) == OK
    shown = capsys.readouterr().out.splitlines()
    for line in ('listen = ["ws:127.0.0.1:8080"]', "[websocket]", 'origins = ["https://a.example"]'):
        assert line in shown
    assert check([file], {}, True) == OK
    assert "ping_interval" in json.dumps(json.loads(capsys.readouterr().out))


def test_the_edge_is_told(folder: Path) -> None:
    text = SMALLEST + "[limits]\nmessage = 20_000\n[websocket]\nping_interval = 5\n"
    settings = edge_settings(load(written(folder, text), {}))
    assert settings.longest_message == 20_000
    assert settings.websocket.ping_interval == 5.0


def test_nobody_is_called_by_web_socket(folder: Path) -> None:
    assert reachable([Listen("ws", "127.0.0.1", 80)]).keys() == {"udp", "tcp", "tls"}


def test_our_own_routes_are_known_by_the_ports_of_web_sockets() -> None:
    domains = Domains(("example.com",), lambda host: host == "192.0.2.1")
    own = OwnEndpoints(domains, (Listen("wss", "192.0.2.1", 8443, "sip.example.com:443"),))
    own.bound([Target("ws", "192.0.2.1", 8080), Target("wss", "192.0.2.1", 8443)])
    assert own("192.0.2.1", 8080)
    assert own("192.0.2.1", 443)
    assert not own("192.0.2.1", 80)


async def test_a_reload_changes_origins_and_listeners(folder: Path) -> None:
    file = written(folder, SMALLEST + 'listen = ["udp:127.0.0.1:0"]\n')
    server = Server(load(file, {}), b"the secret of the tests")
    server.load_routes()
    reloader = Reloader(server, {})
    reloader.begin()
    told: list[EdgeSettings] = []
    server.edge.change = told.append  # type: ignore[method-assign]  # it is not open here
    written(folder, SMALLEST + 'listen = ["udp:127.0.0.1:0"]\n[websocket]\norigins = ["https://a.example"]\n')
    done = await reloader.reload()
    assert done.good, done.lines
    assert [settings.websocket.origins for settings in told] == [("https://a.example",)]
    written(folder, SMALLEST + 'listen = ["udp:127.0.0.1:0", "ws:127.0.0.1:0"]\n')
    assert (await reloader.reload()).good
    assert [listen.transport for listen in told[-1].listen] == ["udp", "ws"]
    assert told[-1].websocket.origins == ()
    assert (await reloader.reload()).good
    assert len(told) == 2  # nothing has changed


def test_two_settings_are_equal_when_nothing_concerns_the_edge() -> None:
    config = Config(("example.com",))
    assert edge_settings(config) == edge_settings(replace(config, drain_timeout=1.0))
