"""Days off from iCalendar files: whole days are counted, everything else is listed, nothing is guessed."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.settings.closures import Closures, closures_in
from amends.settings.ical import BadIcal, events_in

LONDON = "Europe/London"
FIRST, LAST = date(2024, 1, 1), date(2034, 12, 31)


def calendar(*events: str) -> str:
    """A file of these events, as programs write it."""
    whole = "\n".join(f"BEGIN:VEVENT\n{one.strip()}\nEND:VEVENT" for one in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{whole}\nEND:VCALENDAR\n".replace("\n", "\r\n")


def read(*events: str, zone: str = LONDON) -> Closures:
    return closures_in(calendar(*events), zone, FIRST, LAST)


def days(*events: str) -> list[str]:
    found = read(*events)
    assert found.left_out == ()
    return [str(day) for day in sorted(found.days)]


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
        ("DTSTART:20261224T120000\nDTEND:20261226T120000", "not a whole day"),
        ("DTSTART:20261224T000000\nDURATION:PT12H", "not a whole day"),
        ("DTSTART:20261224T000000", "a moment, not a day"),
        ("DTSTART:20260706T000000Z\nDTEND:20260707T000000Z", "not a whole day"),
        ("DTSTART;TZID=Nowhere:20261224T000000\nDTEND;TZID=Nowhere:20261225T000000", "'Nowhere' is not known"),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20281224", "more than a year"),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261220", "not a whole day"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=WEEKLY", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYSETPOS=1;BYDAY=MO;BYMONTH=5", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYMONTH=5,8", "write an event for each"),
        ("DTSTART;VALUE=DATE:20261224\nRDATE;VALUE=DATE:20270101", "write an event for each"),
        ("DESCRIPTION:no date", "no DTSTART"),
    ],
)  # fmt: skip
def test_what_is_no_whole_day_is_listed_by_name_and_reason_and_never_counted(event: str, why: str) -> None:
    found = read(f"SUMMARY:Fire drill\n{event}", "SUMMARY:Closed\nDTSTART;VALUE=DATE:20261231")
    assert list(found.days) == [date(2026, 12, 31)]
    (line,) = found.left_out
    assert line.startswith("Fire drill: ")
    assert why in line


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
def test_a_day_of_each_year_comes_again(rule: str, years: list[int]) -> None:
    assert days(f"DTSTART;VALUE=DATE:20251224\nRRULE:{rule}") == [f"{year}-12-24" for year in years]


def test_the_nth_weekday_and_the_last_day_of_a_month_come_again() -> None:
    first_monday = days("DTSTART;VALUE=DATE:20260504\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=1MO;COUNT=3")
    last_monday = days("DTSTART;VALUE=DATE:20260525\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=3")
    end = days("DTSTART;VALUE=DATE:20270228\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=2")
    assert first_monday == ["2026-05-04", "2027-05-03", "2028-05-01"]
    assert last_monday == ["2026-05-25", "2027-05-31", "2028-05-29"]
    assert end == ["2027-02-28", "2028-02-29"]


def test_a_leap_day_comes_again_in_leap_years() -> None:
    assert days("DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY") == [
        "2024-02-29",
        "2028-02-29",
        "2032-02-29",
    ]


def test_a_series_that_began_before_the_years_asked_for_goes_on_in_them() -> None:
    found = days("DTSTART;VALUE=DATE:19901231\nDTEND;VALUE=DATE:19910102\nRRULE:FREQ=YEARLY")
    assert found[:3] == ["2024-01-01", "2024-12-31", "2025-01-01"]


def test_cancelled_excepted_and_moved_days_are_worked() -> None:
    series = "UID:a\nSUMMARY:Inventory\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=YEARLY;COUNT=4"
    series += "\nEXDATE;VALUE=DATE:20270105"
    moved = "UID:a\nRECURRENCE-ID;VALUE=DATE:20280105\nSUMMARY:Inventory\nDTSTART;VALUE=DATE:20280107"
    dropped = "UID:a\nRECURRENCE-ID;VALUE=DATE:20290105\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20290105"
    alone = "SUMMARY:Party\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260601"
    assert days(series, moved, dropped, alone) == ["2026-01-05", "2028-01-07"]


def test_names_are_unfolded_unescaped_and_on_one_line() -> None:
    text = calendar(
        "DTSTART;VALUE=DATE:20261224\nSUMMARY;LANGUAGE=en:Closed\\, thanks\\n to sto\n cktaking\\; all day"
    )
    assert closures_in("\ufeff" + text, LONDON, FIRST, LAST).days == {
        date(2026, 12, 24): "Closed, thanks to stocktaking; all day"
    }
    assert read("DTSTART;VALUE=DATE:20261224").days == {date(2026, 12, 24): "Closed"}


def test_an_alarm_inside_and_a_zone_beside_an_event_are_none_of_its_business() -> None:
    alarm = "BEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT5M\nSUMMARY:Wake\nEND:VALARM"
    alarm = f"DTSTART;VALUE=DATE:20261224\n{alarm}\nSUMMARY:Closed"
    zone = "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19701025T020000\nEND:STANDARD\nEND:VTIMEZONE"
    text = calendar(alarm).replace("BEGIN:VEVENT", f"{zone}\r\nBEGIN:VEVENT", 1)
    assert closures_in(text, LONDON, FIRST, LAST) == Closures({date(2026, 12, 24): "Closed"})


def test_a_parameter_may_hold_what_else_ends_it() -> None:
    (event,) = events_in(calendar('SUMMARY;ALTREP="cid:a;b:c";X-A=b:Closed'))
    assert (event["SUMMARY"][0].text, event["SUMMARY"][0].parameters["ALTREP"]) == ("Closed", "cid:a;b:c")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no iCalendar file"),
        ("date,name\n2026-12-24,Closed\n", "line 1: 'date,name' is no line of an iCalendar file"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\n", "is it whole"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR\n", "line 2: END:VEVENT closes nothing"),
        (calendar("DTSTART;VALUE=DATE:20261324"), "'20261324' is not a date"),
        (calendar("DTSTART:tomorrow"), "'tomorrow' is not a date"),
        (calendar("DTSTART:20261224\nEXDATE:x\nRRULE:FREQ=YEARLY"), "'x' is not a date"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(BadIcal) as refused:
        closures_in(text, LONDON, FIRST, LAST)
    assert why in str(refused.value)


@given(st.dates(FIRST, LAST - timedelta(days=40)), st.integers(1, 40), st.text(max_size=200))
def test_any_name_and_any_whole_days_survive_writing_and_folding(start: date, length: int, name: str) -> None:
    plain = " ".join(name.replace("\\", "").replace("\0", "").split())
    escaped = plain.replace(";", "\\;").replace(",", "\\,")
    line = f"SUMMARY:{escaped}"
    folded = "\n ".join(line[at : at + 20] for at in range(0, len(line), 20))
    end = start + timedelta(days=length)
    found = read(f"DTSTART;VALUE=DATE:{start:%Y%m%d}\nDTEND;VALUE=DATE:{end:%Y%m%d}\n{folded}")
    assert list(found.days) == [start + timedelta(days=n) for n in range(length)]
    assert set(found.days.values()) == {plain or "Closed"}


@given(st.text(alphabet=st.sampled_from("BEGINVCALENDRT:;=0123456789\n\r \t\"'\\XUYFQ-"), max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    whole = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{text}\nEND:VEVENT\nEND:VCALENDAR"
    with suppress(BadIcal):
        assert all(FIRST <= day <= LAST for day in closures_in(whole, LONDON, FIRST, LAST).days)
