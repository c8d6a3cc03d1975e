"""The page that a formatter writes on: rows, comments behind them, columns of neighbours."""

from __future__ import annotations

import pytest

from routing.language.page import WIDTH, Page


def lines(page: Page) -> list[str]:
    return page.rendered().split("\n")[:-1]


def row(page: Page, head: str, tail: str = "", comment: str = "", kind: str = "{") -> None:
    """One row with a head and what stands in a column with its neighbours."""
    page.row()
    page.put(head)
    if tail:
        page.mark(kind)
        page.put(tail)
    if comment:
        page.comment(comment)


def test_rows_are_indented_by_depth() -> None:
    page = Page()
    row(page, "a {")
    page.depth += 1
    row(page, "b")
    page.depth -= 1
    row(page, "}")
    assert lines(page) == ["a {", "    b", "}"]


def test_a_row_that_was_begun_and_not_used_is_not_there() -> None:
    page = Page()
    page.row()
    page.row(blank=True)
    page.put("a")
    page.row()
    page.row()
    page.put("b")
    assert lines(page) == ["a", "b"]


def test_an_empty_line_stands_where_it_is_asked_for_and_never_at_the_top() -> None:
    page = Page()
    page.row(blank=True)
    page.put("a")
    page.row(blank=True)
    page.put("b")
    assert lines(page) == ["a", "", "b"]


def test_text_goes_on_with_or_without_a_space() -> None:
    page = Page()
    page.row()
    page.put("a", space=True)
    page.put("b", space=True)
    page.put(",")
    page.put("c", space=True)
    assert page.column == len("a b, c")
    assert lines(page) == ["a b, c"]


def test_what_follows_a_comment_begins_a_line_of_its_own_but_a_comma_does_not() -> None:
    page = Page()
    page.depth = 1
    row(page, "a", comment="# why")
    page.put(",")
    page.put("b")
    page.comment("# more")
    page.put("{")
    assert lines(page) == ["    a,  # why", "        b  # more", "    {"]


def test_a_second_comment_has_a_line_of_its_own() -> None:
    page = Page()
    row(page, "a", comment="# one")
    page.comment("# two")
    row(page, "b")
    assert lines(page) == ["a  # one", "# two", "b"]


def test_a_mark_behind_a_comment_is_in_the_next_line() -> None:
    page = Page()
    row(page, "a", comment="# one")
    page.mark("{")
    page.put("{ }")
    assert lines(page) == ["a  # one", "     { }"]


def test_neighbours_of_one_kind_share_a_column() -> None:
    page = Page()
    row(page, "if a", "{ x() }")
    row(page, "if abc", "{ y() }")
    row(page, "1", "=> z()", kind="=>")
    row(page, "22", "=> z()", kind="=>")
    assert lines(page) == ["if a   { x() }", "if abc { y() }", "1  => z()", "22 => z()"]


@pytest.mark.parametrize("between", ["blank", "row", "depth"])
def test_what_stands_between_ends_a_neighbourhood(between: str) -> None:
    page = Page()
    row(page, "a", "{ }")
    if between == "row":
        row(page, "x")
    page.depth = between == "depth"
    page.row(blank=between == "blank")
    page.put("abc")
    page.mark("{")
    page.put("{ }")
    assert lines(page)[0] == "a { }"
    assert page.lines[-1].text == "abc { }"


def test_comments_share_a_column_two_spaces_behind_the_longest() -> None:
    page = Page()
    row(page, "a", comment="# one")
    row(page, "abc", "{ }", comment="# two")
    row(page, "b")
    row(page, "c", comment="# three")
    assert lines(page) == ["a        # one", "abc { }  # two", "b", "c  # three"]


@pytest.mark.parametrize(("more", "together"), [(24, True), (25, False)])
def test_how_much_longer_a_neighbour_may_be(more: int, together: bool) -> None:
    page = Page()
    row(page, "a", "{ }")
    row(page, "a" * (1 + more), "{ }")
    assert lines(page)[0] == ("a" + " " * (more + 1 if together else 1) + "{ }")


@pytest.mark.parametrize(("tail", "together"), [(WIDTH - 21, True), (WIDTH - 20, False)])
def test_a_column_leaves_room_for_what_stands_in_it(tail: int, together: bool) -> None:
    page = Page()
    row(page, "a", "b" * tail)
    row(page, "a" * 20, "b")
    assert lines(page)[0] == "a" + " " * (20 if together else 1) + "b" * tail
    assert lines(page)[1] == "a" * 20 + " b"


def test_the_rest_goes_together_when_one_keeps_out() -> None:
    page = Page()
    for head in ("a", "abc", "a" * 60, "ab"):
        row(page, head, "{ }")
    assert lines(page) == ["a   { }", "abc { }", "a" * 60 + " { }", "ab  { }"]


def test_nothing_is_an_empty_text() -> None:
    assert Page().rendered() == ""
    page = Page()
    page.row()
    assert page.rendered() in ("", "\n")
