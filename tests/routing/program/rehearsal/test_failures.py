"""What a failing test says: where, what was expected, what came instead, and everything that happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from routing.program.rehearsal.report import failed
from tests.rehearsing import ROUTES, failure, passes, perform, told

CAST = "given users alice, bob\n"


@pytest.mark.parametrize(
    ("lines", "line", "column", "length", "message", "hint"),
    [
        ("alice calls bob\nexpect alice got 486", 2, 18, 3, "alice got no 486", "it got 200 OK"),
        ("alice calls bob\nexpect bob got CANCEL", 2, 16, 6, "bob got no CANCEL", "it got INVITE, ACK"),
        ('alice calls bob\nexpect alice got 200 "Fine"', 2, 18, 3, 'alice got no 200 "Fine"', "it got 200 OK"),
        ("alice calls bob\nexpect bob got BYE, INVITE", 2, 16, 3, "bob got no BYE", "it got INVITE, ACK"),
        ("alice calls bob\nexpect bob got INVITE, BYE", 2, 24, 3, "bob got no BYE", "it got INVITE, ACK"),
        ('alice calls bob\nexpect bob got INVITE with "X-A: 7"', 2, 28, 8, "bob got INVITE, but it has no X-A", ""),
        (
            'alice calls bob with "X-A: 8"\nexpect bob got INVITE with "X-A: 7", "X-B"',
            2,
            28,
            8,
            "bob got INVITE, but its X-A is `8`",
            "",
        ),
        (
            'alice calls bob with "X-A: 8"\nexpect bob got INVITE with "X-A" matching /^7/',
            2,
            28,
            19,
            "bob got INVITE, but its X-A is `8`",
            "",
        ),
        (
            'alice calls bob with "X-A: 8"\nexpect bob got INVITE without "X-B", "X-A"',
            2,
            38,
            5,
            "bob got INVITE, but its X-A is `8`",
            "",
        ),
        ("alice calls bob\nexpect bob got INVITE without body", 2, 31, 4, "bob got INVITE, but it has a body", ""),
        (
            'alice calls bob\nexpect bob got INVITE with body "hello"',
            2,
            28,
            12,
            "bob got INVITE, but its body is `v=0 o=alice 1 1 IN IP4 198.51.100.11 s=- c=IN IP4 198.51....`",
            "",
        ),
        (
            "alice sends OPTIONS to bob\nexpect bob got OPTIONS with body /hello/",
            2,
            29,
            12,
            "bob got OPTIONS, but it has no body",
            "",
        ),
        (
            'alice calls bob\nexpect bob got INVITE with uri "sip:1001@example.com"',
            2,
            28,
            26,
            "bob got INVITE, but its uri is `sip:bob@198.51.100.12:5060`",
            "",
        ),
        (
            "alice calls bob\nexpect bob got INVITE with from bob",
            2,
            28,
            8,
            "bob got INVITE, but its from is `sip:alice@example.com`",
            "",
        ),
        (
            'alice calls bob\nexpect alice got 200 with uri "sip:x@y"',
            2,
            27,
            13,
            "alice got 200, but a response has no URI",
            "",
        ),
        ("alice calls bob\nexpect bob got INVITE by tcp", 2, 23, 2, "bob got INVITE, but it came by udp", ""),
        (
            'alice calls bob with "X-A: 1"\nalice calls bob with "X-B: 1"\nexpect bob got INVITE with "X-A", "X-B"',
            3,
            8,
            32,
            "no INVITE that bob got is like this",
            "it got INVITE, ACK, INVITE, ACK",
        ),
        (
            "bob rings 3s then answers\nalice calls bob\nexpect alice got 200 within 2s",
            3,
            18,
            3,
            "alice got no 200 within 2 s",
            "it got 180 Ringing",
        ),
        (
            "bob rings 3s then answers\nalice calls bob\nexpect alice got 200 after 5s",
            3,
            8,
            22,
            "alice got 200 after 3.000 s, and not after 5 to 6 s",
            "",
        ),
        (
            "bob rings 3s then answers\nalice calls bob\nexpect alice got 200 after 1s..2s",
            3,
            18,
            3,
            "alice got no 200 after 1 to 2 s",
            "it got 180 Ringing",
        ),
        ("alice calls bob\nexpect bob got nothing", 2, 8, 15, "bob got INVITE after 0.000 s", ""),
        ("alice calls bob\nexpect bob got no INVITE", 2, 19, 6, "bob got INVITE after 0.000 s", ""),
        ("alice calls bob\nexpect bob got INVITE twice", 2, 8, 20, "bob got INVITE once, and not 2 times", ""),
        ("alice calls bob 3 times\nexpect bob got INVITE once", 2, 8, 19, "bob got INVITE 3 times, and not once", ""),
        ("alice calls bob\nexpect bob got INVITE 0 times", 2, 8, 22, "bob got INVITE once, and not 0 times", ""),
        (
            "given users alice\ngiven user ann at a q 1, b q 0.5\nalice calls ann\nexpect b then a got INVITE",
            4,
            8,
            19,
            "a got INVITE before b",
            "",
        ),
        (
            "given users alice, bob, carol\nalice calls bob\nexpect bob and carol got INVITE",
            3,
            26,
            6,
            "carol got no INVITE",
            "it got nothing",
        ),
        ("bob rings\nalice calls bob\nexpect alice and bob talk", 3, 8, 18, "alice and bob are in no call", ""),
        ("bob rings\nalice calls bob\nexpect alice talks", 3, 8, 11, "alice is in no call", ""),
        ("alice calls bob\nexpect nobody talks", 2, 1, 19, "alice and bob talk", ""),
        ("expect alice is not registered", 1, 8, 23, "alice is registered at sip:alice@198.51.100.11:5060", ""),
        ("alice unregisters\nexpect alice is registered", 2, 8, 19, "alice is not registered", ""),
        (
            "given user alice at desk, mobile\nexpect alice is registered at desk",
            2,
            8,
            27,
            "alice is registered at sip:alice@198.51.100.11:5060 and sip:alice@198.51.100.12:5060",
            "expected: sip:alice@198.51.100.11:5060",
        ),
        ('given users alice\nexpect log "hello"', 2, 1, 18, "the log does not say so", "it says nothing"),
        ("alice calls bob\nexpect event rejected", 2, 1, 21, "`rejected` was not reported", "reported was call"),
        ("given users alice\nexpect event rejected", 2, 1, 21, "`rejected` was not reported", "nothing was reported"),
        (
            'alice calls bob\nexpect event call with code 486, reason "x"',
            2,
            1,
            43,
            "`call` was not reported like this",
            "reported was code 200, reason 'OK'",
        ),
        ("alice calls bob\nexpect no event call", 2, 1, 20, "`call` was reported", ""),
        (
            "given users alice\nalice hangs up\nexpect nobody talks",
            2,
            1,
            14,
            "`alice` is in no call in which BYE could be sent",
            "let it be answered before: `expect alice got 200`",
        ),
        ("given users alice\nalice cancels\nexpect nobody talks", 2, 1, 13, "`alice` has called nobody", ""),
        (
            "alice calls bob\nalice cancels\nexpect nobody talks",
            2,
            1,
            13,
            "`alice` has no call to cancel: it was answered with 200",
            "",
        ),
        (
            "given users alice\ngiven user bob by tls\nbob calls alice\nexpect alice got INVITE",
            2,
            12,
            3,
            "the server does not listen by tls on IPv4, which `bob` uses",
            "`listen` in ringway.toml says where it does",
        ),
        (
            'given users alice\nalice calls "bob" from 2001:db8::7\nexpect alice got 404',
            1,
            13,
            5,
            "the server does not listen by udp on IPv6, which `alice` uses",
            "`listen` in ringway.toml says where it does",
        ),
        (
            "given users alice\ngiven peer x at 198.51.100.1\nalice calls x\nexpect alice got 404",
            2,
            12,
            1,
            "198.51.100.1 is the address of the server itself",
            "",
        ),
        (
            "alice calls bob\nexpect alice got 200\nalice hangs up\nexpect alice got 486",
            4,
            18,
            3,
            "alice got no 486",
            "it got 200 OK",
        ),
    ],
)
def test_a_failure_names_its_place_and_what_came_instead(
    tmp_path: Path, lines: str, line: int, column: int, length: int, message: str, hint: str
) -> None:
    before = 0 if lines.startswith("given") else 1
    found = failure(tmp_path, CAST * before + lines)
    assert (found[0] - before, *found[1:]) == (line, column, length, message, hint)


def test_the_text_of_a_failing_test(tmp_path: Path) -> None:
    one = told(tmp_path, "given users alice, bob\nbob rings 3s then is busy\nalice calls bob\nexpect bob got BYE")
    one = replace(one, file="main.test.route")
    assert one.failure is not None
    one = replace(one, failure=replace(one.failure, file="main.test.route"))
    text = 'test "it" {\ngiven users alice, bob\nbob rings 3s then is busy\nalice calls bob\nexpect bob got BYE\n}\n'
    shown = "\n".join(failed(one, text, lambda line: ROUTES.split("\n")[line - 1]))
    assert (
        shown
        == """\
