"""From and To of both sides: what differs, how small it gets, and what a request inside the dialog shows."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.proxy.route_set import OwnRoutes
from modules.proxy.sides import Sides, show, sides, tagged, unpacked, untagged
from sipcore.errors import Malformed, Refused
from sipcore.message import Request, parse_name_addr
from tests.wire import new_tokens, request

ALICE, COMPANY = b'"Alice" <sip:alice@example.com>', b'"Company" <sip:+442079460000@example.com>'
BOB, ROBERT = b"<sip:bob@example.com>", b"<sip:robert@example.com>"
BOTH = Sides(ALICE, COMPANY, BOB, ROBERT)
FIELD = st.binary(max_size=200).map(lambda value: value.replace(b"\n", b""))


def message(from_: bytes, to: bytes) -> Request:
    made = request("INVITE", "sip:x@h", source=("10.0.0.2", 5060), branch="1")
    made.set("from", from_)
    made.set("to", to)
    return made


@pytest.mark.parametrize(
    ("value", "without"),
    [
        (b"<sip:a@h>;tag=1", b"<sip:a@h>"),
        (b"<sip:a@h>;TAG=1", b"<sip:a@h>"),
        (b"<sip:a@h>", b"<sip:a@h>"),
        (b'"A. \\" B" <sip:a@h;x=1?y=2>;tag=1-_.!%*+`\'~', b'"A. \\" B" <sip:a@h;x=1?y=2>'),
        (b"Alice   <sip:a@h>;tag=1", b"Alice   <sip:a@h>"),
        ("É <sip:a@h>;tag=1".encode(), "É <sip:a@h>".encode()),
        (b'"\xff" <sip:a@h>;tag=1', b'"\xff" <sip:a@h>'),
        (b"<sip:a@h> ; tag = 1", b"<sip:a@h>"),
        (b"<sip:a@h>;tag=1;x=2;y", b"<sip:a@h>;x=2;y"),
        (b'"A" <sip:a@h>;x=">;tag=9";tag=1', b'"A" <sip:a@h>;x=">;tag=9"'),
        (b"<sip:a@h>;tag=1;tag=2", b"<sip:a@h>"),
        (b"sip:a@h;tag=1", b"sip:a@h"),
        (b"sip:a@h", b"sip:a@h"),
        (b"tel:+44;x=1;tag=1", b"tel:+44;x=1"),
    ],
)
def test_a_field_without_its_tag(value: bytes, without: bytes) -> None:
    assert untagged(value) == without
    before, after = parse_name_addr(value), parse_name_addr(without)
    assert (before.display, before.uri_text, after.tag) == (after.display, after.uri_text, "")


@given(st.binary(max_size=80) | st.text('a"<>;tag=1 \\\t:@', max_size=40).map(str.encode))
def test_whatever_stands_there_is_read_or_malformed(value: bytes) -> None:
    value = value.replace(b"\n", b"").replace(b"\r", b"")  # no header line holds one
    try:
        address = parse_name_addr(value)
    except Malformed:
        with suppress(Malformed):
            untagged(value)
        return
    without = parse_name_addr(tagged(untagged(value), "x1"))
    assert (without.display, without.uri_text, without.tag) == (address.display, address.uri_text, "x1")
    kept = tuple(one for one in address.parameters if one[0] != "tag")
    assert without.parameters == (*kept, ("tag", "x1"))


@given(st.text(max_size=60) | st.text("w0-.sip:<>@;1fA", max_size=60))
def test_whatever_stands_in_a_route_proves_nothing_and_breaks_nothing(text: str) -> None:
    own = OwnRoutes(new_tokens(), lambda host, port: True)
    received = message(ALICE + b";tag=a1", BOB + b";tag=b1")
    for value in (text, f"<sip:{text}@10.0.0.1;lr>", f"<sip:w0--{text}@10.0.0.1;lr>"):
        assert own.proof(value.encode("utf-8", "surrogatepass"), received) is None


def test_only_what_differs_is_noted() -> None:
    received = message(ALICE + b";tag=a1", BOB)
    assert sides(received, received.copy()) is None
    assert sides(received, message(COMPANY + b";tag=a1", BOB)) == Sides(ALICE, COMPANY)
    assert sides(received, message(ALICE + b";tag=a1", ROBERT)) == Sides(to_caller=BOB, to_callee=ROBERT)
    assert sides(received, message(COMPANY + b";tag=a1", ROBERT)) == BOTH


def test_a_request_without_these_fields_has_no_sides() -> None:
    received = message(ALICE + b";tag=a1", BOB)
    empty = received.copy()
    empty.remove("from")
    empty.remove("to")
    assert sides(received, empty) is None and sides(empty, received) is None


@given(st.tuples(FIELD, FIELD, FIELD, FIELD))
def test_what_was_packed_comes_out_again(fields: tuple[bytes, bytes, bytes, bytes]) -> None:
    assert unpacked(Sides(*fields).packed()) == Sides(*fields)


def test_usual_fields_take_few_bytes() -> None:
    anonymous = Sides(b"<sip:alice@example.com>", b'"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert len(anonymous.packed()) <= 32
    assert len(BOTH.packed()) <= 72


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xff", b"no deflate stream", Sides().packed()[:1]])
def test_what_another_version_made_says_nothing(data: bytes) -> None:
    assert unpacked(data) is None


def test_fields_that_make_too_long_a_token_are_refused() -> None:
    noise = bytes(random.Random(1).choices(range(33, 127), k=2_000))
    with pytest.raises(Refused) as refusal:
        Sides(noise, COMPANY).packed()
    assert refusal.value.status == 513
    assert Sides(b"<sip:" + b"a" * 5_000 + b"@h>", COMPANY).packed()  # long, but nothing much


@pytest.mark.parametrize(
    ("by_caller", "from_", "to"),
    [(True, COMPANY + b";tag=x1", ROBERT + b";tag=y1"), (False, BOB + b";tag=x1", ALICE + b";tag=y1")],
)
def test_each_side_is_shown_what_it_knows_with_the_tags_as_they_are(by_caller: bool, from_: bytes, to: bytes) -> None:
    sent = message(b"<sip:whatever@h>;tag=x1", b"sip:somebody@h;tag=y1")
    BOTH.show(sent, by_caller)
    assert (sent.get("from"), sent.get("to")) == (from_, to)
    assert (sent.from_.tag, sent.to.tag) == ("x1", "y1")


def test_a_field_that_does_not_differ_stays_as_it_came() -> None:
    sent = message(b"<sip:new@h>;tag=x1", b"<sip:bob@h>;tag=y1")
    Sides(ALICE, COMPANY).show(sent, by_caller=False)
    assert (sent.get("from"), sent.get("to")) == (b"<sip:new@h>;tag=x1", ALICE + b";tag=y1")


def test_a_field_without_a_tag_gets_none() -> None:
    sent = message(b"<sip:old@h>", b"<sip:bob@h>;tag=y1")
    BOTH.show(sent, by_caller=True)
    assert sent.get("from") == COMPANY


def test_of_several_views_the_last_one_counts_for_each_field() -> None:
    received = message(ALICE + b";tag=a1", BOB + b";tag=b1")
    sent = received.copy()
    show(((BOTH, True), (Sides(COMPANY, b"<sip:x@h>"), True)), received, sent)
    assert (sent.get("from"), sent.get("to")) == (b"<sip:x@h>;tag=a1", ROBERT + b";tag=b1")


def test_what_was_changed_for_this_request_stays() -> None:
    received = message(ALICE + b";tag=a1", BOB + b";tag=b1")
    sent = received.copy()
    sent.set("from", b"<sip:just.now@h>;tag=a1")
    show(((BOTH, True),), received, sent)
    assert (sent.get("from"), sent.get("to")) == (b"<sip:just.now@h>;tag=a1", ROBERT + b";tag=b1")
