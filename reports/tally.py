"""Counting the complaints of one period from their measures (8.4)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Self

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
from complaints.times import at_minute, local_time, to_utc
from complaints.vocabulary import ContactKind
from reports.breakdowns import BacklogCount, EqualTreatmentCount, RedressCount, ScoreCount

NOT_ASSESSED = "not assessed"
NOT_DETECTED = "not detected"
NOBODY = "nobody"
Counts = dict[tuple[str, str | None], list[int]]
#: A stored row, and the calendar of the complaint's rules.
Measured = tuple[CaseMeasures, Calendar]
#: The codes of which the volume is shown, those by which the main figures are shown, and these figures.
VOLUMES = ("category", "channel", "language", "written_in", "priority", "state", "close_code")
GROUPED_BY = ("category", "severity", "priority", "channel", "language", "product", "branch", "level")
GROUPED_FIGURES = ("acknowledged_in_time", "decided_in_time", "upheld", "escalated", "reopened")
_FAMILIES = (*VOLUMES, "severity", "product", "branch", "level")
#: What an imported file says; its priority, for one, would be computed from criteria that it lacks.
_IMPORTED = ("category", "channel", "language", "product", "branch", "close_code")
#: The code of a complaint without one; other families leave it out.
_WITHOUT = {"category": NOT_ASSESSED, "written_in": NOT_DETECTED}


@dataclass(frozen=True)
class Period:
    """From `start` (included) to `end` (not included), both aware. Raises ValueError unless `start` is earlier."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not to_utc(self.start) < to_utc(self.end):
            raise ValueError("a period ends after it starts: give the earlier date first")

    @classmethod
    def of_days(cls, first: date, last: date, zone: str) -> Self:
        """Whole days of this zone, both included."""
        return cls(at_minute(first, 0, zone), at_minute(last + timedelta(days=1), 0, zone))

    def days(self, zone: str) -> tuple[date, date]:
        """Its first and its last day in this zone."""
        last = self.end - timedelta(microseconds=1)
        return local_time(self.start, zone).date(), local_time(last, zone).date()

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


