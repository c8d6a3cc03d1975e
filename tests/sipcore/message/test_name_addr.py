from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.errors import Malformed
from sipcore.message import parse_name_addr
from sipcore.message.name_addr import NameAddr, split_name_addr


@pytest.mark.conformance("RFC 3261 20.10", "RFC 3261 25.1")
@pytest.mark.parametrize(
    ("value", "display", "uri", "parameters"),
    [
        (b"<sip:a@h>;tag=1", "", "sip:a@h", (("tag", "1"),)),
        (b"Bob <sip:a@h>", "Bob", "sip:a@h", ()),
        (b"caller<sip:a@h>;tag=323", "caller", "sip:a@h", (("tag", "323"),)),
        (b"  A. G. Bell\t<sip:a@h> ; tag = 1 ; x ", "A. G. Bell", "sip:a@h", (("tag", "1"), ("x", None))),
        (b'"Bell, Alexander" <sip:a@h>', "Bell, Alexander", "sip:a@h", ()),
        (b'"J Rosenberg \\\\\\""       <sip:a@h>  ;  tag = 98', 'J Rosenberg \\"', "sip:a@h", (("tag", "98"),)),
        (b'"<sip:no@h>;tag=0" <sip:a@h>;tag=1', "<sip:no@h>;tag=0", "sip:a@h", (("tag", "1"),)),
        (b'""<sip:a@h>', "", "sip:a@h", ()),
        (b'"\\\x00" <sip:a@h>', "\0", "sip:a@h", ()),
        (b"sip:a@h;tag=1;x=y", "", "sip:a@h", (("tag", "1"), ("x", "y"))),
        (b"sip:a@h ;  tag    = 1", "", "sip:a@h", (("tag", "1"),)),
        (b"<sip:a@h;lr?x=y>;tag=1", "", "sip:a@h;lr?x=y", (("tag", "1"),)),
        (b"<sip:a,b@h>", "", "sip:a,b@h", ()),
        (b"token1~` t2'+_ t3*%!.- <sip:a@h>;f''~+*_!.-%=\"\xd1\x80\";tag=_t~1'+`*%!-.", "token1~` t2'+_ t3*%!.-",
         "sip:a@h", (("f''~+*_!.-%", '"р"'), ("tag", "_t~1'+`*%!-."))),
        (b"J\xc3\xbcrgen <sip:a@h>", "Jürgen", "sip:a@h", ()),
        (b"\xf0\x9f\x98\x80 <sip:a@h>", "😀", "sip:a@h", ()),
        (b"\xff <sip:a@h>", "\udcff", "sip:a@h", ()),
        (b"<tel:+1-201>;tag=a@b:c", "", "tel:+1-201", (("tag", "a@b:c"),)),
        (b"<isbn:123>", "", "isbn:123", ()),
        (b"<broken>", "", "broken", ()),
        (b"<>", "", "", ()),
        (b"<sip:a@h>;tag=1;tag=2", "", "sip:a@h", (("tag", "1"), ("tag", "2"))),
        (b"<sip:a@h>;TAG=1", "", "sip:a@h", (("tag", "1"),)),
        (b"<sip:a@h>;x=[::1]:5", "", "sip:a@h", (("x", "[::1]:5"),)),
    ],
)  # fmt: skip
def test_addresses(value: bytes, display: str, uri: str, parameters: tuple[tuple[str, str | None], ...]) -> None:
    address = parse_name_addr(value)
    assert (address.display, address.uri_text, address.parameters) == (display, uri, parameters)
    assert address.tag == (dict(reversed(parameters)).get("tag") or "")


@pytest.mark.row("B20", "B22")
@pytest.mark.conformance("RFC 3261 25.1")
@pytest.mark.parametrize(
    "value",
    [
        b"", b" ", b"<", b">", b"<sip:a@h", b"sip:a@h>", b"<<sip:a@h>>", b'"open <sip:a@h>', b'"a" "b" <sip:a@h>',
        b'a "b" <sip:a@h>',
        b'"a" b <sip:a@h>', b'"a"', b'"a\\" <sip:a@h>', b"Bell, Alexander <sip:a@h>;tag=1", b"a;b <sip:a@h>",
        b"(c) <sip:a@h>",
        b"a@b <sip:a@h>", b"< sip:a@h>", b"<sip:a@h >", b"<sip:a @h>", b"<sip:a@h>x", b"<sip:a@h>, <sip:b@h>",
        b"<sip:a@h>;", b"<sip:a@h>;;x",
        b"<sip:a@h>;tag=", b"<sip:a@h>;tag=a b", b'<sip:a@h>;tag="a', b"<sip:a@h>;=x", b"<sip:a@h>;tag=1,x",
        b"sip:a@h?x=y", b"sip:a,b@h",
        b"sip:a b@h", b";tag=1", b"sip:a@h;", b"<sip:a@h>;x=<y>",
    ],
)  # fmt: skip
def test_broken_addresses(value: bytes) -> None:
    with pytest.raises(Malformed):
        parse_name_addr(value)


def test_the_uri_is_parsed_when_it_is_asked_for() -> None:
    address = parse_name_addr(b"<broken>")
    with pytest.raises(Malformed):
        _ = address.uri
    good = parse_name_addr(b"<sip:a@h>;x=1;y")
    assert good.uri is good.uri
    assert (good.parameter("x"), good.parameter("y"), good.parameter("z")) == ("1", "", None)


def test_an_address_can_be_made_of_parts() -> None:
    address = NameAddr("Bob", "sip:bob@h", (("tag", "7"),))
    assert (address.tag, address.uri.user) == ("7", "bob")
    assert NameAddr("", "sip:h", ()).tag == ""


_PIECES = st.sampled_from(
    [
        b"<", b">", b";", b"=", b'"', b"\\", b",", b" ", b"\t", b"tag", b";tag=", b">;tag=", b"sip:a@h", b"Bob", b"x",
        b"1", b"?", b"%zz", b"\xff", b"<sip:a@h>", b"<sip:a@h>;tag=1", b"@", b"[::1]", b"\x0b", b"\xc2\xa0",
    ]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=8).map(b"".join))
def test_the_fast_path_finds_what_the_slow_one_finds(value: bytes) -> None:
    try:
        slow = split_name_addr(value)
    except Malformed:
        with pytest.raises(Malformed):
            parse_name_addr(value)
        return
    fast = parse_name_addr(value)
    assert (fast.display, fast.uri_text, fast.parameters) == slow
    assert fast.tag == NameAddr(*slow).tag
    try:
        uri = NameAddr(*slow).uri
    except Malformed:
        with pytest.raises(Malformed):
            _ = fast.uri
    else:
        assert fast.uri.text == uri.text
