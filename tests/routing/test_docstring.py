"""What a docstring of a function of the language says, taken apart."""

from __future__ import annotations

from modules.proxy.module import Proxy
from routing.language.docstring import Description, describe, read_description
from routing.runtime.functions import function_table

WHOLE = """\
Do a thing.

It is done at once.
And well.

Arguments:
    what: the thing, or
        another one
    for: how long
Result: true when it
    was done
Fails: 500 when it
    can't be
Example:
    if now in hours.office {
        do("it", for: 20s)
    }

    relay()
See: relay, ring
"""


def test_the_first_line_may_be_all() -> None:
    assert read_description("Do a thing.") == Description("Do a thing.")
    assert read_description("") == Description("")


def test_every_part() -> None:
    found = read_description(WHOLE)
    assert found.summary == "Do a thing."
    assert found.details == "It is done at once.\nAnd well."
    assert found.arguments == {"what": "the thing, or another one", "for": "how long"}
    assert found.result == "true when it was done"
    assert found.fails == "500 when it can't be"
    assert found.example == 'if now in hours.office {\n    do("it", for: 20s)\n}\n\nrelay()'
    assert found.see == ("relay", "ring")


def test_details_may_have_paragraphs() -> None:
    assert read_description("Do.\n\nOne.\n\nTwo.\nThree.\n\nSee: do").details == "One.\n\nTwo.\nThree."


def test_sections_stand_in_any_order_and_may_be_missing() -> None:
    found = read_description("Do.\n\nSee: do\nFails: never")
    assert (found.see, found.fails, found.arguments, found.example) == (("do",), "never", {}, "")


def test_a_word_with_a_colon_is_no_section() -> None:
    assert read_description("Do.\n\nNote: it is done.\nResults: none").details == "Note: it is done.\nResults: none"


def test_a_line_before_the_first_argument_is_no_argument() -> None:
    assert read_description("Do.\n\nArguments:\n        lost\n    a: b").arguments == {"a": "b"}


def test_the_docstring_of_a_real_function() -> None:
    ring = function_table([Proxy])["ring"]
    found = describe(ring)
    assert found.summary == ring.summary
    assert list(found.arguments) == [one.name for one in ring.parameters]
