"""Monitoring of the handling process (8.4): the figures of one period, counted in one pass over its cases.

The cohort is what was received in the period, without simulations and without what turned out to be no
complaint: those are counted apart. The backlog is everything open now, whenever it was received.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from complaints.case import Case
from complaints.deadlines.local_time import parse_local_time, wall
from complaints.history import CaseHistory
from complaints.priorities import priority_of
from complaints.timestamps import format_time
from complaints.vocabulary import ContactKind
from reports.breakdowns import Alike, Backlog, Gap, Handler, Paid, Pile, Redress, Score, Scores
from reports.case_clocks import Observation, observations
from reports.case_measures import Mark, marks, marks_of_events, missed_danger
from reports.figures import DurationFigure, ShareFigure
from reports.integrity import Integrity, Proof, empty_fields
from reports.kpis import DURATIONS, NOT_YIELDED, REPEAT, SHARES
from reports.statistics import Share

NOT_ASSESSED = "not assessed"
NOBODY = "nobody"
_Counts = dict[tuple[str, str | None], list[int]]


@dataclass(frozen=True)
class Period:
    """From one instant (included) to another (not included); both aware. Raises ValueError if reversed."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not parse_local_time(self.start) < parse_local_time(self.end):
            raise ValueError("a period ends after it starts: give the earlier date first")

    def holds(self, at: datetime) -> bool:
        """Does this moment lie in it?"""
        return self.start <= at < self.end


@dataclass(frozen=True)
class Monitoring:
    """The figures of clause 8.4 for one period. Counts are complaints unless a formula names other units."""

    period: Period
    as_of: datetime
    received: int
    simulations: int
    imported: int
    other_kinds: Mapping[str, int]
    shares: tuple[ShareFigure, ...]
    durations: tuple[DurationFigure, ...]
    backlog: Backlog
    volume: Mapping[str, Mapping[str, int]]
    safety_misses: tuple[str, ...]
    weeks: Mapping[str, int]
    scores: tuple[Score, ...]
    gaps: tuple[Gap, ...]
    handlers: tuple[Handler, ...]
    redress: Redress
    integrity: Integrity
    improvements: int
    improvements_overdue: int
    repeats: Share | None
    incidents: int
    incident_count: int
    without_incidents: tuple[ShareFigure, ...]
    open_by_owner: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """JSON values; instants ISO 8601 UTC ending in Z, shares in 0-1, hidden ones null."""
        return {
            "report": "monitoring",
            "clause": "8.4",
            "from": format_time(self.period.start),
            "to": format_time(self.period.end),
            "as_of": format_time(self.as_of),
            "received": self.received,
            "apart": {
                "simulations": self.simulations,
                "imported": self.imported,
                "other_kinds": dict(self.other_kinds),
            },
            "figures": [one.as_json() for one in self.shares],
            "durations": [one.as_json() for one in self.durations],
            "backlog": self.backlog.as_json(),
            "volume": {name: dict(counts) for name, counts in self.volume.items()},
            "weeks": dict(self.weeks),
            "safety_misses": list(self.safety_misses),
            "scores": [one.as_json() for one in self.scores],
            "equal_treatment": [one.as_json() for one in self.gaps],
            "handlers": [one.as_json() for one in self.handlers],
            "open_by_owner": dict(self.open_by_owner),
            "redress": self.redress.as_json(),
            "improvements_opened": self.improvements,
            "improvements_overdue": self.improvements_overdue,
            "repeat": None
            if self.repeats is None
            else {
                "formula": REPEAT.formula,
                "numerator": self.repeats.hits,
                "denominator": self.repeats.of,
                "share": self.repeats.value,
            },
            "incidents": {
                "count": self.incident_count,
                "complaints": self.incidents,
                "figures_without": [one.as_json() for one in self.without_incidents],
            },
            "integrity": self.integrity.as_json(),
            "not_counted": dict(NOT_YIELDED),
        }

    def share(self, key: str, group: str | None = None) -> ShareFigure:
        """One share by its key; KeyError where nothing is called so."""
        return next(one for one in self.shares if (one.key, one.group) == (key, group))


@dataclass
class _Tally:
    """What one pass gathers: numbers only, so that a million cases need no more room than their counts."""

    received: int = 0
    simulations: int = 0
    imported: int = 0
    other_kinds: Counter[str] = field(default_factory=Counter)
    shares: _Counts = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    without_incidents: _Counts = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    spans: dict[tuple[str, str], list[Observation]] = field(default_factory=lambda: defaultdict(list))
    volume: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    weeks: Counter[date] = field(default_factory=Counter)
    pile: Pile = field(default_factory=Pile)
    owners: Counter[str] = field(default_factory=Counter)
    scores: Scores = field(default_factory=Scores)
    alike: Alike = field(default_factory=Alike)
    paid: Paid = field(default_factory=Paid)
    lacking: int = 0
    improvements: int = 0
    improvements_overdue: int = 0
    incidents: int = 0
    incidents_seen: set[int] = field(default_factory=set)
    safety_misses: list[str] = field(default_factory=list)


