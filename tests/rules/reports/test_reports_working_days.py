"""Working days taken are counted as due times are (docs/subsystems/deadlines.md, "Clock arithmetic")."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.deadlines.working_time import due
from complaints.measures.clocks import working_days
from complaints.rulebook import Calendar
from complaints.times import parse_time

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
AUTUMN = datetime(2026, 10, 1, tzinfo=UTC)
starts = st.integers(0, 60 * 24 * 210).map(lambda minutes: AUTUMN + timedelta(minutes=minutes))
lengths = st.integers(0, 60 * 24 * 90).map(lambda minutes: timedelta(minutes=minutes))


@given(starts, lengths, st.sampled_from(CALENDARS))
def test_the_result_is_the_shortest_span_that_would_have_been_met(
    start: datetime, length: timedelta, calendar: Calendar
) -> None:
    end = start + length
    n = working_days(start, end, calendar)
    assert due(start, f"{n} bd", calendar).at >= end
    assert n == 0 or due(start, f"{n - 1} bd", calendar).at < end


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-03T10:00Z", "2026-11-03T17:30Z", 0),
        ("2026-11-03T10:00Z", "2026-11-04T17:30Z", 1),
        ("2026-11-03T10:00Z", "2026-11-04T17:31Z", 2),
        ("2026-11-03T17:31Z", "2026-11-05T09:00Z", 1),
        ("2026-11-07T12:00Z", "2026-11-10T17:30Z", 1),
        ("2026-12-24T10:00Z", "2026-12-30T17:30Z", 2),
    ],
)
def test_working_days_are_counted_as_in_the_examples(start: str, end: str, expected: int) -> None:
    assert working_days(parse_time(start), parse_time(end), OFFICE) == expected
