"""The clocks that ran on a complaint, read from the versions of its targets (7.3, 8.4).

Versions with one start are one clock: a new priority or an extension moves its due time; a disagreement, a
reopening or a message to the complainant starts the next. `met_at` of a target also stands where the case
simply ended; `endings` tells these moments apart.

How many working days an act took, counted as its due time was (docs/surfaces.md, "Clock arithmetic").

How long one complaint took, or has taken so far: to its decision, to its closing, at each level (8.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.case import Case
from complaints.case_values import Decision, TargetSet
from complaints.deadlines.local_time import parse_local_time
from complaints.deadlines.opening_hours import closing_time, day_of, working_day_from, works_on
from complaints.priorities import priority_of
from complaints.rulebook import Calendar
from complaints.vocabulary import Priority, Target

_HUMAN = re.compile(r"(P[1-4])\.decide(;.*)?")
_BEFORE = re.compile(r"(P[1-4])\.decide, promised .*")


@dataclass(frozen=True)
class Clock:
    """One run of a target. `due` is the last one set without an extension, `extended_due` with it.

    `met_at` is when the target stopped being asked for, `next_start` when the same target began anew.
    """

    start: datetime
    due: datetime
    extended_due: datetime
    met_at: datetime | None
    next_start: datetime | None


def clocks(case: Case, target: Target) -> tuple[Clock, ...]:
    """The runs of a target of the whole case, in the order in which they began."""
    runs: dict[datetime, list[TargetSet]] = {}
    for one in sorted(case.targets, key=lambda one: one.version):
        if one.target is target and one.of == 0:
            runs.setdefault(one.start, []).append(one)
    starts = [*runs, None]
    return tuple(
        Clock(
            start=start,
            due=_unextended(versions).internal_due,
            extended_due=versions[-1].internal_due,
            met_at=versions[-1].met_at,
            next_start=starts[n + 1],
        )
        for n, (start, versions) in enumerate(runs.items())
    )


def _unextended(versions: list[TargetSet]) -> TargetSet:
    return next(
        (one for one in reversed(versions) if not one.basis.startswith("extend")),
        versions[0],
    )


@dataclass(frozen=True)
class Level:
    """One time of being judged: the clock of `decide`, the level, and the decision if there was one."""

    clock: Clock
    level: int
    decision: Decision | None

    @property
    def told_at(self) -> datetime | None:
        """When the decision reached the complainant (7.8)."""
        return None if self.decision is None else self.decision.communicated_at


def levels(case: Case) -> tuple[Level, ...]:
    """Each time the case was or is to be decided, in order.

    Reopened it is judged at the level it had; raised before a decision it keeps its clock at the new level.
    """
    found: list[Level] = []
    after = case.level
    for clock in reversed(clocks(case, Target.DECIDE)):
        decision = _decided_by(case, clock)
        if decision is not None:
            after = decision.level
        found.append(Level(clock, after, decision))
    return tuple(reversed(found))


def _decided_by(case: Case, clock: Clock) -> Decision | None:
    if clock.met_at is None:
        return None
    return next((one for one in reversed(case.decisions) if clock.start <= one.at <= clock.met_at), None)


def endings(case: Case) -> frozenset[datetime]:
    """When handling stopped without a decision: withdrawn, merged, not accepted, no complaint."""
    return frozenset(
        one.clock.met_at for one in levels(case) if one.clock.met_at is not None and one.decision is None
    )


def inside_priority(case: Case) -> Priority | None:
    """The priority at which it ran before a person assessed: the higher of model and rules (7.5)."""
    before: Priority | None = None
    for basis in _bases(case):
        if _HUMAN.fullmatch(basis):
            return before
        if found := _BEFORE.fullmatch(basis):
            before = Priority(found[1])
    return None


def first_human_priority(case: Case) -> Priority | None:
    """The priority that the first assessment gave; None before it, or where an extension hides it."""
    found = (_HUMAN.fullmatch(basis) for basis in _bases(case))
    return next((Priority(one[1]) for one in found if one), None)


def _bases(case: Case) -> Iterator[str]:
    """What each version of `decide` was computed from; only after an assessment is it the promise itself."""
    return (one.basis for one in case.targets if one.target is Target.DECIDE)


def working_days(start: datetime, end: datetime, calendar: Calendar) -> int:
    """The least n for which `n bd` from the start was still kept; 0 on the day on which it began."""
    start, end = parse_local_time(start), parse_local_time(end)
    zero = day_of(start, calendar)
    if not works_on(zero, calendar) or start > closing_time(zero, calendar):
        zero = working_day_from(zero + timedelta(days=1), calendar)
    last = day_of(end, calendar)
    if last < zero:
        return 0
    counted = sum(
        works_on(zero + timedelta(days=step), calendar) for step in range(1, (last - zero).days + 1)
    )
    # On a day off, or after closing, only the next working day's closing time was still ahead.
    over = not works_on(last, calendar) or end > closing_time(last, calendar)
    return counted + over


#: The group of all priorities together.
ALL = "all"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Observation:
    """One duration in both units; `ended` is False where only "at least so long" is known."""

    working_days: int
    days: float
    ended: bool


def observations(case: Case, now: datetime) -> Iterator[tuple[str, str, Observation]]:
    """(key of reports.kpis.DURATIONS, group, observation) of one complaint."""
    told = min((one.communicated_at for one in case.decisions if one.communicated_at), default=None)
    # Withdrawn or merged before a decision: it waited that long, and no longer.
    stopped = case.closed_at or now
    priority = priority_of(case).value
    for key, ended_at in (("time_to_decision", told), ("time_to_closure", case.closed_at)):
        seen = _observed(case, case.received_at, ended_at, stopped)
        yield key, ALL, seen
        yield key, priority, seen
    for one in levels(case):
        ended = one.clock.met_at if one.decision is None else None
        until = ended or one.clock.next_start or stopped
        yield "time_at_level", f"level {one.level}", _observed(case, one.clock.start, one.told_at, until)


def _observed(case: Case, start: datetime, ended_at: datetime | None, stopped: datetime) -> Observation:
    until = max(ended_at or stopped, start)
    return Observation(
        working_days=working_days(start, until, case.rules.calendar),
        days=(until - start) / _DAY,
        ended=ended_at is not None,
    )
