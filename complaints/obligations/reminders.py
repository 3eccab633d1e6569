"""Reminders of a due time: when staff get them, and which people (8.4, 5.3; docs/domain.md, section 4).

| stage | P1 | P2 | P3, P4 | who gets it |
|---|---|---|---|---|
| `half` | half of the time is gone | the same in working time, where a working day's notice has no room | - | owner |
| `-1bd` | - | opening of the working day before | the same | owner |
| `due` | when it is due | when it is due | when it is due | owner, unit manager |
| `top` | 30 min after | a working day after | in the digest, once overdue by `TOP_AFTER_DAYS` | top management too |

P1 gets a message for each stage at any hour, P2 in working time. P3 and P4 are in the morning digest, `-1bd` under
its own heading. The names are part of the keys of obligations (`remind:decide:0:2:-1bd`), so they never change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.opening_hours import next_working, on_call_covers, working_stretches
from complaints.deadlines.working_time import before, due
from complaints.priorities import priority_of
from complaints.rulebook import Calendar
from complaints.vocabulary import Priority, Target

#: The dates that staff work towards; the others need no reminder.
REMINDED: frozenset[Target] = frozenset(
    {
        Target.ACT_BY,
        Target.LOOK,
        Target.FIRST_ACTION,
        Target.UPDATE,
        Target.DECIDE,
        Target.APPROVE,
        Target.REMEDY,
        Target.VERIFY,
        Target.REPLY,
        Target.WAITING,
        Target.DATA_REQUEST,
        Target.SUBJECT,
        Target.PRIVACY,
        Target.BODY_REPLY,
        Target.STATEMENT,
        Target.CONDUCT,
        Target.CLOSE,
    }
)
#: Each stage is a message for these; the others are only in the digest.
WITH_MESSAGES: frozenset[Priority] = frozenset({Priority.P1, Priority.P2})
TOP_SOON = timedelta(minutes=30)
TOP_NEXT = "1 bd"
#: A P3 or P4 that is overdue by this many working days is in the digest of top management.
TOP_AFTER_DAYS = 5


class ReminderLevel(IntEnum):
    """Who gets a stage; each level includes those below."""

    OWNER = 0
    LEAD = 1
    TOP = 2


@dataclass(frozen=True)
class ReminderStage:
    """One reminder of one target. `name` is the last part of its key."""

    name: str
    at: datetime
    level: ReminderLevel


def reminder_stages(case: Case, target: TargetSet) -> tuple[ReminderStage, ...]:
    """The reminders of this date, the earliest first.

    Dates from before the complaint was logged have none: the target `act_by` covers them.
    """
    return tuple(stage for stage in _stages(case, target) if stage.at > case.logged_at)


def _stages(case: Case, target: TargetSet) -> Iterator[ReminderStage]:
    priority = priority_of(case)
    early = _early(case, target, priority)
    if early is not None and target.target is not Target.WAITING:
        yield early
    yield ReminderStage("due", target.internal_due, ReminderLevel.LEAD)
    # While we wait for the complainant, top management can do nothing.
    if target.target is not Target.WAITING and priority in WITH_MESSAGES:
        soon = target.internal_due + TOP_SOON
        next_ = due(target.internal_due, TOP_NEXT, case.rules.calendar).at
        yield ReminderStage("top", soon if priority is Priority.P1 else next_, ReminderLevel.TOP)


def _early(case: Case, target: TargetSet, priority: Priority) -> ReminderStage | None:
    calendar = case.rules.calendar
    if priority is not Priority.P1:
        reminder_at = before(target.internal_due, "-1 bd", calendar).at
        if reminder_at > target.start:
            return ReminderStage("-1bd", reminder_at, ReminderLevel.OWNER)
    if priority not in WITH_MESSAGES:
        return None
    elapsed = priority is Priority.P1 and on_call_covers(target.start, case.rules.on_call, calendar.zone)
    reminder_at = halfway(target.start, target.internal_due, calendar, elapsed=elapsed)
    works = next_working(reminder_at, calendar)
    if target.internal_due - target.start > timedelta(days=1) and works < target.internal_due:
        # A date that is days away needs no reminder at night, not even for P1.
        reminder_at = works
    return (
        ReminderStage("half", reminder_at, ReminderLevel.OWNER)
        if target.start < reminder_at < target.internal_due
        else None
    )


def halfway(start: datetime, end: datetime, calendar: Calendar, *, elapsed: bool) -> datetime:
    """The minute in which half of the time is over; half of the working time unless `elapsed`."""
    half = start + (end - start) / 2
    if not (elapsed or calendar.always):
        worked = []
        for opens, closes in working_stretches(start, calendar):
            if opens >= end:
                break
            worked.append((opens, min(closes, end)))
        left = sum((closes - opens for opens, closes in worked), timedelta(0)) / 2
        for opens, closes in worked:
            if left < closes - opens:
                half = opens + left
                break
            left -= closes - opens
    return half.replace(second=0, microsecond=0)


def leaves_at(case: Case, now: datetime) -> datetime:
    """When a reminder that is due now may leave: P1 at any hour, others in working time."""
    return now if priority_of(case) is Priority.P1 else next_working(now, case.rules.calendar)
