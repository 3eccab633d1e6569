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
from complaints.event_facts import OVERRULED
from complaints.history import CaseHistory
from complaints.priorities import priority_of
from complaints.times import format_time, local_time, to_utc
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
from reports.case_clocks import Observation, observations
from reports.case_measures import Mark, marks, marks_of_events, missed_danger, not_read
from reports.integrity import Integrity, Proof, empty_fields
from reports.kpis import DURATIONS, NOT_REPORTED, REPEAT, SHARES, DurationFigure, ShareFigure
from reports.statistics import Share

NOT_ASSESSED = "not assessed"
NOT_DETECTED = "not detected"
NOBODY = "nobody"
_Counts = dict[tuple[str, str | None], list[int]]


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

    def add(self, case: Case) -> None:
        for asked_at, met_at in case.person_waits:
            self.requests += 1
            if met_at is not None:
                self.met += 1
                self.waited += met_at - asked_at

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
    volume: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
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
    record: Iterable[Case | CaseHistory],
    *,
    period: Period,
    now: datetime,
    repeats: int | None = None,
    proof: Proof | None = None,
) -> Monitoring:
    """Count the complaints received in the period for every figure, and all that were open at its end.

    `record` yields each complaint once. Whether an open complaint is overdue is judged at `now`. Without its events
    a complaint has no scores and no reopening. `repeats` counts complaints of the period from a person who had
    complained of the same before. `proof` is the result of the verification. None: not counted, not verified.
    """
    tally = _Tally(BacklogCount(min(now, period.end)))
    for item in record:
        _count(tally, item if isinstance(item, CaseHistory) else CaseHistory(item), period, now)
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


def _count(tally: _Tally, history: CaseHistory, period: Period, now: datetime) -> None:
    case = history.case
    within = period.holds(case.received_at)
    if case.is_simulation:
        tally.simulations += within
        return
    if case.is_history:
        # It was handled before this desk, by other rules, so it has no targets to measure.
        tally.imported += within
        return
    if case.kind is not ContactKind.COMPLAINT:
        tally.other_kinds[case.kind.value] += within
        return
    case_then = case if tally.backlog.as_of == now else history.as_of(tally.backlog.as_of)
    if case_then is not None and case_then.is_open and case_then.received_at <= tally.backlog.as_of:
        tally.backlog.add(case_then)
        tally.owners[case_then.owner or NOBODY] += 1
    if within:
        _count_received(tally, history, now)


def _count_received(tally: _Tally, history: CaseHistory, now: datetime) -> None:
    case = history.case
    tally.received += 1
    tally.incidents += case.incident is not None
    for mark in (*marks(case, now), *marks_of_events(history)):
        if mark[0] == "recurring" and case.incident in tally.incident_numbers:
            # The cause of an incident is counted once, however many complaints it brings (docs/domain.md, section 3,
            # Incident).
            continue
        _mark(tally.shares, mark)
        if case.incident is None:
            _mark(tally.without_incidents, mark)
    if case.incident is not None:
        tally.incident_numbers.add(case.incident)
    for key, group, observation in observations(case, now):
        tally.durations[key, group].append(observation)
    for name, value in (
        ("category", case.category or NOT_ASSESSED),
        ("channel", case.channel),
        ("language", case.language),
        ("written_in", history.written_in or NOT_DETECTED),
        ("priority", priority_of(case).value),
        ("state", case.state.value),
        ("close_code", None if case.close_code is None else case.close_code.value),
    ):
        if value is not None:
            tally.volume[name][value] += 1
    for event in history.events:
        for warning in event.facts.get(OVERRULED, ()):
            tally.volume["warnings_overruled"][warning] += 1
        if "template_edited" in event.facts:
            kind = "templates_edited" if event.facts["template_edited"] else "templates_unchanged"
            tally.volume[kind][event.facts["template"]] += 1
        if (reason := not_read(event.facts)) is not None:
            tally.volume["drawn_but_not_read"][reason] += 1
    day = local_time(case.received_at, case.rules.calendar.zone).date()
    tally.weeks[day - timedelta(days=day.weekday())] += 1
    tally.scores.add(history)
    tally.equal_treatment.add(history, now)
    tally.redress.add(case)
    tally.person_requests.add(case)
    tally.incomplete += any(True for _ in empty_fields(case))
    tally.improvements += len(case.improvements)
    # Carrying one out is not recorded yet, so each is open, and overdue after its day.
    tally.improvements_overdue += sum(improvement.due < now for improvement in case.improvements)
    if missed_danger(case):
        tally.safety_misses.append(case.ref)


def _mark(counts: _Counts, mark: Mark) -> None:
    key, group, success = mark
    counts[key, group][0] += success
    counts[key, group][1] += 1


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
