"""What holds for working time with every start, span, zone and calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.deadlines.due_steps import STEPS, DueStep, reached
from complaints.deadlines.opening_hours import (
    BadHours,
    NeverOpen,
    closing_time,
    is_working,
    next_working,
    opening_time,
    parse_hours,
    works_on,
)
from complaints.deadlines.quiet_hours import BadQuietHours, parse_quiet, quiet_until
from complaints.deadlines.working_time import (
    BadSpan,
    Span,
    Unit,
    before,
    due,
    due_where_on_call,
    rolled_to_working_day,
)
from complaints.rulebook import Calendar, OnCall
from complaints.times import local_time
from tests.rules.target_dates import explain

ZONES = [
    "Europe/London",
    "America/New_York",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "Europe/Istanbul",
    "America/Santiago",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
]

starts = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_edges = st.lists(st.integers(0, 1440), min_size=2, max_size=4, unique=True).map(sorted)
_spans = _edges.map(lambda m: tuple(zip(m[0::2], m[1::2], strict=False)))
_holidays = st.dictionaries(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.just("Holiday"), max_size=20)
calendars = st.builds(
    Calendar,
    zone=st.sampled_from(ZONES),
    hours=st.dictionaries(st.integers(0, 6), _spans, min_size=1),
    always=st.booleans(),
    holidays=_holidays,
)
working_days = st.integers(0, 300).map(lambda n: Span(n, Unit.WORKING_DAYS))
working_hours = st.integers(0, 300).map(lambda n: Span(n, Unit.WORKING_HOURS))


_numbers = st.integers(0, 3) | st.integers(0, 300)
spans = st.builds(Span, _numbers, st.sampled_from(Unit))
_COUNTED = [Unit.SECONDS, Unit.MINUTES, Unit.HOURS, Unit.WORKING_HOURS, Unit.WORKING_DAYS]
_DATED = [Unit.DAYS, Unit.WEEKS, Unit.MONTHS]
rotas = st.builds(
    OnCall,
    always=st.booleans(),
    hours=st.dictionaries(st.integers(0, 6), _spans),
    people=st.sampled_from([(), ("U0000002",)]),
)


@given(starts, starts, st.builds(Span, st.integers(0, 300), st.sampled_from(_COUNTED)), calendars)
def test_a_later_start_is_never_due_earlier(
    first: datetime, second: datetime, span: Span, calendar: Calendar
) -> None:
    early, late = sorted((first, second))
    assert due(early, span, calendar).at <= due(late, span, calendar).at


@given(
    starts, st.integers(0, 100_000), st.builds(Span, st.integers(0, 40), st.sampled_from(_DATED)), calendars
)
def test_for_days_and_longer_a_later_start_is_never_due_on_an_earlier_day(
    early: datetime, minutes: int, span: Span, calendar: Calendar
) -> None:
    # Not to the minute: at a skipped hour or at the end of a shorter month, two starts of one local day may
    # swap their order within the day.
    late = early + timedelta(minutes=minutes)
    days = [local_time(due(start, span, calendar).at, calendar.zone).date() for start in (early, late)]
    assert days == sorted(days)


@given(starts, spans, calendars, rotas, st.data())
def test_a_holiday_never_makes_a_due_time_earlier(
    start: datetime, span: Span, calendar: Calendar, on_call: OnCall, data: st.DataObject
) -> None:
    near = start.date()
    more = data.draw(
        st.sets(st.dates(near - timedelta(days=3), near + timedelta(days=60)) | st.just(near), max_size=15)
    )
    fewer = calendar
    closed = replace(calendar, holidays={**calendar.holidays, **dict.fromkeys(more, "Closed")})
    for counted in (
        lambda days: due(start, span, days),
        lambda days: due_where_on_call(start, span, days, on_call),
        lambda days: rolled_to_working_day(due(start, span, days), days),
    ):
        assert counted(fewer).at <= counted(closed).at


@given(starts, spans, calendars, rotas)
def test_the_explanation_ends_at_the_due_time(
    start: datetime, span: Span, calendar: Calendar, on_call: OnCall
) -> None:
    due_times = [due(start, span, calendar), due_where_on_call(start, span, calendar, on_call)]
    due_times.append(rolled_to_working_day(due_times[0], calendar))
    if span.unit is not Unit.WORKING_HOURS:
        due_times.append(before(start, span, calendar))
    # An hour that comes twice equals nothing in another zone (PEP 495).
    assert [reached(due_time.because).astimezone(UTC) for due_time in due_times] == [
        due_time.at for due_time in due_times
    ]
    assert all(due_time.because[0].code == "start" for due_time in due_times)


@given(starts, spans, calendars)
def test_a_reminder_is_never_after_its_due_time(at: datetime, span: Span, calendar: Calendar) -> None:
    for length in (span, Span(span.number, Unit.WORKING_DAYS), Span(0, Unit.WORKING_DAYS)):
        if length.unit is not Unit.WORKING_HOURS:
            assert before(at, length, calendar).at <= at


@given(starts, st.integers(1, 30), calendars, st.dates(date(2020, 1, 1), date(2035, 1, 1)))
def test_a_holiday_never_makes_a_reminder_later(
    at: datetime, number: int, calendar: Calendar, day: date
) -> None:
    closed = replace(calendar, holidays={**calendar.holidays, day: "Closed"})
    span = Span(number, Unit.WORKING_DAYS)
    assert before(at, span, closed).at <= before(at, span, calendar).at


@given(starts, spans, calendars)
def test_rolling_ends_at_closing_time_of_the_last_day_or_the_next_working_day(
    start: datetime, span: Span, calendar: Calendar
) -> None:
    last = due(start, span, calendar)
    end = rolled_to_working_day(last, calendar)
    day = local_time(last.at, calendar.zone).date()
    assert end.at >= closing_time(day, calendar) or not works_on(day, calendar)
    assert is_working(end.at - timedelta(microseconds=1), calendar)


@given(starts, st.integers(0, 300), st.sampled_from(Unit), calendars)
def test_a_longer_span_is_never_due_earlier(start: datetime, n: int, unit: Unit, calendar: Calendar) -> None:
    shorter, longer = (due(start, Span(number, unit), calendar).at for number in (n, n + 1))
    assert start <= shorter <= longer


@given(starts, working_days, calendars)
def test_working_days_end_at_closing_time_of_a_working_day(
    start: datetime, span: Span, calendar: Calendar
) -> None:
    end = due(start, span, calendar)
    day = end.because[-2].days[-1] if span.number else _day_zero(end.because)
    assert works_on(day, calendar)
    assert end.at == closing_time(day, calendar)


@given(starts, st.integers(0, 60), st.integers(0, 60), calendars)
def test_working_days_add_up(start: datetime, first: int, second: int, calendar: Calendar) -> None:
    halfway = due(start, Span(first, Unit.WORKING_DAYS), calendar).at
    assert due(halfway, Span(second, Unit.WORKING_DAYS), calendar).at == (
        due(start, Span(first + second, Unit.WORKING_DAYS), calendar).at
    )


@given(starts, working_days, calendars)
def test_working_days_forward_and_back_give_the_opening_time_of_day_zero(
    start: datetime, span: Span, calendar: Calendar
) -> None:
    end = due(start, span, calendar)
    back = before(end.at, -span, calendar)
    assert back.at == opening_time(_day_zero(end.because), calendar)


@given(starts, st.integers(0, 100), st.integers(1, 100), calendars)
def test_working_hours_add_up(start: datetime, first: int, second: int, calendar: Calendar) -> None:
    halfway = due(start, Span(first, Unit.WORKING_HOURS), calendar).at
    assert due(halfway, Span(second, Unit.WORKING_HOURS), calendar).at == (
        due(start, Span(first + second, Unit.WORKING_HOURS), calendar).at
    )


@given(starts, st.integers(0, 100), calendars)
def test_zero_working_hours_end_at_the_next_working_time(
    start: datetime, hours: int, calendar: Calendar
) -> None:
    halfway = due(start, Span(hours, Unit.WORKING_HOURS), calendar).at
    assert due(halfway, Span(0, Unit.WORKING_HOURS), calendar).at == next_working(halfway, calendar)


@given(starts, st.integers(1, 100), calendars)
def test_the_intervals_of_working_hours_add_up_to_the_span(
    start: datetime, hours: int, calendar: Calendar
) -> None:
    end = due(start, Span(hours, Unit.WORKING_HOURS), calendar)
    if calendar.always:
        assert end.at == start + timedelta(hours=hours)
        return
    worked = [step for step in end.because if step.code == "worked"]
    if len(worked) > 1:
        total = sum(((s.until - s.local for s in _instants(worked))), timedelta())
        assert total == timedelta(hours=hours)


@given(starts, st.integers(0, 4000), calendars)
def test_with_permanent_on_call_cover_working_time_is_elapsed_time(
    start: datetime, minutes: int, calendar: Calendar
) -> None:
    span = Span(minutes, Unit.MINUTES)
    covered = OnCall(always=True, people=("U0000002",))
    assert due_where_on_call(start, span, calendar, covered).at == start + timedelta(minutes=minutes)


@given(starts, calendars)
def test_the_next_working_instant_works_and_none_before_it_does(start: datetime, calendar: Calendar) -> None:
    following = next_working(start, calendar)
    assert following >= start
    assert is_working(following, calendar)
    if following > start:
        assert not is_working(start, calendar)
        assert not is_working(following - timedelta(microseconds=1), calendar)


@given(starts, st.integers(0, 1440), st.integers(0, 1440), st.sampled_from(ZONES))
def test_quiet_hours_end_within_25_hours(at: datetime, start: int, end: int, zone: str) -> None:
    text = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    if (end - start) % 1440 == 0 or start == 1440:
        with pytest.raises(BadQuietHours, match="20:00-08:00"):
            parse_quiet(text)
        return
    until = quiet_until(at, text, zone)
    assert timedelta(0) <= until - at < timedelta(hours=25)


@given(starts, st.sampled_from(Unit), st.integers(0, 100), calendars)
def test_every_step_survives_storage_and_is_rendered(
    start: datetime, unit: Unit, n: int, calendar: Calendar
) -> None:
    end = due(start, Span(n, unit), calendar)
    read = [DueStep.from_json(step.as_json()) for step in end.because]
    assert [step.as_json() for step in read] == [step.as_json() for step in end.because]
    assert all(sentence.endswith(".") for sentence in explain(end))
    assert {step.code for step in end.because} <= set(STEPS)


@given(st.integers(-9999, 9999), st.sampled_from(Unit))
def test_a_span_is_written_as_it_was_read(number: int, unit: Unit) -> None:
    span = Span(number, unit)
    if abs(number) > {Unit.MONTHS: 1200, Unit.WEEKS: 5200}.get(unit, 9999):
        with pytest.raises(BadSpan, match="the most is"):
            Span.parse(str(span))
    else:
        assert Span.parse(str(span)) == span


@pytest.mark.parametrize(
    "text", ["", "bd", "1", "1 fortnight", "1.5 h", "one day", "1 bd later", "1 BD", "0x1 h"]
)
def test_an_invalid_span_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(BadSpan, match=r"20 s.*10 bd"):
        Span.parse(text)


def test_a_span_may_be_written_without_space_or_in_the_singular() -> None:
    assert [Span.parse(text) for text in ("-1bd", "1 day", " 4  wh ", "1 month")] == [
        Span(-1, Unit.WORKING_DAYS),
        Span(1, Unit.DAYS),
        Span(4, Unit.WORKING_HOURS),
        Span(1, Unit.MONTHS),
    ]


def test_a_due_time_before_its_start_is_refused() -> None:
    with pytest.raises(BadSpan, match="before"):
        due(datetime(2026, 11, 3, tzinfo=UTC), "-1 bd", Calendar(always=True))


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        due(datetime(2026, 11, 3), "1 bd", Calendar(always=True))  # noqa: DTZ001


def test_a_calendar_that_never_opens_is_refused() -> None:
    for span in ("1 bd", "1 wh"):
        with pytest.raises(NeverOpen, match="no working day"):
            due(datetime(2026, 11, 3, tzinfo=UTC), span, Calendar())


def test_opening_hours_are_parsed() -> None:
    office = tuple(((540, 1050),) for _ in range(5))
    assert parse_hours("Mon-Fri 09:00-17:30") == dict(enumerate(office))
    assert parse_hours("always") is None
    assert parse_hours("Mon, Wed 09:00-12:30 13:30-17:30; Sat 10:00-24:00".replace(";", ",")) == {
        0: ((540, 750), (810, 1050)),
        2: ((540, 750), (810, 1050)),
        5: ((600, 1440),),
    }
    assert parse_hours("fri-mon 9:00-10:00") == {
        0: ((540, 600),),
        4: ((540, 600),),
        5: ((540, 600),),
        6: ((540, 600),),
    }
    assert parse_hours("Sun 22:00-06:00", overnight=True) == {0: ((0, 360),), 6: ((1320, 1440),)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Mon-Fri",
        "09:00-17:30",
        "Mon-Fri 9-17",
        "Mon-Fri 09:00-25:00",
        "Mon-Fri 17:30-09:00",
        "Mon-Fri 09:00-09:00",
        "Mon-Fri 09:00-12:00 11:00-17:00",
        "Mon-Fri-Sun 09:00-17:00",
        "Monday 09:00-17:00",
        "Mon 24:00-24:00",
        "Mon 09:61-10:00",
    ],
)
def test_invalid_opening_hours_are_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(BadHours, match=r'Mon-Fri 09:00-17:30.*"always"'):
        parse_hours(text)


def _day_zero(steps: tuple[DueStep, ...]) -> date:
    (zero,) = [step.day for step in steps if step.code.startswith("day_zero")]
    assert zero is not None
    return zero


def _instants(steps: list[DueStep]) -> list[DueStep]:
    # Differences of two times of one zone ignore its offset (PEP 495): subtract instants.
    return [
        DueStep(step.code, local=local_time(step.local, "UTC"), until=local_time(step.until, "UTC"))
        for step in steps
        if step.local and step.until
    ]
