"""Reminders: the steps of a date by priority, their times and their recipients."""

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
    BuiltComplaint,
    a_received_case,
    a_sign,
    an_assessed_case,
    an_investigated_case,
    at,
)

SEVERITY = {Priority.P1: 5, Priority.P2: 4, Priority.P3: 2}


def reminder_steps(
    complaint: BuiltComplaint, target: Target = Target.DECIDE
) -> dict[str, tuple[datetime, ReminderLevel]]:
    date = complaint.case.target(target)
    assert date is not None
    return {stage.name: (stage.at, stage.level) for stage in reminder_stages(complaint.case, date)}


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
def test_each_priority_has_its_reminder_steps(
    priority: Priority, expected: dict[str, tuple[datetime, ReminderLevel]]
) -> None:
    assert reminder_steps(an_assessed_case(severity=SEVERITY[priority])) == expected


def test_the_shortest_targets_have_a_reminder_halfway() -> None:
    urgent = a_received_case(signs=(a_sign(severity=5, safety=3),))
    assert reminder_steps(urgent, Target.LOOK) == {
        "half": (TUESDAY + timedelta(minutes=15), ReminderLevel.OWNER),
        "due": (TUESDAY + timedelta(minutes=30), ReminderLevel.LEAD),
        "top": (TUESDAY + timedelta(minutes=60), ReminderLevel.TOP),
    }
    pressing = a_received_case(signs=(a_sign(severity=4, safety=0),), at=at("2026-11-03 16:30"))
    # Four working hours: one on Tuesday, three on Wednesday.
    assert reminder_steps(pressing, Target.LOOK)["half"] == (at("2026-11-04 10:00"), ReminderLevel.OWNER)
    assert reminder_steps(pressing, Target.LOOK)["due"] == (at("2026-11-04 12:00"), ReminderLevel.LEAD)


def test_without_on_call_cover_halfway_of_p1_counts_working_time() -> None:
    rules = replace(RULES, on_call=OnCall())
    complaint = a_received_case(signs=(a_sign(severity=5, safety=3),), rules=rules, at=at("2026-11-03 17:15"))
    assert reminder_steps(complaint, Target.LOOK)["half"] == (at("2026-11-04 09:00"), ReminderLevel.OWNER)


def test_waiting_for_the_complainant_is_reminded_of_only_at_its_end() -> None:
    waiting = an_investigated_case(severity=4).do(
        Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"}
    )
    assert set(reminder_steps(waiting, Target.WAITING)) == {"due"}


def test_an_extension_has_reminder_steps_of_its_own() -> None:
    complaint = an_assessed_case(severity=4)
    later = complaint.do(
        Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-20"}, {"reason": "More."}
    )
    assert {key for key in later.keys if key.startswith("remind:decide")} == {
        "remind:decide:0:3:-1bd",
        "remind:decide:0:3:due",
        "remind:decide:0:3:top",
    }


#: Two years by the minute, with four clock changes.
_MOMENTS = some.integers(0, 2 * 365 * 24 * 60).map(lambda n: at("2026-01-01 00:00") + timedelta(minutes=n))


@given(
    start=_MOMENTS,
    length=some.timedeltas(timedelta(minutes=1), timedelta(days=40)),
    more=some.timedeltas(timedelta(0), timedelta(days=20)),
    priority=some.sampled_from(list(SEVERITY)),
)
def test_reminders_rise_in_level_and_a_later_date_makes_none_earlier(
    start: datetime, length: timedelta, more: timedelta, priority: Priority
) -> None:
    case = an_assessed_case(severity=SEVERITY[priority]).case
    target = case.target(Target.DECIDE)
    assert target is not None
    case = replace(case, logged_at=start)
    near = reminder_stages(case, replace(target, start=start, internal_due=start + length))
    far = {
        stage.name: stage
        for stage in reminder_stages(case, replace(target, start=start, internal_due=start + length + more))
    }
    assert [stage.at for stage in near] == sorted(stage.at for stage in near)
    assert [stage.level for stage in near] == sorted(stage.level for stage in near)
    assert sum(stage.level is ReminderLevel.OWNER for stage in near) <= 1
    assert [stage.at for stage in near if stage.name == "due"] == [start + length]
    assert all(far[stage.name].at >= stage.at for stage in near if stage.name in far)


@given(start=_MOMENTS, length=some.timedeltas(timedelta(minutes=2), timedelta(days=40)))
def test_halfway_lies_between_start_and_due_and_in_working_time_if_any(
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
def test_only_p1_reminds_outside_working_hours(now: datetime) -> None:
    urgent, pressing = an_assessed_case(severity=5).case, an_assessed_case(severity=4).case
    assert leaves_at(urgent, now) == now
    leaves = leaves_at(pressing, now)
    assert leaves >= now
    assert is_working(leaves, RULES.calendar)
    assert leaves == now or not is_working(now, RULES.calendar)
