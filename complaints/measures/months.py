"""What the trend of a report needs of one month: grouped rows, and the few that are still open (8.4)."""

from datetime import date, datetime
from typing import NamedTuple

from complaints.rulebook import Calendar
from complaints.times import at_minute, local_time

#: Months of a trend, the last one included.
MONTHS = 12


class MeasureGroup(NamedTuple):
    """How many complaints share these measures; `decided` is false where the time to the decision only stopped.

    Imported complaints (`is_history`) only count as received.
    """

    marks: str
    incident_id: int | None
    decision_working_days: int | None
    decided: bool
    is_history: bool
    first_received_at: datetime
    number: int


class OpenMeasures(NamedTuple):
    """A complaint with due times to come, or (`is_undecided`) whose time to the decision still runs."""

    received_at: datetime
    pending: str | None
    is_undecided: bool
    calendar: Calendar


class MonthCounts(NamedTuple):
    """The complaints received from `start` (included) to `end` (excluded), and how many were open at the end."""

    start: datetime
    end: datetime
    groups: tuple[MeasureGroup, ...]
    still_open: tuple[OpenMeasures, ...]
    open_at_end: int


class MonthScores(NamedTuple):
    """Sum, number of 4 or more, and number of the survey scores of complaints received in one month (8.3)."""

    process: tuple[float, int, int]
    outcome: tuple[float, int, int]


def month_bounds(end: datetime, zone: str, months: int = MONTHS) -> list[datetime]:
    """The starts of the last local months before this moment, and the moment itself."""
    last = local_time(end, zone)
    first_days: list[date] = []
    day = last.date().replace(day=1)
    if at_minute(day, 0, zone) == end:
        day = _month_before(day)
    for _ in range(months):
        first_days.append(day)
        day = _month_before(day)
    return [*(at_minute(day, 0, zone) for day in reversed(first_days)), end]


def _month_before(day: date) -> date:
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
