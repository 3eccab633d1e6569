"""Who read which complaint, and who was refused: rows for the record, not events (4.7)."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from complaints.actions.authorisation import Access, authorise, may_approve, needs_reason
from complaints.actors import READERS, Actor
from complaints.case import Case
from complaints.errors import ComplaintError, NotAllowed, ReasonNeeded
from complaints.obligations.approvals import awaits_reader
from complaints.vocabulary import Role
from store.database.transaction import Tx
from store.record.load import CaseFile, load_case_file
from store.tables import ATTEMPTS, READS

#: The value of `what` if a search listed the complaint and no one opened it.
SEARCH = "search"
#: The reason of a person who was asked to review a closed complaint, or to read a decision before it is sent.
CHECK = "check"
#: A reason holds so long for the same person and complaint: turning a page does not ask again.
REASON_HOLDS = timedelta(hours=24)


def load_readable(tx: Tx, ref: str, by: Actor, what: str) -> CaseFile:
    """Load a complaint that this person may read, as may every complaint that it was merged into (4.5, C).

    Raises UnknownReference, and NotAllowed (recorded as an attempt at `what`).
    """
    file = load_case_file(tx, ref)
    case = file.case
    try:
        authorise(case, Access.READ, by)
        while case.merged_into is not None:
            case = load_case_file(tx, case.merged_into).case
            authorise(case, Access.READ, by)
    except NotAllowed:
        # One answer for every reason: it must not reveal who is excluded.
        refused = NotAllowed.worded("not_allowed.read", ref=ref)
        record_after_rollback(tx, ref, what, by, refused)
        raise refused from None
    return file


def find_reason(tx: Tx, case: Case, by: Actor) -> str | None:
    """The reason that this person gave for reading the complaint lately; None if they need none.

    Raises ReasonNeeded if they need one and gave none.
    """
    if case.open_review is not None and case.open_review.reviewer == by.id:
        return CHECK
    if not needs_reason(case, by):
        return None
    if awaits_reader(case) and may_approve(case, by):
        return CHECK
    own = (READS.c.ref == case.ref) & (READS.c.by == by.id) & READS.c.reason.is_not(None)
    query = select(READS.c.reason).where(own, READS.c.at > tx.now - REASON_HOLDS).limit(1)
    reason: str | None = tx.connection.execute(query).scalar()
    if reason is None:
        raise ReasonNeeded.worded("reason_needed", ref=case.ref)
    return reason


def write_read(
    tx: Tx, case: Case, by: Actor, what: str, reason: str | None = None, *, whole: bool = True
) -> None:
    """Record that this person read `what` of the complaint, up to its present version, and why.

    Without `whole` the version is 0: they did not see what the complainant wrote.
    """
    role, version = by.least(READERS | {Role.ON_CALL}), case.version if whole else 0
    name = role.value if role else ""
    tx.add(READS, ref=case.ref, by=by.id, role=name, at=tx.now, what=what, version=version, reason=reason)


def find_last_read(tx: Tx, ref: str, member: str) -> datetime | None:
    """When this person last read the whole complaint; None if never."""
    read_at: datetime | None = tx.connection.execute(
        select(func.max(READS.c.at)).where(READS.c.ref == ref, READS.c.by == member, READS.c.version > 0)
    ).scalar()
    return read_at


def record_refused_attempt(tx: Tx, ref: str | None, what: str, by: Actor, code: str) -> None:
    """Record an attempt that was refused before any act: a form that did not open, a stranger's button."""
    roles = " ".join(sorted(role.value for role in by.roles))
    tx.add(ATTEMPTS, ref=ref, verb=what, by=by.id, roles=roles, code=code, at=tx.now)


def record_after_rollback(tx: Tx, ref: str | None, what: str, by: Actor, refused: ComplaintError) -> None:
    """Record the attempt in a transaction of its own, after the present one is rolled back."""
    tx.if_refused.append(lambda later: record_refused_attempt(later, ref, what, by, refused.code))
