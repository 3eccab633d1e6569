"""Working time over clock changes of an hour, half an hour, off the hour, in spring for Ramadan, or none."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from complaints.deadlines.opening_hours import parse_hours
from complaints.deadlines.working_time import before, due
from complaints.rulebook import Calendar
from complaints.times import local_time

OFFICE = "Mon-Fri 09:00-17:30"
NIGHT = "Sun 00:00-08:00"
ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Africa/Casablanca",
)


def calendar(zone: str, hours: str = OFFICE) -> Calendar:
    return Calendar(zone=zone, hours=parse_hours(hours) or {})


def at(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "hours", "start", "span", "expected_utc"),
    [
        # forward: a skipped local time moves on by the gap
        ("Europe/London", OFFICE, "2026-03-28 01:30", "1 day", "2026-03-29 01:30"),
        ("America/New_York", OFFICE, "2026-03-07 02:30", "1 day", "2026-03-08 07:30"),
        ("Australia/Lord_Howe", OFFICE, "2026-10-03 02:15", "1 day", "2026-10-03 15:45"),
        ("Pacific/Chatham", OFFICE, "2026-09-26 03:00", "1 day", "2026-09-26 14:15"),
        ("Africa/Casablanca", OFFICE, "2026-03-21 02:30", "1 day", "2026-03-22 02:30"),
        # back: the first of the two counts
        ("Europe/London", OFFICE, "2026-10-24 01:30", "1 day", "2026-10-25 00:30"),
        ("America/New_York", OFFICE, "2026-10-31 01:30", "1 day", "2026-11-01 05:30"),
        ("Australia/Lord_Howe", OFFICE, "2026-04-04 01:45", "1 day", "2026-04-04 14:45"),
        ("Pacific/Chatham", OFFICE, "2026-04-04 03:00", "1 day", "2026-04-04 13:15"),
        ("Africa/Casablanca", OFFICE, "2026-02-14 02:30", "1 day", "2026-02-15 01:30"),
        # a day over a clock change has the hours that elapse; 24 hours are 24 hours
        ("America/New_York", OFFICE, "2026-03-07 10:00", "1 day", "2026-03-08 14:00"),
        ("America/New_York", OFFICE, "2026-03-07 10:00", "24 h", "2026-03-08 15:00"),
        ("Australia/Lord_Howe", OFFICE, "2026-10-03 10:00", "1 week", "2026-10-09 23:00"),
        ("Australia/Lord_Howe", OFFICE, "2026-10-03 10:00", "168 h", "2026-10-09 23:30"),
        # closing time is local
        ("America/New_York", OFFICE, "2026-03-06 10:00", "1 bd", "2026-03-09 21:30"),
        ("America/New_York", OFFICE, "2026-10-30 10:00", "1 bd", "2026-11-02 22:30"),
        ("Australia/Lord_Howe", OFFICE, "2026-04-03 10:00", "1 bd", "2026-04-06 07:00"),
        ("Australia/Lord_Howe", OFFICE, "2026-10-02 10:00", "1 bd", "2026-10-05 06:30"),
        ("Pacific/Chatham", OFFICE, "2026-09-25 10:00", "1 bd", "2026-09-28 03:45"),
        ("Pacific/Chatham", OFFICE, "2026-04-03 10:00", "1 bd", "2026-04-06 04:45"),
        ("Africa/Casablanca", OFFICE, "2026-02-13 10:00", "1 bd", "2026-02-16 17:30"),
        ("Africa/Casablanca", OFFICE, "2026-03-20 10:00", "1 bd", "2026-03-23 16:30"),
        ("Asia/Kathmandu", OFFICE, "2026-11-03 10:00", "1 bd", "2026-11-04 11:45"),
        # a night shift has the hours that elapse: seven, nine, seven and a half, eight and a half
        ("America/New_York", NIGHT, "2026-03-07 12:00", "7 wh", "2026-03-08 12:00"),
        ("America/New_York", NIGHT, "2026-10-31 12:00", "9 wh", "2026-11-01 13:00"),
        ("Australia/Lord_Howe", NIGHT, "2026-10-03 12:00", "7 wh", "2026-10-03 20:30"),
        ("Australia/Lord_Howe", NIGHT, "2026-04-04 12:00", "8 wh", "2026-04-04 21:00"),
        ("Pacific/Chatham", NIGHT, "2026-09-26 12:00", "7 wh", "2026-09-26 18:15"),
        ("Pacific/Chatham", NIGHT, "2026-04-04 12:00", "9 wh", "2026-04-04 19:15"),
        ("Africa/Casablanca", NIGHT, "2026-02-14 12:00", "9 wh", "2026-02-15 08:00"),
        ("Africa/Casablanca", NIGHT, "2026-03-21 12:00", "7 wh", "2026-03-22 07:00"),
        ("Asia/Kathmandu", NIGHT, "2026-10-31 12:00", "8 wh", "2026-11-01 02:15"),
        # one hour more than the short night had is in the next week
        ("America/New_York", NIGHT, "2026-03-07 12:00", "8 wh", "2026-03-15 05:00"),
        # split shifts over both changes
        ("Europe/London", "Sat-Sun 00:00-04:00 06:00-10:00", "2026-03-28 08:00", "7 wh", "2026-03-29 07:00"),
        ("Europe/London", "Sat-Sun 00:00-04:00 06:00-10:00", "2026-10-24 08:00", "8 wh", "2026-10-25 07:00"),
        # a shift that falls into the skipped hour has no working time
        ("Europe/London", "Sun 01:00-02:00", "2026-03-28 12:00", "1 wh", "2026-04-05 01:00"),
    ],
)
def test_due_times_are_correct_over_each_clock_change(
    zone: str, hours: str, start: str, span: str, expected_utc: str
) -> None:
    expected = datetime.fromisoformat(expected_utc).replace(tzinfo=UTC)
    assert due(at(start, zone), span, calendar(zone, hours)).at == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("start", "span", "local"),
    [
        ("2028-02-28 10:00", "1 bd", "2028-02-29 17:30"),
        ("2028-02-29 17:31", "1 bd", "2028-03-02 17:30"),
        ("2028-02-29 10:00", "12 months", "2029-02-28 10:00"),
        ("2028-01-31 10:00", "1 month", "2028-02-29 10:00"),
        ("2028-02-22 10:00", "1 week", "2028-02-29 10:00"),
        ("2028-02-29 16:30", "2 wh", "2028-03-01 10:00"),
        ("2026-12-31 17:30", "1 bd", "2027-01-01 17:30"),
        ("2026-12-31 17:31", "1 bd", "2027-01-04 17:30"),
        ("2026-12-31 16:30", "2 wh", "2027-01-01 10:00"),
        ("2026-12-31 23:59", "2 min", "2027-01-01 00:01"),
        ("2026-11-05 10:00", "8 weeks", "2026-12-31 10:00"),
        ("2026-12-31 10:00", "2 months", "2027-02-28 10:00"),
        ("2026-12-24 10:00", "10 bd", "2027-01-07 17:30"),
    ],
)
def test_leap_days_and_year_ends_give_the_same_local_time_in_every_zone(
    zone: str, start: str, span: str, local: str
) -> None:
    local_due = local_time(due(at(start, zone), span, calendar(zone)).at, zone)
    assert local_due.replace(tzinfo=None) == datetime.fromisoformat(local)


@pytest.mark.parametrize("zone", ZONES)
def test_a_reminder_over_the_year_end_is_at_opening_time_in_every_zone(zone: str) -> None:
    early = before(at("2027-01-04 17:30", zone), "-2 bd", calendar(zone)).at
    assert local_time(early, zone).replace(tzinfo=None) == datetime.fromisoformat("2026-12-31 09:00")