FAILED  main.test.route:1  "it"
error: main.test.route:5:16: bob got no BYE
    expect bob got BYE
                   ^^^
  hint: it got INVITE, ACK
what happened, by seconds, with the lines of the routes that ran:
    0.000    alice -> ringway  INVITE sip:bob@example.com
              2  if request.method == "REGISTER" { save() }
              3  ring(lookup(request.uri), for: 20s)
    0.000  ringway -> bob      INVITE sip:bob@198.51.100.12:5060
    0.000      bob -> ringway  180 Ringing
    0.000  ringway -> alice    180 Ringing
    3.000      bob -> ringway  486 Busy Here
              4  reply(outcome)
    3.000  ringway -> bob      ACK sip:bob@198.51.100.12:5060
    3.000  ringway -> alice    486 Busy Here
    3.000    alice -> ringway  ACK sip:bob@example.com
"""
    )


# -- what fails by itself ---------------------------------------------------------------------------------------------


FAULTY = """\
on request {
    for one in 1..1000 { for two in 1..1000 { if one == 0 { log("never") } } }
    reply(200)
}
"""


def test_an_error_in_the_log_fails_a_test_that_does_not_mean_it(tmp_path: Path) -> None:
    found = failure(tmp_path, CAST + "alice calls bob\nexpect alice got 500", FAULTY)
    assert found[:3] == (0, 6, 4)  # the name of the test
    assert found[3].startswith("an error was logged in line 2 of the routes: route failed for call ")
    assert found[4] == 'a test that means it says so: `expect log "..."`'
    passes(tmp_path, CAST + 'alice calls bob\nexpect alice got 500\nexpect log "route failed"', FAULTY)


def test_a_fault_of_ringway_fails_the_test_and_not_those_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no way")

    monkeypatch.setattr("routing.program.rehearsal.calling.Calling.register", broken)
    tests = (
        'test "one" {\ngiven users alice\nalice registers\nexpect alice got 200\n}\n'
        'test "two" {\ngiven users alice\nexpect alice got nothing\n}\n'
    )
    one, two = perform(tmp_path, tests).told
    assert one.failure is not None
    assert (one.failure.line, one.failure.message) == (1, "the server failed: ZeroDivisionError: no way")
    assert one.failure.hint.endswith("this is a fault of Ringway")
    assert two.failure is None


def test_a_story_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.program.rehearsal.network.MOST_EVENTS", 50)
    monkeypatch.setattr("routing.program.rehearsal.performance.MOST_EVENTS", 50)
    found = failure(tmp_path, CAST + "wait 1d\nexpect nobody talks")
    assert found[:4] == (0, 6, 4, "a step of this test comes to no end: 50 things happened")


def test_an_expectation_waits_for_an_hour_at_most(tmp_path: Path) -> None:
    one = told(tmp_path, CAST + "bob waits 2h then answers\nalice calls bob\nexpect alice got 200")
    assert one.failure is not None
    assert one.seconds <= 3600.0


def test_a_message_of_an_earlier_scene_counts_no_more(tmp_path: Path) -> None:
    lines = CAST + "alice calls bob\nexpect bob got INVITE\nalice hangs up\nexpect bob got INVITE"
    assert failure(tmp_path, lines)[3:] == (
        "bob got no INVITE",
        "it got BYE; the one before counts no more, since somebody has done something behind it",
    )
