"""Working days taken are counted as due times are (surfaces.md, "Clock arithmetic")."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.rulebook import Calendar
from complaints.worktime import due
from reports.working_days import working_days

OFFICE = Calendar(
    zone="Europe/London",
    hours=dict.fromkeys(range(5), ((540, 1050),)),
    holidays={date(2026, 12, 25): "Christmas Day", date(2026, 12, 28): "Boxing Day"},
)
CALENDARS = (
    OFFICE,
    Calendar(zone="Europe/Istanbul", hours={0: ((480, 720), (780, 1080)), 3: ((0, 1440),), 5: ((540, 600),)}),
    Calendar(zone="Europe/London", always=True),
)
starts = st.datetimes(datetime(2026, 10, 1), datetime(2027, 4, 30), timezones=st.just(UTC))
lengths = st.integers(0, 60 * 24 * 90).map(lambda minutes: timedelta(minutes=minutes))


@given(starts, lengths, st.sampled_from(CALENDARS))
def test_it_is_the_shortest_span_that_would_have_been_kept(
    start: datetime, length: timedelta, calendar: Calendar
) -> None:
    end = start + length
    n = working_days(start, end, calendar)
    assert due(start, f"{n} bd", calendar).at >= end
    assert n == 0 or due(start, f"{n - 1} bd", calendar).at < end


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (datetime(2026, 11, 3, 10, 0), datetime(2026, 11, 3, 17, 30), 0),
        (datetime(2026, 11, 3, 10, 0), datetime(2026, 11, 4, 17, 30), 1),
        (datetime(2026, 11, 3, 10, 0), datetime(2026, 11, 4, 17, 31), 2),
        (datetime(2026, 11, 3, 17, 31), datetime(2026, 11, 5, 9, 0), 1),
        (datetime(2026, 11, 7, 12, 0), datetime(2026, 11, 10, 17, 30), 1),
        (datetime(2026, 12, 24, 10, 0), datetime(2026, 12, 30, 17, 30), 2),
    ],
)
def test_worked_examples(start: datetime, end: datetime, expected: int) -> None:
    assert working_days(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), OFFICE) == expected
