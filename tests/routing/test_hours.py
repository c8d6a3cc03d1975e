"""Time windows: which moments they hold, and what is wrong with those that can't be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from routing.language.hours import Hours
from routing.language.problem import BadLiteral, Problem
from routing.runtime import Context, Platform
from routing.runtime.loader import check_routes, load_routes


def at(text: str, zone: str = "UTC") -> float:
    """Unix seconds of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


OFFICE = "Mon-Fri 09:00-17:30, Sat 10:00-12:00 UTC"
NIGHT = "22:00-06:00 UTC"


@pytest.mark.parametrize(
    ("window", "moment", "inside"),
    [
        # 2026-06-01 is a Monday
        (OFFICE, "2026-06-01T09:00", True),
        (OFFICE, "2026-06-01T08:59:59", False),
        (OFFICE, "2026-06-05T17:29:59", True),
        (OFFICE, "2026-06-05T17:30", False),
        (OFFICE, "2026-06-06T11:00", True),
        (OFFICE, "2026-06-06T13:00", False),
        (OFFICE, "2026-06-07T11:00", False),
        ("Mon-Fri UTC", "2026-06-01T00:00", True),
        ("Mon-Fri UTC", "2026-06-06T00:00", False),
        ("Fri-Mon UTC", "2026-06-07T00:00", True),
        ("Fri-Mon UTC", "2026-06-03T00:00", False),
        ("Mon Wed Friday UTC", "2026-06-03T00:00", True),
        ("Mon Wed Friday UTC", "2026-06-02T00:00", False),
        ("09:00-12:00 13:00-17:00 UTC", "2026-06-01T12:30", False),
        ("09:00-12:00 13:00-17:00 UTC", "2026-06-01T13:00", True),
        ("00:00-24:00 UTC", "2026-06-01T23:59", True),
        # into the next day
        (NIGHT, "2026-06-01T22:00", True),
        (NIGHT, "2026-06-02T05:59", True),
        (NIGHT, "2026-06-02T06:00", False),
        (NIGHT, "2026-06-02T21:59", False),
        ("Fri 22:00-06:00 UTC", "2026-06-06T03:00", True),
        ("Fri 22:00-06:00 UTC", "2026-06-05T03:00", False),
        ("25 Dec 20:00-02:00 UTC", "2026-12-26T01:00", True),
        # dates
        ("25 Dec UTC", "2031-12-25T10:00", True),
        ("25 Dec UTC", "2031-12-26T10:00", False),
        ("29 February UTC", "2028-02-29T10:00", True),
        ("2026-04-03 UTC", "2026-04-03T23:59", True),
        ("2026-04-03 UTC", "2027-04-03T10:00", False),
        ("1 Jan, 25 Dec, 26 Dec UTC", "2026-12-26T10:00", True),
        ("24 Dec - 1 Jan UTC", "2026-12-31T10:00", True),
        ("24 Dec - 1 Jan UTC", "2027-01-01T10:00", True),
        ("24 Dec - 1 Jan UTC", "2027-01-02T10:00", False),
        ("1 Jun-31 Aug UTC", "2026-07-15T10:00", True),
        ("1 Jun - 31 Aug UTC", "2026-09-01T10:00", False),
        ("2026-12-24 - 2027-01-06 UTC", "2027-01-06T23:00", True),
        ("2026-12-24 - 2027-01-06 UTC", "2027-01-07T00:00", False),
        ("Mon-Fri 1 Jun - 31 Aug 08:00-14:00 UTC", "2026-06-01T08:00", True),
        ("Mon-Fri 1 Jun - 31 Aug 08:00-14:00 UTC", "2026-06-06T08:00", False),
        # spelling
        ("MON-fri,  SAT UTC", "2026-06-06T08:00", True),
        ("monday-friday, UTC", "2026-06-01T08:00", True),
        ("9:00-17:00,UTC", "2026-06-01T09:30", True),
    ],
)
def test_a_window_holds_a_moment(window: str, moment: str, inside: bool) -> None:
    assert (at(moment) in Hours(window)) is inside


def test_the_zone_of_the_window_counts_also_in_summer() -> None:
    window = Hours("09:00-17:00 Europe/London")
    assert at("2026-06-01T08:30") in window and at("2026-12-01T08:30") not in window
    assert at("2026-06-01T09:00", "Europe/London") in window
    assert at("2026-06-01T08:00") in Hours("05:00-06:00 America/Argentina/Buenos_Aires")


