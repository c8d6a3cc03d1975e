"""One message against what is expected of it, and the words for why it is not so."""

from __future__ import annotations

import re
from typing import Any

import pytest

from routing.language.problem import Span
from routing.language.stories.story import Condition, ExpectGot, Has, Lacks, Message, Part, Whom
from routing.program.rehearsal.directory import Directory
from routing.program.rehearsal.matching import is_expected, why_not
from routing.program.rehearsal.phone import Received
from sipcore.message import parse
from tests.story_texts import given, step

HERE = Span(1, 1, 1, 2)
INVITE = (
    "INVITE sip:bob@198.51.100.12:5060;transport=udp SIP/2.0\r\nv: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1\r\n"
    'f: "Alice" <sip:alice@example.com>;tag=1\r\nt: <sip:bob@example.com>\r\ni: 1\r\nCSeq: 1 INVITE\r\n'
    "X-A: 7\r\nX-A: 8, 9\r\ns: hello\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello\r\nyou\n"
)
BUSY = (
    "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
    "To: <sip:bob@example.com>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)
DIRECTORY = Directory(given("given users alice, bob"), "example.com", [])


def received(text: str, transport: str = "udp", went_on: bool = False) -> Received:
    return Received(1, 0.0, parse(text.encode()), transport, went_on)


def condition(words: str) -> Condition:
    """The one condition of `expect bob got INVITE ...`."""
    found = step(f"expect bob got INVITE {words}")
    assert isinstance(found, ExpectGot)
    (one,) = found.conditions
    return one


def why(words: str, text: str = INVITE, **options: Any) -> str:
    return why_not(received(text, **options), condition(words), DIRECTORY)


# -- which message ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "text", "expected"),
    [
        (Message("INVITE", 0, 0, None, HERE), INVITE, True),
        (Message("BYE", 0, 0, None, HERE), INVITE, False),
        (Message("", 486, 486, None, HERE), INVITE, False),
        (Message("", 486, 486, None, HERE), BUSY, True),
        (Message("", 400, 499, None, HERE), BUSY, True),
        (Message("", 500, 599, None, HERE), BUSY, False),
        (Message("", 486, 486, "Busy Here", HERE), BUSY, True),
        (Message("", 486, 486, "Busy", HERE), BUSY, False),
        (Message("INVITE", 0, 0, None, HERE), BUSY, False),
    ],
)
def test_which_message(wanted: Message, text: str, expected: bool) -> None:
    assert is_expected(received(text), wanted) is expected


def test_a_challenge_that_led_on_is_no_refusal() -> None:
    challenge = BUSY.replace("486 Busy Here", "407 Proxy Authentication Required")
    named, ranged = Message("", 407, 407, None, HERE), Message("", 400, 499, None, HERE)
    assert is_expected(received(challenge, went_on=True), named)
    assert not is_expected(received(challenge, went_on=True), ranged)
    assert is_expected(received(challenge), ranged)


# -- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        'with "X-A: 7"', 'with "x-a: 8, 9"', 'with "X-A: 9"', 'with "X-A"', 'with "X-A" matching /^8/',
        'with "Subject: hello"', 'with "s: hello"', 'with "Subject" matching /^HELLO$/i',
        'without "X-B"', 'without "Retry-After"',
    ],
)  # fmt: skip
def test_headers_that_are_right(words: str) -> None:
    assert why(words) == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('with "X-A: 1"', "its X-A is `7, 8, 9`"),
        ('with "X-B: 7"', "it has no X-B"),
        ('with "X-B"', "it has no X-B"),
        ('with "X-B" matching /x/', "it has no X-B"),
        ('with "X-A" matching /^1/', "its X-A is `7, 8, 9`"),
        ('with "Subject: hell"', "its Subject is `hello`"),
        ('without "Subject"', "its Subject is `hello`"),
        ('without "X-A"', "its X-A is `7, 8, 9`"),
    ],
)
def test_headers_that_are_not(words: str, reason: str) -> None:
    assert why(words) == reason


def test_a_long_value_is_cut() -> None:
    reason = why('with "X-A: 1"', INVITE.replace("X-A: 7", "X-A: " + "7" * 200))
    assert reason == f"its X-A is `{'7' * 57}...`"


# -- parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        'with uri "sip:bob@198.51.100.12:5060;transport=udp"', 'with uri "sip:bob@198.51.100.12:5060;TRANSPORT=UDP"',
        "with uri /^sip:bob@/", "with from alice", 'with from "sip:alice@EXAMPLE.com"', "with to bob", "with to /bob/",
        'with body "hello"', 'with body "you"', r"with body /^hello\r\nyou/", "by udp",
    ],
)  # fmt: skip
def test_parts_that_are_right(words: str) -> None:
    assert why(words) == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('with uri "sip:bob@198.51.100.12"', "its uri is `sip:bob@198.51.100.12:5060;transport=udp`"),
        ("with uri /alice/", "its uri is `sip:bob@198.51.100.12:5060;transport=udp`"),
        ("with from bob", "its from is `sip:alice@example.com`"),
        ('with to "tel:+44"', "its to is `sip:bob@example.com`"),
        ('with body "bye"', "its body is `hello you\\n`"),
        ("with body /^you/", "its body is `hello you\\n`"),
        ("without body", "it has a body"),
        ("by tcp", "it came by udp"),
    ],
)
def test_parts_that_are_not(words: str, reason: str) -> None:
    assert why(words) == reason


def test_a_response_has_no_uri_and_perhaps_no_body() -> None:
    assert why('with uri "sip:x@y"', BUSY) == "a response has no URI"
    assert why('with body "x"', BUSY) == "it has no body"
    assert why("without body", BUSY) == ""
    assert why("with from alice", BUSY) == ""


def test_what_can_not_be_read_is_not_what_is_expected() -> None:
    broken = INVITE.replace('f: "Alice" <sip:alice@example.com>;tag=1', "f: <<<")
    assert why("with from alice", broken).startswith("its from can't be read: ")
    odd = INVITE.replace("sip:bob@198.51.100.12:5060;transport=udp", "tel:+44", 1)
    assert why('with uri "sip:bob@198.51.100.12"', odd) == "its uri is `tel:+44`"


def test_the_kinds_of_conditions() -> None:
    assert isinstance(condition('with "X-A"'), Has)
    assert isinstance(condition('without "X-A"'), Lacks)
    part = condition("with from alice")
    assert isinstance(part, Part) and isinstance(part.value, Whom)
    pattern = condition("with from /x/")
    assert isinstance(pattern, Part) and isinstance(pattern.value, re.Pattern)
