"""Spans as the settings write them ("4 wh", "10 bd", "8 weeks"), and from a start and a span to a due time."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from complaints.deadlines.due_steps import Due, DueStep
from complaints.deadlines.opening_hours import (
    closing_time,
    day_of,
    on_call_covers,
    opening_time,
    working_day_from,
    working_stretches,
    works_on,
)
from complaints.rulebook import Calendar, OnCall
from complaints.times import from_local_time, local_time, to_utc

ACCEPTED = '"20 s", "30 min", "4 h", "3 days", "8 weeks", "12 months", "4 wh" (working hours), "10 bd" (days)'

_WRITTEN = re.compile(r"\s*([+-]?\d{1,9})\s*([a-z]+)\s*", re.ASCII)


class Unit(StrEnum):
    """What a span counts; `s` to `months` are elapsed time, `wh` and `bd` follow the calendar."""

    SECONDS = "s"
    MINUTES = "min"
    HOURS = "h"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    WORKING_HOURS = "wh"
    WORKING_DAYS = "bd"


_UNITS = {unit.value: unit for unit in Unit} | {"day": Unit.DAYS, "week": Unit.WEEKS, "month": Unit.MONTHS}

# A century, or 40 years of work. A typing mistake is refused here, where the setting is still known.
_MOST = {
    Unit.SECONDS: 3_153_600_000,
    Unit.MINUTES: 52_560_000,
    Unit.HOURS: 876_000,
    Unit.DAYS: 36_500,
    Unit.WEEKS: 5_200,
    Unit.MONTHS: 1_200,
    Unit.WORKING_HOURS: 80_000,
    Unit.WORKING_DAYS: 10_000,
}
_SECONDS_IN = {Unit.SECONDS: 1, Unit.MINUTES: 60, Unit.HOURS: 3600, Unit.WORKING_HOURS: 3600}
# An explanation lists up to this many days or stretches; of a longer count it gives only the number.
_LISTED = 31
# Due times that a calendar keeps: those of about 200 complaints, some kilobytes each.
MOST_COUNTED = 1024


class BadSpan(ValueError):
    """The text is not a length of time; the message names the accepted forms."""


@dataclass(frozen=True)
class Span:
    """A number of units; a negative one counts back from a due time."""

    number: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read "1 bd", "30 min", "-1 bd" …; raises BadSpan."""
        match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
        unit = _UNITS.get(match.group(2)) if match else None
        if match is None or unit is None:
            raise BadSpan(f"{text!r} is not a length of time; write one of {ACCEPTED}")
        number = int(match.group(1))
        if abs(number) > _MOST[unit]:
            raise BadSpan(f"{text!r} is too long; the most is {_MOST[unit]} {unit}")
        return cls(number, unit)

    def __str__(self) -> str:
        unit = self.unit.value
        if abs(self.number) == 1 and self.unit in {Unit.DAYS, Unit.WEEKS, Unit.MONTHS}:
            unit = unit[:-1]
        return f"{self.number} {unit}"

    def __neg__(self) -> Span:
        return Span(-self.number, self.unit)

    def __mul__(self, times: int) -> Span:
        """Complexity 3 doubles the time to decide (docs/domain.md, section 4)."""
        return Span(self.number * times, self.unit)


def span(value: Span | str) -> Span:
    """The span, parsed if it is a text; raises BadSpan."""
    return value if isinstance(value, Span) else Span.parse(value)


def due(start: datetime, length: Span | str, calendar: Calendar) -> Due:
    """The end of a span that begins at `start`.

    Seconds to months are elapsed time: days, weeks and months end at the same local time. `wh` counts working
    hours. `n bd` ends at closing time of the nth working day after the working day on which the start falls.
    Raises BadSpan for a negative span (see `before`) and ValueError for a naive start.
    """
    length, start = span(length), to_utc(start)
    if length.number < 0:
        raise BadSpan(f'"{length}" lies in the past of its start; `before` counts back from a due time')
    counted = calendar.counted
    end = counted.get((start, length))
    if end is None:
        if len(counted) >= MOST_COUNTED:
            counted.clear()
        end = counted[start, length] = _due(start, length, calendar)
    return end


def _due(start: datetime, length: Span, calendar: Calendar) -> Due:
    steps = (_start(start, calendar),)
    if length.unit is Unit.WORKING_DAYS:
        return _working_days(start, length, calendar, steps)
    if length.unit is Unit.WORKING_HOURS:
        return _working_time(start, length, calendar, steps)
    return _elapsed(start, length, calendar, steps)


def due_where_on_call(start: datetime, length: Span | str, calendar: Calendar, on_call: OnCall) -> Due:
    """The due time of a P1 span: elapsed time if a person is on call at the start, otherwise working time.

    A span in days or in working units is counted as usual in both cases.
    """
    length, start = span(length), to_utc(start)
    if length.number < 0 or length.unit not in {Unit.SECONDS, Unit.MINUTES, Unit.HOURS}:
        return due(start, length, calendar)
    if on_call_covers(start, on_call, calendar.zone):
        return _elapsed(start, length, calendar, (_start(start, calendar), DueStep("on_call")))
    return _working_time(start, length, calendar, (_start(start, calendar), DueStep("not_on_call")))