@dataclass
class Tally:
    """The counts of one pass; only numbers, so that a million complaints need little memory."""

    backlog: BacklogCount
    received: int = 0
    simulations: int = 0
    imported: int = 0
    other_kinds: Counter[str] = field(default_factory=Counter)
    shares: Counts = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    durations: dict[tuple[str, str], list[Observation]] = field(default_factory=lambda: defaultdict(list))
    marks: Counter[tuple[str, bool]] = field(default_factory=Counter)
    treatment: Counter[tuple[str, bool, str, str | None]] = field(default_factory=Counter)
    event_volume: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    weeks: Counter[date] = field(default_factory=Counter)
    owners: Counter[str] = field(default_factory=Counter)
    scores: ScoreCount = field(default_factory=ScoreCount)
    equal_treatment: EqualTreatmentCount = field(default_factory=EqualTreatmentCount)
    redress: RedressCount = field(default_factory=RedressCount)
    person_requests: PersonRequests = field(default_factory=PersonRequests)
    #: Complaints by family of codes, code and marks; then their number and figures by family and code.
    grouped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    received_by: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    figures_by: dict[tuple[str, str, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    incomplete: int = 0
    improvements: int = 0
    improvements_overdue: int = 0
    incidents: int = 0
    incident_numbers: set[int] = field(default_factory=set)
    safety_misses: list[str] = field(default_factory=list)


def measured_item(item: Case | CaseHistory) -> Measured:
    history = item if isinstance(item, CaseHistory) else CaseHistory(item)
    return measure_history(history), history.case.rules.calendar


def count(tally: Tally, row: CaseMeasures, calendar: Calendar, period: Period, now: datetime) -> None:
    within = period.holds(row.received_at)
    if row.is_simulation:
        tally.simulations += within
        return
    if row.kind != ContactKind.COMPLAINT:
        tally.other_kinds[row.kind] += within
        return
    if row.is_history:
        # It was handled before this desk, by other rules, so it has no targets and no times to measure.
        if within:
            tally.imported += 1
            _count_codes(tally, row, _IMPORTED, "")
        return
    as_of = tally.backlog.as_of
    if row.received_at <= as_of and (row.closed_at is None or row.closed_at >= as_of):
        stage = stage_at(row.stages, None if as_of == now else as_of)
        if stage is not None and stage.is_open:
            tally.backlog.add(row.ref, row.received_at, stage)
            tally.owners[stage.owner or NOBODY] += 1
    if within:
        _count_received(tally, row, calendar, now)


def _count_received(tally: Tally, row: CaseMeasures, calendar: Calendar, now: datetime) -> None:
    is_later = row.incident_id in tally.incident_numbers
    if row.incident_id is not None:
        tally.incidents += 1
        tally.incident_numbers.add(row.incident_id)
    # Most complaints share their marks with many others, so that each combination is read only once.
    tally.marks[row.marks, is_later] += 1
    tally.treatment[row.written_in or row.language, row.support_need, row.marks, row.outcome] += 1
    overdue = tuple(read_pending(row.pending, now))
    for mark in overdue:
        _mark(tally.shares, mark)
    for family, code in _count_codes(tally, row, _FAMILIES, row.marks):
        for mark in overdue:
            _mark_by(tally, family, code, mark)
    details = read_details(row)
    for key, level, observation in observations_of(row, details, calendar, now):
        tally.durations[key, level or ALL].append(observation)
        if level is None:
            tally.durations[key, row.priority].append(observation)
    for name, counts in details.get("volume", {}).items():
        tally.event_volume[name].update(counts)
    rounds = details.get("surveys", ())
    tally.scores.add(rounds)
    measures = [(key, hit) for key, _, hit in overdue if key == "decided_in_time"]
    measures += [("satisfied", process >= 4) for process, _, _ in rounds if process is not None]
    tally.equal_treatment.add(row.written_in or row.language, supported=row.support_need, measures=measures)
    tally.redress.add(details.get("redress", {}))
    tally.redress.upheld += row.outcome in UPHELD
    if "persons" in details:
        requests, met, waited = details["persons"]
        tally.person_requests.add(requests, met, timedelta(microseconds=waited))
    tally.incomplete += row.incomplete
    improvements = due_times(details.get("improvements", ()))
    tally.improvements += len(improvements)
    # Their first due day; what became of each is in the register of improvements.
    tally.improvements_overdue += sum(due < now for due in improvements)
    if row.missed_danger:
        tally.safety_misses.append(row.ref)


def _count_codes(
    tally: Tally, row: CaseMeasures, families: Sequence[str], marks: str
) -> list[tuple[str, str]]:
    """Count a received complaint with its marks by week and by its codes, which are returned by family."""
    tally.received += 1
    tally.weeks[row.received_on - timedelta(days=row.received_on.weekday())] += 1
    codes = [
        (family, str(code)) for family in families if (code := getattr(row, family) or _WITHOUT.get(family))
    ]
    for family, code in codes:
        tally.grouped[family, code, marks] += 1
    return codes


def count_groups(tally: Tally) -> None:
    """Count what was only grouped: each combination of marks or codes once, times its complaints."""
    for (marks, is_later), times in tally.marks.items():
        for mark in read_marks(marks):
            if mark[0] == "recurring" and is_later:
                # The cause of an incident is counted once, however many complaints it brings (docs/domain.md,
                # section 3, Incident).
                continue
            _mark(tally.shares, mark, times)
    for (language, supported, marks, outcome), times in tally.treatment.items():
        measures = [(key, hit) for key, _, hit in read_marks(marks) if key == "decided_in_time"]
        if outcome is not None:
            measures.append(("upheld", outcome in UPHELD))
        tally.equal_treatment.add(language, supported=supported, measures=measures, times=times)
    for (family, code, marks), times in tally.grouped.items():
        tally.received_by[family][code] += times
        for mark in read_marks(marks):
            _mark_by(tally, family, code, mark, times)


def _mark_by(tally: Tally, family: str, code: str, mark: Mark, times: int = 1) -> None:
    """Count a main figure by code; of a figure with levels, that of level 1."""
    key, group, success = mark
    if family in GROUPED_BY and key in GROUPED_FIGURES and group in (None, "level 1"):
        tally.figures_by[family, code, key][0] += success * times
        tally.figures_by[family, code, key][1] += times


def _mark(counts: Counts, mark: Mark, times: int = 1) -> None:
    key, group, success = mark
    counts[key, group][0] += success * times
    counts[key, group][1] += times
