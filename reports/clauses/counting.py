"""The count: every clause's evidence gathered in one pass over the record, and how each stands today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from complaints.followed import Followed
from complaints.vocabulary import Kind
from reports.clauses.clause import Clause, Standing
from reports.clauses.evidence import Evidence, Point, Tally
from reports.clauses.house import House
from reports.clauses.marks import marked_with, turned_red
from reports.clauses.table import CLAUSES, EDITIONS

#: Clauses that are also asked about what two people found to be no complaint.
_EVERY_KIND = frozenset({"3", "4.7"})
#: How a clause that sums up others stands: the worst of them, in this order.
_WORST = (Standing.VIOLATED, Standing.NOT_YET, Standing.NO_EVIDENCE, Standing.MET)


@dataclass(frozen=True)
class Counted:
    """One clause as it stands today."""

    clause: Clause
    evidence: Evidence
    standing: Standing

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

    clauses: tuple[Counted, ...]
    complaints: int
    simulations: int
    past: int = 0

    @property
    def violated(self) -> tuple[Counted, ...]:
        """The clauses that today's record breaks."""
        return tuple(one for one in self.clauses if one.standing is Standing.VIOLATED)

    def of(self, number: str) -> Counted:
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


def count(record: Iterable[Followed], house: House) -> Count:
    """Ask every clause of every complaint, once.

    Simulated contacts, and past complaints that were imported, are counted and not asked: nobody here handled
    the latter.
    """
    tallies = {one.id: Tally(one.goals) for one in CLAUSES}
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


def asked(seen: Followed, house: House) -> Iterator[tuple[str, tuple[Point, ...]]]:
    """(clause, what this complaint shows of it), for every clause that asks single complaints."""
    for one in CLAUSES:
        if one.look is None or (seen.case.kind is not Kind.COMPLAINT and one.id not in _EVERY_KIND):
            continue
        yield one.id, tuple(one.look(seen, house))


def _standings(evidence: Mapping[str, Evidence]) -> tuple[Counted, ...]:
    alone = {one.id: standing(one, evidence[one.id]) for one in CLAUSES if not one.of}
    found = []
    for one in CLAUSES:
        parts = [alone[number] for number in one.of]
        stands = next(worst for worst in _WORST if worst in parts) if parts else alone[one.id]
        found.append(Counted(one, evidence[one.id], stands))
    return tuple(found)


def standing(clause: Clause, evidence: Evidence) -> Standing:
    """Met only if the record can be asked, a test turns it red, nothing is lacking, and nothing breaks it."""
    if evidence.breaks:
        return Standing.VIOLATED
    if not clause.has_query or clause.lacks is not None or not turned_red(clause.id):
        return Standing.NOT_YET
    return Standing.MET if evidence.counted else Standing.NO_EVIDENCE
