"""`limit`, `ban` and `banned` in routes."""

from __future__ import annotations

import pytest

from modules.limits.module import Limits, LimitsStatistics
from modules.limits.settings import CountingSettings
from routing.runtime.builtins import Builtins
from routing.runtime.loader import check_routes, load_routes
from sipcore.flow import Flow
from sipcore.message import Request, parse
from tests.platforms import SERVER, Bench

TEXT = """
on request {
    if source.ip in banned               { reply(403) }
    limit(2/m, per: source.ip) else      { ban(source.ip, 10m)  reply(503) }
    reply(200)
}
"""
OPTIONS = b"OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:h>\r\n"
OPTIONS += b"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"


class Routed:
    """A route on a bench."""

    def __init__(self, text: str, **settings: int) -> None:
        self.bench = Bench(rates=CountingSettings(**settings))
        self.limits = Limits(self.bench.platform)
        self.routes = load_routes(text, [Builtins(self.bench.platform), self.limits])

    def ask(self, source: str = "192.0.2.1", now: float = 50.0) -> int:
        """The status that a request from there gets."""
        self.bench.timers.now = now
        request = parse(OPTIONS)
        assert isinstance(request, Request)
        return self.bench.run(self.routes.run, request, Flow("udp", SERVER, (source, 5060))).status


def test_a_source_that_asks_too_often_is_kept_out_for_a_while() -> None:
    routed = Routed(TEXT)
    assert [routed.ask() for _ in range(5)] == [200, 200, 503, 403, 403]
    assert routed.ask("192.0.2.2") == 200
    assert routed.ask(now=50.0 + 599.0) == 403
    assert routed.ask(now=50.0 + 601.0) == 200
    assert routed.limits.statistics() == LimitsStatistics(rates=2, bans=0, refused=1, banned=1)


def test_each_line_counts_for_itself() -> None:
    routed = Routed(
        "on request { limit(2/s, per: source.ip) else { reply(501) } "
        "limit(1/s, per: source.ip) else { reply(502) } reply(200) }"
    )
    assert [routed.ask() for _ in range(3)] == [200, 502, 501]


def test_a_line_counts_the_same_from_wherever_it_is_called() -> None:
    routed = Routed(
        'on request { if source.ip == 192.0.2.1 { call few("x") } call few("x") reply(200) }\n'
        "route few(key: text) { limit(1/s, per: key) else { reply(503) } }"
    )
    assert [routed.ask("192.0.2.2"), routed.ask()] == [200, 503]


def test_a_ban_can_be_taken_back() -> None:
    routed = Routed(
        "on request { if source.ip in banned { unban(source.ip) reply(403) } ban(source.ip, 1h) reply(200) }"
    )
    assert [routed.ask() for _ in range(3)] == [200, 403, 200]


def test_bounds_come_from_the_settings_and_can_change() -> None:
    routed = Routed(TEXT, rates=2, bans=1)
    for number in range(5):
        for _ in range(3):
            routed.ask(f"192.0.2.{number}")
    assert routed.limits.statistics().bans == 1
    assert routed.limits.statistics().rates == 2
    routed.limits.adapt(CountingSettings(rates=10, bans=10))
    for number in range(5):
        for _ in range(3):
            routed.ask(f"192.0.2.{number}")
    assert routed.limits.statistics().bans >= 4


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("limit(3, per: user) else { drop() }", 20, "expected a rate, this is a number"),
        ("limit(3/s) else { drop() }", 14, "`limit` also needs `per` (text)"),
        ('limit(3/s, per: user, site: "x") else { drop() }', 36, "`limit` has no parameter `site`"),
        ("ban(source.ip, 10)", 29, "expected a duration, this is a number"),
        ("for x in banned { log(x) }", 23, "`for` goes through a list; this is of type table of text"),
        ("if user in baned { drop() }", 25, "nothing here is called `baned`"),
    ],
)
def test_mistakes(text: str, column: int, message: str) -> None:
    problems = check_routes(f"on request {{ {text} drop() }}", [Builtins, Limits])
    assert [(one.column, one.message) for one in problems] == [(column, message)]
