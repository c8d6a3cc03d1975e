"""Regular expressions of strangers: what is taken means what POSIX says, and nothing that is taken takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.enum.pattern import compiled
from sipcore.errors import Malformed

NUMBER = "+441164960348"


@pytest.mark.parametrize(
    ("expression", "groups"),
    [
        ("^.*$", ()),
        (r"^\+44(.*)$", ("1164960348",)),
        (r"^\+?(44)?([0-9]+)$", ("44", "1164960348")),
        (r"^\+([[:digit:]]{2})([[:digit:]]+)$", ("44", "1164960348")),
        (r"^\+(\d+)$", ("441164960348",)),
        (r"^\+(44|1)116", ("44",)),
        (r"[^+]", ()),
        (r"^[+](4)(4)", ("4", "4")),
        ("]", None),
        ("[]a]", None),
        (r"[\d]", None),  # in POSIX a backslash or a d
        (r"^\+49", None),
        ("a{2}", None),
    ],
)
def test_what_is_taken(expression: str, groups: tuple[str, ...] | None) -> None:
    if expression == "]":
        with pytest.raises(Malformed):
            compiled(expression)
        return
    found = compiled(expression).search(NUMBER)
    assert (found and found.groups()) == groups


@pytest.mark.conformance("RFC 6116 3.6")
def test_case_means_nothing_to_a_number() -> None:
    assert compiled("^\\+44", True).search(NUMBER)


@pytest.mark.row("C30")
@pytest.mark.parametrize(
    "expression",
    [
        "(.*)*$x", "(.+)+!", "((4)*)*", "(4|44)*5", "(4|4)+5", "([0-9]+){9}5", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
        "(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)x", ".?.?.?.?.?.?.?.?.?.?", r"(4)\1", "4**", "4*?", "4*+", "*", "(*4)",
        "(?:4)", "(?=4)", "(?P<a>4)", "(4", "4)", "[4", "[9-0]", "[[:evil:]]", "[--4]", "4{", "4{2,1}", "{2}", r"\w+",
        r"\b", "\\", "4" * 256, "4{999}", "^*", "$+", "(4)(?#)",
    ],
)  # fmt: skip
def test_what_is_refused(expression: str) -> None:
    with pytest.raises(Malformed):
        compiled(expression)


pieces = st.sampled_from(
    [
        "4",
        ".",
        "^",
        "$",
        "*",
        "+",
        "?",
        "{2}",
        "{0,9}",
        "(",
        ")",
        "|",
        "[0-9]",
        "[^4]",
        "\\+",
        "\\.",
        "(.*)",
        "(4|5)",
        "-",
    ]
)


@pytest.mark.row("C30")
@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(pieces, max_size=40).map("".join) | st.text(max_size=60))
def test_nothing_that_is_taken_takes_long(expression: str) -> None:
    try:
        pattern = compiled(expression + "x")
    except Malformed:
        return
    begun = time.process_time()
    pattern.search("+444444444444444")
    assert time.process_time() - begun < 0.1


@pytest.mark.row("C30")
def test_the_worst_that_is_taken_ends_soon() -> None:
    pattern = compiled("^" + "(.*)" * 6 + "x")
    begun = time.process_time()
    assert pattern.search("+444444444444444") is None
    assert time.process_time() - begun < 0.1
