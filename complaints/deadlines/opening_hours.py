"""Opening hours: reading them, and which instants they cover.

Instants decide, not wall times: a span of a day runs from the instant of its first minute to the instant of
its last, so a day on which the clocks change simply has a shorter or a longer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise

from complaints.deadlines.local_time import MINUTES_A_DAY, at_minute, parse_local_time, wall
from complaints.rulebook import Calendar, OnCall

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ACCEPTED = '"Mon-Fri 09:00-17:30", "Mon-Thu 09:00-12:30 13:30-17:30, Fri 09:00-15:00" or "always"'

#: With work at all hours the day has no opening; then it is this hour.
DAWN = timedelta(hours=8)

Hours = Mapping[int, tuple[tuple[int, int], ...]]
Stretch = tuple[datetime, datetime]

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)
# Longer without one open day is not a calendar: it would otherwise be searched without end.
_LONGEST_BREAK = 366


class BadHours(ValueError):
    """The text does not say opening hours; the message names the accepted forms."""


class NeverOpen(ValueError):
    """The calendar has no working day within a year, so nothing can ever be due by it."""


def parse_hours(text: str, *, overnight: bool = False) -> dict[int, tuple[tuple[int, int], ...]] | None:
    """Weekday (0 = Monday) to spans in minutes after midnight; None for "always". Raises BadHours.

    `overnight` lets a span run past midnight ("Mon-Fri 17:30-09:00"), as on-call duty does: it is cut in two.
    """
    said = " ".join(text.split())
    if said.lower() == "always":
        return None
    hours: dict[int, list[tuple[int, int]]] = {}
    days: list[int] = []
    timed = True  # does a time of day stand between these days and the next ones?
    for word in filter(None, re.split(r"[\s,]+", said)):
        if word[0].isalpha():
            days = ([] if timed else days) + _weekdays(word, text)
            timed = False
            continue
        start, end = _span(word, text)
        timed = True
        if not days:
            raise _bad(text)
        for day in days:
            if start < end:
                hours.setdefault(day, []).append((start, end))
            elif overnight:
                hours.setdefault(day, []).append((start, MINUTES_A_DAY))
                if end:
                    hours.setdefault((day + 1) % 7, []).append((0, end))
            else:
                raise BadHours(f"{text!r}: {word} ends before it starts; write {ACCEPTED}")
    if not hours or not timed:
        raise _bad(text)
    return {day: _in_order(spans, text) for day, spans in sorted(hours.items())}


def _bad(text: str) -> BadHours:
    return BadHours(f"{text!r} does not say opening hours; write {ACCEPTED}")


def _weekdays(word: str, text: str) -> list[int]:
    ends = [name.capitalize() for name in word.split("-")]
    if len(ends) > 2 or any(name not in WEEKDAYS for name in ends):
        raise _bad(text)
    first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _span(word: str, text: str) -> tuple[int, int]:
    found = _CLOCK.fullmatch(word)
    if found is None:
        raise _bad(text)
    h1, m1, h2, m2 = (int(part) for part in found.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    if m1 > 59 or m2 > 59 or start >= MINUTES_A_DAY or end > MINUTES_A_DAY or start == end:
        raise _bad(text)
    return start, end


def _in_order(spans: list[tuple[int, int]], text: str) -> tuple[tuple[int, int], ...]:
    ordered = sorted(spans)
    for (_, end), (start, _) in pairwise(ordered):
        if start < end:
            raise BadHours(f"{text!r}: two spans of one day overlap; write {ACCEPTED}")
    return tuple(ordered)


def works_on(day: date, calendar: Calendar) -> bool:
    """Is this a working day? With "always" every day is, holidays too."""
    return calendar.always or (bool(calendar.hours.get(day.weekday())) and day not in calendar.holidays)


def opening_time(day: date, calendar: Calendar) -> datetime:
    """When work begins on this day (UTC); midnight on a day off."""
    spans = _spans_of(day, calendar)
    return at_minute(day, spans[0][0] if spans else 0, calendar.zone)


def closing_time(day: date, calendar: Calendar) -> datetime:
    """When the last span of this day ends (UTC); a day off ends at 24:00.

    A date that a person chose (`extended_to`, `promised_by_date`) is due then, a day off included: told "by
    Sunday", the complainant may wait until Sunday is over.
    """
    spans = _spans_of(day, calendar)
    return at_minute(day, spans[-1][1] if spans else MINUTES_A_DAY, calendar.zone)


def working_day_from(day: date, calendar: Calendar, step: int = 1) -> date:
    """This day if it is a working day, else the next (step 1) or the last before it (step -1)."""
    for _ in range(_LONGEST_BREAK):
        if works_on(day, calendar):
            return day
        day += timedelta(days=step)
    raise NeverOpen(f"no working day within a year of {day}: give the calendar hours such as {ACCEPTED}")


def day_of(at: datetime, calendar: Calendar) -> date:
    """The local day to which an instant belongs; closing time at 24:00 still belongs to the day it closes."""
    day = wall(at, calendar.zone).date()
    before = day - timedelta(days=1)
    return before if works_on(before, calendar) and at <= closing_time(before, calendar) else day


def working_stretches(at: datetime, calendar: Calendar) -> Iterator[Stretch]:
    """The working stretches from this instant on (UTC, half open), without end, the first one cut at `at`."""
    day = wall(at, calendar.zone).date() - timedelta(days=1)
    reached = at
    while True:
        for start, end in _spans_of(day, calendar):
            opens = max(at_minute(day, start, calendar.zone), reached)
            closes = at_minute(day, end, calendar.zone)
            if opens < closes:
                yield opens, closes
                reached = closes
        day = working_day_from(day + timedelta(days=1), calendar)


def is_working(at: datetime, calendar: Calendar) -> bool:
    """Is work being done at this instant? At closing time it no longer is."""
    return next_working(at, calendar) == parse_local_time(at)


def next_working(at: datetime, calendar: Calendar) -> datetime:
    """The first instant from this one on at which work is done (UTC)."""
    at = parse_local_time(at)
    return at if calendar.always else next(working_stretches(at, calendar))[0]


def next_morning(now: datetime, calendar: Calendar) -> datetime:
    """The next opening time after this moment."""
    day = working_day_from(wall(now, calendar.zone).date(), calendar)
    while True:
        opens = opening_time(day, calendar) + (DAWN if calendar.always else timedelta(0))
        if opens > now:
            return opens
        day = working_day_from(day + timedelta(days=1), calendar)


def on_call_covers(at: datetime, on_call: OnCall, zone: str) -> bool:
    """Is somebody there to be paged at this instant? Hours without people cover nothing."""
    rota = _rota(on_call, zone)
    return rota is not None and is_working(at, rota)


def nobody_reads_until(at: datetime, calendar: Calendar, on_call: OnCall) -> datetime | None:
    """When somebody is next there, on call or at work (UTC); None when somebody is now."""
    at = parse_local_time(at)
    rota = _rota(on_call, calendar.zone)
    soonest = min(next_working(at, one) for one in (calendar, rota) if one is not None)
    return None if soonest == at else soonest


def _rota(on_call: OnCall, zone: str) -> Calendar | None:
    if not on_call.people or not (on_call.always or any(on_call.hours.values())):
        return None
    return Calendar(zone=on_call.zone or zone, hours=on_call.hours, always=on_call.always)


def _spans_of(day: date, calendar: Calendar) -> tuple[tuple[int, int], ...]:
    if calendar.always:
        return ((0, MINUTES_A_DAY),)
    return tuple(sorted(calendar.hours.get(day.weekday(), ()))) if works_on(day, calendar) else ()
