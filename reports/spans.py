"""How long one complaint took, or has taken so far: to its decision, to its closing, at each level (8.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.priorities import priority_of
from complaints.record import Case
from reports.clocks import levels
from reports.working_days import working_days

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
