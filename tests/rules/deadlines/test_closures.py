"""Days off from iCalendar files: whole days count, other events are listed with a reason."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amends.settings.calendar_file import name_of, occurrences, read_calendar, series_of
from amends.settings.closures import Closures, DeskHours, closures_in
from amends.settings.problems import BadCalendarFile
from complaints.deadlines.opening_hours import parse_hours
from complaints.times import from_local_time, zone_named

LONDON = DeskHours("Europe/London")
OFFICE = DeskHours("Europe/London", parse_hours("Mon-Fri 09:00-12:30 13:30-17:30"))
FIRST, LAST = date(2024, 1, 1), date(2034, 12, 31)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def calendar(*events: str) -> str:
    """An iCalendar file of these events."""
    whole = "\n".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{whole}\nEND:VCALENDAR\n".replace("\n", "\r\n")


def read(*events: str, desk: DeskHours = LONDON) -> Closures:
    return closures_in(calendar(*events), desk, FIRST, LAST)


def only_start(text: str, zone: str) -> datetime:
    """When the only occurrence in a file starts, in UTC."""
    ((event,),), _ = series_of(read_calendar(text), zone_named(zone), LAST)
    ((_, begins, _),) = occurrences([event], zone_named(zone), FIRST, LAST)
    return begins


def days(*events: str, desk: DeskHours = LONDON) -> list[str]:
    closures = read(*events, desk=desk)
    assert closures.left_out == ()
    return [str(day) for day in sorted(closures.days)]


@pytest.mark.parametrize(
    ("event", "off"),
    [
        ("DTSTART;VALUE=DATE:20261224", ["2026-12-24"]),
        ("DTSTART:20261224", ["2026-12-24"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261225", ["2026-12-24"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224", ["2026-12-24"]),
        ("DTSTART;VALUE=DATE:20261230\nDTEND;VALUE=DATE:20270102", ["2026-12-30", "2026-12-31", "2027-01-01"]),
        ("DTSTART;VALUE=DATE:20280228\nDURATION:P2D", ["2028-02-28", "2028-02-29"]),
        ("DTSTART;VALUE=DATE:20261201\nDURATION:P1W", [f"2026-12-0{n}" for n in range(1, 8)]),
        ("DTSTART:20261224T000000\nDTEND:20261225T000000", ["2026-12-24"]),
        ("DTSTART;TZID=Europe/London:20260706T000000\nDTEND;TZID=Europe/London:20260707T000000", ["2026-07-06"]),
        ("DTSTART;TZID=GMT Standard Time:20260706T000000\nDURATION:P1D", ["2026-07-06"]),
        ("DTSTART:20260705T230000Z\nDTEND:20260706T230000Z", ["2026-07-06"]),
        ("DTSTART;TZID=Europe/London:20261025T000000\nDTEND;TZID=Europe/London:20261026T000000", ["2026-10-25"]),
    ],
)  # fmt: skip
def test_whole_days_are_days_off(event: str, off: list[str]) -> None:
    assert days(f"SUMMARY:Closed\n{event}") == off


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("DTSTART:20261224T120000\nDTEND:20261224T170000", "not a whole day"),
        ("DTSTART:20261224T000000\nDURATION:PT12H", "not a whole day"),
        ("DTSTART:20261224T000000", "a moment, not a day"),
        ("DTSTART:20260706T000000Z\nDTEND:20260707T000000Z", "not a whole day"),
        ("DTSTART;TZID=Nowhere:20261224T000000\nDTEND;TZID=Nowhere:20261225T000000", "'Nowhere' is not known"),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20281224", "more than a year"),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261220", "ends before it begins"),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:-P1D", "'-P1D' is not understood: write DTEND"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=HOURLY", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYWEEKNO=20", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=WEEKLY;BYDAY=2MO", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;COUNT=3;UNTIL=20270101", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;INTERVAL=0", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;INTERVAL=x", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;UNTIL=P1D", "is not understood"),
        ("DTSTART;VALUE=DATE:19000101\nRRULE:FREQ=DAILY;COUNT=90000", "write a later beginning"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "write EXDATE"),
        ("DESCRIPTION:no date", "no DTSTART"),
    ],
)  # fmt: skip
def test_an_event_that_is_no_whole_day_is_listed_with_its_reason_and_not_counted(
    event: str, why: str
) -> None:
    closures = read(f"SUMMARY:Fire drill\n{event}", "SUMMARY:Closed\nDTSTART;VALUE=DATE:20261231")
    assert list(closures.days) == [date(2026, 12, 31)]
    (line,) = closures.left_out
    assert line.startswith("line 3: Fire drill: ")
    assert why in line


def test_whole_days_of_a_longer_event_are_off_and_its_partial_days_are_listed() -> None:
    closures = read("SUMMARY:Move\nDTSTART:20261222T120000\nDTEND:20261225T120000")
    assert list(closures.days) == [date(2026, 12, 23), date(2026, 12, 24)]
    (line,) = closures.left_out
    assert "not a whole day on 2026-12-22 and 1 more: change the opening hours" in line


@pytest.mark.parametrize(
    ("event", "off"),
    [
        ("DTSTART:20261124T090000\nDTEND:20261124T173000", ["2026-11-24"]),
        ("DTSTART:20261124T080000\nDURATION:PT10H", ["2026-11-24"]),
        ("DTSTART;TZID=Europe/Istanbul:20261124T000000\nDURATION:P1D", ["2026-11-24"]),
        ("DTSTART:20261127T080000\nDTEND:20261130T180000", ["2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"]),
        ("DTSTART:20261127T180000\nDTEND:20261130T080000", ["2026-11-28", "2026-11-29"]),
        ("DTSTART:20261128T100000\nDTEND:20261128T110000", []),
    ],
)  # fmt: skip
def test_a_day_is_off_when_the_event_lasts_through_its_opening_hours(event: str, off: list[str]) -> None:
    assert days(event, desk=OFFICE) == off


@pytest.mark.parametrize(
    ("rule", "years"),
    [
        ("FREQ=YEARLY", [*range(2025, 2035)]),
        ("FREQ=YEARLY;INTERVAL=3", [2025, 2028, 2031, 2034]),
        ("FREQ=YEARLY;COUNT=2", [2025, 2026]),
        ("FREQ=YEARLY;UNTIL=20271224", [2025, 2026, 2027]),
        ("FREQ=YEARLY;UNTIL=20271223T235959Z;WKST=MO", [2025, 2026]),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", [*range(2025, 2035)]),
    ],
)
def test_a_day_repeats_every_year(rule: str, years: list[int]) -> None:
    assert days(f"DTSTART;VALUE=DATE:20251224\nRRULE:{rule}") == [f"{year}-12-24" for year in years]


def test_the_nth_weekday_and_the_last_day_of_a_month_repeat() -> None:
    first_monday = days("DTSTART;VALUE=DATE:20260504\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=1MO;COUNT=3")
    last_monday = days("DTSTART;VALUE=DATE:20260525\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=3")
    end = days("DTSTART;VALUE=DATE:20270228\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=2")
    assert first_monday == ["2026-05-04", "2027-05-03", "2028-05-01"]
    assert last_monday == ["2026-05-25", "2027-05-31", "2028-05-29"]
    assert end == ["2027-02-28", "2028-02-29"]


def test_a_leap_day_repeats_in_leap_years() -> None:
    assert days("DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY") == [
        "2024-02-29",
        "2028-02-29",
        "2032-02-29",
    ]


def test_a_series_that_began_before_the_first_year_continues_in_it() -> None:
    closures = days("DTSTART;VALUE=DATE:19901231\nDTEND;VALUE=DATE:19910102\nRRULE:FREQ=YEARLY")
    assert closures[:3] == ["2024-01-01", "2024-12-31", "2025-01-01"]


def test_cancelled_excepted_and_moved_days_are_worked() -> None:
    series = "UID:a\nSUMMARY:Inventory\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=YEARLY;COUNT=4"
    series += "\nEXDATE;VALUE=DATE:20270105"
    moved = "UID:a\nRECURRENCE-ID;VALUE=DATE:20280105\nSUMMARY:Inventory\nDTSTART;VALUE=DATE:20280107"
    dropped = "UID:a\nRECURRENCE-ID;VALUE=DATE:20290105\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20290105"
    alone = "SUMMARY:Party\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260601"
    assert days(series, moved, dropped, alone) == ["2026-01-05", "2028-01-07"]


def test_an_occurrence_whose_replacement_is_cancelled_or_cannot_be_counted_is_worked() -> None:
    series = "UID:a\nSUMMARY:Inventory\nDTSTART:20260105T000000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=4"
    cancelled = "UID:a\nRECURRENCE-ID:20260106T000000\nSTATUS:CANCELLED\nDTSTART:20260106T000000"
    moved = "UID:a\nSUMMARY:Moved\nRECURRENCE-ID:20260107T000000\nDTSTART;TZID=Nowhere:20260109T000000"
    closures = read(series, cancelled, moved)
    assert list(closures.days) == [date(2026, 1, 5), date(2026, 1, 8)]
    (line,) = closures.left_out
    assert "Moved: its time zone 'Nowhere' is not known" in line
    whole_series = cancelled.replace("RECURRENCE-ID:20260106T000000\n", "")
    assert days(whole_series, "UID:a\nRECURRENCE-ID;VALUE=DATE:20260107\nDTSTART;VALUE=DATE:20260109") == []


def test_free_time_closes_nothing_and_a_file_with_only_free_time_is_reported() -> None:
    free = "UID:a\nSUMMARY:Somebody away\nTRANSP:TRANSPARENT\nDTSTART;VALUE=DATE:20260105"
    assert days(free, "TRANSP:OPAQUE\nDTSTART;VALUE=DATE:20260106") == ["2026-01-06"]
    (line,) = read(free).left_out
    assert "mark as busy" in line


def test_the_latest_version_counts_and_a_cancelled_series_cancels_its_moved_days() -> None:
    first = "UID:a\nSEQUENCE:0\nDTSTART;VALUE=DATE:20260105"
    later = "UID:a\nSEQUENCE:2\nDTSTART;VALUE=DATE:20260107"
    assert days(later, first) == ["2026-01-07"]
    series = "UID:b\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=3"
    moved = "UID:b\nRECURRENCE-ID;VALUE=DATE:20260112\nDTSTART;VALUE=DATE:20260113"
    assert days(series, moved, "DTSTART;VALUE=DATE:20260301") == ["2026-03-01"]


@pytest.mark.parametrize(
    ("rule", "off"),
    [
        ("FREQ=DAILY;COUNT=3", ["2026-12-24", "2026-12-25", "2026-12-26"]),
        ("FREQ=WEEKLY;BYDAY=TH,FR;UNTIL=20270101", ["2026-12-24", "2026-12-25", "2026-12-31", "2027-01-01"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=2", ["2026-12-24", "2027-01-07"]),
        ("FREQ=MONTHLY;COUNT=3", ["2026-12-24", "2027-01-24", "2027-02-24"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", ["2026-12-31", "2027-01-31", "2027-03-31"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["2026-12-25", "2027-01-29"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", ["2026-12-31", "2027-01-29"]),
        ("FREQ=YEARLY;BYMONTH=5,8;BYDAY=1MO;COUNT=3", ["2027-05-03", "2027-08-02", "2028-05-01"]),
        ("FREQ=YEARLY;BYYEARDAY=-1;COUNT=2", ["2026-12-31", "2027-12-31"]),
    ],
)
def test_a_day_repeats_by_days_weeks_months_and_years(rule: str, off: list[str]) -> None:
    assert days(f"DTSTART;VALUE=DATE:20261224\nRRULE:{rule}") == off


def test_single_days_are_added_to_a_series_and_removed_from_it_in_every_notation() -> None:
    series = "DTSTART;TZID=Europe/London:20260706T000000\nDURATION:P1D\nRRULE:FREQ=WEEKLY;COUNT=3"
    series += "\nRDATE;TZID=Europe/London:20260708T000000,20260706T000000\nEXDATE:20260712T230000Z"
    series += "\nRDATE;VALUE=PERIOD:20260730T230000Z/P2D"
    assert days(series) == ["2026-07-06", "2026-07-08", "2026-07-20", "2026-07-31", "2026-08-01"]
    period = "DTSTART;VALUE=DATE:20260105\nRDATE;VALUE=PERIOD;TZID=Europe/London:20260107T000000/P1D"
    assert days(period) == ["2026-01-05", "2026-01-07"]
    assert days("DTSTART;VALUE=DATE:20260105\nRDATE;VALUE=DATE:20260107") == ["2026-01-05", "2026-01-07"]


def test_a_series_follows_the_local_clock_over_a_clock_change_until_an_instant() -> None:
    weekly = "DTSTART;TZID=Europe/London:20261019T000000\nDTEND;TZID=Europe/London:20261020T000000\nRRULE:FREQ=WEEKLY"
    assert days(f"{weekly};UNTIL=20261102T000000Z") == ["2026-10-19", "2026-10-26", "2026-11-02"]
    assert days(f"{weekly};UNTIL=20261101T235959Z") == ["2026-10-19", "2026-10-26"]


def test_a_series_that_changes_from_one_day_on_is_moved_from_that_day_on() -> None:
    series = "UID:a\nSUMMARY:Inventory\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=4"
    changed = "UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260112\nDTSTART;VALUE=DATE:20260113"
    assert days(series, changed) == ["2026-01-05", "2026-01-13", "2026-01-20", "2026-01-27"]


ZONE = """BEGIN:VTIMEZONE
TZID:Works Time
BEGIN:STANDARD
DTSTART:16010101T020000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T010000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
END:DAYLIGHT
END:VTIMEZONE
"""


@settings(max_examples=settings.default.max_examples // 3)
@given(st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2034-12-30")))
def test_a_zone_is_read_as_the_file_defines_it(at: datetime) -> None:
    wall = at.replace(microsecond=0)
    event = f"BEGIN:VEVENT\nDTSTART;TZID=Works Time:{wall:%Y%m%dT%H%M%S}\nDURATION:PT1H\nEND:VEVENT\n"
    begins = only_start(f"BEGIN:VCALENDAR\n{event}{ZONE}END:VCALENDAR", "Europe/Istanbul")
    # In the hours of a clock change the two definitions of London may mean different hours.
    assume(not (wall.month in (3, 10) and wall.day >= 25 and wall.weekday() == 6 and wall.hour < 3))
    assert begins == from_local_time(wall, "Europe/London")


@pytest.mark.parametrize("tzid", ["/freeassociation.sourceforge.net/Europe/London", "GMT Standard Time"])
def test_a_zone_is_recognised_by_the_names_that_programs_use(tzid: str) -> None:
    assert days(f'DTSTART;TZID="{tzid}":20260706T000000\nDURATION:P1D') == ["2026-07-06"]


def test_a_zone_is_defined_by_its_own_file_even_if_another_file_uses_the_same_name() -> None:
    night = "BEGIN:VEVENT\nDTSTART;TZID=Works Time:20260706T000000\nDURATION:P1D\nEND:VEVENT\n"
    ahead = ZONE.replace("+0100", "+0400").replace("+0000", "+0300")
    files = (f"BEGIN:VCALENDAR\n{night}{zone}END:VCALENDAR" for zone in (ZONE, ahead))
    starts = [only_start(file, "Europe/London").hour for file in files]
    assert starts == [23, 20]


def test_an_event_in_a_zone_with_a_broken_definition_is_listed() -> None:
    for broken in ("TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "DTSTART:16010101T010000"):
        event = "BEGIN:VEVENT\nDTSTART;TZID=Works Time:20260706T000000\nDURATION:P1D\nEND:VEVENT\n"
        zone = ZONE.replace(broken, f"{broken.partition(':')[0]}:0")
        (line,) = closures_in(f"BEGIN:VCALENDAR\n{zone}{event}END:VCALENDAR", LONDON, FIRST, LAST).left_out
        assert (
            "its time zone 'Works Time' is not known, or its definition is not understood: write days" in line
        )


def test_a_date_as_the_end_of_a_series_includes_that_day_in_every_zone() -> None:
    for zone in ("America/New_York", "Asia/Tokyo"):
        series = f"DTSTART;TZID={zone}:20261224T000000\nDURATION:P1D\nRRULE:FREQ=DAILY;UNTIL=20261226"
        assert days(series, desk=DeskHours(zone)) == ["2026-12-24", "2026-12-25", "2026-12-26"]


def test_an_exception_with_a_time_removes_that_day_from_a_series_of_whole_days() -> None:
    series = "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=YEARLY;COUNT=3"
    assert days(f"{series}\nEXDATE;TZID=Europe/London:20270105T090000") == ["2026-01-05", "2028-01-05"]


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=13", "FREQ=DAILY;BYMONTHDAY=0"]
)
def test_a_rule_that_no_day_matches_is_listed(rule: str) -> None:
    (line,) = read(f"DTSTART;VALUE=DATE:20260105\nRRULE:{rule}").left_out
    assert f"its rule '{rule}' is not understood" in line


def test_the_calendar_libraries_are_imported_only_for_a_calendar_file() -> None:
    modules = "{'icalendar', 'dateutil.rrule', 'amends.settings.calendar_file'}"
    closures = "from amends.settings.closures import *; from pathlib import Path; from datetime import date"
    read_none = "closures_of(Path(), (), DeskHours('UTC'), date(2026, 1, 1), date(2026, 1, 2))"
    loaded = f"sys.exit(len({modules} & set(sys.modules)))"
    code = f"import amends.settings.rulebook, sys; {closures}; {read_none}; {loaded}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "BYMONTH": st.lists(st.integers(1, 12), min_size=1, max_size=3),
        "BYMONTHDAY": st.lists(st.sampled_from([-31, -2, -1, 1, 2, 13, 29, 30, 31]), min_size=1, max_size=2),
        "BYDAY": st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3),
        "BYSETPOS": st.lists(st.sampled_from([-2, -1, 1, 2, 5]), min_size=1, max_size=2),
        "BYYEARDAY": st.lists(st.sampled_from([-366, -1, 1, 60, 366]), min_size=1, max_size=2),
    },
)


# An example takes 50 ms: two implementations list the days of five years.
@settings(max_examples=settings.default.max_examples // 3)
@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    PARTS,
    st.sampled_from(["", "-1", "1", "3", "-5"]),
    st.sampled_from(WEEKDAYS),
    st.one_of(st.none(), st.integers(1, 40), st.dates(date(2019, 1, 1), date(2030, 1, 1))),
    st.dates(date(2019, 1, 1), date(2027, 12, 31)),
)
def test_a_rule_gives_the_days_that_dateutil_gives(
    frequency: str,
    interval: int,
    parts: dict[str, list[object]],
    nth: str,
    week_start: str,
    ends: int | date | None,
    begins: date,
) -> None:
    if frequency in ("MONTHLY", "YEARLY") and "BYDAY" in parts:
        parts = {**parts, "BYDAY": [f"{nth}{day}" for day in parts["BYDAY"]]}
    assume(not (frequency == "WEEKLY" and "BYMONTHDAY" in parts))
    assume(set(parts) - {"BYSETPOS"} or "BYSETPOS" not in parts)
    if frequency == "WEEKLY" and "BYSETPOS" in parts:
        # If the first week starts in the middle, dateutil counts positions from there; RFC 5545 does not.
        begins -= timedelta(days=(begins.weekday() - WEEKDAYS.index(week_start)) % 7)
    rule = f"FREQ={frequency};INTERVAL={interval};WKST={week_start}"
    rule += "".join(f";{name}={','.join(map(str, values))}" for name, values in parts.items())
    rule += f";COUNT={ends}" if isinstance(ends, int) else ""
    rule += f";UNTIL={ends:%Y%m%d}" if isinstance(ends, date) else ""
    first, last = date(2024, 1, 1), date(2028, 12, 31)
    file = calendar(f"DTSTART;VALUE=DATE:{begins:%Y%m%d}\nRRULE:{rule}")
    days_off = sorted(closures_in(file, LONDON, first, last).days)
    # With a rule that no day matches, rrulestr alone would search until the year 9999.
    assume(days_off)
    expected = rrulestr(rule, dtstart=datetime.combine(begins, time())).between(
        datetime.combine(first, time()), datetime.combine(last, time()), inc=True
    )
    assert days_off == [start.date() for start in expected]


def test_a_file_that_would_take_too_long_is_refused() -> None:
    daily = "DTSTART;VALUE=DATE:19700101\nRRULE:FREQ=DAILY"
    with pytest.raises(BadCalendarFile, match="more than 20000 times"):
        read(*[daily] * 6)
    with pytest.raises(BadCalendarFile, match="more than 5000"):
        read(*["DTSTART;VALUE=DATE:20260101"] * 5001)


def test_names_are_unfolded_unescaped_and_on_one_line() -> None:
    text = calendar(
        "DTSTART;VALUE=DATE:20261224\nSUMMARY;LANGUAGE=en:Closed\\, thanks\\n to sto\n cktaking\\; all day"
    )
    assert closures_in("\ufeff" + text, LONDON, FIRST, LAST).days == {
        date(2026, 12, 24): "Closed, thanks to stocktaking; all day"
    }
    assert read("DTSTART;VALUE=DATE:20261224").days == {date(2026, 12, 24): "Closed"}


def test_an_alarm_in_an_event_and_an_unused_zone_are_ignored() -> None:
    alarm = "BEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT5M\nSUMMARY:Wake\nEND:VALARM"
    alarm = f"DTSTART;VALUE=DATE:20261224\n{alarm}\nSUMMARY:Closed"
    zone = "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19701025T020000\nEND:STANDARD\nEND:VTIMEZONE"
    text = calendar(alarm).replace("BEGIN:VEVENT", f"{zone}\r\nBEGIN:VEVENT", 1)
    assert closures_in(text, LONDON, FIRST, LAST) == Closures({date(2026, 12, 24): "Closed"})


def test_a_quoted_parameter_may_contain_separators() -> None:
    (event,) = read_calendar(calendar('SUMMARY;ALTREP="cid:a;b:c";X-A=b:Closed'))
    assert (name_of(event), event["SUMMARY"].params["ALTREP"]) == ("Closed", "cid:a;b:c")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no iCalendar file"),
        ("date,name\n2026-12-24,Closed\n", "line 1: 'date,name' is no line of an iCalendar file"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\n", "is it whole"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR\n", "line 2: END:VEVENT closes nothing"),
        (
            calendar("DTSTART;VALUE=DATE:20261324"),
            "this event cannot be read: DTSTART is not a date, such as 20261224: Wrong date format 20261324",
        ),
        (
            calendar("DTSTART:tomorrow"),
            "line 3: this event cannot be read: DTSTART is not a date, such as 20261224: Wrong date format tomorrow",
        ),
        (calendar("DTSTART:00010101"), "such years have no calendar"),
        (calendar("DTSTART:20261224\nEXDATE:x\nRRULE:FREQ=YEARLY"), "EXDATE is not a date"),
    ],
)
def test_an_unreadable_file_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(BadCalendarFile) as refused:
        closures_in(text, LONDON, FIRST, LAST)
    assert why in str(refused.value)


@given(st.dates(FIRST, LAST - timedelta(days=40)), st.integers(1, 40), st.text(max_size=200))
def test_any_name_and_any_whole_days_survive_writing_and_folding(start: date, length: int, name: str) -> None:
    plain = " ".join(name.replace("\\", "").replace("\0", "").split())
    escaped = plain.replace(";", "\\;").replace(",", "\\,")
    line = f"SUMMARY:{escaped}"
    folded = "\n ".join(line[at : at + 20] for at in range(0, len(line), 20))
    end = start + timedelta(days=length)
    closures = read(f"DTSTART;VALUE=DATE:{start:%Y%m%d}\nDTEND;VALUE=DATE:{end:%Y%m%d}\n{folded}")
    assert list(closures.days) == [start + timedelta(days=n) for n in range(length)]
    assert set(closures.days.values()) == {plain or "Closed"}


@given(st.text(alphabet=st.sampled_from("BEGINVCALENDRTWKYMOU:;=0123456789\n\r \t\"'\\XUYFQ-"), max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    whole = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{text}\nEND:VEVENT\nEND:VCALENDAR"
    with suppress(BadCalendarFile):
        assert all(FIRST <= day <= LAST for day in closures_in(whole, LONDON, FIRST, LAST).days)
