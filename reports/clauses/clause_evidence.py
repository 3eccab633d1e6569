"""A clause and its evidence: points from complaints, registers and the desk, added up to figures and violations."""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from complaints.actors import HANDLERS
from complaints.history import CaseHistory
from complaints.registers.entries import Entry
from complaints.rulebook import Rulebook
from complaints.times import local_time
from complaints.vocabulary import Role
from reports.integrity import Proof
from reports.kpis import Goal, TargetVerdict
from reports.statistics import Share, rounded

FILE = Path(__file__).with_name("faults.toml")
#: What violates a clause, and what to do, by the `what` of the point that shows it.
FAULTS: Mapping[str, str] = tomllib.loads(FILE.read_text(encoding="utf-8"))
#: All violations are counted; the first ones of the record are listed, up to this number.
NAMED = 20


@dataclass(frozen=True)
class RolePeriod:
    """A role of a member of staff from `since` until `until` (None: still)."""

    member: str
    role: Role
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class OrganisationFacts:
    """What evidence needs of the organisation at `now`, in addition to its complaints.

    `texts` has the texts for complainants by language and id, `versions` their fingerprints by (language, id), and
    `settings` the names of the settings' keys.
    """

    now: datetime
    rules: Rulebook
    periods: tuple[RolePeriod, ...] = ()
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()
    proof: Proof | None = None
    #: When a monitoring report was last made and delivered.
    reported_at: datetime | None = None
    #: The entries of each register, and when the log of the desk last recorded each kind of event.
    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    recorded_at: Mapping[str, datetime] = field(default_factory=dict)

    def roles_at(self, member: str, moment: datetime, role: Role) -> frozenset[Role]:
        """The roles of a member at a moment; without any periods, the `role` in which they acted."""
        if not self.periods:
            return frozenset({role})
        return frozenset(
            period.role
            for period in self.periods
            if period.member == member
            and period.since <= moment
            and (period.until is None or moment < period.until)
        )

    def may_own(self, member: str | None) -> bool:
        """True for an owner who still may own complaints; without any periods, for every one."""
        if member is None or not self.periods:
            return member is not None
        return any(member in self.holders(role) for role in HANDLERS)

    def holders(self, role: Role) -> frozenset[str]:
        current = (period for period in self.periods if period.until is None)
        return frozenset(period.member for period in current if period.role is role)


@dataclass(frozen=True)
class Point:
    """One observation for a clause.

    Points with the same `what` become one figure: a share if they have `hit`, a time if they have `measure` (`what`
    names its unit). `fault` says what violates the clause and what to do. `seqs` are the events that show it. `entry`
    is the code of the register's entry that it is about, `improvement-3`.
    """

    what: str
    seqs: tuple[int, ...] = ()
    hit: bool | None = None
    measure: float | None = None
    fault: str | None = None
    entry: str | None = None


def must(what: str, is_met: bool, seqs: tuple[int, ...] = (), **fields: object) -> Point:
    """A point of a share; if it is not met, the clause is violated."""
    return Point(what, seqs, hit=is_met, fault=fault_if(what, not is_met, **fields))


def violated(what: str, seqs: tuple[int, ...] = (), **fields: object) -> Point:
    return Point(what, seqs, fault=fault_if(what, True, **fields))


def fault_if(what: str, is_violated: bool, **fields: object) -> str | None:
    """The fault of a point in faults.toml with its fields filled in, if the clause is violated."""
    return FAULTS[what].format(**fields) if is_violated else None


