"""The layout of `test` blocks: their lines mean something, so each stays the line that it is."""

from __future__ import annotations

from routing.language.formatter import format_routes
from routing.language.parser import parse
from routing.language.problem import Report
from tests.layouts import check_layout


def test_the_lines_of_a_test_stay_lines() -> None:
    check_layout(
        """
        test   "a busy phone"{
          given  users alice ,bob
            given user carol at desk,mobile


          bob replies 486   # busy
            # the call

          alice calls bob
          expect alice got 407 ,  486
              after 10s .. 20s
        }
        """,
        """\
        test "a busy phone" {
            given users alice, bob
            given user carol at desk, mobile

            bob replies 486  # busy
            # the call

            alice calls bob
            expect alice got 407, 486
            after 10s..20s
        }
        """,
    )


def test_a_line_that_goes_on_stands_deeper() -> None:
    check_layout(
        """
        test "x" {
            given users alice,   # one
            # two
            bob,
                  carol
            alice calls bob
            with header "X" "1"
            and password "guess"
            bob rings 3s

            then answers
        }
        """,
        """\
        test "x" {
            given users alice,  # one
            # two
                bob,
                carol
            alice calls bob
                with header "X" "1"
                and password "guess"
            bob rings 3s
                then answers
        }
        """,
    )


def test_a_comma_stays_behind_what_it_follows() -> None:
    check_layout(
        'test "x" {\ngiven users alice\n# why\n, bob\n}\n',
        'test "x" {\n    given users alice,\n    # why\n        bob\n}\n',
    )


def test_tests_in_one_line_and_without_a_name() -> None:
    check_layout(
        'test {given users alice }\ntest "none" {}\ntest "open" {\n}\non request { drop() }\n',
        'test        { given users alice }\ntest "none" { }\n\ntest "open" {\n}\n\non request { drop() }\n',
    )


def test_names_with_dots_and_lists() -> None:
    check_layout(
        'test "x" {\n given lists . trunks [ "a","b" , ]\n given hours.office "Mon"\n expect got 300 .. 399 twice\n}\n',
        'test "x" {\n    given lists.trunks [\n        "a",\n        "b",\n    ]\n    given hours.office "Mon"\n'
        "    expect got 300..399 twice\n}\n",
    )


def test_sentences_are_the_same_afterwards() -> None:
    text = 'test "x" {\n a b c, d\n with e\n f\n\n g,\n h then\n then i\n}\n'
    shown = format_routes(text, Report("x", text))
    assert shown is not None
    (before,), (after,) = (parse(one, Report("x", one)).items for one in (text, shown))
    words = [[[part.text for part in sentence.parts] for sentence in one.sentences] for one in (before, after)]  # type: ignore[union-attr]
    assert words[0] == words[1] == [["a", "b", "c", ",", "d", "with", "e"], ["f"], ["g", ",", "h", "then", "then", "i"]]
