"""How many working days an act took, counted as its due time was (surfaces.md, "Clock arithmetic")."""

from __future__ import annotations

from datetime import datetime, timedelta

from complaints.hours import closing_time, day_of, working_day_from, works_on
from complaints.localtime import instant
from complaints.rulebook import Calendar


def working_days(start: datetime, end: datetime, calendar: Calendar) -> int:
    """The least n for which `n bd` from the start was still kept; 0 on the day on which it began."""
    start, end = instant(start), instant(end)
    zero = day_of(start, calendar)
    if not works_on(zero, calendar) or start > closing_time(zero, calendar):
        zero = working_day_from(zero + timedelta(days=1), calendar)
    last = day_of(end, calendar)
    if last < zero:
        return 0
    counted = sum(
        works_on(zero + timedelta(days=step), calendar) for step in range(1, (last - zero).days + 1)
    )
    # On a day off, or after closing, only the next working day's closing time was still ahead.
    over = not works_on(last, calendar) or end > closing_time(last, calendar)
    return counted + over
