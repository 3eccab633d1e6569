"""Who opened what (4.7): a read is a row, no event."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from complaints.people import Actor
from complaints.permissions import READERS
from complaints.record import Case
from store.tables import READS
from store.transactions import Tx


def write_read(tx: Tx, case: Case, by: Actor, what: str) -> None:
    """This person has now seen this much of the complaint, up to its present version."""
    role = by.least(READERS)
    tx.add(
        READS,
        ref=case.ref,
        by=by.id,
        role="" if role is None else role.value,
        at=tx.now,
        what=what,
        version=case.version,
    )


def last_read(tx: Tx, ref: str, member: str) -> datetime | None:
    """When this person last opened the complaint."""
    found: datetime | None = tx.connection.execute(
        select(func.max(READS.c.at)).where(READS.c.ref == ref, READS.c.by == member)
    ).scalar()
    return found