def test_without_a_zone_it_is_the_time_of_the_machine() -> None:
    here = datetime(2026, 6, 1, 12, 0).timestamp()
    assert here in Hours("12:00-12:01") and here not in Hours("12:01-12:02")


def test_only_a_moment_can_be_in_a_window() -> None:
    assert "Mon" not in Hours("Mon-Sun")


@pytest.mark.parametrize(
    ("window", "place", "message"),
    [
        ("", (0, 1), "this time window names no time"),
        (" , ", (0, 3), "this time window names no time"),
        ("Mon-Fry", (0, 7), "`Fry` is no day"),
        ("Mon, Freitag 9-17", (5, 7), "`Freitag` is no day"),
        ("Mon 9-17", (4, 4), "`9-17` is no day, date or time"),
        ("Mon 09:00-25:00", (4, 11), "`25:00` is no time of day"),
        ("Mon 09:60-10:00", (4, 11), "`09:60` is no time of day"),
        ("31 Apr", (0, 6), "`31 Apr` is no date"),
        ("1 Foo", (0, 5), "`Foo` is no month"),
        ("2026-13-01", (0, 10), "`2026-13-01` is no date"),
        ("2026-12-24 - 1 Jan", (0, 18), "one date has a year and the other has none"),
        ("2026-12-24 - 2026-12-01", (0, 23), "this range of dates ends before it begins"),
        ("Mon Europe/Londres", (4, 14), "there is no time zone `Europe/Londres`"),
        ("Mon Europe/../../etc/passwd", (4, 23), "`Europe/../../etc/passwd` is no day, date or time"),
        ("Mon \u0660\u0669:00-10:00", (4, 11), "`\u0660\u0669:00-10:00` is no day, date or time"),
    ],
)
def test_a_mistake_is_placed(window: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(BadLiteral) as caught:
        Hours(window)
    assert ((caught.value.offset, caught.value.length), caught.value.message) == (place, message)


TABLES: dict[str, Any] = {"hours.office": Hours(OFFICE), "hours.holidays": Hours("25 Dec UTC")}


@pytest.mark.parametrize(
    ("condition", "moment", "true"),
    [
        ('now in "Mon-Fri 09:00-17:00 UTC"', "2026-06-01T10:00", True),
        ('now in "Mon-Fri 09:00-17:00 UTC"', "2026-06-01T18:00", False),
        ('now not in "Sat-Sun UTC"', "2026-06-01T18:00", True),
        ("now in hours.office and now not in hours.holidays", "2026-06-01T10:00", True),
        ("now in hours.office and now not in hours.holidays", "2026-12-25T10:00", False),
    ],
)
def test_a_route_asks_windows(
    condition: str, moment: str, true: bool, modules: Any, platform: Platform, new_context: Callable[..., Context]
) -> None:
    platform.wall_clock = lambda: at(moment)
    context = new_context()
    routes = load_routes(f"on request {{ if {condition} {{ reply(200) }} reply(404) }}", modules, TABLES)
    with pytest.raises(StopIteration):
        routes.run(context).send(None)
    assert context.transaction.responses[0].status == (200 if true else 404)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("condition", "column", "length", "message"),
    [
        ('now in "Mon-Fri 9-17"', 33, 4, "`9-17` is no day, date or time"),
        ("now in hours.ofice", 24, 11, "there is no table `hours.ofice`"),
        ("now in 10.0.0.0/8", 17, 3, "expected text, this is a moment"),
        ("now in domains", 17, 3, "expected text, this is a moment"),
        ("now == 3", 17, 3, "a value of type moment can't be compared with =="),
        ("user in hours.office", 17, 4, "expected a moment, this is text"),
    ],
)
def test_mistakes_in_a_route(condition: str, column: int, length: int, message: str, modules: Any) -> None:
    tables = TABLES | {"domains": frozenset({"example.com"})}
    (problem,) = check_routes(f"on request {{ if {condition} {{ }} drop() }}", modules, tables)
    assert isinstance(problem, Problem)
    assert (problem.column, problem.length, problem.message) == (column, length, message)
