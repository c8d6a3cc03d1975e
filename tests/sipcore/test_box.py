"""A box hides a text, opens for its subject and holder only, and takes nothing that was changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.box import MOST, Box

SECRET = b"a secret of sixteen bytes or more"
TEXT = b"<sip:alice@example.com>\n<sip:anonymous@anonymous.invalid>"
UNESCAPED = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._")


@given(text=st.binary(max_size=MOST), subject=st.binary(), holder=st.binary(), other=st.binary())
def test_what_was_put_in_comes_out(text: bytes, subject: bytes, holder: bytes, other: bytes) -> None:
    box = Box(SECRET).close(text, subject, holder)
    assert set(box) <= UNESCAPED
    assert Box(SECRET).open(box, subject, (holder,)) == (text, holder)
    expected = (text, other if other == holder else holder)
    assert Box(SECRET).open(box, subject, (other, holder)) == expected


@pytest.mark.row("C21")
def test_it_opens_for_its_subject_and_holder_only() -> None:
    box = Box(SECRET).close(TEXT, b"call-1", b"a1")
    assert Box(SECRET).open(box, b"call-1", (b"b1", b"a1")) == (TEXT, b"a1")
    for subject, holders in ((b"call-2", (b"a1",)), (b"call-1", (b"b1",)), (b"call-1", ()), (b"call-1a", (b"1",))):
        assert Box(SECRET).open(box, subject, holders) is None
    assert Box(b"another secret of the same size..").open(box, b"call-1", (b"a1",)) is None


@pytest.mark.row("C21")
def test_a_box_that_was_changed_or_cut_does_not_open() -> None:
    box = Box(SECRET).close(TEXT, b"call-1", b"a1")
    for at, character in enumerate(box):
        for other in ("A" if character != "A" else "B", "+", "-", "=", "é", "\udcff", ""):
            assert Box(SECRET).open(box[:at] + other + box[at + 1 :], b"call-1", (b"a1",)) is None
        assert Box(SECRET).open(box[:at], b"call-1", (b"a1",)) is None
    for more in ("A", "=", "\n", box):
        assert Box(SECRET).open(box + more, b"call-1", (b"a1",)) is None


@pytest.mark.parametrize("forged", ["", "A", "AAAAAAAAAAA", "A" * 5_000, "\0" * 16, "." * 16])
def test_what_others_made_does_not_open(forged: str) -> None:
    assert Box(SECRET).open(forged, b"call-1", (b"a1", b"")) is None


def test_nothing_of_the_text_shows() -> None:
    zeros = Box(SECRET).close(bytes(MOST), b"call-1", b"a1")
    assert max(zeros.count(character) for character in UNESCAPED) < 60
    blocks = [zeros[at : at + 64] for at in range(0, len(zeros), 64)]
    assert len(set(blocks)) == len(blocks)


def test_texts_of_one_subject_are_hidden_by_streams_of_their_own() -> None:
    """Two phones of one fork could otherwise learn from each other what the two texts differ by."""
    first, second = (Box(SECRET).close(text, b"call-1", b"a1") for text in (b"aaaaaaaaaaaaaaaa", b"aaaaaaaaaaaaaaab"))
    same = sum(one == other for one, other in zip(first, second, strict=True))
    assert same < 8


def test_a_box_has_a_bound() -> None:
    with pytest.raises(ValueError, match="1024 bytes, not 1025"):
        Box(SECRET).close(bytes(MOST + 1), b"call-1", b"a1")
    assert Box(SECRET).open(Box(SECRET).close(bytes(MOST), b"c", b"h"), b"c", (b"h",)) == (bytes(MOST), b"h")
