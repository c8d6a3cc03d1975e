"""Literals: what is written, and where it is wrong."""

from __future__ import annotations

import time

import pytest

from routing.language.literals import BadLiteral, Rate, read_pattern, read_quantity, read_text, read_uri
from routing.language.networks import Networks
from routing.language.types import DURATION, NETWORK, NUMBER, RATE, Type


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("0", NUMBER, 0),
        ("486", NUMBER, 486),
        ("1.5", NUMBER, 1.5),
        ("500ms", DURATION, 0.5),
        ("20s", DURATION, 20.0),
        ("1.5m", DURATION, 90.0),
        ("2h", DURATION, 7200.0),
        ("366d", DURATION, 31622400.0),
        ("20/s", RATE, Rate(20, 1.0)),
        ("100/m", RATE, Rate(100, 60.0)),
        ("1/d", RATE, Rate(1, 86400.0)),
    ],
)
def test_numbers_durations_and_rates(text: str, type_: Type, value: object) -> None:
    assert read_quantity(text) == (type_, value)


@pytest.mark.parametrize("text", ["192.0.2.1", "10.0.0.0/8", "0.0.0.0/0", "::1", "2001:db8::/32", "::ffff:192.0.2.1"])
def test_networks_and_addresses(text: str) -> None:
    type_, value = read_quantity(text)
    assert type_ == NETWORK and isinstance(value, Networks) and value.texts == (text,)


@pytest.mark.parametrize(
    ("text", "offset", "length", "message"),
    [
        ("20sec", 2, 3, "`sec` is no unit of time"),
        ("20S", 2, 1, "`S` is no unit of time"),
        ("1_000", 1, 4, "`_000` is no unit of time"),
        ("20/sec", 2, 4, "`20/sec` is no rate"),
        ("1.5/s", 3, 2, "`1.5/s` is no rate"),
        ("367d", 0, 4, "this duration is longer than a year"),
        ("9" * 5000, 0, 5000, "this number is too large"),
        ("10.0.0.1/8", 0, 10, "`10.0.0.1/8` is no network or address"),
        ("10.0.0.256", 0, 10, "`10.0.0.256` is no network or address"),
        ("010.0.0.1", 0, 9, "`010.0.0.1` is no network or address"),
        ("1::2::3", 0, 7, "`1::2::3` is no network or address"),
        ("1.a", 0, 3, "`1.a` is no number"),
    ],
)
def test_a_wrong_quantity_says_which_of_its_characters(text: str, offset: int, length: int, message: str) -> None:
    with pytest.raises(BadLiteral) as caught:
        read_quantity(text)
    assert (caught.value.offset, caught.value.length, caught.value.message) == (offset, length, message)


def test_a_network_with_host_bits_is_corrected() -> None:
    with pytest.raises(BadLiteral) as caught:
        read_quantity("10.1.2.3/16")
    assert caught.value.hint == "write 10.1.0.0/16"


def test_text_knows_two_escapes() -> None:
    assert read_text(r"a \"b\" \\ c") == r'a "b" \ c'
    with pytest.raises(BadLiteral) as caught:
        read_text(r"line\n")
    assert (caught.value.offset, caught.value.length) == (4, 2)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("alice", 0),
        ("alice@example.com", 0),
        ("sip:", 4),
        ("sip:alice@", 10),
        ("sip:al ice@example.com", 6),
        ("sip:al<ice@example.com", 6),
        ("sip:a%2zice@example.com", 5),
        ("sip:@example.com", 4),
        ("sip:alice@example.com:70000", 22),
        ("sip:alice@example.com:0", 22),
        ("sip:alice@exa_mple!.com", 10),
        ("sip:alice@example.com;=1", 21),
    ],
)
def test_a_wrong_uri_says_from_where_it_is_wrong(text: str, offset: int) -> None:
    with pytest.raises(BadLiteral) as caught:
        read_uri(text)
    assert caught.value.offset == offset
    assert caught.value.length >= 1


def test_uris_of_other_schemes_are_kept() -> None:
    assert str(read_uri("tel:+44-20-7946-0000")) == "tel:+44-20-7946-0000"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^00(\d+)$", "0044", True),
        (r"^00(\d+)$", "0044\n", False),
        (r"^\d+$", "١٢٣", False),
        (r"[$]5$", "$5", True),
        (r"a\$", "a$", True),
        (r"a\/b", "a/b", True),
        ("SCAN", "scanner", False),
    ],
)
def test_patterns_mean_what_they_say(pattern: str, text: str, found: bool) -> None:
    """`$` is the very end and `\\d` an ASCII digit: otherwise a barred number could be written in another way."""
    assert (read_pattern(pattern, False).search(text) is not None) is found


def test_a_pattern_may_ignore_case() -> None:
    assert read_pattern("SCAN", True).search("scanner")


@pytest.mark.parametrize(("pattern", "offset"), [("a(b", 1), ("a)b", 1), ("[a", 0), ("*a", 0), ("a**", 2), ("(?z)", 1)])
def test_a_wrong_pattern_says_where(pattern: str, offset: int) -> None:
    with pytest.raises(BadLiteral) as caught:
        read_pattern(pattern, False)
    assert (caught.value.offset, caught.value.length) == (offset, 1)


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(a*)*b", "((a|b)+c?)*", "(a|b+)*", "(?:x(?:y*))+", "(?=(a+)+)", "(a+){2,}"]
)
def test_a_pattern_that_can_take_forever_is_refused(pattern: str) -> None:
    with pytest.raises(BadLiteral, match="a repetition inside a repetition"):
        read_pattern(pattern, False)


@pytest.mark.parametrize("pattern", ["a+b*c{2,}$", "(a++)+b", "(?>a+)+b", "(a{1,3}){2,4}$", "(ab?)+$", "[[b-z]+"])
def test_other_repetitions_pass_and_are_fast(pattern: str) -> None:
    compiled = read_pattern(pattern, False)
    start = time.process_time()
    assert compiled.match("a" * 2000 + "!") is None
    assert time.process_time() - start < 2.0
