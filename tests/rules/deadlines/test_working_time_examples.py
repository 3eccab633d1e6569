"""Examples and edge cases of working time, one table each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from complaints.deadlines.opening_hours import (
    closing_time,
    is_working,
    next_working,
    nobody_reads_until,
    on_call_covers,
    parse_hours,
)
from complaints.deadlines.quiet_hours import quiet_until
from complaints.deadlines.working_time import before, due, due_where_on_call
from complaints.rulebook import Calendar, OnCall
from tests.rules.target_dates import explain, in_quiet_hours

LONDON = "Europe/London"
OFFICE = parse_hours("Mon-Fri 09:00-17:30") or {}
HOLIDAYS = {
    date(2026, 12, 25): "Christmas Day",
    date(2026, 12, 28): "Boxing Day (substitute day)",
}
WEEK = Calendar(zone=LONDON, hours=OFFICE, holidays=HOLIDAYS)
ALWAYS = Calendar(zone=LONDON, always=True, holidays=HOLIDAYS)
SPLIT = Calendar(zone=LONDON, hours=parse_hours("Mon-Fri 09:00-12:30 13:30-17:30") or {})
LATE = Calendar(zone=LONDON, hours=parse_hours("Mon-Sat 16:00-24:00") or {})


def at(text: str, zone: str = LONDON, fold: int = 0) -> datetime:
    """The instant of a local time such as "2026-11-03 10:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-11-03 10:00", "1 bd", "2026-11-04 17:30"),
        ("2026-11-03 17:29", "1 bd", "2026-11-04 17:30"),
        ("2026-11-03 17:30", "1 bd", "2026-11-04 17:30"),
        ("2026-11-03 17:31", "1 bd", "2026-11-05 17:30"),
        ("2026-11-07 12:00", "1 bd", "2026-11-10 17:30"),
        ("2026-12-24 10:00", "2 bd", "2026-12-30 17:30"),
        ("2026-11-03 16:30", "2 wh", "2026-11-04 10:00"),
        ("2026-10-30 10:00", "8 weeks", "2026-12-25 10:00"),
    ],
)
def test_the_examples_of_the_settings_page_are_correct(start: str, span: str, expected: str) -> None:
    assert due(at(start), span, WEEK).at == at(expected)


def test_one_working_day_before_wednesday_closing_is_tuesday_opening() -> None:
    assert before(at("2026-11-04 17:30"), "-1 bd", WEEK).at == at("2026-11-03 09:00")


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-11-03 03:00", "0 bd", "2026-11-03 17:30"),
        ("2026-11-03 08:59", "1 bd", "2026-11-04 17:30"),
        ("2026-11-03 17:30:01", "1 bd", "2026-11-05 17:30"),
        ("2026-11-06 17:31", "1 bd", "2026-11-10 17:30"),
        ("2026-12-25 12:00", "1 bd", "2026-12-30 17:30"),
        ("2026-12-24 17:31", "0 bd", "2026-12-29 17:30"),
        ("2026-11-03 09:00", "20 bd", "2026-12-01 17:30"),
        ("2026-12-24 16:30", "2 wh", "2026-12-29 10:00"),
        ("2026-11-03 16:30", "1 wh", "2026-11-03 17:30"),
        ("2026-11-07 12:00", "0 wh", "2026-11-09 09:00"),
        ("2026-11-07 12:00", "4 wh", "2026-11-09 13:00"),
        ("2026-11-03 10:00", "20 s", "2026-11-03 10:00:20"),
        ("2026-11-03 10:00", "30 min", "2026-11-03 10:30"),
        ("2026-11-03 22:00", "4 h", "2026-11-04 02:00"),
        ("2026-11-03 10:00", "3 days", "2026-11-06 10:00"),
    ],
)
def test_spans_of_an_office_week_are_counted(start: str, span: str, expected: str) -> None:
    assert due(at(start), span, WEEK).at == at(expected)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-11-03 12:00", "1 wh", "2026-11-03 14:00"),
        ("2026-11-03 13:00", "1 wh", "2026-11-03 14:30"),
        ("2026-11-03 13:00", "1 bd", "2026-11-04 17:30"),
        ("2026-11-03 12:30", "8 wh", "2026-11-04 14:00"),
    ],
)
def test_a_lunch_break_is_no_working_time_and_the_last_interval_ends_the_day(
    start: str, span: str, expected: str
) -> None:
    assert due(at(start), span, SPLIT).at == at(expected)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-11-03 23:59", "1 bd", "2026-11-05 00:00"),
        ("2026-11-04 00:00", "1 bd", "2026-11-05 00:00"),
        ("2026-11-04 00:01", "1 bd", "2026-11-06 00:00"),
        ("2026-11-07 23:00", "2 wh", "2026-11-09 17:00"),
        ("2026-11-08 00:00", "1 bd", "2026-11-10 00:00"),
    ],
)
def test_a_day_that_closes_at_24_00_includes_that_midnight(start: str, span: str, expected: str) -> None:
    assert due(at(start), span, LATE).at == at(expected)


