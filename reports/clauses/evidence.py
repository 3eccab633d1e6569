"""What evidence needs beside the complaints: rules and texts in force, who held which role, the proof.

Evidence from the record: points, one by one, added up to counts, figures and violations.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from complaints.history import CaseHistory
from complaints.rulebook import Rulebook
from complaints.vocabulary import Role
from reports.integrity import Proof
from reports.kpis import Goal, TargetVerdict
from reports.statistics import Share


@dataclass(frozen=True)
class RolePeriod:
    """A role that somebody held from `since` until `until` (None: still)."""

    member: str
    role: Role
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class House:
    """The organisation at `now`. `texts`: by language, what complainants are told, by id.

    `settings` are the names of the settings' keys; `versions` the texts' fingerprints by (language, id).
    """

    now: datetime
    rules: Rulebook
    periods: tuple[RolePeriod, ...] = ()
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()
    proof: Proof | None = None

    def roles_at(self, member: str, at: datetime, role: Role) -> frozenset[Role]:
        """What this person held then; where no periods are known, the role in which they acted."""
        if not self.periods:
            return frozenset({role})
        return frozenset(
            one.role
            for one in self.periods
            if one.member == member and one.since <= at and (one.until is None or at < one.until)
        )

    def holders(self, role: Role) -> frozenset[str]:
        """Who holds this role now."""
        return frozenset(one.member for one in self.periods if one.role is role and one.until is None)


#: Violations are all counted; so many are named, the first of the record.
NAMED = 20


@dataclass(frozen=True)
class Point:
    """One thing that the record shows for a clause.

    `what` groups points into a figure; `hit` makes it a share, `measure` a time (its unit stands in `what`);
    `fault` says what breaks the clause and what to do; `seqs` are the events that show it.
    """

    what: str
    seqs: tuple[int, ...] = ()
    hit: bool | None = None
    measure: float | None = None
    fault: str | None = None


def must(what: str, kept: bool, fault: str, seqs: tuple[int, ...] = ()) -> Point:
    """A share of which each miss breaks the clause, by this fault."""
    return Point(what, seqs, hit=kept, fault=None if kept else fault)


CaseQuery = Callable[[CaseHistory, House], Iterator[Point]]
HouseQuery = Callable[[House], Iterator[Point]]


@dataclass(frozen=True)
class Violation:
    """Where the record breaks a clause, and what to do; `ref` is None where it is no single complaint."""

    ref: str | None
    what: str
    seqs: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"ref": self.ref, "what": self.what, "seqs": list(self.seqs)}


@dataclass(frozen=True)
class Figure:
    """All points of one kind: how many, the share of hits, the middle and the slow end of the times."""

    what: str
    n: int
    share: Share | None
    goal: Goal | None
    p50: float | None
    p95: float | None

    @property
    def verdict(self) -> TargetVerdict:
        """How the share stands to its target."""
        if self.goal is None or self.share is None:
            return TargetVerdict.REPORT
        return self.goal.verdict(self.share.value, self.share.of)

    def as_json(self) -> dict[str, Any]:
        """JSON values; a share of too few is null."""
        found: dict[str, Any] = {"what": self.what, "n": self.n}
        if self.share is not None:
            found |= {
                "hits": self.share.hits,
                "of": self.share.of,
                "share": None if self.share.value is None else round(self.share.value, 4),
                "target": None if self.goal is None else self.goal.as_json(),
                "verdict": self.verdict.value,
            }
        if self.p50 is not None:
            found |= {"p50": self.p50, "p95": self.p95}
        return found


@dataclass(frozen=True)
class Evidence:
    """What the record shows for one clause today."""

    counted: int = 0
    violations: tuple[Violation, ...] = ()
    violated: int = 0
    figures: tuple[Figure, ...] = ()

    @property
    def missed(self) -> tuple[Figure, ...]:
        """Figures below their target, of enough units to say so."""
        return tuple(one for one in self.figures if one.verdict is TargetVerdict.NOT_MET)

    @property
    def breaks(self) -> bool:
        """The record breaks the clause, or keeps a target of it too seldom."""
        return self.violated > 0 or bool(self.missed)

    def as_json(self) -> dict[str, Any]:
        """JSON values; `violations` are the first of `violated`."""
        return {
            "counted": self.counted,
            "violated": self.violated,
            "violations": [one.as_json() for one in self.violations],
            "missed": [one.what for one in self.missed],
            "figures": [one.as_json() for one in self.figures],
        }


@dataclass
class EvidenceTally:
    """Evidence being gathered: counts only, so that a million complaints need no more room than a hundred."""

    goals: Mapping[str, Goal] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    hits: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    times: dict[str, Counter[float]] = field(default_factory=lambda: defaultdict(Counter))
    violations: list[Violation] = field(default_factory=list)
    violated: int = 0

    def add(self, ref: str | None, points: Iterable[Point]) -> None:
        """The points of one complaint, or of the house."""
        for one in points:
            self.counts[one.what] += 1
            if one.hit is not None:
                of = self.hits[one.what]
                of[0] += one.hit
                of[1] += 1
            if one.measure is not None:
                self.times[one.what][_two_figures(one.measure)] += 1
            if one.fault is not None:
                self.violated += 1
                if len(self.violations) < NAMED:
                    self.violations.append(Violation(ref, one.fault, one.seqs))

    def counted(self) -> Evidence:
        """What it adds up to."""
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


def _two_figures(value: float) -> float:
    """Two significant figures: a bounded number of different times, whatever the size of the record."""
    return float(f"{value:.2g}")


def _quantile(times: Counter[float], part: float) -> float | None:
    """The least time by which that part had ended."""
    left = part * times.total()
    for time in sorted(times):
        left -= times[time]
        if left <= 0:
            return time
    return None
