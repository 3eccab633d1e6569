"""Days as people write them, absolute or counted from the day of receipt, as ISO dates and ranges."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

Range = tuple[date, date]

#: Countries that write the month first in 11/03/2026.
MONTH_FIRST = frozenset({"US", "PH", "FM", "MH", "PW"})
_MOST = 12


def day_of(year: int, month: int, day: int) -> date | None:
    """The day, or None where the calendar has none such."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def month_of(year: int, month: int) -> Range:
    """The first and last day of a month."""
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def in_order(first: int, second: int, *, slashed: bool, country: str | None) -> tuple[int, int]:
    """(day, month) of two numbers: the month first only in the countries that write so, or where it must be."""
    month_first = slashed and (country or "").upper() in MONTH_FIRST
    if (month_first or second > _MOST) and first <= _MOST:
        return second, first
    return first, second


def full_year(year: int, received: date) -> int:
    """A year of two digits: the one at hand, else of the century before."""
    if year >= 100:
        return year
    found = received.year // 100 * 100 + year
    return found if found <= received.year + 10 else found - 100


def without_year(month: int, day: int, received: date, *, ahead: bool) -> date | None:
    """The last such day up to receipt: nobody complains of a day to come, unless the words say so."""
    years = (received.year, received.year + 1) if ahead else (received.year, received.year - 1)
    found = [one for one in (day_of(year, month, day) for year in years) if one is not None]
    return next((one for one in found if (one >= received if ahead else one <= received)), None)


def weekday_before(received: date, weekday: int, *, strictly: bool) -> date:
    """The last Monday (0) to Sunday (6), the day of receipt itself left out where `strictly`."""
    back = (received.weekday() - weekday) % 7
    return received - timedelta(days=back or (7 if strictly else 0))


def ago(received: date, number: int, unit: str) -> Range | None:
    """So many days or weeks ago is a day; months and years ago name no day and stay a range."""
    if unit in ("day", "week"):
        days = number * (7 if unit == "week" else 1)
        one = received - timedelta(days=days) if days < received.toordinal() else None
        return None if one is None else (one, one)
    months = received.year * 12 + received.month - 1 - number * (12 if unit == "year" else 1)
    if months < 12:
        return None
    if unit == "year":
        return date(months // 12, 1, 1), date(months // 12, 12, 31)
    return month_of(months // 12, months % 12 + 1)


def so_long(received: date, number: int, unit: str) -> Range | None:
    """The last so many days, weeks, months or years up to receipt."""
    if unit in ("day", "week"):
        found = ago(received, number, unit)
        return None if found is None else (found[0], received)
    months = received.year * 12 + received.month - 1 - number * (12 if unit == "year" else 1)
    if months < 12:
        return None
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(received.day, calendar.monthrange(year, month)[1])), received


def period(received: date, name: str) -> Range:
    """`last_week`, `this_week`, and the same of months and years; weeks begin on Monday."""
    which, unit = name.split("_")
    if unit == "week":
        first = received - timedelta(days=received.weekday() + (7 if which == "last" else 0))
        return first, first + timedelta(days=6)
    if unit == "month":
        of = received if which == "this" else received.replace(day=1) - timedelta(days=1)
        return month_of(of.year, of.month)
    year = received.year - (which == "last")
    return date(year, 1, 1), date(year, 12, 31)


@dataclass(frozen=True, slots=True)
class When:
    """A day or range as found; `since`: it goes on from there to the day of receipt."""

    first: date
    last: date
    since: bool = False

    def value(self, received: date) -> str:
        """The ISO date or range; nothing of it lies after receipt where it began before."""
        last = received if self.since else self.last
        if self.first <= received < last:
            last = received
        if last <= self.first:
            return self.first.isoformat()
        return f"{self.first.isoformat()}/{last.isoformat()}"
