"""Erase on request and after the retention period (8.1), except what must be kept.

Also deletes expired rows that belong to no record: drafts, dead letters, keys of messages, unused rate limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select

from complaints.actors import SYSTEM
from complaints.deadlines.periods import RetentionPeriod
from complaints.errors import UnknownReference
from complaints.identifiers import parse_reference
from complaints.vocabulary import CloseCode, Flag, State, Verb
from store.cases.act import act
from store.cases.erase import erase_person
from store.custody.remnants import schedule_removal
from store.database.errors import DamagedCase
from store.database.transaction import Tx
from store.outbox.rate_limit import delete_unused_limits
from store.record.load import load_case_file
from store.rulebooks import load_rulebook
from store.tables import CASE_PEOPLE, COMPLAINTS, DRAFTS, HEARD, PEOPLE, SET_ASIDE

#: A key must outlive the last retry of its message: Telegram retries for 24 hours, Slack for minutes.
KEYS_KEPT = timedelta(days=7)
_PAGE = 500


@dataclass(frozen=True)
class Erasure:
    """The result of an erasure. `kept` has the reason by reference: `open`, `legal_hold` or `external`."""

    person: str
    erased: tuple[str, ...]
    kept: Mapping[str, str]
    person_erased: bool


@dataclass(frozen=True)
class Expired:
    """A complaint after its retention period; `kept_because` is the reason why it must still be kept."""

    ref: str
    closed_at: datetime
    due: datetime
    kept_because: str | None


def find_person(tx: Tx, who: str) -> str:
    """The complainant of a reference, or the person with this id; raises UnknownReference."""
    ref = parse_reference(who)
    person = None
    if ref is not None:
        person = tx.connection.execute(
            select(COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
        ).scalar()
    if person is None:
        person = tx.connection.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == who.strip())).scalar()
    if person is None:
        raise UnknownReference(f"{who} is neither a reference nor a person's id: see `amends case show REF`.")
    return str(person)


def erase_complainant(tx: Tx, who: str, because: str) -> Erasure:
    """Erase a person with all their complaints, except those that must be kept, in one transaction."""
    person = find_person(tx, who)
    query = select(COMPLAINTS.c.ref).where(
        COMPLAINTS.c.complainant_id == person, COMPLAINTS.c.erased_at.is_(None)
    )
    erased, kept = [], {}
    for ref in (
        tx.connection.execute(query.order_by(COMPLAINTS.c.received_at, COMPLAINTS.c.ref)).scalars().all()
    ):
        reason = _reason_to_keep(tx, ref)
        if reason is None:
            erase(tx, ref, because)
            erased.append(ref)
        else:
            kept[ref] = reason
    # A person without a complaint is erased with none.
    _erase_unless_needed(tx, person)
    erased_at = tx.connection.execute(select(PEOPLE.c.erased_at).where(PEOPLE.c.id == person)).scalar_one()
    return Erasure(person, tuple(erased), kept, erased_at is not None)


def erase(tx: Tx, ref: str, because: str) -> None:
    """Erase one closed complaint, and each of its people who appears in no other complaint.

    `because` is a code that stays on the record. Raises ComplaintError if the complaint is open or under legal hold.
    """
    act(tx, ref, Verb.ERASE, SYSTEM, {"because": because})
    persons = select(CASE_PEOPLE.c.person_id).where(CASE_PEOPLE.c.ref == ref)
    complainant = select(COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
    for person in sorted({*tx.connection.execute(persons.union(complainant)).scalars()}):
        _erase_unless_needed(tx, person)


def list_unerased(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Which of these complaints exist and still have their words."""
    unerased: list[str] = []
    for start in range(0, len(refs), _PAGE):
        page = list(refs[start : start + _PAGE])
        query = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.ref.in_(page), COMPLAINTS.c.erased_at.is_(None))
        unerased += tx.connection.execute(query.order_by(COMPLAINTS.c.ref)).scalars()
    return unerased


