"""Days off from an iCalendar file: whole days alone; what cannot be counted is listed with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from babel.core import get_global

from amends.settings.ical import BadIcal, Event, Property, events_in
from amends.settings.recurring import NotCounted, repeated
from complaints.localtime import zone_named

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_MOMENT = re.compile(r"(\d{8})T(\d{2})(\d{2})(\d{2})(Z?)", re.ASCII)
_DURATION = re.compile(r"\+?P(?:(\d{1,4})W|(\d{1,4})D)(?:T0[HMS])?", re.ASCII)
#: Longer is a slip of whoever wrote it: no desk is shut for more than a year.
_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Closures:
    """The days off by their names, and in a line each what was left out and why."""

    days: Mapping[date, str]
    left_out: tuple[str, ...] = ()


def closures_in(text: str, zone: str, first: date, last: date) -> Closures:
    """The whole days off of a file between two days, local to `zone`. Raises BadIcal."""
    days: dict[date, str] = {}
    left_out: list[str] = []
    events = events_in(text)
    moved = _moved(events, zone)
    for event in events:
        if _cancelled(event):
            continue
        name = _name(event)
        try:
            begins, length = _whole_days(event, zone)
            skipped = {*_excluded(event, zone), *(moved.get(_uid(event), ()) if "RRULE" in event else ())}
            for start in repeated(_rule(event), begins, first - length, last):
                off = (start + timedelta(days=n) for n in range(length.days)) if start not in skipped else ()
                days |= {day: name for day in off if first <= day <= last}
        except NotCounted as why:
            left_out.append(f"{name}: {why}")
    return Closures(days, tuple(left_out))


def closures_of(folder: Path, files: Sequence[str], zone: str, first: date, last: date) -> Closures:
    """The same of several files, their names relative to `folder`. Raises BadIcal, which names the file."""
    days: dict[date, str] = {}
    left_out: list[str] = []
    for name in files:
        try:
            found = closures_in((folder / name).read_text(encoding="utf-8"), zone, first, last)
        except OSError as unreadable:
            raise BadIcal(f"{folder / name} cannot be read: {unreadable.strerror}") from unreadable
        except UnicodeDecodeError as unreadable:
            raise BadIcal(f"{folder / name} cannot be read: it is not UTF-8") from unreadable
        except BadIcal as wrong:
            raise BadIcal(f"{folder / name}: {wrong}") from wrong
        days |= found.days
        left_out += [f"{name}: {one}" for one in found.left_out]
    return Closures(days, tuple(left_out))


def _cancelled(event: Event) -> bool:
    return any(one.value.strip().upper() == "CANCELLED" for one in event.get("STATUS", ()))


def _name(event: Event) -> str:
    said = event.get("SUMMARY", ())
    return (said[0].text if said else "") or "Closed"


def _uid(event: Event) -> str:
    said = event.get("UID", ())
    return said[0].value if said else ""


def _rule(event: Event) -> str:
    if "RDATE" in event or len(event.get("RRULE", ())) > 1:
        raise NotCounted("it comes again on single dates: write an event for each")
    return event["RRULE"][0].value if "RRULE" in event else ""


def _moved(events: list[Event], zone: str) -> dict[str, set[date]]:
    """The days of a series that events of their own stand for, moved or cancelled, by the series' uid."""
    found: dict[str, set[date]] = {}
    for event in events:
        for one in event.get("RECURRENCE-ID", ()):
            # Of an unknown zone the event itself is listed with its reason.
            with suppress(NotCounted):
                found.setdefault(_uid(event), set()).add(_day(one, zone)[0])
    return found


def _excluded(event: Event, zone: str) -> Iterator[date]:
    for line in event.get("EXDATE", ()):
        for value in line.value.split(","):
            yield _day(Property(value, line.parameters), zone)[0]


def _whole_days(event: Event, zone: str) -> tuple[date, timedelta]:
    """The first day off and for how many; NotCounted where it is no whole days."""
    if "DTSTART" not in event:
        raise NotCounted("it has no DTSTART")
    begins, from_midnight = _day(event["DTSTART"][0], zone)
    to_midnight, length = True, timedelta(days=1)
    if "DTEND" in event:
        ends, to_midnight = _day(event["DTEND"][0], zone)
        length = ends - begins
        if not length and from_midnight and to_midnight and _is_day(event["DTSTART"][0]):
            length = timedelta(days=1)  # written by those who take DTEND for the last day
    elif "DURATION" in event:
        length = _duration(event["DURATION"][0].value)
    elif not _is_day(event["DTSTART"][0]):
        raise NotCounted("it is a moment, not a day")
    if not (from_midnight and to_midnight) or length < timedelta(days=1):
        raise NotCounted("it is not a whole day: change the opening hours for that, or make it a whole day")
    if length > _LONGEST:
        raise NotCounted("it lasts for more than a year")
    return begins, length


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise NotCounted("it is not a whole day: change the opening hours for that, or make it a whole day")
    return timedelta(weeks=int(found[1] or 0), days=int(found[2] or 0))


def _is_day(one: Property) -> bool:
    return _DATE.fullmatch(one.value.strip()) is not None


def _day(one: Property, zone: str) -> tuple[date, bool]:
    """The local day, and whether the value is its beginning."""
    value = one.value.strip()
    try:
        if found := _DATE.fullmatch(value):
            return date(int(found[1]), int(found[2]), int(found[3])), True
        if found := _MOMENT.fullmatch(value):
            moment = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - its zone follows
            local = moment if found[5] == "" and "TZID" not in one.parameters else _local(moment, one, zone)
            return local.date(), local.time() == time()
    except ValueError as wrong:
        raise BadIcal(f"{value!r} is not a date: {wrong}") from wrong
    raise BadIcal(f"{value!r} is not a date, such as 20261224 or 20261224T000000")


def _local(moment: datetime, one: Property, zone: str) -> datetime:
    """The same moment on our wall: of another zone's midnight, which is none of ours, this is the true time."""
    named = one.parameters.get("TZID", "UTC").lstrip("/")
    known = get_global("windows_zone_mapping").get(named, named)
    try:
        theirs = UTC if one.value.strip().endswith("Z") else zone_named(known)
    except ValueError as unknown:
        raise NotCounted(f"its time zone {named!r} is not known: write days instead of moments") from unknown
    return moment.replace(tzinfo=theirs).astimezone(zone_named(zone)).replace(tzinfo=None)
