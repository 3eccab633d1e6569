"""When the events of an iCalendar file take place (RFC 5545).

icalendar reads times and time zones; dateutil expands the rules. recurring-ical-events expands them too, but it adds
DTSTART to a series whose rule leaves it out, and west of Greenwich it ends a series a day before its UNTIL.
Both libraries take time to import: closures.py imports this module only where a calendar file is configured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import cast

from babel.core import get_global
from dateutil.rrule import rrulestr
from icalendar import Timezone
from icalendar.prop import vDDDTypes, vDuration

from amends.settings.calendar_file import CalendarFile, Component, Property
from amends.settings.problems import BadCalendarFile, NotCounted
from complaints.times import zone_named

#: A COUNT is counted from the first occurrence on. So many days, weeks or months are half a century of days.
MOST_PERIODS = 20_000
#: A longer event is a mistake: no desk closes for more than a year.
LONGEST = timedelta(days=366)

_ANY_TIME = datetime(2026, 1, 1)  # noqa: DTZ001 - on the clock
_DAYS_PER_PERIOD = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_RULE_PARTS = frozenset(
    ["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY", "BYSETPOS", "WKST"]
)


@dataclass(frozen=True)
class _Time:
    """A time with its zone; a day is its first midnight in the zone of the desk."""

    at: datetime
    is_day: bool

    def on_clock(self, other: _Time) -> datetime:
        """What a clock in this time's zone shows at another time."""
        return other.at.astimezone(self.at.tzinfo).replace(tzinfo=None)


