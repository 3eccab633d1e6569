"""The events of an iCalendar file and when they take place (RFC 5545).

icalendar reads them, recurring-ical-events expands them. Two faults of the latter are avoided by writing an event
differently first: it counts the DTSTART of a series whose rule leaves it out, and west of Greenwich it ends a series
a day before the day in UNTIL.
The libraries take 0.2 s to import: closures.py imports this module only where a calendar file is configured.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import recurring_ical_events
from dateutil.rrule import rrulestr
from icalendar import Calendar, Event, Timezone, use_zoneinfo
from icalendar.error import GloballyUniqueTZIDGuessed
from icalendar.prop import vBroken, vRecur

from amends.settings.problems import BadCalendarFile, NotCounted

#: A list of closures has fewer events; more would take seconds at every start.
MOST_EVENTS = 5_000
#: A COUNT is counted from the first occurrence on. So many days, weeks or months are half a century of days.
MOST_PERIODS = 20_000
#: A longer event is a mistake: no desk closes for more than a year.
LONGEST = timedelta(days=366)

#: Our property of an event: the number of its first line. Its occurrences have it too.
_LINE = "X-LINE"
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
_DAYS_PER_PERIOD = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_RULE_PARTS = frozenset(
    ["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY", "BYSETPOS", "WKST"]
)


def read_calendar(text: str) -> list[Event]:
    """Read the events of an iCalendar file. Raises BadCalendarFile with the first line of a broken event."""
    pieces = list(_pieces(text.removeprefix("\ufeff")))
    count = sum(kind == "VEVENT" for kind, _, _ in pieces)
    if count > MOST_EVENTS:
        raise BadCalendarFile(f"it has {count} events, more than {MOST_EVENTS}: export the closures alone")
    use_zoneinfo()  # type: ignore[no-untyped-call] # forgets the time zones of other files, whose names may be the same
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)
        for kind, _, piece in pieces:
            # Broken definitions raise many kinds of errors. Events in such a zone are listed.
            with suppress(Exception):
                if kind == "VTIMEZONE":
                    Timezone.from_ical(piece)
        return [_event(line, piece) for kind, line, piece in pieces if kind == "VEVENT"]


def _pieces(text: str) -> Iterator[tuple[str, int, str]]:
    """Kind, first line and text of each event and time zone; without alarms, which may be broken."""
    stack: list[str] = []
    is_calendar = False
    first, piece = 0, ""
    # Not splitlines: it also splits at separators that a name may contain.
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        keyword, _, kind = line.rstrip().upper().partition(":")
        if keyword == "BEGIN":
            is_calendar = is_calendar or (not stack and kind == "VCALENDAR")
            stack.append(kind)
            if len(stack) == 2:
                first, piece = number, ""
        elif keyword and keyword != "END" and not stack:
            raise BadCalendarFile(
                f"line {number}: {line[:40]!r} is no line of an iCalendar file, such as SUMMARY:Closed"
            )
        if "VALARM" not in stack:
            piece += f"{line}\r\n"
        if keyword == "END":
            if not stack or stack.pop() != kind:
                raise BadCalendarFile(f"line {number}: END:{kind} closes nothing that was opened")
            if len(stack) == 1:
                yield kind, first, piece
    if not is_calendar:
        raise BadCalendarFile("it is no iCalendar file: BEGIN:VCALENDAR is missing")
    if stack:
        raise BadCalendarFile(f"it ends before END:{stack[-1]}: is it whole?")


def _event(line: int, piece: str) -> Event:
    try:
        event = Event.from_ical(piece)
        if not isinstance(event, Event):
            raise ValueError("its BEGIN:VEVENT is continued in the next line")
        for name, why in event.errors:
            if name is None:
                raise ValueError(f"{why}: that is no line of an iCalendar file, such as SUMMARY:Closed")
            if name in _TIMES:
                raise ValueError(f"{name} is not a date, such as 20261224: {why}")
        if event.DTSTART is not None and event.DTSTART.year in (1, 9999):
            raise ValueError(f"{event.DTSTART} is not a date: such years have no calendar")
    except ValueError as wrong:
        raise BadCalendarFile(f"line {line}: this event cannot be read: {wrong}") from wrong
    event[_LINE] = str(line)
    return event


def line_of(event: Event) -> int:
    """The number of the first line of an event, or of the event of an occurrence."""
    return int(str(event[_LINE]))


def name_of(event: Event) -> str:
    return " ".join(str(event.summary or "").split()) or "Closed"


def is_free_time(event: Event) -> bool:
    return str(event.get("TRANSP", "")).strip().upper() == "TRANSPARENT"


def _is_cancelled(event: Event) -> bool:
    return str(event.get("STATUS", "")).strip().upper() == "CANCELLED"


def series_of(events: Sequence[Event], zone: tzinfo, last: date) -> tuple[list[list[Event]], dict[int, str]]:
    """The events that can be counted until `last`, by UID; and by line, name and reason of those that cannot.

    Times without a zone are in the zone of the desk.
    """
    series: dict[str, list[Event]] = {}
    left_out: dict[int, str] = {}
    for event in events:
        try:
            with _listed_if_not_understood():
                _prepare(event, zone, last)
            kept = event
        except NotCounted as why:
            if not (is_free_time(event) or _is_cancelled(event)):
                left_out[line_of(event)] = f"{name_of(event)}: {why}"
            if "RECURRENCE-ID" not in event and not _is_cancelled(event):
                continue
            kept = _cancellation(event)
        series.setdefault(str(event.uid or event[_LINE]), []).append(kept)
    return list(series.values()), left_out


def occurrences(
    series: Sequence[Event], zone: tzinfo, first: date, last: date
) -> list[tuple[Event, datetime, datetime]]:
    """Event, start and end in UTC of each occurrence of a series that may reach into these days.

    Raises NotCounted where its events do not fit together.
    """
    calendar = Calendar()
    for event in series:
        calendar.add_component(event)
    # In another zone it may be a day earlier or later.
    window = (first - timedelta(days=2), last + timedelta(days=2))
    with _listed_if_not_understood():
        versions = [event for event in series if "RECURRENCE-ID" not in event]
        if versions and _is_cancelled(max(versions, key=lambda event: event.get("SEQUENCE", -1))):
            return []
        return [
            (event, _instant(event.DTSTART, zone), _instant(event.DTEND, zone))
            for event in recurring_ical_events.of(calendar).between(*window)
            if not (is_free_time(event) or _is_cancelled(event))
        ]


def _cancellation(event: Event) -> Event:
    """An event that only cancels its series, or the occurrence that an event replaces which cannot be counted."""
    cancelled = Event(
        {name: event[name] for name in ("UID", "SEQUENCE", "RECURRENCE-ID", _LINE) if name in event}
    )
    if "RECURRENCE-ID" in event:
        cancelled["DTSTART"] = event["RECURRENCE-ID"]
    cancelled["STATUS"] = "CANCELLED"
    return cancelled


@contextmanager
def _listed_if_not_understood() -> Iterator[None]:
    """Contradictory events raise many kinds of errors in the libraries, none of them documented."""
    try:
        yield
    except NotCounted:
        raise
    except Exception as wrong:
        # Only a ValueError speaks of the file; other errors speak of the library ("unhashable type").
        reason = f" ({wrong})" if isinstance(wrong, ValueError) else ""
        raise NotCounted(f"it is not understood{reason}: write an event for each day") from wrong


def _prepare(event: Event, zone: tzinfo, last: date) -> None:
    """Write an event so that the library expands it as the standard says. Raises NotCounted."""
    if "DTSTART" not in event:
        raise NotCounted("it has no DTSTART")
    if "EXRULE" in event:
        raise NotCounted("its EXRULE is out of use: write EXDATE for each day that is worked")
    _require_known_zones(event)
    start = event.DTSTART = _aligned(event.DTSTART, event.DTSTART, zone)
    event.DTEND = start + _length(event, start, zone)
    exceptions = [_aligned(day, start, zone) for day in event.exdates]
    additions = [tuple(end and _aligned(end, start, zone) for end in period) for period in event.rdates]
    for rule in event.rrules:
        _prepare_rule(rule, start, last)
    left_out = (_first_match(rule, start) != _clock(start) for rule in event.rrules)
    if event.rrules and all(left_out) and (start, None) not in additions:
        exceptions.append(start)
    event.exdates, event.rdates = exceptions, additions


def _require_known_zones(event: Event) -> None:
    lines: list[Any] = [line for name, line in event.property_items(recursive=False) if name in _TIMES]
    for line in lines:
        is_known = "TZID" not in line.params
        times = [value.dt[0] if isinstance(value.dt, tuple) else value.dt for value in line.dts]
        with suppress(Exception):  # a broken definition raises many kinds of errors
            is_known = is_known or all(moment.utcoffset() is not None for moment in times)
        if not is_known:
            what = f"its time zone {str(line.params['TZID'])!r} is not known, or its definition is not understood"
            raise NotCounted(f"{what}: write days instead of moments")


def _length(event: Event, start: date, zone: tzinfo) -> timedelta:
    """How long an occurrence lasts on the clock of the zone in which it starts."""
    is_day = not isinstance(start, datetime)
    length = timedelta(days=is_day)
    if event.DTEND is not None:
        length = _clock(_aligned(event.DTEND, start, zone)) - _clock(start)
        if length < timedelta():
            raise NotCounted("it ends before it begins: set DTEND right")
        if is_day:
            length = max(length, timedelta(days=1))  # some programs write the last day as DTEND
    elif "DURATION" in event:
        duration = event.get("DURATION")
        length = duration.dt
        if length < timedelta() or (is_day and length % timedelta(days=1)):
            text = duration.to_ical().decode()
            raise NotCounted(f"its DURATION {text!r} is not understood: write DTEND")
    if not length:
        raise NotCounted("it is a moment, not a day: write DTEND")
    if length > LONGEST:
        raise NotCounted("it lasts for more than a year: write its days, or change the opening hours")
    return length


def _prepare_rule(rule: vRecur | vBroken, start: date, last: date) -> None:
    """Write UNTIL as a time in UTC. Raises NotCounted for a rule that names no days, or too many."""
    if isinstance(rule, vBroken) or not _is_understood(rule, start):
        text = str(rule) if isinstance(rule, vBroken) else _written(rule)
        raise NotCounted(f"its rule {text[:60]!r} is not understood: write an event for each day")
    days = (datetime.combine(last, time.max) - _clock(start)).days
    periods = days // _DAYS_PER_PERIOD[rule["FREQ"][0]] // rule.get("INTERVAL", [1])[0]
    if min(periods, rule.get("COUNT", [0])[0]) > MOST_PERIODS:
        raise NotCounted("it is counted over too many years: write a later beginning, or UNTIL for COUNT")
    if "UNTIL" in rule and isinstance(start, datetime):
        until = rule["UNTIL"][0]
        if not isinstance(until, datetime):
            until = datetime.combine(until, time(23, 59, 59))
        rule["UNTIL"] = [until.replace(tzinfo=until.tzinfo or start.tzinfo).astimezone(UTC)]


def _is_understood(rule: vRecur, start: date) -> bool:
    values = [str(value) for part in rule.values() for value in part]
    frequency, weekdays = rule.get("FREQ", [""])[0], " ".join(map(str, rule.get("BYDAY", ())))
    # With a rule that no day matches, dateutil searches until the year 9999: up to 5 s. As the calendar repeats every
    # 400 years, its last 400 to 800 years show whether a day matches.
    late = start.replace(year=start.year + (9599 - start.year) // 400 * 400)
    return not (
        frequency not in _DAYS_PER_PERIOD
        or set(rule) - _RULE_PARTS
        or {"COUNT", "UNTIL"} <= set(rule)
        or (frequency in ("DAILY", "WEEKLY") and re.search(r"\d", weekdays))
        or (frequency == "WEEKLY" and "BYMONTHDAY" in rule)
        # dateutil ignores a part of 0, and never ends with an INTERVAL of 0 or below.
        or not all(value.strip("+-0") for value in values)
        or rule.get("INTERVAL", [1])[0] < 1
        or _first_match(rule, late) is None
    )


def _first_match(rule: vRecur, begin: date) -> datetime | None:
    """The first day that a rule matches from here on, without its COUNT and UNTIL."""
    endless = vRecur({name: part for name, part in rule.items() if name not in ("COUNT", "UNTIL")})
    # Numbers out of range, such as BYMONTH=13, are noticed only while it counts.
    with suppress(ValueError, IndexError, OverflowError):
        return next(iter(rrulestr(_written(endless), dtstart=_clock(begin))), None)
    return None


def _written(rule: vRecur) -> str:
    return ";".join(f"{name}={','.join(map(str, part))}" for name, part in rule.items())


def _aligned(value: date, start: date, zone: tzinfo) -> Any:
    """A day for a series of days; otherwise a time in the zone of its start, or a day for all times of it."""
    if not isinstance(start, datetime):
        return date(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=value.tzinfo or zone).astimezone(start.tzinfo or zone)


def _clock(at: date) -> datetime:
    return at.replace(tzinfo=None) if isinstance(at, datetime) else datetime.combine(at, time.min)


def _instant(at: date, zone: tzinfo) -> datetime:
    return (at if isinstance(at, datetime) else datetime.combine(at, time.min, zone)).astimezone(UTC)
