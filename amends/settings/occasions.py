"""When an event of an iCalendar file takes place: once, by its rules and single dates, without its exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from amends.settings.ical import Component, Property
from amends.settings.moments import Written, lasting, written
from amends.settings.recurring import NotCounted, repeated, rhythm_of

#: Longer is a slip of whoever wrote it: no desk is shut for more than a year.
_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Occasion:
    """One time that an event takes place."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Series:
    """An event and the times it comes again.

    `zones` are the file's own, `zone` is ours; `overridden` are the occasions that other events stand for.
    """

    event: Component
    zones: Mapping[str, tuple[Component, ...]]
    zone: str
    overridden: tuple[Property, ...]

    def occasions(self, first: date, last: date) -> Iterator[Occasion]:
        """Every occasion that reaches into these days; raises NotCounted and BadIcal."""
        if "DTSTART" not in self.event:
            raise NotCounted("it has no DTSTART")
        if "EXRULE" in self.event:
            raise NotCounted("its EXRULE is out of use: write EXDATE for each day that is worked")
        start = self._read(self.event["DTSTART"][0])
        skipped = list(self._skipped(start))
        seen: set[datetime] = set()
        for one, ends in self._all(start, first, last):
            at = one.at
            if at in seen or any(_same(one, each, start) for each in skipped):
                continue
            seen.add(at)
            yield Occasion(at, ends)

    def _read(self, one: Property, value: str | None = None) -> Written:
        return written(one, one.value if value is None else value, self.zones, self.zone)

    def _all(self, start: Written, first: date, last: date) -> Iterator[tuple[Written, datetime]]:
        # On another zone's wall it is the day before or after, and an occasion reaches in from before.
        length = sum(self._lasts, timedelta())
        if length > _LONGEST:
            raise NotCounted("it lasts for more than a year: write its days, or change the opening hours")
        since, until = first - length - timedelta(days=2), last + timedelta(days=2)
        alone = "RECURRENCE-ID" in self.event
        rules = () if alone else self.event.get("RRULE", ())
        if not rules:
            yield start, self._ends(start)
        for line in rules:
            rhythm = rhythm_of(line.value)
            end = None if rhythm.until is None else self._last_day(line, rhythm.until, start)
            for day in repeated(rhythm, start.wall.date(), end, since, until):
                one = Written(
                    datetime.combine(day, start.wall.time()), start.clock, start.zone, start.day_alone
                )
                yield one, self._ends(one)
        for line in () if alone else self.event.get("RDATE", ()):
            for value in line.value.split(","):
                begins, _, ends = value.partition("/")
                one = self._read(line, begins)
                yield one, self._of_period(line, one, ends) if ends else self._ends(one)

    @cached_property
    def _lasts(self) -> tuple[timedelta, timedelta]:
        """How long the first one lasts: what follows the wall, and then what does not."""
        start = self._read(self.event["DTSTART"][0])
        if "DTEND" in self.event:
            end = self._read(self.event["DTEND"][0])
            by_wall = end.zone == start.zone
            length = end.wall - start.wall if by_wall else end.at - start.at
            if not length and start.day_alone:
                length = timedelta(days=1)  # written by those who take DTEND for the last day
            if length < timedelta():
                raise NotCounted("it ends before it begins: set DTEND right")
            return (length, timedelta()) if by_wall else (timedelta(), length)
        if "DURATION" in self.event:
            return lasting(self.event["DURATION"][0].value)
        if start.day_alone:
            return timedelta(days=1), timedelta()
        raise NotCounted("it is a moment, not a day: write DTEND")

    def _ends(self, one: Written) -> datetime:
        by_wall, further = self._lasts
        return one.clock(one.wall + by_wall) + further

    def _of_period(self, line: Property, one: Written, ends: str) -> datetime:
        if ends.lstrip("+").startswith("P"):
            by_wall, further = lasting(ends)
            return one.clock(one.wall + by_wall) + further
        return self._read(line, ends).at

    def _last_day(self, line: Property, until: str, start: Written) -> date:
        """The last day on which the series may begin again."""
        end = self._read(Property(until, {}, line.line))
        if start.day_alone or end.day_alone:
            return end.wall.date()
        # UNTIL is an instant where it ends in Z; written without, it is on the wall of the event.
        at = end.at if end.zone else start.clock(end.wall)
        day = end.wall.date() + timedelta(days=1)
        while start.clock(datetime.combine(day, start.wall.time())) > at:
            day -= timedelta(days=1)
        return day

    def _skipped(self, start: Written) -> Iterator[Written]:
        for line in self.event.get("EXDATE", ()):
            for value in line.value.split(","):
                yield self._read(line, value)
        for line in () if "RECURRENCE-ID" in self.event else self.overridden:
            if "RANGE" in line.parameters:
                raise NotCounted(
                    "it is changed from one day on (RANGE): end it there and write another series"
                )
            # Of an unknown zone the event itself is listed with its reason.
            with suppress(NotCounted):
                yield self._read(line)


def _same(one: Written, said: Written, start: Written) -> bool:
    """Is this the occasion that is excepted? Of whole days, and by a day alone, the day as written counts."""
    if start.day_alone or said.day_alone:
        return one.wall.date() == said.wall.date()
    return one.at == said.at
