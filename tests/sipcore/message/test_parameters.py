from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipcore.errors import Malformed
from sipcore.message.parameters import end_of_element, parameter, parse_parameters, quote, split_commas, unquote


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", ()),
        ("  \t", ()),
        (";a", (("a", None),)),
        (";A=B", (("a", "B"),)),
        (" ; a = b\t;c ", (("a", "b"), ("c", None))),
        (';a="x;y,\\"<z>"', (("a", '"x;y,\\"<z>"'),)),
        (";a=[::1]:5060;b=1.2/3@4", (("a", "[::1]:5060"), ("b", "1.2/3@4"))),
        (";a=x=y?z", (("a", "x=y?z"),)),
    ],
)
def test_parameters(text: str, parameters: object) -> None:
    assert parse_parameters(text) == parameters


@pytest.mark.conformance("RFC 3261 7.3.1", "RFC 3261 25.1")
@pytest.mark.parametrize(
    "text", [";", ";;", "a", ";a=", ";a= ;b", ';a="x', ";a=<b>", ";a b", ";a,b", ";\xa0a", ";a=\x0b", "=;", ";a==b"]
)
def test_broken_parameters(text: str) -> None:
    with pytest.raises(Malformed):
        parse_parameters(text)


def test_looking_up_a_parameter() -> None:
    parameters = (("a", "1"), ("b", None), ("a", "2"))
    assert (parameter(parameters, "a"), parameter(parameters, "b"), parameter(parameters, "c")) == ("1", "", None)


@pytest.mark.conformance("RFC 3261 25.1")
@given(st.text())
def test_unquote_undoes_quote(text: str) -> None:
    assert unquote(quote(text)) == text


@pytest.mark.parametrize("text", ["plain", '"', '"open', 'open"', ""])
def test_what_is_not_quoted_stays(text: str) -> None:
    assert unquote(text) == text


@pytest.mark.conformance("RFC 3261 7.3.1")
@pytest.mark.parametrize(
    ("value", "elements"),
    [
        (b"a", [b"a"]),
        (b" a , b\t", [b"a", b"b"]),
        (b"a,,b,", [b"a", b"", b"b", b""]),
        (b'"x,y" <sip:a,b>, <sip:c>', [b'"x,y" <sip:a,b>', b"<sip:c>"]),
        (b'<sip:"a,b>,c', [b'<sip:"a,b>', b"c"]),
        (b'"\\",",b', [b'"\\","', b"b"]),
        (b'"a" ,', [b'"a"', b""]),
        (b"", [b""]),
    ],
)
def test_comma_lists(value: bytes, elements: list[bytes]) -> None:
    assert split_commas(value) == elements
    assert value[: end_of_element(value)].strip(b" \t") == elements[0]


@pytest.mark.parametrize("value", [b'"a, b', b"<sip:a, b", b'a, "b', b'a, "\\"', b'"a\\,<b>'])
def test_unterminated_lists(value: bytes) -> None:
    with pytest.raises(Malformed):
        split_commas(value)
