"""When a date or a moment of an iCalendar file is: in a zone known by name, or one that the file explains itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from babel.core import get_global

from amends.settings.ical import BadIcal, Component, Property
from amends.settings.recurring import NotCounted, repeated, rhythm_of
from complaints.deadlines.local_time import from_wall, zone_named

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_MOMENT = re.compile(r"\d{8}T\d{6}(Z?)", re.ASCII)
_DURATION = re.compile(
    r"\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=.)(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?", re.ASCII
)
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?", re.ASCII)

#: From the clock on a wall (naive) to the instant.
Clock = Callable[[datetime], datetime]


@dataclass(frozen=True)
class Written:
    """A value as it stands in the file: the wall's date and time, whose wall it is, and whether it is a day alone."""

    wall: datetime
    clock: Clock
    zone: str
    day_alone: bool

    @property
    def at(self) -> datetime:
        """The instant."""
        return self.clock(self.wall)


def written(one: Property, value: str, zones: Mapping[str, tuple[Component, ...]], ours: str) -> Written:
    """Read a date or a moment; without a zone it is on the wall of `ours`. Raises BadIcal, NotCounted."""
    text = value.strip()
    day, moment = _DATE.fullmatch(text), _MOMENT.fullmatch(text)
    if text[:4] in ("0000", "0001", "9999"):
        raise BadIcal(f"line {one.line}: {text[:40]!r} is not a date: such years have no calendar")
    try:
        if day is not None:
            wall = datetime(int(day[1]), int(day[2]), int(day[3]))  # noqa: DTZ001 - a wall's
            return Written(wall, _named(ours), "", day_alone=True)
        if moment is not None:
            wall = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - its zone follows
            if moment[1]:
                return Written(wall, _utc, "UTC", day_alone=False)
            named = one.parameters.get("TZID", "").strip()
            return Written(wall, _clock(named, zones) if named else _named(ours), named, day_alone=False)
    except ValueError as wrong:
        raise BadIcal(f"line {one.line}: {text!r} is not a date: {wrong}") from wrong
    raise BadIcal(f"line {one.line}: {text[:40]!r} is not a date, such as 20261224 or 20261224T000000")


def lasting(text: str) -> tuple[timedelta, timedelta]:
    """A DURATION: its days, which follow the wall, and its hours, which do not. NotCounted where it is none."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise NotCounted(f"its DURATION {text.strip()[:40]!r} is not understood: write DTEND")
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
    return timedelta(weeks=weeks, days=days), timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _utc(wall: datetime) -> datetime:
    return wall.replace(tzinfo=UTC)


def _named(zone: str) -> Clock:
    zone_named(zone)
    return lambda wall: from_wall(wall, zone)


def _clock(tzid: str, zones: Mapping[str, tuple[Component, ...]]) -> Clock:
    """By its name, also where programs put a path before it, or by Windows' one; else as the file explains it."""
    parts = tzid.strip("/").split("/")
    tails = ["/".join(parts[at:]) for at in range(len(parts))]
    for name in (tzid, *tails):
        try:
            return _named(get_global("windows_zone_mapping").get(name, name))
        except ValueError:
            continue
    observances = zones.get(tzid, ())
    if not observances:
        raise NotCounted(f"its time zone {tzid!r} is not known: write days instead of moments")
    return lambda wall: wall.replace(tzinfo=timezone(_offset(observances, wall))).astimezone(UTC)


def _offset(observances: tuple[Component, ...], wall: datetime) -> timedelta:
    """How far east of Greenwich the wall is: by the observance that began last, before any by the earliest."""
    begun = [(onset, one) for one in observances for onset in _onsets(one, wall)]
    if begun:
        return _said(max(begun, key=lambda each: each[0])[1], "TZOFFSETTO")
    earliest = min(observances, key=lambda one: _value(one, "DTSTART"))
    return _said(earliest, "TZOFFSETFROM")


def _onsets(one: Component, wall: datetime) -> Iterator[datetime]:
    """When the observance began, of each of its rules and single dates the last time before the wall's."""
    try:
        start = datetime.strptime(_value(one, "DTSTART").rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
        singles = [
            datetime.strptime(text.strip().rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
            for line in one.get("RDATE", ())
            for text in line.value.split(",")
        ]
    except ValueError as wrong:
        raise NotCounted("its time zone is not understood: write days instead of moments") from wrong
    moments = [start, *singles]
    for line in one.get("RRULE", ()):
        rhythm = rhythm_of(line.value)
        day = None if rhythm.until is None else _last_day(rhythm.until)
        reach = wall.date().toordinal() - 800
        days = repeated(rhythm, start.date(), day, date.fromordinal(max(1, reach)), wall.date())
        # A zone whose last change by this rule is longer ago keeps it: then the end of the rule is the onset.
        if day is not None and day.toordinal() < reach:
            days = repeated(rhythm, start.date(), day, date.fromordinal(max(1, day.toordinal() - 800)), day)
        moments += [datetime.combine(each, start.time()) for each in days]
    past = [each for each in moments if each <= wall]
    if past:
        yield max(past)


def _last_day(until: str) -> date:
    try:
        return datetime.strptime(until[:8], "%Y%m%d").date()  # noqa: DTZ007 - a wall's
    except ValueError as wrong:
        raise NotCounted("its time zone is not understood: write days instead of moments") from wrong


def _value(one: Component, name: str) -> str:
    said = one.get(name, ())
    return said[0].value.strip() if said else ""


def _said(one: Component, name: str) -> timedelta:
    found = _OFFSET.fullmatch(_value(one, name))
    if found is None:
        raise NotCounted("its time zone is not understood: write days instead of moments")
    length = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    if length >= timedelta(days=1):
        raise NotCounted("its time zone is not understood: write days instead of moments")
    return -length if found[1] == "-" else length
