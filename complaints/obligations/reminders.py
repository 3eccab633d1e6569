"""The ladder: at which moments staff hear of a due time, and how far up (8.4, 5.3; docs/domain.md, section 4).

| stage | P1 | P2 | P3, P4 | hears |
|---|---|---|---|---|
| `half` | half of the time is gone | the same in working time, where a working day's notice has no room | - | owner |
| `-1bd` | - | opening of the working day before | the same | owner |
| `due` | when it is due | when it is due | when it is due | owner, unit manager |
| `top` | 30 min after | a working day after | in the digest, once overdue by `TOP_AFTER_DAYS` | top management too |

Single messages are for P1, at any hour, and P2, in working time; of the others the morning digest tells, at
`-1bd` under a heading of its own. The names stand in the keys of duties (`remind:decide:0:2:-1bd`), so none is
ever changed.
"""

from __future__ import annotations

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

#: What staff work towards; of the other dates nobody need be reminded.
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
    }
)
#: Of these each stage is a message of its own; of the others only the digest tells.
PINGED: frozenset[Priority] = frozenset({Priority.P1, Priority.P2})
TOP_SOON = timedelta(minutes=30)
TOP_NEXT = "1 bd"
#: So many working days overdue, and top management reads of a P3 or P4 in its digest.
TOP_AFTER_DAYS = 5


class ReminderLevel(IntEnum):
    """How far up a stage is heard; each includes those below."""

    OWNER = 0
    LEAD = 1
    TOP = 2


@dataclass(frozen=True)
class ReminderStage:
    """One step of the ladder of one target. `name` ends its key."""

    name: str
    at: datetime
    rung: ReminderLevel


def reminder_stages(case: Case, one: TargetSet) -> tuple[ReminderStage, ...]:
    """The steps of this date, the earliest first.

    What passed before the complaint was written down reminds nobody: `act_by` says until when to act now.
    """
    return tuple(stage for stage in _stages(case, one) if stage.at > case.logged_at)


def _stages(case: Case, one: TargetSet) -> Iterator[ReminderStage]:
    priority = priority_of(case)
    early = _early(case, one, priority)
    if early is not None and one.target is not Target.WAITING:
        yield early
    yield ReminderStage("due", one.internal_due, ReminderLevel.LEAD)
    # Nobody works on what a complainant still owes us: there is nothing for the top to move.
    if one.target is not Target.WAITING and priority in PINGED:
        soon = one.internal_due + TOP_SOON
        next_ = due(one.internal_due, TOP_NEXT, case.rules.calendar).at
        yield ReminderStage("top", soon if priority is Priority.P1 else next_, ReminderLevel.TOP)


def _early(case: Case, one: TargetSet, priority: Priority) -> ReminderStage | None:
    calendar = case.rules.calendar
    if priority is not Priority.P1:
        at = before(one.internal_due, "-1 bd", calendar).at
        if at > one.start:
            return ReminderStage("-1bd", at, ReminderLevel.OWNER)
    if priority not in PINGED:
        return None
    elapsed = priority is Priority.P1 and on_call_covers(one.start, case.rules.on_call, calendar.zone)
    at = halfway(one.start, one.internal_due, calendar, elapsed=elapsed)
    works = next_working(at, calendar)
    if one.internal_due - one.start > timedelta(days=1) and works < one.internal_due:
        # Of what is days away nobody need be told at night, P1 or not.
        at = works
    return ReminderStage("half", at, ReminderLevel.OWNER) if one.start < at < one.internal_due else None


def halfway(start: datetime, end: datetime, calendar: Calendar, *, elapsed: bool) -> datetime:
    """The whole minute in which half of the time between is gone; of the working time unless `elapsed`."""
    at = start + (end - start) / 2
    if not (elapsed or calendar.always):
        worked = []
        for opens, closes in working_stretches(start, calendar):
            if opens >= end:
                break
            worked.append((opens, min(closes, end)))
        left = sum((closes - opens for opens, closes in worked), timedelta(0)) / 2
        for opens, closes in worked:
            if left < closes - opens:
                at = opens + left
                break
            left -= closes - opens
    return at.replace(second=0, microsecond=0)


def leaves_at(case: Case, now: datetime) -> datetime:
    """When a reminder that is due now may leave: P1 at any hour, the others in working time."""
    return now if priority_of(case) is Priority.P1 else next_working(now, case.rules.calendar)
