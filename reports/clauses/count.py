"""Count the evidence for every clause in one pass over the record, and list what one complaint shows.

`tests.json` has the tests of each clause; it is written from the tests' `@clause` marks.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from complaints.history import CaseHistory
from complaints.vocabulary import ContactKind
from reports.clauses.clause_evidence import (
    Clause,
    ClauseStatus,
    Evidence,
    EvidenceTally,
    OrganisationFacts,
    Point,
    recorded,
    workload,
)
from reports.clauses.improvement import reporting
from reports.clauses.table import CLAUSES, EDITIONS, clause
from reports.statistics import rounded

FILE = Path(__file__).with_name("tests.json")
#: Tests in files of this name show that a record which violates the clause turns it red.
RED = "test_clauses_"
#: Clauses that also look at contacts which two people found to be no complaint.
_EVERY_KIND = frozenset({"3", "4.7"})
#: A clause that sums up others has the first of these statuses that one of them has.
_WORST_FIRST = (ClauseStatus.VIOLATED, ClauseStatus.NOT_YET, ClauseStatus.NO_EVIDENCE, ClauseStatus.MET)


@dataclass(frozen=True)
class ClauseCount:
    """One clause with its evidence and status today."""

    clause: Clause
    evidence: Evidence
    status: ClauseStatus

    def as_json(self) -> dict[str, Any]:
        row = self.clause
        return {
            "clause": row.id,
            "editions": {year: EDITIONS[year][row.id] for year in EDITIONS},
            "title": row.title,
            "demand": row.demand,
            "control": row.control,
            "code": list(row.code),
            "tests": list(marked_with(row.id)),
            "verdict": self.status.value,
            "lacks": row.lacks,
            "shows": row.shows,
            "evidence": self.evidence.as_json(),
        }


@dataclass(frozen=True)
class ClauseReport:
    """Every clause, in the order of the standard."""

    clauses: tuple[ClauseCount, ...]
    complaints: int
    simulations: int
    past: int = 0
    #: References of complaints that cannot be read and are not counted.
    damaged: tuple[str, ...] = ()

    @property
    def violated(self) -> tuple[ClauseCount, ...]:
        return tuple(counted for counted in self.clauses if counted.status is ClauseStatus.VIOLATED)

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each clause by its number."""
        return {counted.clause.id: counted.status.value for counted in self.clauses}

    def of(self, number: str) -> ClauseCount:
        """The clause with this number; raises KeyError."""
        return {counted.clause.id: counted for counted in self.clauses}[number]

    def as_json(self) -> dict[str, Any]:
        return {
            "clauses": [counted.as_json() for counted in self.clauses],
            "complaints": self.complaints,
            "simulations": self.simulations,
            "past": self.past,
            "damaged": list(self.damaged),
        }


def count(record: Iterable[CaseHistory], house: OrganisationFacts) -> ClauseReport:
    """Collect the evidence of every complaint for every clause.

    Simulated contacts and imported past complaints are only counted: this desk did not handle them.
    """
    tallies = {row.id: EvidenceTally(row.goals) for row in CLAUSES}
    complaints = simulations = past = still_open = 0
    first_received: datetime | None = None
    for row in CLAUSES:
        if row.organisation_query is not None:
            tallies[row.id].add(None, row.organisation_query(house))
    for history in record:
        if history.case.is_simulation:
            simulations += 1
            continue
        if history.case.is_history:
            past += 1
            continue
        complaints += 1
        still_open += history.case.is_open
        first_received = min(first_received or history.case.received_at, history.case.received_at)
        for number, points in _points_of(history, house):
            tallies[number].add(history.case.ref, points)
    if simulations:
        tallies["8.3"].add(None, (Point("simulated contacts") for _ in range(simulations)))
    tallies["8.4"].add(None, reporting(house, first_received))
    for number in ("2018", "6.4"):
        tallies[number].add(None, workload(still_open, house))
    for row in CLAUSES:
        for demand in row.records:
            tallies[row.id].add(None, recorded(demand, house, first_received))
    evidence = {number: tally.result() for number, tally in tallies.items()}
    return ClauseReport(_with_status(evidence), complaints, simulations, past)


def _points_of(history: CaseHistory, house: OrganisationFacts) -> Iterator[tuple[str, tuple[Point, ...]]]:
    """(clause, points of this complaint), for every clause that looks at single complaints."""
    is_complaint = history.case.kind is ContactKind.COMPLAINT
    for row in CLAUSES:
        if row.case_query is not None and (is_complaint or row.id in _EVERY_KIND):
            yield row.id, tuple(row.case_query(history, house))


def _with_status(evidence: Mapping[str, Evidence]) -> tuple[ClauseCount, ...]:
    statuses = {row.id: _status(row, evidence[row.id]) for row in CLAUSES if not row.of}
    counted = []
    for row in CLAUSES:
        parts = [statuses[number] for number in row.of]
        status = next(worst for worst in _WORST_FIRST if worst in parts) if parts else statuses[row.id]
        counted.append(ClauseCount(row, evidence[row.id], status))
    return tuple(counted)


def _status(row: Clause, evidence: Evidence) -> ClauseStatus:
    """Met only with a query and evidence, a test that can turn it red, nothing lacking and no violation."""
    if evidence.breaks:
        return ClauseStatus.VIOLATED
    if not row.has_query or row.lacks is not None or not turned_red(row.id):
        return ClauseStatus.NOT_YET
    if not row.needed <= {figure.what for figure in evidence.figures}:
        return ClauseStatus.NO_EVIDENCE
    return ClauseStatus.MET if evidence.counted else ClauseStatus.NO_EVIDENCE


@dataclass(frozen=True)
class CaseEvidence:
    """What one complaint shows of one clause."""

    number: str
    title: str
    points: tuple[Point, ...]

    @property
    def broken(self) -> bool:
        return any(point.fault is not None for point in self.points)

    def as_json(self) -> dict[str, Any]:
        tally = EvidenceTally()
        tally.add(None, self.points)
        return {
            "clause": self.number,
            "title": self.title,
            "verdict": (ClauseStatus.VIOLATED if self.broken else ClauseStatus.MET).value,
            "evidence": tally.result().as_json()
            | {
                "points": [
                    {
                        "what": point.what,
                        "seqs": list(point.seqs),
                        "hit": point.hit,
                        "measure": rounded(point.measure, 1),
                        "fault": point.fault,
                    }
                    for point in self.points
                ]
            },
        }


def list_case_evidence(history: CaseHistory, house: OrganisationFacts) -> Iterator[CaseEvidence]:
    """Each clause that this complaint has points for, in the order of the standard."""
    for number, points in _points_of(history, house):
        if points:
            yield CaseEvidence(number, clause(number).title, points)


def marked_with(number: str) -> tuple[str, ...]:
    """The tests that are marked with this clause, as `path::name`."""
    return _index().get(number, ())


def turned_red(number: str) -> bool:
    """True if a test shows that a record which violates this clause turns it red."""
    return any(RED in test for test in marked_with(number))


@cache
def _index() -> Mapping[str, tuple[str, ...]]:
    tests = json.loads(FILE.read_text(encoding="utf-8"))
    return {number: tuple(names) for number, names in tests.items()}
