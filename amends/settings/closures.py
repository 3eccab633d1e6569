"""Days off from iCalendar files: only whole working days count; every other event is listed with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from amends.settings.problems import BadCalendarFile, NotCounted
from complaints.deadlines.opening_hours import Hours
from complaints.times import MINUTES_A_DAY, at_minute, local_time, zone_named

#: A list of closures is smaller, and closes less often; reading more would take seconds at every start.
_LARGEST_BYTES = 10_000_000
_MOST_OCCURRENCES = 20_000
_REMEDY = "change the opening hours for that, or make it a whole day"


@dataclass(frozen=True)
class Closures:
    """Days off with their names, and a line for each event that was left out, with the reason."""

    days: Mapping[date, str]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeskHours:
    """The time zone and opening hours of a desk; without hours it is always open, and its days end at midnight."""

    zone: str
    hours: Hours | None = None


def closures_of(folder: Path, files: Sequence[str], desk: DeskHours, first: date, last: date) -> Closures:
    """The days off of several files, named relative to `folder`. Raises BadCalendarFile with the file's name."""
    days: dict[date, str] = {}
    left_out: list[str] = []
    for name in files:
        file = folder / name
        try:
            if file.stat().st_size > _LARGEST_BYTES:
                raise BadCalendarFile(
                    f"it is larger than {_LARGEST_BYTES // 1_000_000} MB: export the closures alone"
                )
            closures = closures_in(file.read_text(encoding="utf-8"), desk, first, last)
        except OSError as unreadable:
            raise BadCalendarFile(f"{file} cannot be read: {unreadable.strerror}") from unreadable
        except UnicodeDecodeError as unreadable:
            raise BadCalendarFile(f"{file} cannot be read: it is not UTF-8") from unreadable
        except BadCalendarFile as wrong:
            raise BadCalendarFile(f"{file}: {wrong}") from wrong
        days |= closures.days
        left_out += [f"{name}: {line}" for line in closures.left_out]
    return Closures(days, tuple(left_out))


def closures_in(text: str, desk: DeskHours, first: date, last: date) -> Closures:
    """The days off of one file between two days, in the desk's time zone. Raises BadCalendarFile.

    An event closes a day when it covers all of its opening hours. Cancelled events and those marked as free time
    (TRANSP:TRANSPARENT) close nothing.
    """
    # Only here: the libraries behind it take 0.2 s to import, and most desks have no calendar file.
    from amends.settings.calendar_file import (
        is_free_time,
        line_of,
        name_of,
        occurrences,
        read_calendar,
        series_of,
    )

    events, zone = read_calendar(text), zone_named(desk.zone)
    series, left_out = series_of(events, zone, last)
    days: dict[date, str] = {}
    partly: dict[tuple[int, str], list[date]] = {}
    count = 0
    for group in series:
        try:
            expanded = occurrences(group, zone, first, last)
        except NotCounted as why:
            left_out[line_of(group[0])] = f"{name_of(group[0])}: {why}"
            continue
        count += len(expanded)
        if count > _MOST_OCCURRENCES:
            raise BadCalendarFile(f"it closes more than {_MOST_OCCURRENCES} times: export the closures alone")
        for event, begins, ends in expanded:
            whole, part = _covered(begins, ends, desk, first, last)
            days |= dict.fromkeys(whole, name_of(event))
            partly.setdefault((line_of(event), name_of(event)), []).extend(part)
    for (line, name), parts in partly.items():
        if parts:
            more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
            left_out[line] = f"{name}: it is not a whole day on {min(parts)}{more}: {_REMEDY}"
    lines = [f"line {line}: {why}" for line, why in sorted(left_out.items())]
    if events and all(map(is_free_time, events)):
        lines.append("every event is marked as free time (TRANSP): mark as busy those that close the desk")
    return Closures(days, tuple(lines))


def _covered(
    begins: datetime, ends: datetime, desk: DeskHours, first: date, last: date
) -> tuple[list[date], list[date]]:
    """The days whose opening hours an occurrence covers, and the working days of which it takes only a part."""
    whole: list[date] = []
    part: list[date] = []
    start = max(first, local_time(begins, desk.zone).date())
    end = min(last, local_time(ends, desk.zone).date())
    for day in (start + timedelta(days=number) for number in range((end - start).days + 1)):
        spans = ((0, MINUTES_A_DAY),) if desk.hours is None else desk.hours.get(day.weekday(), ())
        opening, closing = (spans[0][0], spans[-1][1]) if spans else (0, MINUTES_A_DAY)
        opens, closes = at_minute(day, opening, desk.zone), at_minute(day, closing, desk.zone)
        if begins <= opens and closes <= ends:
            whole.append(day)
        elif spans and begins < closes and opens < ends:
            part.append(day)
    return whole, part
