"""The composition: what is connected to what, and that a start which fails leaves nothing behind."""

from __future__ import annotations

import io
import logging
import random
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from modules.proxy.module import Proxy
from routing.language.problem import Span
from routing.program import run as run_module
from routing.program.config import Config
from routing.program.exit_codes import FAILURE
from routing.program.listen import Listen
from routing.program.logs import Logs
from routing.program.run import _Life, _run
from routing.program.server import Server, Surroundings
from routing.runtime import Module
from routing.runtime.dialogs import DialogCounters
from sipcore.errors import ConfigurationError
from sipcore.facts import Dropped, Fact, Rejected
from sipcore.flow import Flow, Target

SECRET = b"the secret of the tests"
FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
REFUSAL = Rejected("INVITE", "1001", "sip:x", 403, "no", FLOW)
DROPPED = Dropped("no reason", 1, FLOW)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "main.route").write_text("on request { reply(404) }\n")
    listens = (Listen("udp", "192.0.2.1", 5060, "SIP.example.net"), Listen("tcp", "192.0.2.1", 5070))
    return replace(Config(domains=("example.com",)), file=tmp_path / "ringway.toml", listen=listens, node="n1")


@pytest.fixture
def server(config: Config) -> Server:
    return Server(config, SECRET)


# -- what is connected -------------------------------------------------------------------------------------------------


def test_making_a_server_opens_and_writes_nothing(server: Server, config: Config) -> None:
    assert [file.name for file in config.file.parent.iterdir()] == ["main.route"]
    assert server.edge.addresses() == ()


def test_tokens_name_node_and_worker(server: Server) -> None:
    assert server.platform.tokens.token().startswith("n10-")


def test_phones_may_use_our_addresses_as_their_domain(server: Server) -> None:
    domains = server.platform.domains
    assert domains.canonical("127.0.0.1") == "example.com"
    assert domains.canonical("sip.example.net") == "example.com"  # what a listener advertises
    assert domains.canonical("example.net") is None


def test_clock_chance_and_addresses_may_be_given(config: Config) -> None:
    def world() -> Surroundings:
        return Surroundings(lambda: 1000.0, random.Random(7).randbytes, lambda host: host == "192.0.2.99")

    server, twin = Server(config, SECRET, surroundings=world()), Server(config, SECRET, surroundings=world())
    assert server.platform.wall_clock() == 1000.0
    assert server.platform.tokens.token() == twin.platform.tokens.token()
    assert server.platform.tokens.token() != Server(config, SECRET).platform.tokens.token()
    domains = server.platform.domains
    assert domains.canonical("192.0.2.99") == "example.com"
    assert domains.canonical("127.0.0.1") is None  # this machine is not asked for its addresses


def test_routes_may_be_watched(config: Config) -> None:
    class Watch:
        known: ClassVar[list[int]] = []

        def there_is(self, step: Span) -> None:
            self.known.append(step.line)

        def runs(self, step: Span) -> None:
            raise AssertionError("nothing runs")

    Server(config, SECRET).load_routes(watch=Watch())
    assert Watch.known == [1]


def test_modules_have_their_settings(config: Config) -> None:
    server = Server(replace(config, registrar=replace(config.registrar, min_expires=33)), SECRET)
    assert server.platform.settings["registrar"].min_expires == 33
    assert server.platform.settings["database"].url.startswith("sqlite:////")


def test_requests_inside_dialogs_go_to_the_proxy_first(server: Server) -> None:
    proxy = next(module for module in server.modules if isinstance(module, Proxy))
    assert server.dispatcher.offers == [proxy.offer]
    assert server.dispatcher.acknowledge == proxy.acknowledge


def test_every_part_counts(server: Server) -> None:
    assert {"stack", "transactions", "edge", "auth", "registrar", "database"} <= set(server.statistics())
    assert server.statistics()["dialogs"] == DialogCounters(open=0, driven_out=0)


def test_what_is_kept_with_calls_has_the_bound_of_the_configuration(config: Config) -> None:
    server = Server(replace(config, limits=replace(config.limits, dialogs=7)), SECRET)
    assert server.platform.dialogs.most == 7


