"""The clocks that ran on a complaint, read from the versions of its targets (7.3, 8.4).

Versions with one start are one clock: a new priority or an extension moves its due time; a disagreement, a
reopening or a message to the complainant starts the next. `met_at` of a target also stands where the case
simply ended; `endings` tells these moments apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from complaints.particulars import Decision, TargetSet
from complaints.record import Case
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
