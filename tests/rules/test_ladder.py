"""The ladder of reminders: which steps a date has by priority, when they come, and how far up they are heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from complaints.deadlines.opening_hours import is_working
from complaints.obligations.reminders import ReminderLevel, halfway, leaves_at, reminder_stages
from complaints.rulebook import OnCall
from complaints.vocabulary import Priority, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    MONA,
    RULES,
    TUESDAY,
    Told,
    a_received_case,
    a_sign,
    an_assessed_case,
    an_investigated_case,
    at,
)

SEVERITY = {Priority.P1: 5, Priority.P2: 4, Priority.P3: 2}


def steps(told: Told, target: Target = Target.DECIDE) -> dict[str, tuple[datetime, ReminderLevel]]:
    one = told.case.target(target)
    assert one is not None
    return {stage.name: (stage.at, stage.rung) for stage in reminder_stages(told.case, one)}


@clause("8.4")
@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        (
            Priority.P1,
            {
                "half": (at("2026-11-09 09:00"), ReminderLevel.OWNER),
                "due": (at("2026-11-10 17:30"), ReminderLevel.LEAD),
                "top": (at("2026-11-10 18:00"), ReminderLevel.TOP),
            },
        ),
        (
            Priority.P2,
            {
                "-1bd": (at("2026-11-09 09:00"), ReminderLevel.OWNER),
                "due": (at("2026-11-10 17:30"), ReminderLevel.LEAD),
                "top": (at("2026-11-11 17:30"), ReminderLevel.TOP),
            },
        ),
        (
            Priority.P3,
            {
                "-1bd": (at("2026-11-16 09:00"), ReminderLevel.OWNER),
                "due": (at("2026-11-17 17:30"), ReminderLevel.LEAD),
            },
        ),
    ],
)
def test_each_priority_has_its_steps(
    priority: Priority, expected: dict[str, tuple[datetime, ReminderLevel]]
) -> None:
    assert steps(an_assessed_case(severity=SEVERITY[priority])) == expected


def test_the_shortest_times_have_a_step_halfway() -> None:
    urgent = a_received_case(signs=(a_sign(severity=5, safety=3),))
    assert steps(urgent, Target.LOOK) == {
        "half": (TUESDAY + timedelta(minutes=15), ReminderLevel.OWNER),
        "due": (TUESDAY + timedelta(minutes=30), ReminderLevel.LEAD),
        "top": (TUESDAY + timedelta(minutes=60), ReminderLevel.TOP),
    }
    pressing = a_received_case(signs=(a_sign(severity=4, safety=0),), at=at("2026-11-03 16:30"))
    # Four working hours: one on the Tuesday, three on the Wednesday.
    assert steps(pressing, Target.LOOK)["half"] == (at("2026-11-04 10:00"), ReminderLevel.OWNER)
    assert steps(pressing, Target.LOOK)["due"] == (at("2026-11-04 12:00"), ReminderLevel.LEAD)


def test_where_nobody_is_on_call_the_half_of_p1_is_of_working_time() -> None:
    rules = replace(RULES, on_call=OnCall())
    told = a_received_case(signs=(a_sign(severity=5, safety=3),), rules=rules, at=at("2026-11-03 17:15"))
    assert steps(told, Target.LOOK)["half"] == (at("2026-11-04 09:00"), ReminderLevel.OWNER)


def test_of_what_the_complainant_owes_us_only_the_end_is_told() -> None:
    asked = an_investigated_case(severity=4).do(
        Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"}
    )
    assert set(steps(asked, Target.WAITING)) == {"due"}


def test_an_extension_is_a_ladder_of_its_own() -> None:
    told = an_assessed_case(severity=4)
    later = told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-20"}, {"reason": "More."})
    assert {one for one in later.keys if one.startswith("remind:decide")} == {
        "remind:decide:0:3:-1bd",
        "remind:decide:0:3:due",
        "remind:decide:0:3:top",
    }


#: Two years by the minute; the clocks change four times in them.
_MOMENTS = some.integers(0, 2 * 365 * 24 * 60).map(lambda n: at("2026-01-01 00:00") + timedelta(minutes=n))


@given(
    start=_MOMENTS,
    length=some.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    more=some.timedeltas(timedelta(0), timedelta(days=20)),
    priority=some.sampled_from(list(SEVERITY)),
)
def test_steps_climb_in_order_and_a_later_date_makes_none_earlier(
    start: datetime, length: timedelta, more: timedelta, priority: Priority
) -> None:
    case = an_assessed_case(severity=SEVERITY[priority]).case
    target = case.target(Target.DECIDE)
    assert target is not None
    case = replace(case, logged_at=start)
    near = reminder_stages(case, replace(target, start=start, internal_due=start + length))
    far = {
        one.name: one
        for one in reminder_stages(case, replace(target, start=start, internal_due=start + length + more))
    }
    assert [one.at for one in near] == sorted(one.at for one in near)
    assert [one.rung for one in near] == sorted(one.rung for one in near)
    assert sum(one.rung is ReminderLevel.OWNER for one in near) <= 1
    assert [one.at for one in near if one.name == "due"] == [start + length]
    assert all(far[one.name].at >= one.at for one in near if one.name in far)


@given(start=_MOMENTS, length=some.timedeltas(timedelta(minutes=2), timedelta(days=40)))
def test_halfway_lies_between_and_in_working_time_where_there_is_any(
    start: datetime, length: timedelta
) -> None:
    calendar = RULES.calendar
    middle = halfway(start, start + length, calendar, elapsed=False)
    assert start - timedelta(minutes=1) < middle < start + length
    worked = any(
        is_working(start + timedelta(minutes=n), calendar)
        for n in range(1, int(length.total_seconds() // 60))
    )
    if worked:
        assert is_working(middle, calendar)


@given(now=_MOMENTS)
def test_only_p1_is_told_outside_working_hours(now: datetime) -> None:
    """At the changes of the clocks too: the years hold four of them."""
    urgent, pressing = an_assessed_case(severity=5).case, an_assessed_case(severity=4).case
    assert leaves_at(urgent, now) == now
    leaves = leaves_at(pressing, now)
    assert leaves >= now
    assert is_working(leaves, RULES.calendar)
    assert leaves == now or not is_working(now, RULES.calendar)
