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
from complaints.measures.clocks import ALL, Observation
from complaints.measures.marks import Mark
from complaints.measures.row import (
    UPHELD,
    CaseMeasures,
    due_times,
    measure_history,
    observations_of,
    read_details,
    read_marks,
    read_pending,
    stage_at,
)
from complaints.rulebook import Calendar
from complaints.times import format_time, to_utc
from complaints.vocabulary import ContactKind
from reports.breakdowns import (
    Backlog,
    BacklogCount,
    EqualTreatmentCount,
    Gap,
    HandlerOutcomes,
    Redress,
    RedressCount,
    Score,
    ScoreCount,
)
from reports.integrity import Integrity, Proof
from reports.kpis import DURATIONS, NOT_REPORTED, REPEAT, SHARES, DurationFigure, ShareFigure
from reports.statistics import Share

NOT_ASSESSED = "not assessed"
NOT_DETECTED = "not detected"
NOBODY = "nobody"
_Counts = dict[tuple[str, str | None], list[int]]
#: A stored row, and the calendar of the complaint's rules.
Measured = tuple[CaseMeasures, Calendar]
_CODES = ("category", "channel", "language", "written_in", "priority", "state", "close_code")


@dataclass(frozen=True)
class Period:
    """From `start` (included) to `end` (not included), both aware. Raises ValueError unless `start` is earlier."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not to_utc(self.start) < to_utc(self.end):
            raise ValueError("a period ends after it starts: give the earlier date first")

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass
class PersonRequests:
    """Requests for a person in the chat, those that staff answered, and the sum of their waits (7.3, docs/law.md)."""

    requests: int = 0
    met: int = 0
    waited: timedelta = timedelta()

    def add(self, requests: int, met: int, waited: timedelta) -> None:
        self.requests += requests
        self.met += met
        self.waited += waited

    @property
    def mean_wait(self) -> timedelta | None:
        """The mean wait of the requests that were met; None without one."""
        return self.waited / self.met if self.met else None

    def as_json(self) -> dict[str, Any]:
        mean = self.mean_wait
        seconds = None if mean is None else round(mean.total_seconds())
        return {"requests": self.requests, "met": self.met, "mean_wait_seconds": seconds}


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
    handlers: tuple[HandlerOutcomes, ...]
    redress: Redress
    integrity: Integrity
    improvements: int
    improvements_overdue: int
    repeats: Share | None
    incidents: int
    incident_count: int
    without_incidents: tuple[ShareFigure, ...]
    open_by_owner: Mapping[str, int]
    #: References of complaints that cannot be read and are in no figure; empty for a reader who may not know of one.
    damaged: tuple[str, ...] = ()
    person_requests: PersonRequests = field(default_factory=PersonRequests)

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
            "weeks": dict(self.weeks),
            "safety_misses": list(self.safety_misses),
            "scores": [score.as_json() for score in self.scores],
            "equal_treatment": [gap.as_json() for gap in self.gaps],
            "handlers": [handler.as_json() for handler in self.handlers],
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
            "incidents": {
                "count": self.incident_count,
                "complaints": self.incidents,
                "figures_without": [figure.as_json() for figure in self.without_incidents],
            },
            "integrity": self.integrity.as_json(),
            "not_counted": dict(NOT_REPORTED),
            "damaged": list(self.damaged),
        }

    def share(self, key: str, group: str | None = None) -> ShareFigure:
        """The share with this key and group; raises StopIteration if there is none."""
        return next(figure for figure in self.shares if (figure.key, figure.group) == (key, group))


@dataclass
class _Tally:
    """The counts of one pass; only numbers, so that a million complaints need little memory."""

    backlog: BacklogCount
    received: int = 0
    simulations: int = 0
    imported: int = 0
    other_kinds: Counter[str] = field(default_factory=Counter)
    shares: _Counts = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    without_incidents: _Counts = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    durations: dict[tuple[str, str], list[Observation]] = field(default_factory=lambda: defaultdict(list))
    marks: Counter[tuple[str, bool, bool]] = field(default_factory=Counter)
    treatment: Counter[tuple[str, bool, str, str | None]] = field(default_factory=Counter)
    codes: Counter[tuple[str | None, ...]] = field(default_factory=Counter)
    volume: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    event_volume: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    weeks: Counter[date] = field(default_factory=Counter)
    owners: Counter[str] = field(default_factory=Counter)
    scores: ScoreCount = field(default_factory=ScoreCount)
    equal_treatment: EqualTreatmentCount = field(default_factory=EqualTreatmentCount)
    redress: RedressCount = field(default_factory=RedressCount)
    person_requests: PersonRequests = field(default_factory=PersonRequests)
    incomplete: int = 0
    improvements: int = 0
    improvements_overdue: int = 0
    incidents: int = 0
    incident_numbers: set[int] = field(default_factory=set)
    safety_misses: list[str] = field(default_factory=list)


def monitor(
    record: Iterable[Case | CaseHistory | Measured],
    *,
    period: Period,
    now: datetime,
    repeats: int | None = None,
    proof: Proof | None = None,
) -> Monitoring:
    """Count the complaints received in the period for every figure, and all that were open at its end.

    `record` yields each complaint once, those of the period in the order in which they were received. Whether an
    open complaint is overdue is judged at `now`. Without its events a complaint has no scores and no reopening.
    `repeats` counts complaints of the period from a person who had complained of the same before. `proof` is the
    result of the verification. None: not counted, not verified.
    """
    tally = _Tally(BacklogCount(min(now, period.end)))
    for item in record:
        row, calendar = item if isinstance(item, tuple) else _measured(item)
        _count(tally, row, calendar, period, now)
    _count_groups(tally)
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
        volume={name: _by_size(counts) for name, counts in tally.volume.items()},
        safety_misses=tuple(sorted(tally.safety_misses)),
        weeks=_every_week(tally.weeks),
        scores=tally.scores.result(),
        gaps=tally.equal_treatment.gaps(),
        handlers=tally.equal_treatment.by_handler(),
        redress=tally.redress.result(),
        integrity=Integrity(tally.incomplete, proof),
        improvements=tally.improvements,
        improvements_overdue=tally.improvements_overdue,
        repeats=None if repeats is None else Share(min(repeats, tally.received), tally.received),
        incidents=tally.incidents,
        incident_count=len(tally.incident_numbers),
        without_incidents=_share_figures(tally.without_incidents) if tally.incidents else (),
        open_by_owner=_by_size(tally.owners),
        person_requests=tally.person_requests,
    )


def _measured(item: Case | CaseHistory) -> Measured:
    history = item if isinstance(item, CaseHistory) else CaseHistory(item)
    return measure_history(history), history.case.rules.calendar


def _count(tally: _Tally, row: CaseMeasures, calendar: Calendar, period: Period, now: datetime) -> None:
    within = period.holds(row.received_at)
    if row.is_simulation:
        tally.simulations += within
        return
    if row.is_history:
        # It was handled before this desk, by other rules, so it has no targets to measure.
        tally.imported += within
        return
    if row.kind != ContactKind.COMPLAINT:
        tally.other_kinds[row.kind] += within
        return
    as_of = tally.backlog.as_of
    if row.received_at <= as_of and (row.closed_at is None or row.closed_at >= as_of):
        stage = stage_at(row.stages, None if as_of == now else as_of)
        if stage is not None and stage.is_open:
            tally.backlog.add(row.ref, row.received_at, stage)
            tally.owners[stage.owner or NOBODY] += 1
    if within:
        _count_received(tally, row, calendar, now)


def _count_received(tally: _Tally, row: CaseMeasures, calendar: Calendar, now: datetime) -> None:
    tally.received += 1
    is_later = row.incident_id in tally.incident_numbers
    if row.incident_id is not None:
        tally.incidents += 1
        tally.incident_numbers.add(row.incident_id)
    # Most complaints share their marks with many others, so that each combination is read only once.
    tally.marks[row.marks, row.incident_id is not None, is_later] += 1
    tally.treatment[row.written_in or row.language, row.support_need, row.marks, row.outcome] += 1
    codes = (row.category or NOT_ASSESSED, row.channel, row.language, row.written_in or NOT_DETECTED)
    tally.codes[(*codes, row.priority, row.state, row.close_code)] += 1
    overdue = tuple(read_pending(row.pending, now))
    for mark in overdue:
        _mark(tally.shares, mark)
        if row.incident_id is None:
            _mark(tally.without_incidents, mark)
    details = read_details(row)
    for key, level, observation in observations_of(row, details, calendar, now):
        tally.durations[key, level or ALL].append(observation)
        if level is None:
            tally.durations[key, row.priority].append(observation)
    for name, counts in details.get("volume", {}).items():
        tally.event_volume[name].update(counts)
    tally.weeks[row.received_on - timedelta(days=row.received_on.weekday())] += 1
    rounds = details.get("surveys", ())
    tally.scores.add(rounds)
    measures = [(key, hit) for key, _, hit in overdue if key == "decided_in_time"]
    measures += [("satisfied", process >= 4) for process, _, _ in rounds if process is not None]
    tally.equal_treatment.add(row.written_in or row.language, supported=row.support_need, measures=measures)
    tally.equal_treatment.add_handlers(details.get("handlers", ()), row.incident_id)
    tally.redress.add(details.get("redress", {}))
    tally.redress.upheld += row.outcome in UPHELD
    if "persons" in details:
        requests, met, waited = details["persons"]
        tally.person_requests.add(requests, met, timedelta(microseconds=waited))
    tally.incomplete += row.incomplete
    improvements = due_times(details.get("improvements", ()))
    tally.improvements += len(improvements)
    # Carrying one out is not recorded yet, so each is open, and overdue after its day.
    tally.improvements_overdue += sum(due < now for due in improvements)
    if row.missed_danger:
        tally.safety_misses.append(row.ref)


def _count_groups(tally: _Tally) -> None:
    """Count what was only grouped: each combination of marks or codes once, times its complaints."""
    for (marks, in_incident, is_later), times in tally.marks.items():
        for mark in read_marks(marks):
            if mark[0] == "recurring" and is_later:
                # The cause of an incident is counted once, however many complaints it brings (docs/domain.md,
                # section 3, Incident).
                continue
            _mark(tally.shares, mark, times)
            if not in_incident:
                _mark(tally.without_incidents, mark, times)
    for (language, supported, marks, outcome), times in tally.treatment.items():
        measures = [(key, hit) for key, _, hit in read_marks(marks) if key == "decided_in_time"]
        if outcome is not None:
            measures.append(("upheld", outcome in UPHELD))
        tally.equal_treatment.add(language, supported=supported, measures=measures, times=times)
    for codes, times in tally.codes.items():
        for name, value in zip(_CODES, codes, strict=True):
            if value is not None:
                tally.volume[name][value] += times
    tally.volume |= tally.event_volume


def _mark(counts: _Counts, mark: Mark, times: int = 1) -> None:
    key, group, success = mark
    counts[key, group][0] += success * times
    counts[key, group][1] += times


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


def _share_figures(counts: _Counts) -> tuple[ShareFigure, ...]:
    """Every share of the table, also with nothing to count: a missing line would hide that."""
    figures = []
    for key in SHARES:
        groups = sorted((group or "" for name, group in counts if name == key)) or [""]
        for group in groups:
            hits, total = counts.get((key, group or None), (0, 0))
            figures.append(ShareFigure.of(key, group or None, hits, total))
    return tuple(figures)


def _duration_figures(tally: _Tally) -> tuple[DurationFigure, ...]:
    return tuple(
        DurationFigure.of(key, group, tally.durations[key, group])
        for key in DURATIONS
        for group in sorted(group for name, group in tally.durations if name == key)
    )
