"""How much waits to be done, lane by lane, for those who watch the desk."""

from __future__ import annotations

from sqlalchemy import and_, case, func, select

from complaints.obligations.kinds import SendPriority
from store.database.transaction import Tx, database_seconds
from store.outbox.complete import IS_OPEN
from store.tables import OBLIGATIONS
from store.values import QueueLength

#: A queue is counted so far; longer is long enough to alarm.
MOST_COUNTED = 10_000


def count_waiting(tx: Tx, most: int = MOST_COUNTED) -> dict[SendPriority, QueueLength]:
    """What is due and not done, by lane; of a longer queue only the `most` that are due first are looked at.

    What stands in a lane of a newer release counts with what goes last.
    """
    one = OBLIGATIONS.c
    lane = case(
        (one.lane.in_([int(each) for each in SendPriority]), one.lane), else_=int(SendPriority.BULK)
    ).label("lane")
    due = (
        select(lane, one.due, one.lease_until, one.attempts)
        .where(IS_OPEN, one.due <= tx.now)
        .order_by(one.due)
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
    found = dict.fromkeys(SendPriority, QueueLength())
    for row in tx.connection.execute(query):
        late = max(0.0, (tx.now - row.first).total_seconds())
        found[SendPriority(row.lane)] = QueueLength(row.due, late, int(row.retried), int(row.expired))
    return found
