"""The table of all clauses in the order of the standard (clauses.toml), and their numbers in the later editions."""

import tomllib
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import reports.clauses

# The modules of the queries: clauses.toml names their functions.
from reports.clauses import annexes, clause_evidence, improvement, operation, principles  # noqa: F401
from reports.clauses.clause_evidence import Clause, RegisterDemand
from reports.kpis import Goal

FILE = Path(__file__).with_name("clauses.toml")


def _row(keys: dict[str, Any]) -> Clause:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in keys.items()
    }
    for key in ("case_query", "organisation_query"):
        if key in values:
            values[key] = attrgetter(values[key])(reports.clauses)
    values["records"] = tuple(_demand(demand) for demand in values.pop("records", ()))
    goals = {what: Goal(**goal) for what, goal in values.pop("goals", {}).items()}
    return Clause(**values, goals=goals)


def _demand(keys: dict[str, Any]) -> RegisterDemand:
    values: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, list) else value for key, value in keys.items()
    }
    return RegisterDemand(**values)


_TABLES = tomllib.loads(FILE.read_text(encoding="utf-8"))
CLAUSES: tuple[Clause, ...] = tuple(_row(keys) for keys in _TABLES["clause"])

#: The numbers of the later editions by those of 2004; None: no clause of its own. 2014 keeps the numbers of 2004.
#: In 2018 the annexes move by one letter.
EDITIONS: Mapping[str, Mapping[str, str | None]] = {
    "2014": {clause.id: None if clause.id == "2018" else clause.id for clause in CLAUSES},
    "2018": {clause.id: clause.id for clause in CLAUSES}
    | _TABLES["edition_2018"]
    | dict(zip("ABCDEFGH", "BCDEFGHI", strict=True)),
}


def clause(number: str) -> Clause:
    """The clause with this number or letter; raises KeyError."""
    return {row.id: row for row in CLAUSES}[number]
