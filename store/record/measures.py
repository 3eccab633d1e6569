"""The row of measures of each complaint: written with its events, computed again where it is missing or outdated."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, bindparam, select, update

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
from store.database.transaction import Tx
from store.record.load import load_many
from store.tables import COMPLAINTS, MEASURES

#: Complaints that one transaction measures: SQLite has one writer, who must not wait longer than a moment.
PAGE = 200
_ROW = MEASURES.c
#: Built once, since every act runs it: constructing it costs more than running it.
_CONTINUE = (
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


def write_measures(tx: Tx, before: Case | None, case: Case, events: Sequence[Event]) -> None:
    """Write the row of a complaint after the last of its events."""
    row = measure(case, events)
    if before is None:
        tx.add(MEASURES, **row._asdict())
        return
    stage = stage_of(case)
    new_stage = "" if stage_of(before) == stage else encode_stage(stage, events[-1].at)
    values = {**row._asdict(), "case": case.ref, "old_version": before.version, "new_stage": new_stage}
    del values["stages"]
    if tx.connection.execute(_CONTINUE, values).rowcount == 0:
        # An older release wrote the events before this one, or the rule was another.
        tx.put(MEASURES, measure_history(CaseHistory(case, tuple(events)))._asdict())


def measure_missing(tx: Tx, after: str = "") -> tuple[str | None, int]:
    """Compute the next missing or outdated rows; the last reference that was read (None: no more), and how many.

    Damaged complaints are left out: `verify` names them.
    """
    refs = list(tx.connection.execute(_missing(after).limit(PAGE)).scalars())
    files = load_many(tx, refs)
    if files:
        rows = [measure_history(CaseHistory(file.case, file.events))._asdict() for file in files]
        tx.upsert_all(MEASURES, rows)
    return (refs[-1] if len(refs) == PAGE else None), len(files)


def read_measures(tx: Tx, ref: str) -> CaseMeasures | None:
    """The stored row of a complaint."""
    row = tx.connection.execute(select(MEASURES).where(_ROW.ref == ref)).first()
    return None if row is None else CaseMeasures._make(row)


def _missing(after: str) -> Select[tuple[str]]:
    """References after this one whose rows are missing or outdated, in order."""
    return (
        select(COMPLAINTS.c.ref)
        .outerjoin(MEASURES, IS_CURRENT)
        .where(COMPLAINTS.c.ref > after, _ROW.ref.is_(None))
        .order_by(COMPLAINTS.c.ref)
    )
