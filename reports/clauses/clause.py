"""One clause of the standard: what it demands, what of ours meets it, and how the record shows that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reports.clauses.evidence import CaseQuery, HouseQuery
from reports.kpis import Goal


class ClauseStatus(StrEnum):
    """How a clause stands today."""

    MET = "met"
    VIOLATED = "violated"
    NO_EVIDENCE = "no evidence yet"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class Clause:
    """`code` are dotted names that hold the control; `shows` says what the evidence counts.

    `of` are clauses that this one sums up. `lacks` is what is still missing: while it is, the clause is never
    said to be met, whatever its evidence.
    """

    id: str
    title: str
    demand: str
    control: str
    code: tuple[str, ...] = ()
    shows: str = ""
    look: CaseQuery | None = None
    house: HouseQuery | None = None
    goals: Mapping[str, Goal] = field(default_factory=dict)
    of: tuple[str, ...] = ()
    lacks: str | None = None

    @property
    def has_query(self) -> bool:
        """Can the record be asked about it?"""
        return self.look is not None or self.house is not None or bool(self.of)
