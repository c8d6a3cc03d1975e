"""Formatting in tests: what goes in, what comes out, and that what came out stays as it is."""

from __future__ import annotations

from textwrap import dedent, indent

from routing.language.formatter import format_routes
from routing.language.problem import Report, render


def formatted(text: str) -> str:
    report = Report("main.route", text)
    shown = format_routes(text, report)
    assert shown is not None, [render(problem, text) for problem in report.problems]
    assert format_routes(shown, Report("main.route", shown)) == shown, "a second time changes it again"
    return shown


def check_layout(before: str, after: str) -> None:
    assert formatted(dedent(before)) == dedent(after)


def check_inside(before: str, after: str) -> None:
    """The same for statements of `on request`."""
    whole = "on request {\n" + indent(dedent(after).strip("\n"), "    ") + "\n}\n"
    assert formatted("on request {\n" + dedent(before) + "\n}") == whole
