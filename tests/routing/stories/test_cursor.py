"""The cursor: takes what it is asked for, and says what could have stood where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.language import tree
from routing.language.parser import parse
from routing.language.problem import Report, Span
from routing.language.stories.cursor import BadStep, Cursor
from routing.language.stories.extras import header_line, header_name
from routing.language.stories.places import address, moment, place
from routing.language.types import DURATION, NUMBER


def cursor(line: str) -> Cursor:
    (test,) = parse(f"test {{ {line} }}", Report("x", "")).items
    assert isinstance(test, tree.Test)
    return Cursor(test.sentences[0])


def wrong(call: Callable[[], Any]) -> tuple[int, int, str, str]:
    """Column and length, counted from the line's own beginning, message and hint."""
    with pytest.raises(BadStep) as raised:
        call()
    span = raised.value.span
    return span.column - 7, span.end_column - span.column, raised.value.message, raised.value.hint


# -- words ------------------------------------------------------------------------------------------------------------


def test_words_are_taken_one_by_one() -> None:
    line = cursor("alice calls bob")
    assert line.word("bob") == ""
    assert line.word("carol", "alice") == "alice"
    assert line.need("calls") == "calls"
    assert line.words("bob", "now") is False
    assert line.words("bob") is True
    assert line.next is None
    line.end()


def test_what_could_have_stood_there_is_remembered_until_something_is_taken() -> None:
    line = cursor("alice cals bob")
    assert not line.word("given", "expect")
    assert line.need("alice")
    assert not line.word("rings")
    assert line.text("a text") is None
    assert wrong(lambda: line.need("calls")) == (
        7, 4, "expected `rings`, `calls` or a text before `cals`", "did you mean `calls`?",
    )  # fmt: skip


def test_of_many_words_what_they_have_in_common_is_told() -> None:
    line = cursor("x")
    assert not line.word("a", "b", "c", "d", "e", "f", "g")
    assert line.number("a number", 0, 9) is None
    assert line.wrong().message == "expected a number before `x`"
    line = cursor("x")
    assert not line.word("a", "b", "c", "d", "e", "f", "g")
    assert line.wrong().message == "expected `a`, `b`, `c`, `d`, `e`, `f` or `g` before `x`"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('"a text"', '`"a text"`'), ("5s", "`5s`"), ("1..9", "`1..9`"), ("/x/", "`x`"), ("true", "`true`"),
        ("[1]", "`[`"), (",", "`,`"), ("a.b", "`a.b`"),
    ],
)  # fmt: skip
def test_what_stands_there_is_shown_as_it_was_written(line: str, shown: str) -> None:
    assert cursor(line).wrong("else").message == f"expected else before {shown}"


def test_the_end_of_the_line() -> None:
    line = cursor("alice")
    line.need("alice")
    assert wrong(lambda: line.need("calls")) == (6, 1, "expected `calls` before the end of the line", "")
    line = cursor("alice now")
    line.need("alice")
    assert wrong(line.end) == (7, 3, "expected the end of the line before `now`", "")


def test_places() -> None:
    line = cursor("alice calls bob")
    start = line.here
    assert start == Span(1, 8, 1, 13)
    line.need("alice")
    line.need("calls")
    assert line.before == Span(1, 14, 1, 19)
    assert line.since(start) == Span(1, 8, 1, 19)
    assert line.follows("bob") is False
    assert cursor("bob is registered").follows("is") is True


# -- values -----------------------------------------------------------------------------------------------------------


def test_texts_and_names() -> None:
    line = cursor('alice "a \\"b\\"" , x')
    word = line.need_name("a name")
    assert getattr(word, "text", "") == "alice"
    assert line.need_text("a text") == 'a "b"'
    assert line.name("a name") is None
    assert line.comma() and not line.comma()
    assert wrong(lambda: line.need_text("a text")) == (19, 1, "expected a text before `x`", "")