def test_counting_back_from_24_00_starts_from_the_day_that_it_closes() -> None:
    assert before(at("2026-11-05 00:00"), "-1 bd", LATE).at == at("2026-11-03 16:00")


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-12-24 10:00", "2 bd", "2026-12-27 00:00"),
        ("2026-12-24 10:00", "30 wh", "2026-12-25 16:00"),
        ("2026-10-24 10:00", "24 wh", "2026-10-25 09:00"),
        ("2026-11-07 12:00", "1 bd", "2026-11-09 00:00"),
    ],
)
def test_an_always_open_calendar_works_on_every_day_and_holiday(start: str, span: str, expected: str) -> None:
    assert due(at(start), span, ALWAYS).at == at(expected)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2027-01-31 10:00", "1 month", "2027-02-28 10:00"),
        ("2028-01-31 10:00", "1 month", "2028-02-29 10:00"),
        ("2028-02-29 10:00", "12 months", "2029-02-28 10:00"),
        ("2028-02-29 10:00", "48 months", "2032-02-29 10:00"),
        ("2026-08-31 10:00", "6 months", "2027-02-28 10:00"),
        ("2028-02-28 10:00", "1 day", "2028-02-29 10:00"),
        ("2026-12-31 10:00", "2 months", "2027-02-28 10:00"),
        ("2026-11-30 10:00", "1 month", "2026-12-30 10:00"),
    ],
)
def test_months_end_on_the_last_day_of_a_shorter_month(start: str, span: str, expected: str) -> None:
    assert due(at(start), span, WEEK).at == at(expected)


@pytest.mark.parametrize(
    ("start", "span", "expected_utc"),
    [
        ("2026-03-28 01:30", "1 day", "2026-03-29 01:30"),  # 01:30 does not exist: 02:30 BST
        ("2026-10-24 01:30", "1 day", "2026-10-25 00:30"),  # 01:30 comes twice: the first, BST
        ("2026-03-28 10:00", "1 day", "2026-03-29 09:00"),  # 23 hours
        ("2026-10-24 10:00", "1 day", "2026-10-25 10:00"),  # 25 hours
        ("2026-03-28 10:00", "24 h", "2026-03-29 10:00"),
        ("2026-03-22 01:30", "1 week", "2026-03-29 01:30"),
        ("2026-02-28 01:30", "1 month", "2026-03-28 01:30"),
        ("2026-03-27 16:30", "2 wh", "2026-03-30 09:00"),  # Monday 10:00 BST
        ("2026-03-27 10:00", "1 bd", "2026-03-30 16:30"),
        ("2026-10-23 10:00", "1 bd", "2026-10-26 17:30"),
    ],
)
def test_clock_changes_are_handled_in_both_directions(start: str, span: str, expected_utc: str) -> None:
    assert due(at(start), span, WEEK).at == datetime.fromisoformat(expected_utc).replace(tzinfo=UTC)


