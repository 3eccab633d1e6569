"""What reports count in many complaints: for the analysis (8.2), and for the trend by months (8.4).

Days, hours, causes, people and measures, without words and names.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from complaints.rulebook import Calendar
from complaints.times import at_minute, local_time

#: The columns of measures by which complaints are counted, and the series of all complaints together.
FAMILIES = ("category", "product", "branch")
ALL_COMPLAINTS = ("all", "")
#: Months of a trend, the last one included.
MONTHS = 12
#: A family and a code of it, or `ALL_COMPLAINTS`.
CountedCode = tuple[str, str]


class CauseCount(NamedTuple):
    """Complaints with the same codes; `in_period` is False for those of the twelve months before it."""

    in_period: bool
    category: str | None
    product: str | None
    cause_class: str | None
    number: int


class AnalysisCounts(NamedTuple):
    """Complaints with imported ones, without simulated contacts and contacts of other kinds.

    `days` are those on which complaints were received, by code. `complainants` is the number of people
    by how many complaints they made in twelve months, and `repeats` of the period (`count_repeats`).
    """

    days: Mapping[CountedCode, Mapping[date, int]]
    causes: tuple[CauseCount, ...]
    complainants: Mapping[int, int]
    repeats: int


class MaskedStory(NamedTuple):
    """The masked words of one complaint, and the id of the person who wrote them."""

    ref: str
    person: str
    words: str


class Theme(NamedTuple):
    """New wording: masked words, complaints with them in the last days and before, and some of their references."""

    words: tuple[str, ...]
    recent: int
    before: int
    refs: tuple[str, ...]


class Themes(NamedTuple):
    """The themes among the texts that were read; `is_complete` is False if the time or the number was used up."""

    themes: tuple[Theme, ...]
    recent: int
    before: int
    is_complete: bool


# --- the trend


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
