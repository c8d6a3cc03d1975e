"""How a mistake is shown."""

from __future__ import annotations

from routing.language.problem import Problem, Report, Severity, Span, nearest, render


def test_a_problem_shows_its_line_a_caret_and_a_hint() -> None:
    problem = Problem("main.route", 2, 15, 4, 'expected "," or ")" before "OK"', "did you forget a comma?")
    assert render(problem, 'on request {\n    reply(200 "OK")\n}\n') == (
        'error: main.route:2:15: expected "," or ")" before "OK"\n'
        '        reply(200 "OK")\n'
        "                  ^^^^\n"
        "  hint: did you forget a comma?"
    )


def test_a_warning_says_so_and_a_missing_hint_takes_no_line() -> None:
    problem = Problem("a.route", 1, 1, 2, "this is odd", severity=Severity.WARNING)
    assert render(problem, "on") == "warning: a.route:1:1: this is odd\n    on\n    ^^"


def test_tabs_stay_in_the_margin_so_that_the_caret_stands_right() -> None:
    shown = render(Problem("a.route", 1, 3, 1, "here"), "\t\tx")
    assert shown.split("\n")[1:] == ["    \t\tx", "    \t\t^"]


def test_control_characters_of_the_file_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in render(Problem("a.route", 1, 1, 1, "here"), "\x1b[2J")


def test_a_problem_behind_the_last_line_is_still_shown() -> None:
    assert render(Problem("a.route", 9, 1, 1, "end"), "x").startswith("error: a.route:9:1: end\n")


def test_what_covers_several_lines_is_marked_to_the_end_of_the_first() -> None:
    report = Report("a.route", "if a {\n  b()\n}")
    report.error(Span(1, 1, 3, 2), "whole")
    assert [(one.column, one.length) for one in report.problems] == [(1, 6)]


def test_problems_come_in_the_order_of_the_file_and_once() -> None:
    report = Report("a.route", "x\ny")
    report.warning(Span(2, 1, 2, 2), "second")
    report.error(Span(1, 1, 1, 2), "first")
    report.warning(Span(2, 1, 2, 2), "second")
    assert [one.message for one in report.problems] == ["first", "second"]


def test_warnings_alone_do_not_fail_a_file() -> None:
    report = Report("a.route", "x")
    report.warning(Span(1, 1, 1, 2), "odd")
    assert not report.failed
    report.error(Span(1, 1, 1, 2), "wrong")
    assert report.failed


def test_the_nearest_name_is_offered_only_when_it_is_near() -> None:
    assert nearest("repli", ["reply", "relay"]) == "did you mean `reply`?"
    assert nearest("xyz", ["reply", "relay"]) == ""
