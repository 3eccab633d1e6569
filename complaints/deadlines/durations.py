"""A length of time as the settings write it: "4 wh", "10 bd", "8 weeks"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

ACCEPTED = '"20 s", "30 min", "4 h", "3 days", "8 weeks", "12 months", "4 wh" (working hours), "10 bd" (days)'

_WRITTEN = re.compile(r"\s*([+-]?\d{1,9})\s*([a-z]+)\s*", re.ASCII)


class Unit(StrEnum):
    """What a span counts; `s` to `months` are elapsed time, `wh` and `bd` follow the calendar."""

    SECONDS = "s"
    MINUTES = "min"
    HOURS = "h"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    WORKING_HOURS = "wh"
    WORKING_DAYS = "bd"


_UNITS = {unit.value: unit for unit in Unit} | {"day": Unit.DAYS, "week": Unit.WEEKS, "month": Unit.MONTHS}

# A century, or 40 years of work. A typing mistake is refused here, where the setting is still known.
_MOST = {
    Unit.SECONDS: 3_153_600_000,
    Unit.MINUTES: 52_560_000,
    Unit.HOURS: 876_000,
    Unit.DAYS: 36_500,
    Unit.WEEKS: 5_200,
    Unit.MONTHS: 1_200,
    Unit.WORKING_HOURS: 80_000,
    Unit.WORKING_DAYS: 10_000,
}


class BadSpan(ValueError):
    """The text is not a length of time; the message names the accepted forms."""


@dataclass(frozen=True)
class Span:
    """A number of units; a negative one counts back from a due time."""

    number: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read "1 bd", "30 min", "-1 bd" …; raises BadSpan."""
        match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
        unit = _UNITS.get(match.group(2)) if match else None
        if match is None or unit is None:
            raise BadSpan(f"{text!r} is not a length of time; write one of {ACCEPTED}")
        number = int(match.group(1))
        if abs(number) > _MOST[unit]:
            raise BadSpan(f"{text!r} is too long; the most is {_MOST[unit]} {unit}")
        return cls(number, unit)

    def __str__(self) -> str:
        unit = self.unit.value
        if abs(self.number) == 1 and self.unit in {Unit.DAYS, Unit.WEEKS, Unit.MONTHS}:
            unit = unit[:-1]
        return f"{self.number} {unit}"

    def __neg__(self) -> Span:
        return Span(-self.number, self.unit)

    def __mul__(self, times: int) -> Span:
        """Complexity 3 doubles the time to decide (docs/domain.md, section 4)."""
        return Span(self.number * times, self.unit)


def span(value: Span | str) -> Span:
    """The span, parsed if it is a text; raises BadSpan."""
    return value if isinstance(value, Span) else Span.parse(value)
