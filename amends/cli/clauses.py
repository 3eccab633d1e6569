"""`amends clauses`: every clause with control, code, tests and today's evidence from the record."""

from __future__ import annotations

from typing import Annotated

import typer

from amends.clause_count import counted, one_case, summary
from amends.cli.case import reference
from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, out, table
from reports.clauses.evidence import NAMED
from reports.render_markdown import many


def clauses(
    *,
    case: Annotated[str | None, typer.Option(help="Only what this complaint's record shows.")] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Each clause: what meets it, where in the code, which test, what the record shows. Exit 1 if one is broken."""
    broken = _of_case(case, config, json=json) if case is not None else _of_all(config, json=json)
    if broken:
        raise typer.Exit(NOT_WELL)


def _of_all(config: Config, *, json: bool) -> bool:
    with opened(config) as (settings, store):
        found = counted(store, settings)
    if json:
        as_json(found.as_json())
        return bool(found.violated)
    table("Clauses of ISO 10002", ("clause", "", "stands", "evidence"), summary(found))
    apart = f"{many(found.simulations, 'simulated contact')} and {many(found.past, 'past complaint')}"
    out.print(f"\n{many(found.complaints, 'complaint')}; {apart} counted apart.")
    for one in found.violated:
        for wrong in one.evidence.violations:
            err.print(f"{one.clause.id}: {wrong.ref or 'settings'}: {wrong.what}")
        if one.evidence.violated > NAMED:
            err.print(f"{one.clause.id}: {one.evidence.violated - NAMED} more")
    return bool(found.violated)


def _of_case(case: str, config: Config, *, json: bool) -> bool:
    ref = reference(case)
    with opened(config) as (settings, store):
        found = one_case(store, settings, ref)
    if json:
        as_json({"ref": ref, "clauses": [one.as_json() for one in found]})
    else:
        rows = [
            (
                one.number,
                one.title,
                point.what,
                ", ".join(str(seq) for seq in point.seqs),
                {None: "", True: "yes", False: "no"}[point.hit]
                if point.measure is None
                else f"{point.measure:.1f}",
                point.fault,
            )
            for one in found
            for point in one.points
        ]
        table(f"What {ref} shows", ("clause", "", "evidence", "events", "", "to do"), rows)
    return any(one.broken for one in found)
