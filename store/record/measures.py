"""The row of measures of each complaint: written with its events, computed again where it is missing or outdated."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, select, update

from complaints.case import Case, Event
from complaints.history import CaseHistory
from complaints.measures.row import (
    MEASURE_VERSION,
    CaseMeasures,
    encode_stage,
    measure,
    measure_history,
    stage_of,
)
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.record.load import load_many
from store.tables import COMPLAINTS, MEASURES

#: Complaints that one transaction measures, in a tenth of a second: SQLite has one writer, who must not wait longer.
PAGE = 50
_ROW = MEASURES.c
#: Columns that no later event changes, and the stages, to which each adds.
_FIXED = frozenset({"ref", "rule", "logged_at", "is_simulation", "stages"})
_CHANGING = tuple(name for name in CaseMeasures._fields if name not in _FIXED)
#: Those of an index: most events leave them, and writing them again would write the index again.
_INDEXED = ("received_at", "received_on", "kind", "category", "product", "branch")
_REST = tuple(name for name in _CHANGING if name not in _INDEXED)
_CONTINUE = Prepared(
    update(MEASURES)
    .where(
        _ROW.ref == bindparam("case"),
        _ROW.version == bindparam("old_version"),
        _ROW.rule == MEASURE_VERSION,
    )
    .values(stages=_ROW.stages + bindparam("new_stage"))
)
#: The row belongs to the present version of its complaint and of the rule.
IS_CURRENT = and_(
    _ROW.ref == COMPLAINTS.c.ref, _ROW.version == COMPLAINTS.c.version, _ROW.rule == MEASURE_VERSION
)


def write_measures(tx: Tx, before: Case | None, case: Case, events: tuple[Event, ...]) -> None:
    """Write the row of a complaint after the last of its events."""
    row = measure(case, events)
    if before is None:
        tx.add(MEASURES, **row._asdict())
        return
    stage = stage_of(case)
    new_stage = "" if stage_of(before) == stage else encode_stage(stage, events[-1].at)
    if _continue(tx, before, case, row, new_stage) == 0:
        # The rule was another, or an older release that runs at the same time wrote the event before this one.
        tx.put(MEASURES, measure_history(CaseHistory(case, events))._asdict())


def _continue(tx: Tx, before: Case, case: Case, row: CaseMeasures, new_stage: str) -> int:
    """Update the row if it is that of the version before; how many rows there were."""
    is_same = (
        before.category == case.category
        and before.assessment is case.assessment
        and before.kind is case.kind
        and before.received_at == case.received_at
        and before.rules is case.rules
    )
    values = {name: getattr(row, name) for name in (_REST if is_same else _CHANGING)}
    values |= {"case": case.ref, "old_version": before.version, "new_stage": new_stage}
    return _CONTINUE.run(tx.connection, [values])


def list_missing(tx: Tx, after: str = "") -> list[str]:
    """The next references after this one whose rows are missing or outdated, at most `PAGE` of them."""
    query = select(COMPLAINTS.c.ref).outerjoin(MEASURES, IS_CURRENT)
    query = query.where(COMPLAINTS.c.ref > after, _ROW.ref.is_(None)).order_by(COMPLAINTS.c.ref)
    return list(tx.connection.execute(query.limit(PAGE)).scalars())


def measure_cases(tx: Tx, refs: Sequence[str]) -> None:
    """Compute the rows of these complaints from their events; damaged ones are left out: `verify` names them."""
    rows = [measure_history(CaseHistory(file.case, file.events))._asdict() for file in load_many(tx, refs)]
    if rows:
        tx.upsert_all(MEASURES, rows)


def read_measures(tx: Tx, ref: str) -> CaseMeasures | None:
    """The stored row of a complaint."""
    row = tx.connection.execute(select(MEASURES).where(_ROW.ref == ref)).first()
    return None if row is None else CaseMeasures._make(row)


def is_current(row: CaseMeasures | None, case: Case) -> bool:
    """False if the row must be computed again: it is missing, or of another version of the case or of the rule."""
    return row is not None and (row.version, row.rule) == (case.version, MEASURE_VERSION)
