"""Opening hours: reading them, and which times they cover.

A span of opening hours runs between two instants, not between two wall times. So on a day when the clocks change
it is an hour shorter or longer.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise

from complaints.rulebook import Calendar, OnCall
from complaints.times import MINUTES_A_DAY, at_minute, local_time, to_utc

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ACCEPTED = '"Mon-Fri 09:00-17:30", "Mon-Thu 09:00-12:30 13:30-17:30, Fri 09:00-15:00" or "always"'

#: The morning of a day where work never stops, as time after midnight.
DAWN = timedelta(hours=8)

Hours = Mapping[int, tuple[tuple[int, int], ...]]
Stretch = tuple[datetime, datetime]

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)
# Limit of the search for a working day, in days: a calendar without hours would loop without end.
_LONGEST_BREAK = 366


class BadHours(ValueError):
    """The text is not a list of opening hours; the message names the accepted forms."""


class NeverOpen(ValueError):
    """The calendar has no working day within a year, so nothing can ever be due by it."""


def parse_hours(text: str, *, overnight: bool = False) -> dict[int, tuple[tuple[int, int], ...]] | None:
    """Weekday (0 = Monday) to spans in minutes after midnight; None for "always". Raises BadHours.

    `overnight` lets a span run past midnight ("Mon-Fri 17:30-09:00"), as on-call duty does: it is cut in two.
    """
    words = " ".join(text.split())
    if words.lower() == "always":
        return None
    hours: dict[int, list[tuple[int, int]]] = {}
    days: list[int] = []
    timed = True  # False while the last weekdays have no time yet
    for word in filter(None, re.split(r"[\s,]+", words)):
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
    span = parse_clock_span(word)
    if span is None or span[0] == span[1]:
        raise _bad(text)
    return span


def parse_clock_span(text: str) -> tuple[int, int] | None:
    """The start and the end of "20:00-08:00" in minutes after midnight; None for any other text."""
    match = _CLOCK.fullmatch("".join(text.split()))
    if match is None:
        return None
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    is_time = m1 <= 59 and m2 <= 59 and start < MINUTES_A_DAY and end <= MINUTES_A_DAY
    return (start, end) if is_time else None


def _in_order(spans: list[tuple[int, int]], text: str) -> tuple[tuple[int, int], ...]:
    ordered = sorted(spans)
    for (_, end), (start, _) in pairwise(ordered):
        if start < end:
            raise BadHours(f"{text!r}: two spans of one day overlap; write {ACCEPTED}")
    return tuple(ordered)


def works_on(day: date, calendar: Calendar) -> bool:
    """True on a working day; with "always" that is every day, also a holiday."""
    return calendar.always or (bool(calendar.hours.get(day.weekday())) and day not in calendar.holidays)


def opening_time(day: date, calendar: Calendar) -> datetime:
    """When work begins on this day (UTC); midnight on a day off."""
    spans = _spans_of(day, calendar)
    return at_minute(day, spans[0][0] if spans else 0, calendar.zone)


def closing_time(day: date, calendar: Calendar) -> datetime:
    """When the last span of this day ends (UTC); a day off ends at 24:00.

    A date that a person chose (`extended_to`, `promised_by_date`) is due then, also on a day off: "by Sunday" means
    until the end of Sunday.
    """
    spans = _spans_of(day, calendar)
    return at_minute(day, spans[-1][1] if spans else MINUTES_A_DAY, calendar.zone)


def working_day_from(day: date, calendar: Calendar, step: int = 1) -> date:
    """This day if it is a working day, or the next working day (step 1) or the one before (step -1)."""
    for _ in range(_LONGEST_BREAK):
        if works_on(day, calendar):
            return day
        day += timedelta(days=step)
    raise NeverOpen(f"no working day within a year of {day}: give the calendar hours such as {ACCEPTED}")


def day_of(at: datetime, calendar: Calendar) -> date:
    """The local day of an instant; closing time at 24:00 belongs to the day that it closes."""
    day = local_time(at, calendar.zone).date()
    before = day - timedelta(days=1)
    return before if works_on(before, calendar) and at <= closing_time(before, calendar) else day


def working_stretches(at: datetime, calendar: Calendar) -> Iterator[Stretch]:
    """The stretches of working time from `at` on (UTC, half open), without end; the first one starts at `at`."""
    day = local_time(at, calendar.zone).date() - timedelta(days=1)
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
    """True in working time; closing time itself is outside."""
    return next_working(at, calendar) == to_utc(at)


def next_working(at: datetime, calendar: Calendar) -> datetime:
    """The first instant of working time from `at` on (UTC)."""
    at = to_utc(at)
    return at if calendar.always else next(working_stretches(at, calendar))[0]


def next_morning(now: datetime, calendar: Calendar) -> datetime:
    """The next opening time after this moment."""
    day = working_day_from(local_time(now, calendar.zone).date(), calendar)
    while True:
        opens = opening_time(day, calendar) + (DAWN if calendar.always else timedelta(0))
        if opens > now:
            return opens
        day = working_day_from(day + timedelta(days=1), calendar)


def on_call_covers(at: datetime, on_call: OnCall, zone: str) -> bool:
    """True when there is a person on call at this time. Hours without people cover nothing."""
    rota = _rota(on_call, zone)
    return rota is not None and is_working(at, rota)


def nobody_reads_until(at: datetime, calendar: Calendar, on_call: OnCall) -> datetime | None:
    """When the next person is on call or at work (UTC); None when there is one now."""
    at = to_utc(at)
    on_call_hours = _rota(on_call, calendar.zone)
    next_present = min(next_working(at, rota) for rota in (calendar, on_call_hours) if rota is not None)
    return None if next_present == at else next_present


def _rota(on_call: OnCall, zone: str) -> Calendar | None:
    if not on_call.people or not (on_call.always or any(on_call.hours.values())):
        return None
    return Calendar(zone=on_call.zone or zone, hours=on_call.hours, always=on_call.always)


def _spans_of(day: date, calendar: Calendar) -> tuple[tuple[int, int], ...]:
    if calendar.always:
        return ((0, MINUTES_A_DAY),)
    return tuple(sorted(calendar.hours.get(day.weekday(), ()))) if works_on(day, calendar) else ()
