"""Monitoring of the handling process (8.4): the figures of one period, counted in one pass over its complaints.

The figures are about complaints received in the period. Simulations, imports and contacts that are no complaint are
counted separately. The backlog is everything that was open at the end of the period, whenever it was received, or
now if the period has not ended.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from complaints.case import Case
from complaints.history import CaseHistory
from complaints.measures.clocks import Observation, Run
from complaints.measures.report_counts import MonthCounts
from complaints.measures.row import Coverage, read_marks, read_pending
from complaints.times import format_time
from reports.breakdowns import Backlog, BacklogCount, Gap, Redress, Score
from reports.integrity import Integrity, Proof
from reports.kpis import DURATIONS, NOT_REPORTED, REPEAT, SHARES, DurationFigure, ShareFigure
from reports.statistics import Share, Survival, rounded, rounded_interval, survival
from reports.tally import (
    GROUPED_BY,
    GROUPED_FIGURES,
    VOLUMES,
    Counts,
    Measured,
    Period,
    PersonRequests,
    Tally,
    count,
    count_groups,
    measured_item,
)


@dataclass(frozen=True)
class Month:
    """One month: the complaints received in it, those open at its end, the shares by key, the time to decision.

    A share with groups has that of level 1.
    """

    start: datetime
    received: int
    open_at_end: int
    shares: Mapping[str, Share]
    to_decision: Survival

    def as_json(self) -> dict[str, Any]:
        """JSON values; a share of too few cases is null."""
        return {
            "from": format_time(self.start),
            "received": self.received,
            "open_at_end": self.open_at_end,
            "time_to_decision_working_days": {"median": self.to_decision.median, "p90": self.to_decision.p90},
            "figures": {
                key: {
                    "numerator": share.hits,
                    "denominator": share.of,
                    "share": rounded(share.value),
                    "interval": rounded_interval(share.interval),
                }
                for key, share in self.shares.items()
            },
        }


def month_figures(counts: MonthCounts, now: datetime) -> Month:
    """The figures of one month, as `monitor` counts them."""
    shares: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    ended, stopped = list[int](), list[int]()
    incidents = set[int]()
    handled = (group for group in counts.groups if not group.is_history)
    for group in sorted(handled, key=lambda group: group.first_received_at):
        for key, name, success in read_marks(group.marks):
            if name not in (None, "level 1"):
                continue
            times = group.number
            if key == "recurring" and group.incident_id is not None:
                # The cause of an incident is counted once, however many complaints it brings.
                times = group.incident_id not in incidents
                incidents.add(group.incident_id)
            shares[key][0] += success * times
            shares[key][1] += times
        if group.decision_working_days is not None:
            (ended if group.decided else stopped).extend([group.decision_working_days] * group.number)
    for row in counts.still_open:
        for key, _, success in read_pending(row.pending, now):
            shares[key][0] += success
            shares[key][1] += 1
        if row.is_undecided:
            observation: Observation = Run(row.received_at, None, False).observe(row.calendar, now)
            stopped.append(observation.working_days)
    return Month(
        start=counts.start,
        received=sum(group.number for group in counts.groups),
        open_at_end=counts.open_at_end,
        shares={key: Share(*shares[key]) for key in SHARES if key in shares},
        to_decision=survival(ended, stopped),
    )


@dataclass(frozen=True)
class CodeFigures:
    """The complaints received with one code, and their main figures by key."""

    code: str
    received: int
    shares: Mapping[str, Share]


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
    #: Complaints and their main figures by family of codes, the most frequent code first.
    groups: Mapping[str, tuple[CodeFigures, ...]]
    safety_misses: tuple[str, ...]
    weeks: Mapping[str, int]
    scores: tuple[Score, ...]
    gaps: tuple[Gap, ...]
    redress: Redress
    integrity: Integrity
    improvements: int
    improvements_overdue: int
    repeats: Share | None
    incidents: int
    incident_count: int
    open_by_owner: Mapping[str, int]
    #: References of complaints that cannot be read and are in no figure; empty for a reader who may not know of one.
    damaged: tuple[str, ...] = ()
    person_requests: PersonRequests = field(default_factory=PersonRequests)
    #: The months up to the end of the period, the earliest first.
    trend: tuple[Month, ...] = ()
    #: How many complaints of the trend and the period have stored measures; None if nothing was read from them.
    coverage: Coverage | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values: times in ISO 8601 UTC ending in Z, shares between 0 and 1, shares of too few cases null."""
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
            "figures": [figure.as_json() for figure in self.shares],
            "durations": [figure.as_json() for figure in self.durations],
            "backlog": self.backlog.as_json(),
            "volume": {name: dict(counts) for name, counts in self.volume.items()},
            "by": {
                family: {
                    row.code: {
                        "received": row.received,
                        "figures": {
                            key: {
                                "numerator": share.hits,
                                "denominator": share.of,
                                "share": rounded(share.value),
                            }
                            for key, share in row.shares.items()
                        },
                    }
                    for row in rows
                }
                for family, rows in self.groups.items()
            },
            "weeks": dict(self.weeks),
            "safety_misses": list(self.safety_misses),
            "scores": [score.as_json() for score in self.scores],
            "equal_treatment": [gap.as_json() for gap in self.gaps],
            "open_by_owner": dict(self.open_by_owner),
            "redress": self.redress.as_json(),
            "improvements_opened": self.improvements,
            "improvements_overdue": self.improvements_overdue,
            "person_requests": self.person_requests.as_json(),
            "repeat": None
            if self.repeats is None
            else {
                "formula": REPEAT.formula,
                "numerator": self.repeats.hits,
                "denominator": self.repeats.of,
                "share": self.repeats.value,
            },
            "incidents": {"count": self.incident_count, "complaints": self.incidents},
            "integrity": self.integrity.as_json(),
            "trend": [month.as_json() for month in self.trend],
            "coverage": None if self.coverage is None else self.coverage._asdict(),
            "not_counted": dict(map(list, NOT_REPORTED.values())),
            "damaged": list(self.damaged),
        }

    def share(self, key: str, group: str | None = None) -> ShareFigure:
        """The share with this key and group; raises StopIteration if there is none."""
        return next(figure for figure in self.shares if (figure.key, figure.group) == (key, group))


