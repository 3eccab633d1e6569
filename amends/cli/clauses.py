"""`amends clauses`: each clause with its control, code and tests, and the evidence in the record today (8.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from amends.cli.console import err, out, print_json, print_table
from amends.cli.options import NOT_WELL, Json, open_record, parse_ref
from reports.words import in_words, pluralise

if TYPE_CHECKING:
    from reports.clauses.clause_evidence import Point


def clauses(*, case: str | None = None, json: Json = False) -> None:
    broken = _count_all(json=json) if case is None else _show_case(case, json=json)
    if broken:
        raise typer.Exit(NOT_WELL)


def _count_all(*, json: bool) -> bool:
    """Print every clause; True if one is broken."""
    from amends.clause_count import clause_rows, count_clauses
    from reports.clauses.clause_evidence import NAMED
    from store.database.errors import DAMAGE_REMEDY
    from store.proof.hash_chain import record_instance_event

    with open_record() as (settings, store):
        count = count_clauses(store, settings)
        store.write(record_instance_event, "clauses", {"statuses": count.statuses})
    if json:
        print_json(count.as_json())
        return bool(count.violated)
    print_table("Clauses of ISO 10002", ("clause", "", "verdict", "evidence"), clause_rows(count))
    apart = (
        f"{pluralise(count.simulations, 'simulated contact')} and {pluralise(count.past, 'past complaint')}"
    )
    out.print(f"\n{pluralise(count.complaints, 'complaint')}; {apart} counted apart.")
    if count.damaged:
        err.print(
            f"Not counted, because their events cannot be read: {', '.join(count.damaged)}. {DAMAGE_REMEDY}",
            soft_wrap=True,
        )
    for counted_clause in count.violated:
        clause, evidence = counted_clause.clause, counted_clause.evidence
        for violation in evidence.violations:
            err.print(in_words(f"{clause.id}: {violation.ref or 'settings'}: {violation.what}"))
        if evidence.violated > NAMED:
            err.print(f"{clause.id}: {evidence.violated - NAMED} more")
    return bool(count.violated)


def _show_case(case: str, *, json: bool) -> bool:
    """Print what one complaint shows of each clause; True if it breaks one."""
    from amends.clause_count import count_case_clauses

    ref = parse_ref(case)
    with open_record() as (settings, store):
        shown_clauses = count_case_clauses(store, settings, ref)
    if json:
        print_json({"ref": ref, "clauses": [clause.as_json() for clause in shown_clauses]})
    else:
        rows = [
            (
                clause.number,
                clause.title,
                in_words(point.what),
                ", ".join(str(seq) for seq in point.seqs),
                _result(point),
                point.fault and in_words(point.fault),
            )
            for clause in shown_clauses
            for point in clause.points
        ]
        print_table(f"What {ref} shows", ("clause", "", "evidence", "events", "", "to do"), rows)
    return any(clause.broken for clause in shown_clauses)


def _result(point: Point) -> str:
    if point.measure is not None:
        return f"{point.measure:.1f}"
    return {None: "", True: "yes", False: "no"}[point.hit]
