"""The clocks of one complaint, read from the versions of its targets, and how long it took (7.3, 8.4).

Versions with the same start are one clock: a new priority or an extension moves its due time. A disagreement, a
reopening or a message to the complainant starts the next clock. A target also has `met_at` if the complaint only
ended; `endings` has these times.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from complaints.case import Case
from complaints.case_values import Decision, TargetSet
from complaints.deadlines.opening_hours import closing_time, day_of, working_day_from, works_on
from complaints.deadlines.working_time import MOST_COUNTED
from complaints.rulebook import Calendar
from complaints.times import to_utc
from complaints.vocabulary import Priority, Target

#: The group of all priorities together.
ALL = "all"
_DAY = timedelta(days=1)
#: The basis of a `decide` target after an assessment by a person, and before one.
_HUMAN = re.compile(r"(P[1-4])\.decide(;.*)?")
_BEFORE = re.compile(r"(P[1-4])\.decide, promised .*")


@dataclass(frozen=True)
class Clock:
    """One run of a target. `due` is the last due time without an extension, `extended_due` the one with it.

    `met_at` is when the target was met or no longer required, `next_start` when the same target started again.
    """

    start: datetime
    due: datetime
    extended_due: datetime
    met_at: datetime | None
    next_start: datetime | None


def clocks(case: Case, target: Target) -> tuple[Clock, ...]:
    """The runs of a target of the whole complaint, in the order of their starts."""
    runs: dict[datetime, list[TargetSet]] = {}
    of_target = [version for version in case.targets if version.target is target and version.of == 0]
    for version in sorted(of_target, key=lambda version: version.version):
        runs.setdefault(version.start, []).append(version)
    starts = [*runs, None]
    return tuple(
        Clock(
            start=start,
            due=_unextended(versions).internal_due,
            extended_due=versions[-1].internal_due,
            met_at=versions[-1].met_at,
            next_start=starts[index + 1],
        )
        for index, (start, versions) in enumerate(runs.items())
    )


def _unextended(versions: list[TargetSet]) -> TargetSet:
    return next(
        (version for version in reversed(versions) if not version.basis.startswith("extend")), versions[0]
    )


@dataclass(frozen=True)
class Level:
    """One round of deciding: the clock of `decide`, the level, and the decision if there was one."""

    clock: Clock
    level: int
    decision: Decision | None

    @property
    def communicated_at(self) -> datetime | None:
        """When the decision reached the complainant (7.8)."""
        return None if self.decision is None else self.decision.communicated_at


def levels(case: Case) -> tuple[Level, ...]:
    """Each round in which the complaint was decided or must be decided, in order.

    A reopened complaint keeps its level. One that is raised before a decision keeps its clock at the new level.
    """
    rounds: list[Level] = []
    level = case.level
    for clock in reversed(clocks(case, Target.DECIDE)):
        decision = _decided_by(case, clock)
        if decision is not None:
            level = decision.level
        rounds.append(Level(clock, level, decision))
    return tuple(reversed(rounds))


def _decided_by(case: Case, clock: Clock) -> Decision | None:
    if clock.met_at is None:
        return None
    during = (decision for decision in reversed(case.decisions) if clock.start <= decision.at <= clock.met_at)
    return next(during, None)


def endings(case: Case) -> frozenset[datetime]:
    """When handling stopped without a decision: withdrawn, merged, not accepted, no complaint."""
    return endings_of(levels(case))


def endings_of(rounds: Iterable[Level]) -> frozenset[datetime]:
    """`endings` of a complaint with these rounds."""
    undecided = (level.clock for level in rounds if level.decision is None)
    return frozenset(clock.met_at for clock in undecided if clock.met_at is not None)


def inside_priority(case: Case) -> Priority | None:
    """The priority before a person assessed it: the higher of the model's and the rules' (7.5)."""
    before: Priority | None = None
    for basis in _bases(case):
        if _HUMAN.fullmatch(basis):
            return before
        if match := _BEFORE.fullmatch(basis):
            before = Priority(match[1])
    return None


def first_human_priority(case: Case) -> Priority | None:
    """The priority of the first assessment by a person; None before it, or if an extension hides it."""
    matches = (_HUMAN.fullmatch(basis) for basis in _bases(case))
    return next((Priority(match[1]) for match in matches if match), None)


def _bases(case: Case) -> Iterator[str]:
    """What each version of the `decide` target was computed from."""
    return (version.basis for version in case.targets if version.target is Target.DECIDE)


def working_days(start: datetime, end: datetime, calendar: Calendar) -> int:
    """The smallest n for which a target of `n bd` from the start would have been met; 0 on the day of the start.

    Counted like due times (docs/subsystems/deadlines.md, "Clock arithmetic").
    """
    start, end = to_utc(start), to_utc(end)
    counted = calendar.counted
    days = counted.get((start, end))
    if days is None:
        if len(counted) >= MOST_COUNTED:
            counted.clear()
        days = counted[start, end] = _working_days(start, end, calendar)
    return int(days)


def _working_days(start: datetime, end: datetime, calendar: Calendar) -> int:
    first = day_of(start, calendar)
    if not works_on(first, calendar) or start > closing_time(first, calendar):
        first = working_day_from(first + timedelta(days=1), calendar)
    last = day_of(end, calendar)
    if last < first:
        return 0
    counted = sum(
        works_on(first + timedelta(days=step), calendar) for step in range(1, (last - first).days + 1)
    )
    # On a day off or after closing time, the next possible due time is on the next working day.
    is_after_hours = not works_on(last, calendar) or end > closing_time(last, calendar)
    return counted + is_after_hours


class Observation(NamedTuple):
    """One duration in both units; if `ended` is false, it took at least that long."""

    working_days: int
    days: float
    ended: bool


class Run(NamedTuple):
    """A duration from `start` to `until`; None while it still runs. `ended` is false where it only stopped."""

    start: datetime
    until: datetime | None
    ended: bool

    def observe(self, calendar: Calendar, now: datetime) -> Observation:
        """What it was, or is at `now`."""
        until = max(self.until or now, self.start)
        days = (until - self.start) / _DAY
        return Observation(working_days(self.start, until, calendar), days, self.ended)


def runs(case: Case, rounds: Iterable[Level]) -> tuple[Run, Run, tuple[tuple[int, Run], ...]]:
    """The times to decision and to closure, and the time at each of its `levels` with its number."""
    decided_at = min(
        (decision.communicated_at for decision in case.decisions if decision.communicated_at), default=None
    )
    # If it was withdrawn or merged before a decision, the waiting ended with that.
    at_levels = []
    for level in rounds:
        clock = level.clock
        undecided_at = clock.met_at if level.decision is None else None
        until = level.communicated_at or undecided_at or clock.next_start or case.closed_at
        at_levels.append((level.level, Run(clock.start, until, level.communicated_at is not None)))
    return (
        Run(case.received_at, decided_at or case.closed_at, decided_at is not None),
        Run(case.received_at, case.closed_at, case.closed_at is not None),
        tuple(at_levels),
    )
