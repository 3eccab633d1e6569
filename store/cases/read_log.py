"""Who opened what (4.7): a read is a row, no event."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from complaints.actors import Actor
from complaints.case import Case
from complaints.permissions import READERS
from store.database.transaction import Tx
from store.tables import READS

#: What stands in `what` where a complaint was only found.
SEARCH = "search"


def write_read(tx: Tx, case: Case, by: Actor, what: str) -> None:
    """This person has now seen this much of the complaint, up to its present version."""
    _write(tx, case, by, what, version=case.version)


def write_found(tx: Tx, case: Case, by: Actor) -> None:
    """This person looked for a person's number and this complaint was filed under it (4.7)."""
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
    """When this person last opened the complaint."""
    found: datetime | None = tx.connection.execute(
        # Found by a number is on the record, but nothing was read then.
        select(func.max(READS.c.at)).where(READS.c.ref == ref, READS.c.by == member, READS.c.what != SEARCH)
    ).scalar()
    return found
