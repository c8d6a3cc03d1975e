"""Time windows: opening hours, holidays and seasons, written as people write them.

`Mon-Fri 09:00-17:30, Sat 10:00-12:00 Europe/London`: periods with commas between them, and one time zone at the end
(without one: the machine's). A period names days, dates and times of day, each once or several times; all that it
names must hold. `22:00-06:00` goes on into the next day. Dates are `25 Dec` (each year) or `2026-04-03`, and ranges of
them.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from routing.language.problem import BadLiteral

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2} [A-Za-z]{3,9})"
_PART = re.compile(
    rf"(?P<from_date>{_DATE})(?: ?- ?(?P<to_date>{_DATE}))?"
    r"|(?P<from_time>\d{1,2}:\d{2})-(?P<to_time>\d{1,2}:\d{2})"
    r"|(?P<from_day>[A-Za-z]{3,9})(?:-(?P<to_day>[A-Za-z]{3,9}))?(?![A-Za-z/_])",
    re.ASCII,
)
_ZONE = re.compile(r"(?:^|(?<=[ ,]))(?:UTC|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+)$", re.ASCII)
_MINUTES = 24 * 60
_EXAMPLE = "as in `Mon-Fri 09:00-17:30, Sat 10:00-12:00` or `25 Dec - 1 Jan`"
_Day = tuple[int, int, int]
"""Year (0: each), month and day."""


class Period(NamedTuple):
    """One part of a time window; what it does not name is always right.

    `days` are numbers from 0 (Monday); `dates` are ranges from the first to the last day; `times` are minutes of the
    day from the first to the one behind the last, which is not larger when it is on the next day.
    """

    days: frozenset[int]
    dates: tuple[tuple[_Day, _Day], ...]
    times: tuple[tuple[int, int], ...]

    def contains(self, moment: datetime) -> bool:
        """Whether a moment, in local time, is in the period."""
        today = moment.date()
        if not self.times:
            return self._is_day(today)
        minute = moment.hour * 60 + moment.minute
        for first, end in self.times:
            if first < end:
                if first <= minute < end and self._is_day(today):
                    return True
            elif (minute >= first and self._is_day(today)) or (
                minute < end and self._is_day(today - timedelta(days=1))
            ):
                return True
        return False

    def _is_day(self, day: date) -> bool:
        if self.days and day.weekday() not in self.days:
            return False
        return not self.dates or any(_between(first, day, last) for first, last in self.dates)


def _between(first: _Day, day: date, last: _Day) -> bool:
    if first[0]:
        return first <= (day.year, day.month, day.day) <= last
    this = (0, day.month, day.day)
    return first <= this <= last if first <= last else this >= first or this <= last


class Hours:
    """A time window; `moment in hours` asks with Unix seconds. Raises BadLiteral for a text that is none."""

    __slots__ = ("periods", "text", "zone")

    def __init__(self, text: str) -> None:
        self.text = text
        self.zone, rest = _zone(text)
        parts = [(match.start(), match[0]) for match in re.finditer(r"[^,]+", rest) if match[0].strip(" ")]
        if not parts:
            raise BadLiteral("this time window names no time", 0, max(1, len(text)), _EXAMPLE)
        self.periods = tuple(_period(part, start) for start, part in parts)

    def __contains__(self, moment: object) -> bool:
        if not isinstance(moment, float | int):
            return False
        local = datetime.fromtimestamp(moment, self.zone)
        return any(period.contains(local) for period in self.periods)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hours) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Hours({self.text!r})"


def _zone(text: str) -> tuple[tzinfo | None, str]:
    """The time zone (None: the machine's), and the text without it."""
    found = _ZONE.search(text)
    if found is None:
        return None, text
    try:
        return ZoneInfo(found[0]), text[: found.start()]
    except (KeyError, ValueError, OSError):
        raise BadLiteral(f"there is no time zone `{found[0]}`", found.start(), len(found[0])) from None


def _period(text: str, start: int) -> Period:
    days: set[int] = set()
    dates: list[tuple[_Day, _Day]] = []
    times: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        match = _PART.match(text, at)
        if match is None:
            word = text[at:].split(" ")[0]
            raise BadLiteral(f"`{word}` is no day, date or time", start + at, len(word), _EXAMPLE)
        place = start + at, match.end() - at
        if match["from_date"]:
            dates.append(_dates(match["from_date"], match["to_date"] or match["from_date"], place))
        elif match["from_time"]:
            times.append((_minute(match["from_time"], place), _minute(match["to_time"], place)))
        else:
            days |= _week(match["from_day"], match["to_day"] or match["from_day"], place)
        at = match.end()
    return Period(frozenset(days), tuple(dates), tuple(times))


_Place = tuple[int, int]
"""Where in the text, and how long: for mistakes."""


def _week(first: str, last: str, place: _Place) -> set[int]:
    begin, end = (_named(word, _DAYS, place) for word in (first, last))
    return {(begin + number) % 7 for number in range((end - begin) % 7 + 1)}


def _named(word: str, names: tuple[str, ...], place: _Place) -> int:
    if word[:3].lower() not in names:
        raise BadLiteral(f"`{word}` is no {'day' if names is _DAYS else 'month'}", *place, f"known: {', '.join(names)}")
    return names.index(word[:3].lower())


def _minute(text: str, place: _Place) -> int:
    hour, _, minute = text.partition(":")
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _MINUTES:
        raise BadLiteral(f"`{text}` is no time of day", *place, "times go from 00:00 to 24:00")
    return total


def _dates(first: str, last: str, place: _Place) -> tuple[_Day, _Day]:
    begin, end = _date(first, place), _date(last, place)
    if (begin[0] == 0) != (end[0] == 0):
        raise BadLiteral("one date has a year and the other has none", *place)
    if begin[0] and begin > end:
        raise BadLiteral("this range of dates ends before it begins", *place)
    return begin, end


def _date(text: str, place: _Place) -> _Day:
    try:
        if text[4:5] == "-":
            day = date.fromisoformat(text)
            return day.year, day.month, day.day
        number, _, month = text.partition(" ")
        date(2024, _named(month, _MONTHS, place) + 1, int(number))  # a leap year: 29 Feb is a date
        return 0, _named(month, _MONTHS, place) + 1, int(number)
    except ValueError:
        raise BadLiteral(f"`{text}` is no date", *place) from None