def monitor(
    record: Iterable[Case | CaseHistory],
    *,
    period: Period,
    now: datetime,
    repeats: int | None = None,
    proof: Proof | None = None,
) -> Monitoring:
    """Count: those received in the period for every figure, all others (each case once) for the backlog only.

    Pure and streaming; `now` is the moment at which what is still open is judged. A case without its events
    says nothing of scores and of reopening in time. `repeats` is how many of the period's complaints came from
    somebody who had complained of the same before, `proof` what the check of the chain found; None: not asked.
    """
    tally = _Tally()
    for one in record:
        _count(tally, one if isinstance(one, CaseHistory) else CaseHistory(one), period, now)
    return Monitoring(
        period=period,
        as_of=now,
        received=tally.received,
        simulations=tally.simulations,
        imported=tally.imported,
        other_kinds=_by_size(tally.other_kinds),
        shares=_share_figures(tally.shares),
        durations=_duration_figures(tally),
        backlog=tally.pile.counted(),
        volume={name: _by_size(counts) for name, counts in tally.volume.items()},
        safety_misses=tuple(sorted(tally.safety_misses)),
        weeks=_every_week(tally.weeks),
        scores=tally.scores.counted(),
        gaps=tally.alike.gaps(),
        handlers=tally.alike.by_handler(),
        redress=tally.paid.counted(),
        integrity=Integrity(tally.lacking, proof),
        improvements=tally.improvements,
        improvements_overdue=tally.improvements_overdue,
        repeats=None if repeats is None else Share(min(repeats, tally.received), tally.received),
        incidents=tally.incidents,
        incident_count=len(tally.incidents_seen),
        without_incidents=_share_figures(tally.without_incidents) if tally.incidents else (),
        open_by_owner=_by_size(tally.owners),
    )


def _count(tally: _Tally, seen: CaseHistory, period: Period, now: datetime) -> None:
    case = seen.case
    within = period.holds(case.received_at)
    if case.is_simulation:
        tally.simulations += within
        return
    if case.is_history:
        # Handled before this desk, by other rules: our promises cannot be measured on it.
        tally.imported += within
        return
    if case.kind is not ContactKind.COMPLAINT:
        tally.other_kinds[case.kind.value] += within
        return
    if case.is_open and case.received_at <= now:
        tally.pile.add(case, now)
        tally.owners[case.owner or NOBODY] += 1
    if within:
        _count_received(tally, seen, now)


def _count_received(tally: _Tally, seen: CaseHistory, now: datetime) -> None:
    case = seen.case
    tally.received += 1
    tally.incidents += case.incident is not None
    for mark in (*marks(case, now), *marks_of_events(seen)):
        if mark[0] == "recurring" and case.incident in tally.incidents_seen:
            # One cause comes back once, however many people it brings (docs/domain.md, section 3, Incident).
            continue
        _mark(tally.shares, mark)
        if case.incident is None:
            _mark(tally.without_incidents, mark)
    if case.incident is not None:
        tally.incidents_seen.add(case.incident)
    for key, group, observation in observations(case, now):
        tally.spans[key, group].append(observation)
    for name, value in (
        ("category", case.category or NOT_ASSESSED),
        ("channel", case.channel),
        ("language", case.language),
        ("priority", priority_of(case).value),
        ("state", case.state.value),
        ("close_code", None if case.close_code is None else case.close_code.value),
    ):
        if value is not None:
            tally.volume[name][value] += 1
    day = wall(case.received_at, case.rules.calendar.zone).date()
    tally.weeks[day - timedelta(days=day.weekday())] += 1
    tally.scores.add(seen)
    tally.alike.add(seen, now)
    tally.paid.add(case)
    tally.lacking += any(True for _ in empty_fields(case))
    tally.improvements += len(case.improvements)
    # That one was carried out is not recorded yet: each is open, and late after its day.
    tally.improvements_overdue += sum(one.due < now for one in case.improvements)
    if missed_danger(case):
        tally.safety_misses.append(case.ref)


def _mark(counts: _Counts, mark: Mark) -> None:
    key, group, success = mark
    counts[key, group][0] += success
    counts[key, group][1] += 1


def _every_week(weeks: Counter[date]) -> dict[str, int]:
    """From the first week to the last by their Mondays; a week in which nothing came is a nought."""
    first, last = min(weeks, default=None), max(weeks, default=None)
    if first is None or last is None:
        return {}
    mondays = (first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1))
    return {monday.isoformat(): weeks[monday] for monday in mondays}


def _by_size(counts: Counter[str]) -> dict[str, int]:
    """The largest first; equal ones by name, so that the same record gives the same page."""
    return {name: n for name, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if n}


def _share_figures(counts: _Counts) -> tuple[ShareFigure, ...]:
    """Every share of the table, those without a single unit too: a missing line would hide that."""
    found = []
    for key in SHARES:
        groups = sorted((group or "" for name, group in counts if name == key)) or [""]
        for group in groups:
            hits, of = counts.get((key, group or None), (0, 0))
            found.append(ShareFigure.of(key, group or None, hits, of))
    return tuple(found)


def _duration_figures(tally: _Tally) -> tuple[DurationFigure, ...]:
    return tuple(
        DurationFigure.of(key, group, tally.spans[key, group])
        for key in DURATIONS
        for group in sorted(group for name, group in tally.spans if name == key)
    )