def before(at: datetime, length: Span | str, calendar: Calendar) -> Due:
    """The time of a reminder this long before `at`. "-1 bd" and "1 bd" are the same here.

    `-n bd`: opening time of the nth working day before the day of `at`. Elapsed spans count back as they count
    forward. Raises BadSpan for working hours, which are not counted back.
    """
    length, at = span(length), to_utc(at)
    if length.number > 0:
        length = -length
    if length.unit is Unit.WORKING_HOURS:
        raise BadSpan(f'"{length}": working hours are not counted back; write working days, such as "-1 bd"')
    steps = (_start(at, calendar),)
    if length.unit is not Unit.WORKING_DAYS:
        return _elapsed(at, length, calendar, steps)
    zero = day_of(at, calendar)
    day, passed = _count(zero, -length.number, calendar, -1)
    # "0 bd" before a due time at night is the due time itself: a reminder must not come after it.
    opening = min(opening_time(day, calendar), at)
    return Due(
        opening,
        (
            *steps,
            DueStep("its_day", day=zero),
            *_holidays(day, zero, calendar),
            DueStep("counted_back", span=str(-length), days=passed),
            DueStep("opening", local=local_time(opening, calendar.zone)),
        ),
    )


def rolled_to_working_day(last: Due, calendar: Calendar) -> Due:
    """The due time for a law that gives the whole last day, or the next working day if the last day is a day off.

    That is closing time of the first working day from the last day on.
    """
    day = local_time(last.at, calendar.zone).date()
    working = working_day_from(day, calendar)
    closing = closing_time(working, calendar)
    moved: tuple[DueStep, ...] = ()
    if working != day:
        moved = (*_holidays(day - timedelta(days=1), working, calendar), DueStep("rolls", day=working))
    return Due(closing, (*last.because, *moved, DueStep("closing", local=local_time(closing, calendar.zone))))


def _start(at: datetime, calendar: Calendar) -> DueStep:
    return DueStep("start", local=local_time(at, calendar.zone), zone=calendar.zone)


def _working_days(start: datetime, length: Span, calendar: Calendar, steps: tuple[DueStep, ...]) -> Due:
    falls = day_of(start, calendar)
    code, zero = "day_zero", falls
    if not works_on(falls, calendar):
        code, zero = "day_zero_day_off", working_day_from(falls, calendar)
    elif start > closing_time(falls, calendar):
        code, zero = "day_zero_after_closing", working_day_from(falls + timedelta(days=1), calendar)
    day, passed = _count(zero, length.number, calendar, 1)
    closing = closing_time(day, calendar)
    return Due(
        closing,
        (
            *steps,
            *_holidays(falls - timedelta(days=1), zero, calendar),
            DueStep(code, day=zero),
            *_holidays(zero, day, calendar),
            *((DueStep("counted", span=str(length), days=passed),) if length.number else ()),
            DueStep("closing", local=local_time(closing, calendar.zone)),
        ),
    )


def _count(zero: date, number: int, calendar: Calendar, step: int) -> tuple[date, tuple[date, ...]]:
    """The working day that is `number` after (or before) `zero`, and the days counted (of a long count the last)."""
    day = zero
    passed: list[date] = []
    for _ in range(number):
        day = working_day_from(day + timedelta(days=step), calendar, step)
        passed.append(day)
    return day, tuple(passed if len(passed) <= _LISTED else passed[-1:])


def _holidays(after: date, until: date, calendar: Calendar) -> tuple[DueStep, ...]:
    """The holidays between two days that fall on a day with opening hours."""
    if calendar.always or (until - after).days <= 1:
        return ()
    missed = (day for day in calendar.holidays if after < day < until and calendar.hours.get(day.weekday()))
    return tuple(DueStep("holiday", day=day, name=calendar.holidays[day]) for day in sorted(missed))


def _working_time(start: datetime, length: Span, calendar: Calendar, steps: tuple[DueStep, ...]) -> Due:
    left = timedelta(seconds=length.number * _SECONDS_IN[length.unit])
    if calendar.always:
        return _elapsed(start, length, calendar, steps)
    zone = calendar.zone
    stretches: list[DueStep] = []
    reached = start
    for opens, closes in working_stretches(start, calendar):
        reached = min(opens + left, closes)
        if reached > opens or not stretches:
            stretches.append(
                DueStep("worked", local=local_time(opens, zone), until=local_time(reached, zone))
            )
        left -= reached - opens
        if not left:
            break
    first = stretches[0].local
    waits = (DueStep("waits_for_opening", local=first),) if first and first > local_time(start, zone) else ()
    many = len(stretches) > _LISTED
    summed = (DueStep("working_hours", span=str(length), number=len(stretches)), stretches[-1])
    return Due(reached, (*steps, *waits, *(summed if many else stretches)))


def _elapsed(start: datetime, length: Span, calendar: Calendar, steps: tuple[DueStep, ...]) -> Due:
    zone = calendar.zone
    if length.unit in _SECONDS_IN:
        at = start + timedelta(seconds=length.number * _SECONDS_IN[length.unit])
        return Due(at, (*steps, DueStep("elapsed", span=str(length), local=local_time(at, zone))))
    if not length.number:
        # Local time would be ambiguous in the hour that happens twice, and lead back into the first.
        return Due(start, (*steps, DueStep("elapsed", span=str(length), local=local_time(start, zone))))
    local = local_time(start, zone).replace(tzinfo=None)
    noted: list[DueStep] = []
    if length.unit is Unit.MONTHS:
        target = _months_on(local, length.number)
        if target.day != local.day:
            noted.append(DueStep("month_end"))
    else:
        target = local + timedelta(days=length.number * (7 if length.unit is Unit.WEEKS else 1))
    at = from_local_time(target, zone)
    local_end = local_time(at, zone)
    if local_end.replace(tzinfo=None) != target:
        noted.append(DueStep("moved_by_gap", local=local_end))
    elif local_end.utcoffset() != local_end.replace(fold=1).utcoffset():
        noted.append(DueStep("first_of_two"))
    return Due(at, (*steps, DueStep("same_local_time", span=str(length), local=local_end), *noted))


def _months_on(local: datetime, months: int) -> datetime:
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
