"""The steps that lead to a due time: codes for any language, and English for `amends case due`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from complaints.deadlines.opening_hours import WEEKDAYS
from complaints.times import day_ended

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: The code and the English text of every step; catalogues of other languages have the same codes.
STEPS: Mapping[str, str] = {
    "start": "Starts {local} ({zone}).",
    "day_zero": "Day 0 is {day}, the working day on which that falls.",
    "day_zero_after_closing": "After closing time, so day 0 is the next working day, {day}.",
    "day_zero_day_off": "Not a working day, so day 0 is the next one, {day}.",
    "its_day": "Counted back from {day}.",
    "holiday": "{day} is a holiday: {name}.",
    "counted": "{span} on: {days}.",
    "counted_back": "{span} back: {days}.",
    "closing": "Due at closing time, {local}.",
    "opening": "Falls at opening time, {local}.",
    "waits_for_opening": "Work begins {local}.",
    "worked": "Work from {local} to {until}.",
    "working_hours": "{span} counted; stretches of work: {number}.",
    "elapsed": "{span} elapsed: {local}.",
    "same_local_time": "{span} on, at the same local time: {local}.",
    "month_end": "That month has no such day: its last day counts.",
    "moved_by_gap": "That local time does not exist (the clocks go forward): {local}.",
    "first_of_two": "That local time comes twice (the clocks go back): the first counts.",
    "on_call": "Somebody is on call at the start, so it counts as elapsed time.",
    "not_on_call": "Nobody is on call at the start, so it counts in working time.",
    "capped": "Capped by {name}: {local}.",
    "calendar": "By the calendar of the law and of the desk: they have the same days off.",
    "calendar_law": "By the calendar of the law: days on which only we are closed move no legal date.",
    "calendar_own": "By our own calendar: public holidays, and days on which only we are closed.",
    # About a target in the record: who set it, under which rule, and what moved it.
    "set": "Set {local}: {name} ({by}).",
    "rule": "Rule {name}: {span}.",
    "subject": "The law has a time of its own for this subject.",
    "period_first": "First comes a period of {span}; the time counts from its end.",
    "completed": "The complaint was completed {local}; the time counts from there.",
    "doubled": "Complex, so twice the time: {span}.",
    "promised": "Outside {local} is promised ({span}).",
    "legal": "The legal maximum ({span}) ends earlier:",
    "asked_for": "Asked of the complainant for {day}; no other date waits for it.",
    "in_decision": "Promised for {day} in the decision.",
    "day_after_receipt": "Counted from the day after receipt.",
    "rolls": "A day off, so the next working day counts: {day}.",
    "next_news": "Somebody of staff told the complainant that they hear again by {day}.",
    "review": "A manager recorded why the person complained about is not told yet; reviewed {day}.",
    "extended": "Extended {local} by {by}; the complainant is told, with the reason.",
    "asked_by": "{by} had asked for it {local}.",
    "reason": "Reason: {name}",
    "extension_cap": "All extensions together end {local} at the latest ({span}).",
    "legal_cap": "No extension passes the legal maximum, {local} ({span}).",
    "moved": "Moved from {local} to {until}.",
    "recorded": "The record holds {local}, computed by the rules in force then.",
    "redated": "Counted anew when the complaint went on under other rules, for a reason on the record.",
    "missed_stands": "It had been missed by then, and what was missed is not mended: it stands.",
    "given_stands": "The complainant was given this time to answer: it does not get shorter.",
    "promise_stands": "These rules give a later date; what was promised to the complainant stands.",
}


@dataclass(frozen=True)
class DueStep:
    """One step of a computation; `local` and `until` are aware in the calendar's zone, days are local."""

    code: str
    local: datetime | None = None
    until: datetime | None = None
    zone: str = ""
    day: date | None = None
    days: tuple[date, ...] = ()
    span: str = ""
    name: str = ""
    number: int = 0
    by: str = ""

    def as_json(self) -> dict[str, Any]:
        """The step as JSON values, without empty fields."""
        data: dict[str, Any] = {"code": self.code}
        for key in ("local", "until", "day"):
            value = getattr(self, key)
            if value is not None:
                data[key] = value.isoformat()
        if self.days:
            data["days"] = [day.isoformat() for day in self.days]
        return data | {
            key: getattr(self, key) for key in ("zone", "span", "name", "number", "by") if getattr(self, key)
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DueStep:
        """Read back what `as_json` wrote; the local times keep their offset."""
        read: dict[str, Any] = dict(data)
        for key in ("local", "until"):
            if key in read:
                read[key] = datetime.fromisoformat(read[key])
        if "day" in read:
            read["day"] = date.fromisoformat(read["day"])
        read["days"] = tuple(date.fromisoformat(day) for day in read.get("days", ()))
        return cls(**read)


@dataclass(frozen=True)
class Due:
    """A due time (aware, UTC) and the steps that lead to it, in order."""

    at: datetime
    because: tuple[DueStep, ...]


def explain_step(step: DueStep) -> str:
    return STEPS[step.code].format(
        local=_closing(step.local) if step.code == "closing" else _moment(step.local),
        until=_moment(step.until),
        zone=step.zone,
        day=_day(step.day),
        days=", ".join(_day(day) for day in step.days),
        span=step.span,
        name=step.name,
        number=step.number,
        by=step.by,
    )


def reached(steps: Sequence[DueStep]) -> datetime | None:
    """The time that the steps lead to: that of the last step with a time."""
    return next((step.until or step.local for step in reversed(steps) if step.until or step.local), None)


def _day(day: date | None) -> str:
    # Not strftime: its names depend on the locale of the process.
    return f"{WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}" if day else ""


def _closing(local: datetime | None) -> str:
    # Write the end of a day as 24:00: "Thu 5 Nov 00:00" after "1 bd on: Wed 4 Nov" would look like one day more.
    ended = None if local is None else day_ended(local)
    return _moment(local) if ended is None else f"{_day(ended)} 24:00"


def _moment(local: datetime | None) -> str:
    if local is None:
        return ""
    seconds = f":{local.second:02}" if local.second else ""
    return f"{_day(local.date())} {local.hour:02}:{local.minute:02}{seconds}"