def minutes(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() / 60


def hours(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() / 3600


CaseQuery = Callable[[CaseHistory, OrganisationFacts], Iterator[Point]]
OrganisationQuery = Callable[[OrganisationFacts], Iterator[Point]]


class ClauseStatus(StrEnum):
    """Whether a clause is met today."""

    MET = "met"
    VIOLATED = "violated"
    NO_EVIDENCE = "no evidence yet"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class RegisterDemand:
    """What a register (complaints/registers) or the log of the desk must hold for a clause.

    An entry counts if one of `acts` was done on it and its state is one of `states`; an empty set asks for none.
    `event` is a kind of event in the log instead. `within`: the newest must not be older than so many days, once
    complaints are. `in_time` names the share of entries that are not overdue; an overdue one violates the clause.
    """

    what: str
    register: str = ""
    event: str = ""
    acts: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    within: int | None = None
    in_time: str = ""


@dataclass(frozen=True)
class Clause:
    """One row of the table.

    `code` has the dotted names of the control, and `shows` says what the evidence counts. `case_query` asks one
    complaint, `organisation_query` the organisation. `of` are the clauses that this one sums up. `lacks` is what is
    still missing; with it the clause is never met. `required` is a figure without which it is not met either, nor
    without one of each of `records`.
    """

    id: str
    title: str
    demand: str
    control: str
    code: tuple[str, ...] = ()
    shows: str = ""
    case_query: CaseQuery | None = None
    organisation_query: OrganisationQuery | None = None
    goals: Mapping[str, Goal] = field(default_factory=dict)
    of: tuple[str, ...] = ()
    lacks: str | None = None
    required: str = ""
    records: tuple[RegisterDemand, ...] = ()

    @property
    def has_query(self) -> bool:
        queries = (self.case_query, self.organisation_query, self.of, self.records)
        return any(queries)

    @property
    def needed(self) -> frozenset[str]:
        """The figures without which there is no evidence yet."""
        return frozenset({self.required, *(demand.what for demand in self.records)} - {""})


@dataclass(frozen=True)
class Violation:
    """Where the record violates a clause, and what to do; `ref` is None if it is not one complaint."""

    ref: str | None
    what: str
    seqs: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"ref": self.ref, "what": self.what, "seqs": list(self.seqs)}


@dataclass(frozen=True)
class Figure:
    """All points of one kind: their number, the share of hits, and the median and 95 % time."""

    what: str
    n: int
    share: Share | None
    goal: Goal | None
    p50: float | None
    p95: float | None

    @property
    def verdict(self) -> TargetVerdict:
        """The share against its target."""
        if self.goal is None or self.share is None:
            return TargetVerdict.REPORT
        return self.goal.verdict(self.share.value, self.share.of)

    def as_json(self) -> dict[str, Any]:
        """JSON values; a share of too few points is null."""
        values: dict[str, Any] = {"what": self.what, "n": self.n}
        if self.share is not None:
            values |= {
                "hits": self.share.hits,
                "of": self.share.of,
                "share": rounded(self.share.value),
                "target": None if self.goal is None else self.goal.as_json(),
                "verdict": self.verdict.value,
            }
        if self.p50 is not None:
            values |= {"p50": self.p50, "p95": self.p95}
        return values


@dataclass(frozen=True)
class Evidence:
    """The evidence for one clause in the record."""

    counted: int = 0
    violations: tuple[Violation, ...] = ()
    violated: int = 0
    figures: tuple[Figure, ...] = ()

    @property
    def missed(self) -> tuple[Figure, ...]:
        return tuple(figure for figure in self.figures if figure.verdict is TargetVerdict.NOT_MET)

    @property
    def breaks(self) -> bool:
        """True if the record violates the clause or misses a target of it."""
        return self.violated > 0 or bool(self.missed)

    def as_json(self) -> dict[str, Any]:
        """JSON values; `violations` lists only the first, `violated` counts all."""
        return {
            "counted": self.counted,
            "violated": self.violated,
            "violations": [violation.as_json() for violation in self.violations],
            "missed": [figure.what for figure in self.missed],
            "figures": [figure.as_json() for figure in self.figures],
        }


@dataclass
class EvidenceTally:
    """Adds up points; keeps only counts, so that a million complaints need no more memory than a hundred."""

    goals: Mapping[str, Goal] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    hits: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    times: dict[str, Counter[float]] = field(default_factory=lambda: defaultdict(Counter))
    violations: list[Violation] = field(default_factory=list)
    violated: int = 0

    def add(self, ref: str | None, points: Iterable[Point]) -> None:
        """Add the points of one complaint, or those of the organisation (`ref` None)."""
        for point in points:
            self.counts[point.what] += 1
            if point.hit is not None:
                counts = self.hits[point.what]
                counts[0] += point.hit
                counts[1] += 1
            if point.measure is not None:
                self.times[point.what][_round(point.measure)] += 1
            if point.fault is not None:
                self.violated += 1
                if len(self.violations) < NAMED:
                    self.violations.append(Violation(point.entry or ref, point.fault, point.seqs))

    def result(self) -> Evidence:
        return Evidence(
            counted=self.counts.total(),
            violations=tuple(self.violations),
            violated=self.violated,
            figures=tuple(self._figure(what) for what in self.counts),
        )

    def _figure(self, what: str) -> Figure:
        hits = self.hits.get(what)
        times = self.times.get(what, Counter())
        return Figure(
            what=what,
            n=self.counts[what],
            share=None if hits is None else Share(*hits),
            goal=self.goals.get(what),
            p50=_quantile(times, 0.5),
            p95=_quantile(times, 0.95),
        )


def _round(value: float) -> float:
    # Two significant figures, so that the number of different times stays small.
    return float(f"{value:.2g}")


def _quantile(times: Counter[float], part: float) -> float | None:
    """The shortest time by which this part has ended."""
    remaining = part * times.total()
    for time in sorted(times):
        remaining -= times[time]
        if remaining <= 0:
            return time
    return None


def recorded(demand: RegisterDemand, house: OrganisationFacts, since: datetime | None) -> Iterator[Point]:
    """What counts, what is overdue, and the lack of either; `since` is when the first complaint was received.

    A desk without a complaint older than the period of the demand lacks nothing yet.
    """
    earliest = None if demand.within is None else house.now - timedelta(days=demand.within)
    newest = house.recorded_at.get(demand.event)
    is_found = newest is not None and (earliest is None or newest >= earliest)
    if is_found:
        yield Point(demand.what)
    entries = house.entries.get(demand.register, ())
    for entry in entries:
        counted_at = _counted_at(demand, entry)
        if counted_at is not None and (earliest is None or counted_at >= earliest):
            is_found = True
            yield Point(demand.what, entry=entry.code)
    if demand.in_time:
        today = local_time(house.now, house.rules.calendar.zone).date()
        for entry in entries:
            is_late = entry.is_overdue(today)
            fault = fault_if(demand.in_time, is_late)
            yield Point(demand.in_time, hit=not is_late, fault=fault, entry=entry.code)
    if not is_found and earliest is not None and since is not None and since < earliest:
        yield violated(f"no {demand.what}", days=demand.within)


def _counted_at(demand: RegisterDemand, entry: Entry) -> datetime | None:
    """When the newest act that counts was done on the entry; None if it does not count."""
    if demand.states and entry.state not in demand.states:
        return None
    times = [act.at for act in entry.acts if not demand.acts or act.act in demand.acts]
    return max(times, default=None)


def training(house: OrganisationFacts) -> Iterator[Point]:
    """6.4: a person who handles complaints has a training that has not ended; nothing before the first training."""
    today = local_time(house.now, house.rules.calendar.zone).date()
    trainings = [entry for entry in house.entries.get("training", ()) if entry.is_open]
    trained = {entry.owner for entry in trainings if entry.is_valid(today)}
    for member in sorted(_handling(house) if trainings else ()):
        yield must("people with a valid training", member in trained, member=member)


def attestation(house: OrganisationFacts) -> Iterator[Point]:
    """5.2: staff attest that they have read the policy in force."""
    policies = [entry for entry in house.entries.get("policy", ()) if entry.state == "in_force"]
    members = {period.member for period in house.periods if period.until is None}
    for policy in policies:
        for member in sorted(members):
            is_reader = member in policy.readers
            yield Point("staff who attested the policy in force", hit=is_reader, entry=policy.code)


def workload(open_complaints: int, house: OrganisationFacts) -> Iterator[Point]:
    """6.4, 2018: the open complaints for each person who handles them."""
    if people := _handling(house):
        measure = open_complaints / len(people)
        yield Point("open complaints for each person who handles them", measure=measure)


def _handling(house: OrganisationFacts) -> frozenset[str]:
    return house.holders(Role.HANDLER) | house.holders(Role.MANAGER)
