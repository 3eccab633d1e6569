"""Monitoring of the handling process (8.4): the figures of one period, counted in one pass over its cases.

The cohort is what was received in the period, without simulations and without what turned out to be no
complaint: those are counted apart. The backlog is everything open now, whenever it was received.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from complaints.doing import stamp
from complaints.localtime import instant
from complaints.priorities import priority_of
from complaints.record import Case
from complaints.vocabulary import Kind
from reports.backlog import Backlog, Pile
from reports.figures import DurationFigure, ShareFigure
from reports.kpis import DURATIONS, SHARES
from reports.measures import marks, missed_danger
from reports.spans import Observation, observations

NOT_ASSESSED = "not assessed"


@dataclass(frozen=True)
class Period:
    """From one instant (included) to another (not included); both aware. Raises ValueError if reversed."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not instant(self.start) < instant(self.end):
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
    other_kinds: Mapping[str, int]
    shares: tuple[ShareFigure, ...]
    durations: tuple[DurationFigure, ...]
    backlog: Backlog
    volume: Mapping[str, Mapping[str, int]]
    safety_misses: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values; instants ISO 8601 UTC ending in Z, shares in 0-1, hidden ones null."""
        return {
            "report": "monitoring",
            "clause": "8.4",
            "from": stamp(self.period.start),
            "to": stamp(self.period.end),
            "as_of": stamp(self.as_of),
            "received": self.received,
            "apart": {"simulations": self.simulations, "other_kinds": dict(self.other_kinds)},
            "figures": [one.as_json() for one in self.shares],
            "durations": [one.as_json() for one in self.durations],
            "backlog": self.backlog.as_json(),
            "volume": {name: dict(counts) for name, counts in self.volume.items()},
            "safety_misses": list(self.safety_misses),
        }

    def share(self, key: str, group: str | None = None) -> ShareFigure:
        """One share by its key; KeyError where nothing is called so."""
        return next(one for one in self.shares if (one.key, one.group) == (key, group))


@dataclass
class _Tally:
    """What one pass gathers: numbers only, so that a million cases need no more room than their counts."""

    received: int = 0
    simulations: int = 0
    other_kinds: Counter[str] = field(default_factory=Counter)
    shares: dict[tuple[str, str | None], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    spans: dict[tuple[str, str], list[Observation]] = field(default_factory=lambda: defaultdict(list))
    volume: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    pile: Pile = field(default_factory=Pile)
    safety_misses: list[str] = field(default_factory=list)


def monitor(cases: Iterable[Case], *, period: Period, now: datetime) -> Monitoring:
    """Count: those received in the period for every figure, all others (each case once) for the backlog only.

    Pure and streaming; `now` is the moment at which what is still open is judged.
    """
    tally = _Tally()
    for case in cases:
        _count(tally, case, period, now)
    return Monitoring(
        period=period,
        as_of=now,
        received=tally.received,
        simulations=tally.simulations,
        other_kinds=_by_size(tally.other_kinds),
        shares=_share_figures(tally),
        durations=_duration_figures(tally),
        backlog=tally.pile.counted(),
        volume={name: _by_size(counts) for name, counts in tally.volume.items()},
        safety_misses=tuple(sorted(tally.safety_misses)),
    )


def _count(tally: _Tally, case: Case, period: Period, now: datetime) -> None:
    within = period.holds(case.received_at)
    if case.is_simulation:
        tally.simulations += within
        return
    if case.kind is not Kind.COMPLAINT:
        tally.other_kinds[case.kind.value] += within
        return
    if case.is_open and case.received_at <= now:
        tally.pile.add(case, now)
    if not within:
        return
    tally.received += 1
    for key, group, success in marks(case, now):
        counts = tally.shares[key, group]
        counts[0] += success
        counts[1] += 1
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
    if missed_danger(case):
        tally.safety_misses.append(case.ref)


def _by_size(counts: Counter[str]) -> dict[str, int]:
    """The largest first; equal ones by name, so that the same record gives the same page."""
    return {name: n for name, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if n}


def _share_figures(tally: _Tally) -> tuple[ShareFigure, ...]:
    """Every share of the table, those without a single unit too: a missing line would hide that."""
    found = []
    for key in SHARES:
        groups = sorted((group or "" for name, group in tally.shares if name == key)) or [""]
        for group in groups:
            hits, of = tally.shares.get((key, group or None), (0, 0))
            found.append(ShareFigure.of(key, group or None, hits, of))
    return tuple(found)


def _duration_figures(tally: _Tally) -> tuple[DurationFigure, ...]:
    return tuple(
        DurationFigure.of(key, group, tally.spans[key, group])
        for key in DURATIONS
        for group in sorted(group for name, group in tally.spans if name == key)
    )