# -- routes ------------------------------------------------------------------------------------------------------------


def test_wrong_routes_change_nothing(server: Server, config: Config) -> None:
    server.load_routes()
    before = server.dispatcher.routes
    config.route_file.write_text("on request { }\n")
    with pytest.raises(ConfigurationError):
        server.load_routes()
    assert server.dispatcher.routes is before


def test_warnings_of_routes_are_logged(server: Server, config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config.route_file.write_text("on request { reply(404) }\nroute unused() { reply(404) }\n")
    server.load_routes()
    assert "main.route:2:7: " in caplog.text


# -- observers ---------------------------------------------------------------------------------------------------------


def test_an_observer_of_refusals_costs_calls_nothing(server: Server) -> None:
    seen: list[Fact] = []
    server.observe(seen.append, everything=False)
    assert server.platform.observe is None
    assert server.stack.observe is None
    assert server.platform.observe_refusals is not None
    server.platform.observe_refusals(REFUSAL)
    assert seen == [REFUSAL]


def test_an_observer_that_fails_is_taken_out_everywhere(server: Server) -> None:
    def fails(fact: Fact) -> None:
        raise ValueError("boom")

    server.observe(fails, everything=True)
    assert server.stack.observe is not None
    server.stack.observe(DROPPED)
    assert (server.stack.observe, server.platform.observe, server.platform.observe_refusals) == (None, None, None)


# -- start and stop ----------------------------------------------------------------------------------------------------


class Recorded(Module):
    """Notes when it starts and stops."""

    def __init__(self, name: str, notes: list[str], wrong: str = "") -> None:
        self.name = name
        self.notes = notes
        self.wrong = wrong

    def start(self) -> None:
        self.notes.append(f"start {self.name}")
        if self.wrong == "start":
            raise ConfigurationError(["no"])

    def stop(self) -> None:
        self.notes.append(f"stop {self.name}")
        if self.wrong == "stop":
            raise ValueError("boom")


def test_modules_stop_in_the_opposite_order(server: Server) -> None:
    notes: list[str] = []
    server.modules = tuple(Recorded(name, notes) for name in "ab")
    server.start()
    server.stop()
    assert notes == ["start a", "start b", "stop b", "stop a"]


def test_a_module_that_cannot_start_stops_those_before_it(server: Server) -> None:
    notes: list[str] = []
    server.modules = (Recorded("a", notes), Recorded("b", notes, "start"), Recorded("c", notes))
    with pytest.raises(ConfigurationError):
        server.start()
    assert notes == ["start a", "start b", "stop b", "stop a"]


def test_a_module_that_cannot_stop_holds_up_nobody(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    notes: list[str] = []
    server.modules = (Recorded("a", notes), Recorded("b", notes, "stop"))
    server.stop()
    assert notes == ["stop b", "stop a"]
    assert "module b failed to stop" in caplog.text


class Unanswered:
    """A server transaction."""

    def __init__(self) -> None:
        self.final = False

    def answered(self) -> bool:
        return self.final


def test_draining_waits_for_requests_without_a_final_answer(server: Server) -> None:
    transaction = Unanswered()
    server.stack.transactions.servers["key"] = transaction  # type: ignore[index, assignment]
    assert server.busy()
    transaction.final = True
    assert not server.busy()
    server.platform.runner.parked = 1
    assert server.busy()


def test_draining_refuses_what_is_new(server: Server) -> None:
    server.drain()
    assert server.dispatcher.draining


def test_a_fault_of_the_server_is_logged_and_ends_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(self: _Life, ready: object) -> None:
        raise ValueError("boom")

    monkeypatch.setattr(_Life, "live", fails)
    monkeypatch.setattr(Server, "listen", lambda self: (Target("udp", "192.0.2.1", 5060),))
    for name in ("collect", "freeze", "set_threshold"):
        monkeypatch.setattr(run_module.gc, name, lambda *arguments: None)
    caplog.set_level(logging.CRITICAL)
    logs = Logs(io.StringIO())
    assert _run(server, logs, False, lambda addresses: None, lambda config: config) == FAILURE
    assert "the server failed" in caplog.text
    assert "boom" in caplog.text
