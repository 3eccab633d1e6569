"""Who read which complaint, and who was refused: rows for the record, not events (4.7)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from complaints.actors import READERS, Actor
from complaints.case import Case
from complaints.errors import ComplaintError
from store.database.transaction import Tx
from store.tables import ATTEMPTS, READS

#: The value of `what` if a search listed the complaint and no one opened it.
SEARCH = "search"


def write_read(tx: Tx, case: Case, by: Actor, what: str) -> None:
    """Record that this person read `what` of the complaint, up to its present version.

    A hit of the person's search is logged as `SEARCH` with version 0: no words were read.
    """
    role, version = by.least(READERS), 0 if what == SEARCH else case.version
    tx.add(
        READS, ref=case.ref, by=by.id, role=role.value if role else "", at=tx.now, what=what, version=version
    )


def find_last_read(tx: Tx, ref: str, member: str) -> datetime | None:
    """When this person last opened the complaint; None if never."""
    read_at: datetime | None = tx.connection.execute(
        select(func.max(READS.c.at)).where(READS.c.ref == ref, READS.c.by == member, READS.c.what != SEARCH)
    ).scalar()
    return read_at


def record_refused_attempt(tx: Tx, ref: str | None, what: str, by: Actor, code: str) -> None:
    """Record an attempt that was refused before any act: a form that did not open, a stranger's button."""
    roles = " ".join(sorted(role.value for role in by.roles))
    tx.add(ATTEMPTS, ref=ref, verb=what, by=by.id, roles=roles, code=code, at=tx.now)


def record_after_rollback(tx: Tx, ref: str | None, what: str, by: Actor, refused: ComplaintError) -> None:
    """Record the attempt in a transaction of its own, after the present one is rolled back."""
    tx.if_refused.append(lambda later: record_refused_attempt(later, ref, what, by, refused.code))
