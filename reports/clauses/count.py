"""Which tests are evidence for which clause: read from `tests.json`, written from the tests' `@clause` marks.

The count: every clause's evidence gathered in one pass over the record, and how each stands today.

The clauses for one complaint: what its record shows of each, event by event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from complaints.history import CaseHistory
from complaints.vocabulary import ContactKind
from reports.clauses.clause import Clause, ClauseStatus
from reports.clauses.evidence import Evidence, EvidenceTally, House, Point
from reports.clauses.table import CLAUSES, EDITIONS, clause

FILE = Path(__file__).with_name("tests.json")
#: Tests in files of this name turn a clause red by a record that breaks it.
RED = "test_clauses_"


@cache
def index() -> Mapping[str, tuple[str, ...]]:
    """Clause to its tests, as `path::name`."""
    return {number: tuple(found) for number, found in json.loads(FILE.read_text(encoding="utf-8")).items()}


def marked_with(number: str) -> tuple[str, ...]:
    """The tests of one clause."""
    return index().get(number, ())


def turned_red(number: str) -> bool:
    """True when a test shows a record that breaks this clause turning it red."""
    return any(RED in one for one in marked_with(number))


#: Clauses that are also asked about what two people found to be no complaint.
_EVERY_KIND = frozenset({"3", "4.7"})
#: How a clause that sums up others stands: the worst of them, in this order.
_WORST = (ClauseStatus.VIOLATED, ClauseStatus.NOT_YET, ClauseStatus.NO_EVIDENCE, ClauseStatus.MET)


@dataclass(frozen=True)
class ClauseCount:
    """One clause as it stands today."""

    clause: Clause
    evidence: Evidence
    standing: ClauseStatus

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        one = self.clause
        return {
            "clause": one.id,
            "editions": {year: EDITIONS[year][one.id] for year in EDITIONS},
            "title": one.title,
            "demand": one.demand,
            "control": one.control,
            "code": list(one.code),
            "tests": list(marked_with(one.id)),
            "verdict": self.standing.value,
            "lacks": one.lacks,
            "shows": one.shows,
            "evidence": self.evidence.as_json(),
        }


@dataclass(frozen=True)
class Count:
    """Every clause, in the order of the standard."""

    clauses: tuple[ClauseCount, ...]
    complaints: int
    simulations: int
    past: int = 0

    @property
    def violated(self) -> tuple[ClauseCount, ...]:
        """The clauses that today's record breaks."""
        return tuple(one for one in self.clauses if one.standing is ClauseStatus.VIOLATED)

    def of(self, number: str) -> ClauseCount:
        """One clause; KeyError where there is none."""
        return {one.clause.id: one for one in self.clauses}[number]

    def as_json(self) -> dict[str, Any]:
        """The document of `amends clauses --json`."""
        return {
            "clauses": [one.as_json() for one in self.clauses],
            "complaints": self.complaints,
            "simulations": self.simulations,
            "past": self.past,
        }


def count(record: Iterable[CaseHistory], house: House) -> Count:
    """Ask every clause of every complaint, once.

    Simulated contacts, and past complaints that were imported, are counted and not asked: nobody here handled
    the latter.
    """
    tallies = {one.id: EvidenceTally(one.goals) for one in CLAUSES}
    complaints = simulations = past = 0
    for one in CLAUSES:
        if one.house is not None:
            tallies[one.id].add(None, one.house(house))
    for seen in record:
        if seen.case.is_simulation:
            simulations += 1
            continue
        if seen.case.is_history:
            past += 1
            continue
        if seen.case.is_history:
            # Handled before this desk: there is nothing of it that our controls could have met.
            continue
        complaints += 1
        for number, points in asked(seen, house):
            tallies[number].add(seen.case.ref, points)
    if simulations:
        tallies["8.3"].add(None, (Point("simulated contacts") for _ in range(simulations)))
    evidence = {number: tally.counted() for number, tally in tallies.items()}
    return Count(_standings(evidence), complaints, simulations, past)


def asked(seen: CaseHistory, house: House) -> Iterator[tuple[str, tuple[Point, ...]]]:
    """(clause, what this complaint shows of it), for every clause that asks single complaints."""
    for one in CLAUSES:
        if one.look is None or (seen.case.kind is not ContactKind.COMPLAINT and one.id not in _EVERY_KIND):
            continue
        yield one.id, tuple(one.look(seen, house))


def _standings(evidence: Mapping[str, Evidence]) -> tuple[ClauseCount, ...]:
    alone = {one.id: standing(one, evidence[one.id]) for one in CLAUSES if not one.of}
    found = []
    for one in CLAUSES:
        parts = [alone[number] for number in one.of]
        stands = next(worst for worst in _WORST if worst in parts) if parts else alone[one.id]
        found.append(ClauseCount(one, evidence[one.id], stands))
    return tuple(found)


def standing(clause: Clause, evidence: Evidence) -> ClauseStatus:
    """Met only if the record can be asked, a test turns it red, nothing is lacking, and nothing breaks it."""
    if evidence.breaks:
        return ClauseStatus.VIOLATED
    if not clause.has_query or clause.lacks is not None or not turned_red(clause.id):
        return ClauseStatus.NOT_YET
    return ClauseStatus.MET if evidence.counted else ClauseStatus.NO_EVIDENCE


@dataclass(frozen=True)
class Shown:
    """What one complaint shows of one clause."""

    number: str
    title: str
    points: tuple[Point, ...]

    @property
    def broken(self) -> bool:
        """Does this complaint break the clause?"""
        return any(one.fault is not None for one in self.points)

    def as_json(self) -> dict[str, Any]:
        """JSON values; the points in order, each with the events that show it."""
        tally = EvidenceTally()
        tally.add(None, self.points)
        return {
            "clause": self.number,
            "title": self.title,
            "verdict": (ClauseStatus.VIOLATED if self.broken else ClauseStatus.MET).value,
            "evidence": tally.counted().as_json()
            | {
                "points": [
                    {
                        "what": one.what,
                        "seqs": list(one.seqs),
                        "hit": one.hit,
                        "measure": None if one.measure is None else round(one.measure, 1),
                        "fault": one.fault,
                    }
                    for one in self.points
                ]
            },
        }


def shown(seen: CaseHistory, house: House) -> Iterator[Shown]:
    """Each clause of which this complaint shows something, in the order of the standard."""
    for number, points in asked(seen, house):
        if points:
            yield Shown(number, clause(number).title, points)
