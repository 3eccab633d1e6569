"""On which days an event that comes again falls (RFC 5545, RRULE): by days, weeks, months and years.

A day is one of its period's (a week, a month …) when every part of the rule agrees; BYSETPOS then picks among
them. Only periods between the days asked for are looked at, but where a COUNT must be counted from the first.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NTH = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_KNOWN = frozenset(
    ["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY", "BYSETPOS", "WKST"],
)
#: A COUNT is counted from the first day on: so many days, weeks or months, which is half a century of days.
MOST_PERIODS = 20_000


class NotCounted(Exception):
    """An event that cannot be counted as days off; the message says why and what to write instead."""


@dataclass(frozen=True)
class Rhythm:
    """One RRULE, read. Weekdays are (n, 0 = Monday), n = 0 being every one; `until` stands as written."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str | None = None
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


def rhythm_of(rule: str) -> Rhythm:
    """Read an RRULE; NotCounted where it is none, or one that is not known here."""
    parts: dict[str, str] = {}
    for one in filter(None, rule.strip().upper().split(";")):
        key, _, value = one.partition("=")
        parts[key] = value.strip()
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES or set(parts) - _KNOWN or {"COUNT", "UNTIL"} <= set(parts):
        raise _unknown(rule)
    if parts.get("WKST", "MO") not in DAYS:
        raise _unknown(rule)
    found = Rhythm(
        frequency,
        interval=next(iter(_numbers(parts, "INTERVAL", 1, 9999, rule)), 1),
        count=next(iter(_numbers(parts, "COUNT", 1, 99999, rule)), None),
        until=parts.get("UNTIL"),
        months=_numbers(parts, "BYMONTH", 1, 12, rule),
        month_days=_numbers(parts, "BYMONTHDAY", -31, 31, rule),
        year_days=_numbers(parts, "BYYEARDAY", -366, 366, rule),
        weekdays=_weekdays(parts, rule),
        positions=_numbers(parts, "BYSETPOS", -366, 366, rule),
        week_start=DAYS.index(parts.get("WKST", "MO")),
    )
    nth = any(n for n, _ in found.weekdays)
    if (nth and frequency in ("DAILY", "WEEKLY")) or (found.month_days and frequency == "WEEKLY"):
        raise _unknown(rule)
    return found


def _unknown(rule: str) -> NotCounted:
    return NotCounted(f"its rule {rule.strip()[:60]!r} is not understood: write an event for each day")


def _numbers(parts: dict[str, str], key: str, least: int, most: int, rule: str) -> tuple[int, ...]:
    said = parts[key].split(",") if key in parts else []
    if not all(re.fullmatch(r"[+-]?\d{1,5}", one, re.ASCII) for one in said):
        raise _unknown(rule)
    numbers = tuple(int(one) for one in said)
    if not all(least <= one <= most and one for one in numbers):
        raise _unknown(rule)
    return numbers


def _weekdays(parts: dict[str, str], rule: str) -> tuple[tuple[int, int], ...]:
    found = [_NTH.fullmatch(one.strip()) for one in parts["BYDAY"].split(",")] if "BYDAY" in parts else []
    if not all(found):
        raise _unknown(rule)
    return tuple((int(one[1] or 0), DAYS.index(one[2])) for one in found if one is not None)


def repeated(rhythm: Rhythm, begins: date, until: date | None, first: date, last: date) -> Iterator[date]:
    """The days between two days on which the event begins, in order.

    `until` is the last day on which it may begin. Raises NotCounted where a COUNT is too far to count.
    """
    at, ends = _passed(rhythm, begins), last if until is None else min(last, until)
    happened, periods = 0, 0
    n = 0 if rhythm.count is not None else _skipped(rhythm, begins, first)
    while True:
        days = _period(rhythm, begins, n)
        if days is None or days[0] > ends:
            return
        chosen = [day for day in days if at(day)]
        if rhythm.positions:
            wanted = {one - 1 if one > 0 else len(chosen) + one for one in rhythm.positions}
            chosen = [day for place, day in enumerate(chosen) if place in wanted]
        for day in chosen:
            if day < begins:
                continue
            happened += 1
            if day > ends or (rhythm.count is not None and happened > rhythm.count):
                return
            if day >= first:
                yield day
        n, periods = n + 1, periods + 1
        if periods > MOST_PERIODS:
            raise NotCounted("it is counted over too many years: write a later beginning, or UNTIL for COUNT")


def _skipped(rhythm: Rhythm, begins: date, first: date) -> int:
    """How many periods lie before the one of `first`, or one more to be on the safe side."""
    years = first.year - begins.year
    units = {
        "YEARLY": years,
        "MONTHLY": years * 12 + first.month - begins.month,
        "WEEKLY": (first - begins).days // 7,
        "DAILY": (first - begins).days,
    }[rhythm.frequency]
    return max(0, units // rhythm.interval - 1)


def _period(rhythm: Rhythm, begins: date, n: int) -> list[date] | None:
    """The days of the nth period; None after the last that a calendar has."""
    step = n * rhythm.interval
    if rhythm.frequency == "YEARLY":
        year = begins.year + step
        return None if year > date.max.year else _days(date(year, 1, 1).toordinal(), 365 + _leap(year))
    if rhythm.frequency == "MONTHLY":
        year, month = divmod(begins.year * 12 + begins.month - 1 + step, 12)
        if year > date.max.year:
            return None
        return _days(date(year, month + 1, 1).toordinal(), monthrange(year, month + 1)[1])
    if rhythm.frequency == "WEEKLY":
        back = (begins.weekday() - rhythm.week_start) % 7
        return _days(begins.toordinal() - back + 7 * step, 7)
    return _days(begins.toordinal() + step, 1)


def _days(start: int, length: int) -> list[date] | None:
    ends = min(start + length, date.max.toordinal() + 1)
    return [date.fromordinal(one) for one in range(max(start, 1), ends)] or None


def _leap(year: int) -> int:
    return monthrange(year, 2)[1] - 28


def _passed(rhythm: Rhythm, begins: date) -> Callable[[date], bool]:
    """Whether a day agrees with every part of the rule; what the rule leaves open is as on the first day."""
    months, month_days, weekdays = rhythm.months, rhythm.month_days, rhythm.weekdays
    if not (month_days or weekdays or rhythm.year_days):
        if rhythm.frequency == "YEARLY":
            months = months or (begins.month,)
        if rhythm.frequency in ("YEARLY", "MONTHLY"):
            month_days = (begins.day,)
        if rhythm.frequency == "WEEKLY":
            weekdays = ((0, begins.weekday()),)
    of_month = rhythm.frequency == "MONTHLY" or bool(rhythm.months)

    def at(day: date) -> bool:
        length = monthrange(day.year, day.month)[1]
        if months and day.month not in months:
            return False
        if month_days and day.day not in month_days and day.day - length - 1 not in month_days:
            return False
        whole, place = 365 + _leap(day.year), day.timetuple().tm_yday
        if rhythm.year_days and not {place, place - whole - 1} & set(rhythm.year_days):
            return False
        if of_month:
            place, whole = day.day, length
        nth, from_end = (place + 6) // 7, -((whole - place) // 7) - 1
        return not weekdays or any(
            weekday == day.weekday() and n in (0, nth, from_end) for n, weekday in weekdays
        )

    return at