def list_expired(tx: Tx, retention: Mapping[str, str], limit: int = _PAGE) -> list[Expired]:
    """Closed complaints after the retention period of their country, the earliest closed first.

    A country without a period in `retention` keeps everything. Complaints that must be kept are listed with the
    reason.
    """
    expired: list[Expired] = []
    after: tuple[datetime, str] | None = None
    while len(expired) < limit:
        rows = _closed_page(tx, after)
        for row in rows:
            rules = load_rulebook(tx, row.rulebook_id)
            period = retention.get(rules.country)
            until = period and RetentionPeriod.parse(period).until(
                received=row.received_at, closed=row.closed_at, calendar=rules.calendar
            )
            if until and until <= tx.now:
                expired.append(Expired(row.ref, row.closed_at, until, _reason_to_keep(tx, row.ref)))
        if len(rows) < _PAGE:
            break
        after = rows[-1].closed_at, rows[-1].ref
    return expired[:limit]


def delete_expired_rows(tx: Tx) -> None:
    """Delete drafts, dead letters, message keys and rate limits that are no longer needed."""
    tx.connection.execute(delete(HEARD).where(HEARD.c.at < tx.now - KEYS_KEPT))
    tx.connection.execute(delete(DRAFTS).where(DRAFTS.c.expires_at <= tx.now))
    tx.connection.execute(delete(SET_ASIDE).where(SET_ASIDE.c.expires_at <= tx.now))
    delete_unused_limits(tx)
    schedule_removal(tx)


def _closed_page(tx: Tx, after: tuple[datetime, str] | None) -> Sequence[Any]:
    columns = COMPLAINTS.c
    query = select(columns.ref, columns.received_at, columns.closed_at, columns.rulebook_id).where(
        columns.closed_at.is_not(None), columns.erased_at.is_(None), columns.closed_at <= tx.now
    )
    if after is not None:
        closed_at, ref = after
        query = query.where(
            columns.closed_at >= closed_at, or_(columns.closed_at > closed_at, columns.ref > ref)
        )
    return tx.connection.execute(query.order_by(columns.closed_at, columns.ref).limit(_PAGE)).all()


def _reason_to_keep(tx: Tx, ref: str) -> str | None:
    """Why a complaint must still be kept; None if it may be erased."""
    try:
        return _reason(tx, ref)
    except DamagedCase:
        return "damaged"


def _reason(tx: Tx, ref: str) -> str | None:
    row = tx.connection.execute(
        select(COMPLAINTS.c.state, COMPLAINTS.c.flags, COMPLAINTS.c.close_code).where(COMPLAINTS.c.ref == ref)
    ).one()
    if row.state != State.CLOSED.value:
        return "open"
    if row.close_code == CloseCode.MERGED.value:
        # Its words are part of the complaint that it was merged into, and must be kept as long as that one.
        target = load_case_file(tx, ref).case.merged_into
        reason = None if target is None else _reason_to_keep(tx, target)
        if reason is not None:
            return reason
    if Flag.LEGAL_HOLD.value in row.flags:
        return "legal_hold"
    # The flag stays once an outside body was named. Only the events show whether that body has finished.
    if Flag.EXTERNAL.value in row.flags and load_case_file(tx, ref).case.external_open:
        return "external"
    return None


def _erase_unless_needed(tx: Tx, person: str) -> None:
    """Erase a person unless a complaint that still has its words is from or about them."""
    has_words = COMPLAINTS.c.erased_at.is_(None)
    own = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.complainant_id == person, has_words)
    named = (
        select(COMPLAINTS.c.ref)
        .join(CASE_PEOPLE, CASE_PEOPLE.c.ref == COMPLAINTS.c.ref)
        .where(CASE_PEOPLE.c.person_id == person, has_words)
    )
    if tx.connection.execute(own.union(named).limit(1)).first() is None:
        erase_person(tx, person)