def test_the_second_of_two_equal_hours_never_moves_back_to_the_first() -> None:
    second = at("2026-10-25 01:30", fold=1)
    assert due(second, "0 days", WEEK).at == second


def test_a_night_shift_over_a_clock_change_counts_elapsed_hours() -> None:
    nights = Calendar(zone=LONDON, hours=parse_hours("Sun 00:00-08:00") or {})
    assert due(at("2026-03-28 12:00"), "7 wh", nights).at == at("2026-03-29 08:00")
    assert due(at("2026-10-24 12:00"), "9 wh", nights).at == at("2026-10-25 08:00")


def test_a_closing_time_that_does_not_exist_moves_forward_by_the_gap() -> None:
    nights = Calendar(zone=LONDON, hours=parse_hours("Sun 00:00-01:30") or {})
    assert closing_time(date(2026, 3, 29), nights) == at("2026-03-29 02:30")


def test_counting_back_from_a_due_time_on_a_holiday_gives_the_working_day_before() -> None:
    assert before(at("2026-12-25 10:00"), "-1 bd", WEEK).at == at("2026-12-24 09:00")


@pytest.mark.parametrize(
    ("span", "expected"),
    [("-3 bd", "2026-12-23 09:00"), ("2 bd", "2026-12-24 09:00"), ("-3 days", "2026-12-27 17:30")],
)
def test_the_time_before_a_due_time_is_counted_in_its_unit(span: str, expected: str) -> None:
    assert before(at("2026-12-30 17:30"), span, WEEK).at == at(expected)


def test_a_reminder_is_never_after_the_due_time() -> None:
    assert before(at("2026-11-04 03:00"), "0 bd", WEEK).at == at("2026-11-04 03:00")
    assert before(at("2026-11-04 17:30"), "0 bd", WEEK).at == at("2026-11-04 09:00")


COVERED = OnCall(always=True, people=("U0000002",))


@pytest.mark.parametrize(
    ("on_call", "span", "expected"),
    [
        (COVERED, "30 min", "2026-11-07 12:30"),
        (COVERED, "4 h", "2026-11-07 16:00"),
        (OnCall(), "30 min", "2026-11-09 09:30"),
        (OnCall(), "4 h", "2026-11-09 13:00"),
        (OnCall(always=True), "4 h", "2026-11-09 13:00"),
        (OnCall(), "5 bd", "2026-11-16 17:30"),
        (OnCall(), "1 day", "2026-11-08 12:00"),
    ],
)
def test_p1_counts_elapsed_time_on_call_and_working_time_otherwise(
    on_call: OnCall, span: str, expected: str
) -> None:
    assert due_where_on_call(at("2026-11-07 12:00"), span, WEEK, on_call).at == at(expected)


def test_overnight_cover_follows_the_rota() -> None:
    rota = OnCall(hours=parse_hours("Mon-Fri 17:30-09:00", overnight=True) or {}, people=("U0000002",))
    covered = [on_call_covers(at(text), rota, LONDON) for text in ("2026-11-03 18:00", "2026-11-03 12:00")]
    assert covered == [True, False]
    assert on_call_covers(at("2026-11-07 08:59"), rota, LONDON)
    assert not on_call_covers(at("2026-11-07 09:00"), rota, LONDON)


def test_without_cover_the_next_reader_is_the_office_or_the_rota() -> None:
    rota = OnCall(hours=parse_hours("Sun 10:00-12:00") or {}, people=("U0000002",))
    assert nobody_reads_until(at("2026-11-07 12:00"), WEEK, OnCall()) == at("2026-11-09 09:00")
    assert nobody_reads_until(at("2026-11-07 12:00"), WEEK, rota) == at("2026-11-08 10:00")
    assert nobody_reads_until(at("2026-11-07 12:00"), WEEK, COVERED) is None
    assert nobody_reads_until(at("2026-11-03 12:00"), WEEK, OnCall()) is None