def test_numbers_and_durations() -> None:
    line = cursor("5 10s 0.5 x")
    assert line.duration() is None
    assert line.number("a number", 0, 9) == 5
    assert line.number("a number", 0, 9) is None
    assert line.need_duration() == 10.0
    assert line.fraction("q") == 0.5
    assert wrong(lambda: line.fraction("q")) == (11, 1, "expected q before `x`", "")
    assert wrong(lambda: cursor("7").number("a digit", 1, 6)) == (1, 1, "a digit is a whole number from 1 to 6", "")
    assert wrong(lambda: cursor("7").fraction("q")) == (1, 1, "q is a number from 0 to 1", "")
    assert wrong(lambda: cursor("5x").duration()) == (2, 1, "`x` is no unit of time", "units are ms, s, m, h and d")


def test_ranges() -> None:
    assert cursor("1..9").range(NUMBER, "a number") == (1, 9)
    assert cursor("1s..9s").range(DURATION, "a duration") == (1.0, 9.0)
    assert cursor("5").range(NUMBER, "a number") is None
    assert wrong(lambda: cursor("1..9s").range(NUMBER, "a number")) == (4, 2, "expected a number", "")


def test_patterns() -> None:
    found = cursor("/^x$/i").pattern("a pattern")
    assert found is not None and found.search("X")
    assert cursor("x").pattern("a pattern") is None
    assert wrong(lambda: cursor("/x(/").pattern("a pattern"))[0] == 3


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('"x"', "x"), ("7", 7), ("0.5", 0.5), ("5m", "5m"), ("192.0.2.0/28", "192.0.2.0/28"),
        ("2001:db8::1", "2001:db8::1"), ("true", True), ("false", False), ("20/s", "20/s"),
    ],
)  # fmt: skip
def test_values_of_settings(line: str, value: object) -> None:
    assert cursor(line).value() == value


# -- places, times, headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("192.0.2.7", ("192.0.2.7", 0)), ('"192.0.2.7"', ("192.0.2.7", 0)), ('"192.0.2.7:5070"', ("192.0.2.7", 5070)),
        ("2001:DB8::7", ("2001:db8::7", 0)), ('"2001:db8::7"', ("2001:db8::7", 0)),
        ('"[2001:db8:0::7]:5070"', ("2001:db8::7", 5070)), ('"SIP.Example.net"', ("sip.example.net", 0)),
        ('"sip.example.net:5070"', ("sip.example.net", 5070)), ('"_sip.example.net"', ("_sip.example.net", 0)),
    ],
)  # fmt: skip
def test_addresses_and_hosts(line: str, found: tuple[str, int]) -> None:
    assert place(cursor(line), "a place") == found


@pytest.mark.parametrize("line", ['"-x"', '"a b"', '""', '"192.0.2.7:99999"', '"[x]:5060"', '"a..b"', '"x:y"'])
def test_what_is_no_place(line: str) -> None:
    assert wrong(lambda: place(cursor(line), "a place"))[2].endswith("is no address or host")


def test_an_address_is_no_host() -> None:
    assert address(cursor('"192.0.2.7:5070"')) == ("192.0.2.7", 5070)
    assert wrong(lambda: address(cursor('"sip.example.net"')))[2] == "`sip.example.net` is no IP address"
    assert wrong(lambda: address(cursor("alice")))[2] == "expected an IP address before `alice`"


def test_moments() -> None:
    here = Span(1, 1, 1, 50)
    assert moment("1970-01-01 00:00 UTC", here) == 0.0
    assert moment("1970-01-01 1:00:30 UTC", here) == 3630.0
    assert moment("2026-03-29 02:30 Europe/London", here) - moment("2026-03-29 00:30 UTC", here) == 3600.0
    for text in ("now", "2026-01-01", "2026-13-01 00:00", "2026-01-01 24:00", "2026-01-01T00:00"):
        with pytest.raises(BadStep, match="is no time"):
            moment(text, here)


def test_header_lines() -> None:
    here = Span(1, 1, 1, 50)
    assert header_line("Subject:  a: b  ", here) == ("Subject", "a: b")
    assert header_line("X-Empty:", here) == ("X-Empty", "")
    assert header_name("X-A", here) == "X-A"
    for text in ("Subject", ": x", "X A: y", ""):
        with pytest.raises(BadStep, match="is no header line"):
            header_line(text, here)
    for text in ("X A", "X:", ""):
        with pytest.raises(BadStep, match="is no name of a header"):
            header_name(text, here)
