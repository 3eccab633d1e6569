"""The clauses for one complaint: what its record shows of each, event by event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from complaints.followed import Followed
from reports.clauses.clause import Standing
from reports.clauses.counting import asked
from reports.clauses.evidence import Point, Tally
from reports.clauses.house import House
from reports.clauses.table import clause


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
        tally = Tally()
        tally.add(None, self.points)
        return {
            "clause": self.number,
            "title": self.title,
            "verdict": (Standing.VIOLATED if self.broken else Standing.MET).value,
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


def shown(seen: Followed, house: House) -> Iterator[Shown]:
    """Each clause of which this complaint shows something, in the order of the standard."""
    for number, points in asked(seen, house):
        if points:
            yield Shown(number, clause(number).title, points)
