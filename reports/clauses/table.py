"""The whole table, in the order of the standard, and what the later editions call each clause."""

from __future__ import annotations

from collections.abc import Mapping

from reports.clauses import annexes, framework, improvement, operation, principles
from reports.clauses.clause import Clause

CLAUSES: tuple[Clause, ...] = (
    *principles.CLAUSES,
    *framework.CLAUSES,
    *operation.CLAUSES,
    *improvement.CLAUSES,
    *annexes.CLAUSES,
)

#: What we number by (2004), and what the later editions have instead; None: not as a clause of its own.
#: 2014 keeps the numbers of 2004. In 2018 the principles are 4.2 to 4.15, clause 5 is split, and the annexes
#: move by one letter. Where a public source does not show the number, only the heading is given.
EDITIONS: Mapping[str, Mapping[str, str | None]] = {
    "2014": {one.id: None if one.id == "2018" else one.id for one in CLAUSES},
    "2018": {
        **{one.id: one.id for one in CLAUSES},
        "4.2": "4 (transparency)",
        "4.3": "4 (accessibility)",
        "4.4": "4 (responsiveness)",
        "4.5": "4 (objectivity)",
        "4.6": "4 (charges)",
        "4.7": "4 (confidentiality)",
        "4.8": "4 (customer focused approach)",
        "4.9": "4 (accountability)",
        "4.10": "4 (improvement)",
        "2018": "4 (capacity, information integrity, competence, timeliness)",
        "5.1": "5 (leadership and commitment)",
        "5.2": "5 (policy)",
        "5.3": "5 (responsibility and authority)",
        **dict(zip("ABCDEFGH", "BCDEFGHI", strict=True)),
    },
}


def clause(number: str) -> Clause:
    """One clause by its number or letter; KeyError where there is none."""
    return {one.id: one for one in CLAUSES}[number]
