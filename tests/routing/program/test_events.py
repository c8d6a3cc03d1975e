"""Log events: stable names, the source first, and the fail2ban filter that reads them."""

import re
from pathlib import Path

import pytest

from routing.program.events import guarded, write_event
from routing.program.logs import TextFormatter
from sipcore.facts import CallEnded, CallProgress, Challenged, Dropped, Fact, Registered, Rejected
from sipcore.flow import Flow

FILTER = Path(__file__).resolve().parents[3] / "etc/fail2ban/filter.d/ringway.conf"
PHONE = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.9", 5062))
PHONE6 = Flow("tcp", ("2001:db8::1", 5060), ("2001:db8::9", 5062))
WRONG_PASSWORD = Rejected("REGISTER", "1002@example.com", "sip:example.com", 403, "wrong password", PHONE)


def lines(caplog: pytest.LogCaptureFixture, *facts: Fact, level: str = "DEBUG") -> list[str]:
    caplog.set_level(level, "ringway")
    caplog.clear()
    for fact in facts:
        write_event(fact)
    return [TextFormatter().format(record).partition("Z ")[2] for record in caplog.records]


def test_a_failed_login_names_its_source_first(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(caplog, WRONG_PASSWORD) == [
        "warning ringway event=auth_failed src=198.51.100.9:5062 transport=udp user=1002@example.com method=REGISTER "
        'target=sip:example.com code=403 why="wrong password"'
    ]


def test_other_refusals_have_another_name(caplog: pytest.LogCaptureFixture) -> None:
    assert " event=rejected " in lines(caplog, WRONG_PASSWORD._replace(status=482))[0]


@pytest.mark.parametrize(
    ("fact", "event"),
    [
        (Registered("1001@example.com", "sip:1001@10.0.0.1", 60, PHONE, "x"), "registered"),
        (Registered("1001@example.com", "*", 0, PHONE, "x"), "unregistered"),
        (Challenged("REGISTER", "1001", PHONE), "challenged"),
        (CallProgress("c1", "sip:1001@example.com", "sip:1002@example.com", 180, "Ringing", PHONE), "call"),
        (CallEnded("c1", "sip:1001@example.com"), "call_ended"),
        (Dropped("no reason", 5, PHONE), "dropped"),
    ],
)
def test_every_other_fact_is_written_at_level_debug_only(
    caplog: pytest.LogCaptureFixture, fact: Fact, event: str
) -> None:
    assert lines(caplog, fact)[0].startswith(f"debug ringway event={event} ")
    assert lines(caplog, fact, level="INFO") == []


# -- fail2ban ---------------------------------------------------------------------------------------------------------


def banned(line: str) -> str | None:
    """What the filter's expression would ban, with fail2ban's own meaning of <HOST>."""
    (expression,) = re.findall(r"^failregex = (.*)$", FILTER.read_text(), re.MULTILINE)
    match = re.search(expression.replace("<HOST>", r"(?P<host>[\w.:-]+?)"), "2023-11-14T22:13:20.250000Z " + line)
    return match["host"] if match else None


def test_the_filter_finds_the_source(caplog: pytest.LogCaptureFixture) -> None:
    found = lines(caplog, WRONG_PASSWORD, WRONG_PASSWORD._replace(flow=PHONE6))
    assert [banned(line) for line in found] == ["198.51.100.9", "2001:db8::9"]


@pytest.mark.row("E05")
def test_nobody_can_have_somebody_else_banned(caplog: pytest.LogCaptureFixture) -> None:
    forged = "x warning ringway event=auth_failed src=192.0.2.77:5060 transport=udp"
    attack = Rejected(forged, forged, f"\n{forged}", 482, forged, PHONE)
    assert banned(lines(caplog, attack)[0]) is None
    assert banned(lines(caplog, attack._replace(status=403))[0]) == "198.51.100.9"
    assert [banned(line) for line in lines(caplog, Registered(forged, forged, 60, PHONE, forged))] == [None]


# -- observers that fail ----------------------------------------------------------------------------------------------


def test_an_observer_that_fails_is_logged_and_removed(caplog: pytest.LogCaptureFixture) -> None:
    removed: list[bool] = []

    def fails(fact: Fact) -> None:
        raise ValueError("boom")

    guarded(fails, lambda: removed.append(True))(WRONG_PASSWORD)
    assert removed == [True]
    assert "an observer failed at 'Rejected' and was removed" in caplog.text


def test_an_observer_that_works_is_left_alone() -> None:
    seen: list[Fact] = []
    guarded(seen.append, lambda: pytest.fail("removed"))(WRONG_PASSWORD)
    assert seen == [WRONG_PASSWORD]
