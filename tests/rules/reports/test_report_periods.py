"""The last ended period of a report that the calendar sends."""

from datetime import date

import pytest

from scheduler.ticks import last_period


@pytest.mark.parametrize(
    ("when", "today", "period"),
    [
        ("weekly", "2026-11-30", "2026-11-23/2026-11-30"),
        ("weekly", "2026-11-29", "2026-11-16/2026-11-23"),
        ("monthly", "2026-12-31", "2026-11-01/2026-12-01"),
        ("monthly", "2027-01-01", "2026-12-01/2027-01-01"),
        ("quarterly", "2026-11-28", "2026-07-01/2026-10-01"),
        ("quarterly", "2027-01-01", "2026-10-01/2027-01-01"),
        ("yearly", "2026-11-28", "2025-01-01/2026-01-01"),
    ],
)
def test_the_last_period_ends_before_today(when: str, today: str, period: str) -> None:
    assert "/".join(map(str, last_period(when, date.fromisoformat(today)))) == period
