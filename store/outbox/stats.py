"""How many obligations wait, by priority, for those who monitor the desk."""

from __future__ import annotations

from sqlalchemy import and_, case, func, select

from complaints.obligations.kinds import SendPriority
from store.database.transaction import Tx, database_seconds
from store.outbox.complete import IS_OPEN
from store.tables import OBLIGATIONS
from store.values import QueueLength

#: A queue is counted up to this length, which is long enough for an alarm.
MAX_COUNTED = 10_000


def count_waiting(tx: Tx, most: int = MAX_COUNTED) -> dict[SendPriority, QueueLength]:
    """What is due and not done, by priority; of a longer queue only the `most` obligations that are due first.

    An obligation with a priority of a newer release counts with the lowest one.
    """
    columns = OBLIGATIONS.c
    priority = case(
        (columns.lane.in_([int(level) for level in SendPriority]), columns.lane),
        else_=int(SendPriority.BULK),
    ).label("lane")
    due = (
        select(priority, columns.due, columns.lease_until, columns.attempts)
        .where(IS_OPEN, columns.due <= tx.now)
        .order_by(columns.due)
        .limit(most)
        .subquery()
    )
    expired = and_(due.c.lease_until > 0, due.c.lease_until <= database_seconds())
    query = select(
        due.c.lane,
        func.count().label("due"),
        func.min(due.c.due).label("first"),
        func.sum(case((due.c.attempts > 0, 1), else_=0)).label("retried"),
        func.sum(case((expired, 1), else_=0)).label("expired"),
    ).group_by(due.c.lane)
    lengths = dict.fromkeys(SendPriority, QueueLength())
    for row in tx.connection.execute(query):
        late = max(0.0, (tx.now - row.first).total_seconds())
        lengths[SendPriority(row.lane)] = QueueLength(row.due, late, int(row.retried), int(row.expired))
    return lengths
