"""Days off from iCalendar files: whole working days alone; what cannot be counted is listed with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from amends.settings.ical import BadIcal, Component, Property, read_ical
from amends.settings.occasions import Occasion, Series
from amends.settings.recurring import NotCounted
from complaints.deadlines.local_time import MINUTES_A_DAY, at_minute, wall
from complaints.deadlines.opening_hours import Hours

#: A file of more characters is no list of closures; of more occasions the start would take seconds.
_LARGEST = 10_000_000
_MOST_OCCASIONS = 20_000
_OTHERWISE = "change the opening hours for that, or make it a whole day"


@dataclass(frozen=True)
class Closures:
    """The days off by their names, and in a line each what was left out and why."""

    days: Mapping[date, str]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Desk:
    """Where and when we work; hours None: at all hours, and then a day off begins and ends at midnight."""

    zone: str
    hours: Hours | None = None


def closures_in(text: str, desk: Desk, first: date, last: date) -> Closures:
    """The days off of a file between two days, as the desk's wall has them. Raises BadIcal.

    An event closes a day when it lasts through all of its opening hours. What is cancelled closes none, nor what is
    marked as free time (TRANSP:TRANSPARENT).
    """
    file = read_ical(text)
    days: dict[date, str] = {}
    left_out: list[str] = []
    events = [one for one in _latest(file.events) if not _cancelled(one)]
    busy = [one for one in events if not _says(one, "TRANSP", "TRANSPARENT")]
    occasions = 0
    moved = _overridden(file.events)
    for event in busy:
        closed: dict[date, str] = {}
        parts: list[date] = []
        place = f"line {event['BEGIN'][0].line}: {_name(event)}"
        series = Series(event, file.zones, desk.zone, moved.get(_uid(event), ()))
        try:
            for occasion in series.occasions(first, last):
                occasions += 1
                if occasions > _MOST_OCCASIONS:
                    raise BadIcal(f"it closes more than {_MOST_OCCASIONS} times: export the closures alone")
                whole, part = _days_of(occasion, desk, first, last)
                closed |= dict.fromkeys(whole, _name(event))
                parts += part
        except NotCounted as why:
            left_out.append(f"{place}: {why}")
            continue
        days |= closed
        if parts:
            more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
            left_out.append(f"{place}: it is not a whole day on {parts[0]}{more}: {_OTHERWISE}")
    if events and not busy:
        left_out.append("every event is marked as free time (TRANSP): mark as busy those that close the desk")
    return Closures(days, tuple(left_out))


def closures_of(folder: Path, files: Sequence[str], desk: Desk, first: date, last: date) -> Closures:
    """The same of several files, their names relative to `folder`. Raises BadIcal, which names the file."""
    days: dict[date, str] = {}
    left_out: list[str] = []
    for name in files:
        try:
            if (folder / name).stat().st_size > _LARGEST:
                raise BadIcal(f"it is larger than {_LARGEST // 1_000_000} MB: export the closures alone")
            found = closures_in((folder / name).read_text(encoding="utf-8"), desk, first, last)
        except OSError as unreadable:
            raise BadIcal(f"{folder / name} cannot be read: {unreadable.strerror}") from unreadable
        except UnicodeDecodeError as unreadable:
            raise BadIcal(f"{folder / name} cannot be read: it is not UTF-8") from unreadable
        except BadIcal as wrong:
            raise BadIcal(f"{folder / name}: {wrong}") from wrong
        days |= found.days
        left_out += [f"{name}: {one}" for one in found.left_out]
    return Closures(days, tuple(left_out))


def _says(event: Component, name: str, value: str) -> bool:
    return any(one.value.strip().upper() == value for one in event.get(name, ()))


def _name(event: Component) -> str:
    said = event.get("SUMMARY", ())
    return (said[0].text if said else "") or "Closed"


def _uid(event: Component) -> str:
    said = event.get("UID", ())
    return said[0].value.strip() if said else ""


def _latest(events: Sequence[Component]) -> list[Component]:
    """Without what a later version of the same event replaces, and what belongs to a series that was called off."""
    found: dict[tuple[str, ...], Component] = {}
    for number, event in enumerate(events):
        uid, which = _uid(event), event.get("RECURRENCE-ID", ())
        key = (uid, which[0].value.strip() if which else "") if uid else ("", str(number))
        if key not in found or _sequence(event) >= _sequence(found[key]):
            found[key] = event
    called_off = {uid for (uid, which), event in found.items() if uid and not which and _cancelled(event)}
    return [event for (uid, _), event in found.items() if uid not in called_off]


def _sequence(event: Component) -> int:
    said = event["SEQUENCE"][0].value.strip() if "SEQUENCE" in event else ""
    return int(said) if said.isascii() and said.isdigit() else 0


def _cancelled(event: Component) -> bool:
    return _says(event, "STATUS", "CANCELLED")


def _overridden(events: Sequence[Component]) -> dict[str, tuple[Property, ...]]:
    """By the uid of a series its occasions that events of their own stand for, moved, freed or cancelled."""
    found: dict[str, tuple[Property, ...]] = {}
    for event in filter(_uid, events):
        for which in event.get("RECURRENCE-ID", ()):
            found[_uid(event)] = (*found.get(_uid(event), ()), which)
    return found


def _days_of(occasion: Occasion, desk: Desk, first: date, last: date) -> tuple[list[date], list[date]]:
    """The days that it closes, and the working days of which it takes only a part."""
    whole: list[date] = []
    part: list[date] = []
    start = max(first, wall(occasion.begins, desk.zone).date())
    end = min(last, wall(occasion.ends, desk.zone).date())
    for day in (start + timedelta(days=n) for n in range((end - start).days + 1)):
        spans = ((0, MINUTES_A_DAY),) if desk.hours is None else desk.hours.get(day.weekday(), ())
        opens, closes = (spans[0][0], spans[-1][1]) if spans else (0, MINUTES_A_DAY)
        begins, ends = at_minute(day, opens, desk.zone), at_minute(day, closes, desk.zone)
        if occasion.begins <= begins and ends <= occasion.ends:
            whole.append(day)
        elif spans and occasion.begins < ends and begins < occasion.ends:
            part.append(day)
        elif spans and occasion.begins == occasion.ends:
            raise NotCounted("it is a moment, not a day: write DTEND")
    return whole, part
