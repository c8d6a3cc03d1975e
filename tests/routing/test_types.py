"""Which value may stand where."""

from __future__ import annotations

import pytest

from routing.language.types import (
    ANYTHING,
    CODE,
    DOMAIN,
    FINAL_CODE,
    HEADER,
    IP_ADDRESS,
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    URI,
    Type,
    conversion,
    fits,
    list_of,
    one_of,
    table_of,
)


@pytest.mark.parametrize(
    ("actual", "wanted", "fitting"),
    [
        (TEXT, TEXT, True),
        (DOMAIN, TEXT, True),
        (HEADER, TEXT, False),
        (IP_ADDRESS, TEXT, True),
        (TEXT, DOMAIN, False),
        (TEXT, HEADER, False),
        (NUMBER, TEXT, False),
        (CODE, NUMBER, True),
        (FINAL_CODE, CODE, True),
        (NUMBER, CODE, True),
        (NUMBER, FINAL_CODE, True),
        (TEXT, CODE, False),
        (URI, TEXT, False),
        (TEXT, one_of(NUMBER, TEXT), True),
        (URI, one_of(NUMBER, TEXT), False),
        (TEXT, ANYTHING, True),
        (NOTHING, ANYTHING, False),
        (UNKNOWN, TRUTH, True),
        (TRUTH, UNKNOWN, True),
        (list_of(DOMAIN), list_of(TEXT), True),
        (list_of(TEXT), list_of(NUMBER), False),
        (list_of(TEXT), list_of(ANYTHING), True),
        (list_of(TEXT), TEXT, False),
        (table_of(TEXT), list_of(TEXT), False),
        (list_of(UNKNOWN), list_of(NUMBER), True),
    ],
)
def test_fitting(actual: Type, wanted: Type, fitting: bool) -> None:
    assert fits(actual, wanted) is fitting


def test_a_choice_is_flat_and_has_no_doubles() -> None:
    choice = one_of(TEXT, one_of(URI, TEXT))
    assert str(choice) == "text or uri"
    assert one_of(TEXT, TEXT) == TEXT


def test_a_type_has_its_ancestors() -> None:
    assert FINAL_CODE.is_a(NUMBER) and FINAL_CODE.is_a(CODE) and not CODE.is_a(FINAL_CODE)


def test_text_turns_into_a_uri_when_one_is_wanted() -> None:
    function = conversion(DOMAIN, one_of(NUMBER, URI))
    assert function is not None and str(function("sip:a@example.com")) == "sip:a@example.com"
    assert conversion(NUMBER, URI) is None