class Occurrences:
    """When the events of a file take place. Days, and times without a zone, are in the zone of the desk."""

    def __init__(self, file: CalendarFile, desk_zone: str) -> None:
        self._file, self._desk_zone = file, zone_named(desk_zone)
        self._zones: dict[str, tzinfo] = {}

    def between(self, event: Component, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
        """Start and end, in UTC, of every occurrence that may reach into these days.

        Raises NotCounted where the event cannot be counted, BadCalendarFile where it cannot be read.
        """
        if "DTSTART" not in event.properties:
            raise NotCounted("it has no DTSTART")
        if "EXRULE" in event.properties:
            raise NotCounted("its EXRULE is out of use: write EXDATE for each day that is worked")
        start = self._time(event.properties["DTSTART"][0])
        skipped = self._exceptions(event, start)
        length = _limited(self._length(event, start))
        # In another zone it may be a day earlier or later, and an occurrence may start before the first day.
        window = (first - length - timedelta(days=2), last + timedelta(days=2))
        for clock, lasts in self._starts(event, start, length, window).items():
            if clock not in skipped and clock.date() not in skipped:
                begin = clock.replace(tzinfo=start.at.tzinfo)
                yield begin.astimezone(UTC), (begin + lasts).astimezone(UTC)

    def _length(self, event: Component, start: _Time) -> timedelta:
        """How long an occurrence lasts on the clock of the zone in which it starts."""
        if "DTEND" in event.properties:
            length = start.on_clock(self._time(event.properties["DTEND"][0])) - start.on_clock(start)
            if length < timedelta():
                raise NotCounted("it ends before it begins: set DTEND right")
            if not length and start.is_day:
                return timedelta(days=1)  # some programs write the last day as DTEND
            return length
        if "DURATION" in event.properties:
            return _duration(event.value("DURATION"))
        if start.is_day:
            return timedelta(days=1)
        raise NotCounted("it is a moment, not a day: write DTEND")

    def _starts(
        self, event: Component, start: _Time, length: timedelta, window: tuple[date, date]
    ) -> dict[datetime, timedelta]:
        """How long each occurrence lasts, by its start on the clock of the event's zone."""
        rules = event.properties.get("RRULE", ()) if event.is_series else ()
        starts = {} if rules else {start.on_clock(start): length}
        for rule in rules:
            starts |= dict.fromkeys(self._expanded(rule, start, window), length)
        for single in event.properties.get("RDATE", ()) if event.is_series else ():
            for period in single.value.split(","):
                value, _, ends = period.partition("/")
                clock, lasts = start.on_clock(self._time(single, value)), length
                if ends.lstrip("+").startswith("P"):
                    lasts = _limited(_duration(ends))
                elif ends:
                    lasts = start.on_clock(self._time(single, ends)) - clock
                starts.setdefault(clock, lasts)
        return starts

    def _exceptions(self, event: Component, start: _Time) -> set[date]:
        """The days, and the times on the clock of its zone, at which a series does not take place."""
        exceptions = [
            self._time(line, value)
            for line in event.properties.get("EXDATE", ())
            for value in line.value.split(",")
        ]
        for replaced in self._file.replaced.get(event.value("UID"), ()) if event.is_series else ():
            if "RANGE" in replaced.parameters:
                raise NotCounted(
                    "it is changed from one day on (RANGE): end it there and write another series"
                )
            # With an unknown time zone, the event that replaces it is listed with that reason.
            with suppress(NotCounted):
                exceptions.append(self._time(replaced))
        return {
            exception.at.date() if start.is_day or exception.is_day else start.on_clock(exception)
            for exception in exceptions
        }

    def _expanded(self, rule: Property, start: _Time, window: tuple[date, date]) -> list[datetime]:
        """The starts of a series in this window, on the clock of its zone."""
        parts = _rule_parts(rule.value)
        begin, last = start.on_clock(start), datetime.combine(window[1], time.max)
        periods = (last - begin).days // _DAYS_PER_PERIOD[parts["FREQ"]] // int(parts.get("INTERVAL", 1))
        if min(periods, int(parts.get("COUNT", 0))) > MOST_PERIODS:
            raise NotCounted("it is counted over too many years: write a later beginning, or UNTIL for COUNT")
        until = self._until(rule, parts.pop("UNTIL"), start) if "UNTIL" in parts else None
        # With a rule that no day matches, dateutil searches until the year 9999: up to 5 s. As the calendar repeats
        # every 400 years, its last 400 to 800 years show whether a day matches.
        late = begin.replace(year=begin.year + (9599 - begin.year) // 400 * 400)
        try:
            series = rrulestr(";".join(map("=".join, parts.items())), dtstart=begin)
            if next(iter(series.replace(dtstart=late, count=None)), None) is None:
                raise _not_understood(rule.value)
            if until is not None:
                series = series.replace(until=until)
            return list(series.between(datetime.combine(window[0], time.min), last, inc=True))
        # Numbers out of range, such as BYMONTH=13, are noticed only while it counts.
        except (ValueError, IndexError) as wrong:
            raise _not_understood(rule.value) from wrong

    def _until(self, rule: Property, value: str, start: _Time) -> datetime:
        """The last start of a series on the clock of its zone; a date includes that whole day."""
        until = _parsed(rule.line, value)
        if start.is_day or not isinstance(until, datetime):
            return datetime(until.year, until.month, until.day, 23, 59, 59)  # noqa: DTZ001 - on the clock
        return until if until.tzinfo is None else start.on_clock(_Time(until, is_day=False))

    def _time(self, line: Property, value: str | None = None) -> _Time:
        """Read a value of this line, by default the whole of it. Raises BadCalendarFile, NotCounted."""
        parsed = _parsed(line.line, line.value if value is None else value)
        if not isinstance(parsed, datetime):
            return _Time(datetime.combine(parsed, time.min, self._desk_zone), is_day=True)
        tzid = str(line.parameters.get("TZID", "")).strip()
        if tzid and parsed.tzinfo is None and tzid not in self._zones:
            self._zones[tzid] = self._zone(tzid)
        zone = parsed.tzinfo or self._zones.get(tzid, self._desk_zone)
        return _Time(parsed.replace(tzinfo=zone), is_day=False)

    def _zone(self, tzid: str) -> tzinfo:
        """By its IANA name, also after a path, or by its Windows name; otherwise as the file defines it."""
        parts = tzid.strip("/").split("/")
        for name in (tzid, *("/".join(parts[number:]) for number in range(len(parts)))):
            with suppress(ValueError):
                return zone_named(get_global("windows_zone_mapping").get(name, name))
        if tzid not in self._file.zones:
            raise NotCounted(f"its time zone {tzid!r} is not known: write days instead of moments")
        try:
            # Not by icalendar's cache: a zone of another file may have the same name.
            definition = cast("Timezone", Timezone.from_ical(self._file.zones[tzid]))
            zone: tzinfo = definition.to_tz(lookup_tzid=False)
            zone.utcoffset(_ANY_TIME)  # reads its rules, which may be broken too
        except Exception as wrong:  # a broken definition raises many errors, none of them documented
            raise NotCounted("its time zone is not understood: write days instead of moments") from wrong
        return zone


def _parsed(line: int, value: str) -> date:
    text = value.strip()
    try:
        parsed = vDDDTypes.from_ical(text)  # type: ignore[no-untyped-call]
    except ValueError as wrong:
        raise BadCalendarFile(f"line {line}: {text[:40]!r} is not a date: {wrong}") from wrong
    if not isinstance(parsed, date):
        raise BadCalendarFile(
            f"line {line}: {text[:40]!r} is not a date, such as 20261224 or 20261224T000000"
        )
    if parsed.year in (1, 9999):
        raise BadCalendarFile(f"line {line}: {text[:40]!r} is not a date: such years have no calendar")
    return parsed


def _duration(value: str) -> timedelta:
    with suppress(ValueError):
        length: timedelta = vDuration.from_ical(value.strip())  # type: ignore[no-untyped-call]
        if length >= timedelta() and re.search(r"\d", value):
            return length
    raise NotCounted(f"its DURATION {value.strip()[:40]!r} is not understood: write DTEND")


def _limited(length: timedelta) -> timedelta:
    if length > LONGEST:
        raise NotCounted("it lasts for more than a year: write its days, or change the opening hours")
    return length


def _rule_parts(rule: str) -> dict[str, str]:
    """The parts of an RRULE by name. Raises NotCounted for a rule that names no days, or in a way unknown here."""
    pairs = [part.partition("=") for part in rule.strip().upper().split(";") if part]
    parts = {name: value.strip() for name, _, value in pairs}
    frequency, weekdays = parts.get("FREQ"), parts.get("BYDAY", "")
    values = [value for part in parts.values() for value in part.split(",")]
    if (
        frequency not in _DAYS_PER_PERIOD
        or set(parts) - _RULE_PARTS
        or {"COUNT", "UNTIL"} <= set(parts)
        or (frequency in ("DAILY", "WEEKLY") and re.search(r"\d", weekdays))
        or (frequency == "WEEKLY" and "BYMONTHDAY" in parts)
        or not all(re.fullmatch(r"\d{1,5}", parts.get(name, "1"), re.ASCII) for name in ("INTERVAL", "COUNT"))
        # dateutil ignores a part of 0, never ends with an INTERVAL of 0, and takes a blank for the end of the rule.
        or not all(re.fullmatch(r"[+-]?0*[1-9A-Z][0-9A-Z]*", value) for value in values)
    ):
        raise _not_understood(rule)
    return parts


def _not_understood(rule: str) -> NotCounted:
    return NotCounted(f"its rule {rule.strip()[:60]!r} is not understood: write an event for each day")
