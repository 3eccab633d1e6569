"""One clause of the standard: its demand, the control that meets it, and the queries for evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reports.clauses.evidence import CaseQuery, OrganisationQuery
from reports.kpis import Goal


class ClauseStatus(StrEnum):
    """Whether a clause is met today."""

    MET = "met"
    VIOLATED = "violated"
    NO_EVIDENCE = "no evidence yet"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class Clause:
    """One row of the table.

    `code` has the dotted names of the control, and `shows` says what the evidence counts. `case_query` asks one
    complaint, `organisation_query` the organisation. `of` are the clauses that this one sums up. `lacks` is what is
    still missing; with it the clause is never met.
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

    @property
    def has_query(self) -> bool:
        """True if there is evidence to look for."""
        return self.case_query is not None or self.organisation_query is not None or bool(self.of)
