"""The steps that lead to a due time: codes for any language, and English for `amends case due`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from complaints.deadlines.opening_hours import WEEKDAYS
from complaints.times import day_ended

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

FILE = Path(__file__).with_suffix(".toml")
#: The English text of every step by its code.
STEPS: Mapping[str, str] = tomllib.loads(FILE.read_text(encoding="utf-8"))


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
