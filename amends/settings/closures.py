"""Days off from iCalendar files: only whole working days count; every other event is listed with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from amends.settings.problems import BadCalendarFile, NotCounted
from complaints.deadlines.opening_hours import Hours
from complaints.times import MINUTES_A_DAY, at_minute, local_time

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
    from amends.settings.calendar_file import read_calendar
    from amends.settings.occurrences import Occurrences

    file = read_calendar(text)
    occurrences = Occurrences(file, desk.zone)
    days: dict[date, str] = {}
    left_out: list[str] = []
    events = file.current_events()
    busy = [event for event in events if not event.is_free_time]
    count = 0
    for event in busy:
        closed: list[date] = []
        partly: list[date] = []
        place = f"line {event.line}: {event.name}"
        try:
            for begins, ends in occurrences.between(event, first, last):
                count += 1
                if count > _MOST_OCCURRENCES:
                    raise BadCalendarFile(
                        f"it closes more than {_MOST_OCCURRENCES} times: export the closures alone"
                    )
                whole, part = _covered(begins, ends, desk, first, last)
                closed += whole
                partly += part
        except NotCounted as why:
            left_out.append(f"{place}: {why}")
            continue
        days |= dict.fromkeys(closed, event.name)
        if partly:
            more = f" and {len(partly) - 1} more" if len(partly) > 1 else ""
            left_out.append(f"{place}: it is not a whole day on {partly[0]}{more}: {_REMEDY}")
    if events and not busy:
        left_out.append("every event is marked as free time (TRANSP): mark as busy those that close the desk")
    return Closures(days, tuple(left_out))


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
        elif spans and begins == ends:
            raise NotCounted("it is a moment, not a day: write DTEND")
    return whole, part
