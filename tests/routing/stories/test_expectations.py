"""`expect ...`: who got what, with what in it, when and how often; calls, registrations, log and events."""

from __future__ import annotations

import re

import pytest

from routing.language.problem import Span
from routing.language.stories.story import (
    ExpectEvent,
    ExpectGot,
    ExpectLog,
    ExpectRegistered,
    ExpectTalk,
    Has,
    Lacks,
    Part,
    Timing,
    Whom,
)
from tests.story_texts import CAST, step

LINE = len(CAST.splitlines()) + 2


def got(words: str) -> ExpectGot:
    found = step(f"expect bob got {words}")
    assert isinstance(found, ExpectGot)
    return found


def messages(words: str) -> list[str]:
    return [str(message) for message in got(words).messages]


# -- messages ---------------------------------------------------------------------------------------------------------


def test_messages() -> None:
    assert messages("INVITE") == ["INVITE"]
    assert messages("486") == ["486"]
    assert messages("400..499") == ["400..499"]
    assert messages("407, 180, 200") == ["407", "180", "200"]
    assert messages("INVITE, ACK, BYE") == ["INVITE", "ACK", "BYE"]
    assert messages("nothing") == []
    assert got("nothing").never and got("no CANCEL").never and not got("CANCEL").never


def test_a_reason() -> None:
    assert got('403 "Not relaying"').messages[0].reason == "Not relaying"
    assert got("403").messages[0].reason is None
    assert got('no 403 "Not relaying"').messages[0].reason == "Not relaying"


@pytest.mark.parametrize(
    ("who", "phones", "ordered"),
    [
        ("bob", ("bob",), False),
        ("bob and desk", ("bob", "desk"), False),
        ("bob, desk, mobile", ("bob", "desk", "mobile"), False),
        ("bob then desk then mobile", ("bob", "desk", "mobile"), True),
    ],
)
def test_several_phones(who: str, phones: tuple[str, ...], ordered: bool) -> None:
    found = step(f"expect {who} got INVITE")
    assert isinstance(found, ExpectGot)
    assert (found.phones, found.ordered) == (phones, ordered)


def test_places() -> None:
    found = got('no 403 "x" within 5s')
    assert found.span == Span(LINE, 8, LINE, 36)
    assert found.messages[0].span == Span(LINE, 19, LINE, 22)


# -- conditions -------------------------------------------------------------------------------------------------------


def test_headers() -> None:
    one, two, three = got('INVITE with "X-A: 7", "X-B", "From" matching /alice/i').conditions
    assert isinstance(one, Has) and isinstance(two, Has) and isinstance(three, Has)
    assert (one.header, one.value) == ("X-A", "7")
    assert (two.header, two.value) == ("X-B", None)
    assert three.header == "From"
    assert three.value == re.compile("alice", re.IGNORECASE | re.ASCII)
    assert (one.span.column, two.span.column, three.span.column) == (28, 38, 45)


def test_a_header_value_may_hold_colons_and_spaces() -> None:
    (one,) = got('INVITE with "X-A:  a: b  "').conditions
    assert isinstance(one, Has)
    assert (one.header, one.value) == ("X-A", "a: b")


def test_parts() -> None:
    uri, from_, to, body = got('INVITE with uri "sip:a@b", from alice, to /x/, body "m=audio"').conditions
    assert isinstance(uri, Part) and isinstance(from_, Part) and isinstance(to, Part) and isinstance(body, Part)
    assert [one.name for one in (uri, from_, to, body)] == ["uri", "from", "to", "body"]
    assert isinstance(uri.value, Whom) and uri.value.text == "sip:a@b"
    assert isinstance(from_.value, Whom) and from_.value.is_name
    assert to.value == re.compile("x", re.ASCII)
    assert body.value == "m=audio"


def test_what_must_not_be_there_and_the_transport() -> None:
    found = got('INVITE with "X-A" without "X-B", "X-C", body by tcp').conditions
    assert [type(one) for one in found] == [Has, Lacks, Lacks, Lacks, Part]
    assert [one.header for one in found[1:4]] == ["X-B", "X-C", "body"]  # type: ignore[union-attr]
    assert isinstance(found[-1], Part)
    assert (found[-1].name, found[-1].value) == ("transport", "tcp")


# -- when and how often -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "timing"),
    [
        ("", Timing()),
        ("within 5s", Timing(0.0, 5.0)),
        ("after 20s", Timing(20.0, 21.0)),
        ("after 20s..25s", Timing(20.0, 25.0)),
        ("after 500ms..1m", Timing(0.5, 60.0)),
    ],
)
def test_when(words: str, timing: Timing) -> None:
    assert got(f"INVITE {words}").timing == timing


@pytest.mark.parametrize(
    ("words", "count"),
    [("", None), ("once", (1, 1)), ("twice", (2, 2)), ("5 times", (5, 5)), ("0 times", (0, 0)), ("2..4 times", (2, 4))],
)
def test_how_often(words: str, count: tuple[int, int] | None) -> None:
    assert got(f"INVITE {words}").count == count


def test_what_is_said_may_come_in_any_order() -> None:
    one, other = got('INVITE twice within 5s with "X-A"'), got('INVITE with "X-A" within 5s twice')
    assert (one.count, one.timing, len(one.conditions)) == (other.count, other.timing, len(other.conditions))


def test_nothing_within_a_time() -> None:
    found = got("nothing within 10s")
    assert found.timing == Timing(0.0, 10.0)


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_calls() -> None:
    assert step("expect alice and bob talk") == ExpectTalk(("alice", "bob"), Span(LINE, 8, LINE, 26))
    assert step("expect alice talks") == ExpectTalk(("alice",), Span(LINE, 8, LINE, 19))
    assert step("expect nobody talks") == ExpectTalk((), Span(LINE, 1, LINE, 20))


def test_registrations() -> None:
    assert step("expect carol is registered") == ExpectRegistered("carol", None, Span(LINE, 8, LINE, 27))
    assert step("expect carol is not registered") == ExpectRegistered("carol", (), Span(LINE, 8, LINE, 31))
    found = step('expect carol is registered at desk, mobile and "sip:carol@192.0.2.7"')
    assert isinstance(found, ExpectRegistered)
    assert found.at is not None
    assert [whom.text for whom in found.at] == ["desk", "mobile", "sip:carol@192.0.2.7"]


def test_the_log() -> None:
    assert step('expect log "a line"') == ExpectLog("a line", False, Span(LINE, 1, LINE, 20))
    found = step("expect no log /a line/")
    assert isinstance(found, ExpectLog)
    assert (found.text, found.never) == (re.compile("a line", re.ASCII), True)


def test_events() -> None:
    found = step('expect event rejected with code 403, why "x", user /bob/')
    assert isinstance(found, ExpectEvent)
    assert found.fields == (("code", 403), ("why", "x"), ("user", re.compile("bob", re.ASCII)))
    assert (found.name, found.never) == ("rejected", False)
    assert step("expect no event call_ended") == ExpectEvent("call_ended", (), True, Span(LINE, 1, LINE, 27))
