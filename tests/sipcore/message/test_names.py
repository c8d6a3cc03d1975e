from __future__ import annotations

import pytest

from sipcore.errors import Malformed
from sipcore.message.names import COMPACT, KNOWN, PRETTY, key_of, spelling


@pytest.mark.row("B11")
@pytest.mark.conformance("RFC 3261 7.3.3")
@pytest.mark.parametrize(("letter", "key"), COMPACT.items())
def test_compact_forms_in_either_case(letter: str, key: str) -> None:
    assert KNOWN[letter.encode()] == KNOWN[letter.upper().encode()] == key_of(letter.encode() + b" ") == key


@pytest.mark.parametrize("key", PRETTY)
def test_every_spelling_of_a_known_name_has_one_key(key: str) -> None:
    pretty = PRETTY[key]
    for name in (pretty, pretty.lower(), pretty.upper(), pretty.swapcase(), pretty + b" \t"):
        assert KNOWN[name] == key
    assert spelling(key) == pretty


def test_unknown_names() -> None:
    assert KNOWN[b"X-Account"] == "x-account"
    assert spelling("x-account") == b"X-Account"
    assert KNOWN[b"C%6Fntact"] == "c%6fntact"


def test_looking_up_an_unknown_name_does_not_remember_it() -> None:
    before = len(KNOWN)
    assert KNOWN[b"X-Never-Seen-Before"] == "x-never-seen-before"
    assert len(KNOWN) == before


@pytest.mark.row("B10")
@pytest.mark.parametrize("name", [b"", b"To\x00", b"To\xa0", b"T o", b"To\r", b"(", "Tö".encode()])
def test_what_is_no_name(name: bytes) -> None:
    with pytest.raises(Malformed):
        _ = KNOWN[name]


@pytest.mark.parametrize("name", [b" To", b"\tTo", b" "])
def test_the_rest_of_a_folded_line_is_told_apart(name: bytes) -> None:
    with pytest.raises(KeyError):
        _ = KNOWN[name]
