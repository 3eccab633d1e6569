"""Counts answers in the time of the law, by the rule that set it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, case, exists, func, or_, select

from complaints.vocabulary import State
from store.database.transaction import Tx
from store.record.measured import COUNTED
from store.tables import COMPLAINTS, MEASURES, TARGETS


def count_legal_times(
    tx: Tx, start: datetime, end: datetime, rulebooks: Collection[str]
) -> dict[str, tuple[int, int]]:
    """For each rule of a due time: those met in time, and those met or overdue, of complaints received in the period.

    A version that a later one replaced is not counted, nor is what ended unanswered before it was due.
    """
    row, later = TARGETS.c, TARGETS.alias()
    replaced = exists().where(
        later.c.ref == row.ref,
        later.c.target == row.target,
        later.c.of == row.of,
        later.c.version > row.version,
    )
    is_late = and_(row.met_at.is_(None), row.internal_due < tx.now, COMPLAINTS.c.state != State.CLOSED.value)
    in_time = func.sum(case((row.met_at <= row.internal_due, 1), else_=0))
    query = (
        select(row.basis, in_time, func.count())
        .join(MEASURES, MEASURES.c.ref == row.ref)
        .join(COMPLAINTS, COMPLAINTS.c.ref == row.ref)
        .where(*COUNTED, MEASURES.c.received_at >= start, MEASURES.c.received_at < end)
        .where(MEASURES.c.rulebook_id.in_(rulebooks), ~replaced, or_(row.met_at.is_not(None), is_late))
        .group_by(row.basis)
    )
    counts: dict[str, tuple[int, int]] = {}
    for basis, hits, total in tx.connection.execute(query):
        rule = str(basis).partition(";")[0].partition(",")[0]
        before = counts.get(rule, (0, 0))
        counts[rule] = before[0] + int(hits), before[1] + int(total)
    return counts
