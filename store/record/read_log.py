"""The log of who read which complaint (4.7). A read is a row, not an event."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from complaints.actors import READERS, Actor
from complaints.case import Case
from store.database.transaction import Tx
from store.tables import READS

#: The value of `what` if a search listed the complaint and no one opened it.
SEARCH = "search"


def write_read(tx: Tx, case: Case, by: Actor, what: str) -> None:
    """Record that this person read `what` of the complaint, up to its present version."""
    _write(tx, case, by, what, version=case.version)


def write_search_hit(tx: Tx, case: Case, by: Actor) -> None:
    """Record that this person's search for a number listed this complaint (4.7)."""
    _write(tx, case, by, SEARCH, version=0)


def _write(tx: Tx, case: Case, by: Actor, what: str, *, version: int) -> None:
    role = by.least(READERS)
    tx.add(
        READS,
        ref=case.ref,
        by=by.id,
        role="" if role is None else role.value,
        at=tx.now,
        what=what,
        version=version,
    )


def find_last_read(tx: Tx, ref: str, member: str) -> datetime | None:
    """When this person last opened the complaint; None if never."""
    read_at: datetime | None = tx.connection.execute(
        # A search hit is logged too, but nothing was read.
        select(func.max(READS.c.at)).where(READS.c.ref == ref, READS.c.by == member, READS.c.what != SEARCH)
    ).scalar()
    return read_at