def monitor(
    record: Iterable[Case | CaseHistory | Measured],
    *,
    period: Period,
    now: datetime,
    repeats: int | None = None,
    proof: Proof | None = None,
    verified_before: tuple[datetime, int] | None = None,
    months: Iterable[MonthCounts] = (),
    coverage: Coverage | None = None,
) -> Monitoring:
    """Count the complaints received in the period for every figure, and all that were open at its end.

    `record` yields each complaint once, those of the period in the order in which they were received. Whether an
    open complaint is overdue is judged at `now`. Without its events a complaint has no scores and no reopening.
    `repeats` counts complaints of the period from a person who had complained of the same before. `proof` is the
    result of the verification, and `verified_before` when an earlier one ended well and the size of the log.
    None: not counted, not verified. `months` and their `coverage` are for the trend.
    """
    tally = Tally(BacklogCount(min(now, period.end)))
    for item in record:
        row, calendar = item if isinstance(item, tuple) else measured_item(item)
        count(tally, row, calendar, period, now)
    count_groups(tally)
    return Monitoring(
        period=period,
        as_of=now,
        received=tally.received,
        simulations=tally.simulations,
        imported=tally.imported,
        other_kinds=_by_size(tally.other_kinds),
        shares=_share_figures(tally.shares),
        durations=_duration_figures(tally),
        backlog=tally.backlog.result(),
        volume={
            name: _by_size(counts)
            for name, counts in (
                *((name, tally.received_by[name]) for name in VOLUMES),
                *tally.event_volume.items(),
            )
            if counts
        },
        groups=_groups(tally),
        safety_misses=tuple(sorted(tally.safety_misses)),
        weeks=_every_week(tally.weeks),
        scores=tally.scores.result(),
        gaps=tally.equal_treatment.gaps(),
        redress=tally.redress.result(),
        integrity=Integrity(tally.incomplete, proof, verified_before),
        improvements=tally.improvements,
        improvements_overdue=tally.improvements_overdue,
        repeats=None if repeats is None else Share(min(repeats, tally.received), tally.received),
        incidents=tally.incidents,
        incident_count=len(tally.incident_numbers),
        open_by_owner=_by_size(tally.owners),
        person_requests=tally.person_requests,
        trend=tuple(month_figures(counts, now) for counts in months),
        coverage=coverage,
    )


def _groups(tally: Tally) -> dict[str, tuple[CodeFigures, ...]]:
    groups: dict[str, tuple[CodeFigures, ...]] = {}
    for family in GROUPED_BY:
        groups[family] = tuple(
            CodeFigures(
                code,
                number,
                {key: Share(*tally.figures_by.get((family, code, key), (0, 0))) for key in GROUPED_FIGURES},
            )
            for code, number in _by_size(tally.received_by[family]).items()
        )
    return groups


def _every_week(weeks: Counter[date]) -> dict[str, int]:
    """Complaints by week, from the first to the last Monday; a week without complaints has 0."""
    first, last = min(weeks, default=None), max(weeks, default=None)
    if first is None or last is None:
        return {}
    mondays = (first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1))
    return {monday.isoformat(): weeks[monday] for monday in mondays}


def _by_size(counts: Counter[str]) -> dict[str, int]:
    # Equal counts are sorted by name, so that the same record gives the same page.
    largest_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count for name, count in largest_first if count}


def _share_figures(counts: Counts) -> tuple[ShareFigure, ...]:
    """Every share of the table, also with nothing to count: a missing line would hide that."""
    figures = []
    for key in SHARES:
        groups = sorted((group or "" for name, group in counts if name == key)) or [""]
        for group in groups:
            hits, total = counts.get((key, group or None), (0, 0))
            figures.append(ShareFigure.of(key, group or None, hits, total))
    return tuple(figures)


def _duration_figures(tally: Tally) -> tuple[DurationFigure, ...]:
    return tuple(
        DurationFigure.of(key, group, tally.durations[key, group])
        for key in DURATIONS
        for group in sorted(group for name, group in tally.durations if name == key)
    )