@pytest.mark.parametrize(
    ("moment", "working", "following"),
    [
        ("2026-11-03 09:00", True, "2026-11-03 09:00"),
        ("2026-11-03 08:59", False, "2026-11-03 09:00"),
        ("2026-11-03 17:30", False, "2026-11-04 09:00"),
        ("2026-12-25 10:00", False, "2026-12-29 09:00"),
    ],
)
def test_working_time_and_the_next_working_time_are_known_for_any_moment(
    moment: str, working: bool, following: str
) -> None:
    assert (is_working(at(moment), WEEK), next_working(at(moment), WEEK)) == (working, at(following))


@pytest.mark.parametrize(
    ("moment", "quiet", "until"),
    [
        ("2026-11-03 19:59", "20:00-08:00", "2026-11-03 19:59"),
        ("2026-11-03 20:00", "20:00-08:00", "2026-11-04 08:00"),
        ("2026-11-04 03:00", "20:00-08:00", "2026-11-04 08:00"),
        ("2026-11-04 08:00", "20:00-08:00", "2026-11-04 08:00"),
        ("2026-11-04 13:00", "12:00-14:00", "2026-11-04 14:00"),
        ("2026-11-04 23:00", "22:00-24:00", "2026-11-05 00:00"),
        ("2026-11-04 03:00", "none", "2026-11-04 03:00"),
        ("2026-03-28 23:00", "22:00-01:30", "2026-03-29 02:30"),
    ],
)
def test_quiet_hours_end_at_the_next_morning(moment: str, quiet: str, until: str) -> None:
    assert quiet_until(at(moment), quiet, LONDON) == at(until)
    assert in_quiet_hours(at(moment), quiet, LONDON) == (at(moment) != at(until))


def test_a_chosen_date_is_due_at_closing_time_and_a_day_off_at_its_end() -> None:
    assert closing_time(date(2026, 11, 4), WEEK) == at("2026-11-04 17:30")
    assert closing_time(date(2026, 11, 7), WEEK) == at("2026-11-08 00:00")


def test_the_explanation_names_every_holiday_and_counted_day() -> None:
    assert explain(due(at("2026-12-24 10:00"), "2 bd", WEEK)) == [
        "Starts Thu 24 Dec 2026 10:00 (Europe/London).",
        "Day 0 is Thu 24 Dec 2026, the working day on which that falls.",
        "Fri 25 Dec 2026 is a holiday: Christmas Day.",
        "Mon 28 Dec 2026 is a holiday: Boxing Day (substitute day).",
        "2 bd on: Tue 29 Dec 2026, Wed 30 Dec 2026.",
        "Due at closing time, Wed 30 Dec 2026 17:30.",
    ]


def test_a_day_closing_at_midnight_is_explained_as_24_00_of_that_day() -> None:
    assert explain(due(at("2026-11-03 17:00"), "1 bd", LATE))[-2:] == [
        "1 bd on: Wed 4 Nov 2026.",
        "Due at closing time, Wed 4 Nov 2026 24:00.",
    ]


def test_the_explanation_of_working_hours_lists_each_interval() -> None:
    assert explain(due(at("2026-11-07 12:00"), "9 wh", WEEK)) == [
        "Starts Sat 7 Nov 2026 12:00 (Europe/London).",
        "Work begins Mon 9 Nov 2026 09:00.",
        "Work from Mon 9 Nov 2026 09:00 to Mon 9 Nov 2026 17:30.",
        "Work from Tue 10 Nov 2026 09:00 to Tue 10 Nov 2026 09:30.",
    ]


def test_the_explanation_names_clock_changes() -> None:
    assert explain(due(at("2026-03-28 01:30"), "1 day", WEEK))[-1] == (
        "That local time does not exist (the clocks go forward): Sun 29 Mar 2026 02:30."
    )
    assert explain(due(at("2026-10-24 01:30"), "1 day", WEEK))[-1] == (
        "That local time comes twice (the clocks go back): the first counts."
    )
