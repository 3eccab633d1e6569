"""The retention period of a file counts from closing or receipt and never ends before closing (8.1)."""

from __future__ import annotations

from datetime import datetime

import pytest

from complaints.deadlines.periods import RetentionPeriod
from complaints.deadlines.working_time import BadSpan
from complaints.rulebook import Calendar
from tests.rules.builders import at

ALWAYS = Calendar("UTC", always=True)


@pytest.mark.parametrize(
    ("written", "until"),
    [
        ("12 months", "2027-12-01 10:00"),
        ("12 months from closing", "2027-12-01 10:00"),
        ("12 months from receipt", "2027-11-03 10:00"),
        ("2 weeks from receipt", "2026-12-01 10:00"),
    ],
)
def test_retention_counts_from_its_start_and_never_ends_before_closing(written: str, until: str) -> None:
    received, closed = at("2026-11-03 10:00"), at("2026-12-01 10:00")
    kept_until: datetime = RetentionPeriod.parse(written).until(
        received=received, closed=closed, calendar=ALWAYS
    )
    assert kept_until == at(until)


def test_a_retention_period_is_written_as_it_was_read() -> None:
    assert [
        str(RetentionPeriod.parse(written))
        for written in ("72 months", "1 months from receipt", "8 weeks from closing")
    ] == [
        "72 months",
        "1 month from receipt",
        "8 weeks",
    ]
    with pytest.raises(BadSpan, match="36 months from birth"):
        RetentionPeriod.parse("36 months from birth")
